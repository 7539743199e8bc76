//! A proof of one op, and everything an attacker may change about it.

mod chain;

use chain::{Chain, member};
use ledger::proof::{Hex, HexBytes, ProofPart};
use ledger::{ChainId, OpProof, Pins, ProofFault, ValidatorSet};

fn pins(chain: &Chain) -> Pins {
    Pins {
        chain_id: Some(chain.chain),
        validator_keys: Vec::new(),
    }
}

#[test]
fn a_proof_verifies_under_its_block_and_any_later_one() {
    let chain = Chain::sample(40);
    for height in [2, 3, 5] {
        let proof = chain.prove(3, 17, height);
        let text = proof.to_json().unwrap();
        assert_eq!(OpProof::from_json(&text), Ok(proof.clone()));
        let verified = proof.verify(&pins(&chain)).unwrap();
        assert_eq!(verified.origin, chain.id(3));
        assert_eq!((verified.seq, verified.height), (17, height));
        assert_eq!(verified.op_hash, chain.cores[&(chain.id(3), 17)].2);
        assert_eq!(verified.trust.as_str(), "pinned_chain");
        assert_eq!(
            proof.verify(&Pins::default()).unwrap().trust.as_str(),
            "itself"
        );
    }
    assert!(matches!(
        chain.leaf_index(chain.id(3), 17),
        index if index < chain.block(2).header.tree_size
    ));
}

/// An auditor who knows the chain or the validators must not be shown another chain.
#[test]
fn pins_are_held_against_the_proof() {
    let chain = Chain::sample(3);
    let proof = chain.prove(2, 8, 5);
    let other = Pins {
        chain_id: Some(ChainId([5; 32])),
        validator_keys: Vec::new(),
    };
    assert!(matches!(
        proof.verify(&other),
        Err(ProofFault::OtherChain { .. })
    ));
    let mut keys = Pins {
        chain_id: None,
        validator_keys: vec![member(1, 1).signing_key],
    };
    assert_eq!(
        proof.verify(&keys).unwrap().trust.as_str(),
        "pinned_validators"
    );
    keys.validator_keys = vec![member(2, 1).signing_key];
    assert_eq!(proof.verify(&keys), Err(ProofFault::NotTrusted));
}

/// Somebody who is no validator names himself as the only one.
#[test]
fn self_made_validators_are_not_trusted() {
    let chain = Chain::sample(3);
    let mut proof = chain.prove(2, 8, 5);
    let set = ValidatorSet::from_members([&member(66, 1)]);
    let mut header = chain.block(5).header;
    header.validator_set_hash = set.hash(&chain.chain);
    let certificate = chain.certify(&header, &[]);
    let signature = certificate.vote().sign(&chain.chain, &chain::key(66));
    proof.header.validator_set_hash = Hex(header.validator_set_hash);
    proof.certificate.signatures[0].node = Hex(member(66, 1).node_id.0);
    proof.certificate.signatures[0].signature = Hex(signature);
    proof.validators[0].node = Hex(member(66, 1).node_id.0);
    proof.validators[0].key = Hex(member(66, 1).signing_key);
    assert_eq!(proof.verify(&pins(&chain)), Err(ProofFault::NotTrusted));
    assert_eq!(proof.verify(&Pins::default()), Err(ProofFault::NotTrusted));
}

#[test]
fn every_changed_field_is_refused() {
    let chain = Chain::sample(3);
    let good = chain.prove(2, 8, 4);
    type Change = dyn Fn(&mut OpProof);
    let changes: Vec<Box<Change>> = vec![
        Box::new(|p| p.format = 2),
        Box::new(|p| p.chain_id.0[0] ^= 1),
        Box::new(|p| p.genesis.0[30] ^= 1),
        Box::new(|p| p.genesis.0.clear()),
        Box::new(|p| p.op.origin.0[0] ^= 1),
        Box::new(|p| p.op.seq += 1),
        Box::new(|p| p.op.hlc += 1),
        Box::new(|p| p.op.kind = "schema".into()),
        Box::new(|p| p.op.kind = "header".into()),
        Box::new(|p| p.op.kind = "Delta".into()),
        Box::new(|p| p.op.schema_hash.0[0] ^= 1),
        Box::new(|p| p.op.parts.clear()),
        Box::new(|p| p.op.parts.push(p.op.parts[0].clone())),
        Box::new(|p| {
            p.op.parts[0] = ProofPart::Open {
                salt: Hex([1; 32]),
                payload: HexBytes(b"forged".to_vec()),
            }
        }),
        Box::new(|p| p.op.prev_op_hash.0[0] ^= 1),
        Box::new(|p| p.leaf_index += 1),
        Box::new(|p| p.leaf_index -= 1),
        Box::new(|p| p.leaf_index = u64::MAX),
        Box::new(|p| p.inclusion[0].0[0] ^= 1),
        Box::new(|p| p.inclusion.push(Hex([0; 32]))),
        Box::new(|p| p.inclusion.truncate(p.inclusion.len() - 1)),
        Box::new(|p| p.inclusion.clear()),
        Box::new(|p| p.header.height += 1),
        Box::new(|p| p.header.epoch += 1),
        Box::new(|p| p.header.prev_header.0[0] ^= 1),
        Box::new(|p| p.header.first_leaf += 1),
        Box::new(|p| p.header.tree_size += 1),
        Box::new(|p| p.header.tree_size -= 1),
        Box::new(|p| p.header.log_root.0[0] ^= 1),
        Box::new(|p| p.header.validator_set_hash.0[0] ^= 1),
        Box::new(|p| p.header.state_root.0[0] ^= 1),
        Box::new(|p| p.header.time_ms += 1),
        Box::new(|p| p.header.proposer.0[0] ^= 1),
        Box::new(|p| p.certificate.round += 1),
        Box::new(|p| p.certificate.signatures[0].signature.0[0] ^= 1),
        Box::new(|p| p.certificate.signatures[0].node.0[0] ^= 1),
        Box::new(|p| p.certificate.signatures.clear()),
        Box::new(|p| {
            p.certificate
                .signatures
                .push(p.certificate.signatures[0].clone())
        }),
        Box::new(|p| p.validators[0].weight += 1),
        Box::new(|p| p.validators[0].key.0[0] ^= 1),
        Box::new(|p| p.validators.clear()),
        Box::new(|p| p.validators.push(p.validators[0].clone())),
    ];
    for (i, change) in changes.iter().enumerate() {
        let mut proof = good.clone();
        change(&mut proof);
        assert_ne!(proof, good);
        assert!(proof.verify(&pins(&chain)).is_err(), "change {i}");
        assert!(proof.verify(&Pins::default()).is_err(), "change {i}");
    }
}

/// A part can be kept back or erased, and the proof still holds.
#[test]
fn a_closed_part_does_not_break_the_proof() {
    let chain = Chain::sample(3);
    let mut proof = chain.prove(2, 8, 5);
    proof.op.parts[0] = proof.op.parts[0].close();
    let text = proof.to_json().unwrap();
    assert!(!text.contains("payload"));
    let verified = OpProof::from_json(&text).unwrap().verify(&pins(&chain));
    assert_eq!(verified.unwrap().closed_parts, 1);
}

/// With a checkpoint that he trusts an auditor needs no certificate.
#[test]
fn inclusion_in_a_trusted_checkpoint() {
    let chain = Chain::sample(3);
    let proof = chain.prove(2, 8, 5);
    let header = chain.block(5).header;
    assert_eq!(
        proof.included_in(header.tree_size, &header.log_root),
        Ok(())
    );
    assert!(
        proof
            .included_in(proof.leaf_index, &header.log_root)
            .is_err()
    );
    assert!(proof.included_in(header.tree_size, &[0; 32]).is_err());
}

#[test]
fn text_that_is_no_proof_is_refused() {
    let chain = Chain::sample(3);
    let text = chain.prove(2, 8, 5).to_json().unwrap();
    for bad in ["", "{}", "[]", "null", "{\"format\":1}", &text[1..]] {
        assert!(matches!(
            OpProof::from_json(bad),
            Err(ProofFault::Unreadable(_))
        ));
    }
    let later = text.replacen("\"format\": 1", "\"format\": 7, \"new\": 1", 1);
    assert_eq!(OpProof::from_json(&later), Err(ProofFault::Format(7)));
    let unknown = text.replacen("\"format\": 1", "\"format\": 1, \"new\": 1", 1);
    assert!(OpProof::from_json(&unknown).is_err());
}
