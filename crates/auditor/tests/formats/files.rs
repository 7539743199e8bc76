//! The files in tests/vectors, on which other verifiers are tried.

use ledger::merkle::Tree;
use ledger::{ConsistencyProof, OpProof};

use crate::chain::member;
use crate::examples;
use crate::sample::Sample;

fn json(proof: &OpProof) -> Vec<u8> {
    format!("{}\n", proof.to_json().unwrap()).into_bytes()
}

fn key_line(seed: u8) -> Vec<u8> {
    format!("{}\n", hex::encode(member(seed, 0).signing_key)).into_bytes()
}

/// That the log after block 3 continues the one after block 1.
fn consistency(sample: &Sample) -> Vec<u8> {
    let chain = &sample.chain;
    let (old, new) = (
        chain.block(1).header.tree_size,
        chain.block(3).header.tree_size,
    );
    let tree = Tree::new(chain.tiles.clone(), chain.size);
    let path = tree.consistency_proof(old, new).unwrap();
    let proof = ConsistencyProof::new(old, new, path).unwrap();
    format!("{}\n", proof.to_json().unwrap()).into_bytes()
}

/// Each file's name and bytes.
pub fn all(sample: &Sample) -> Vec<(&'static str, Vec<u8>)> {
    let chain = &sample.chain;
    let delta = chain.prove(2, 1, 2);
    let mut closed = delta.clone();
    closed.op.parts = closed.op.parts.iter().map(|part| part.close()).collect();
    let later = chain.prove_under(2, 1, 3, &sample.both);
    vec![
        ("chain.bundle", chain.bundle()),
        ("validator1.key", key_line(1)),
        ("validator2.key", key_line(2)),
        ("chain.id", format!("{}\n", chain.chain).into_bytes()),
        ("proof_delta.json", json(&delta)),
        ("proof_closed.json", json(&closed)),
        ("proof_member.json", json(&chain.prove(1, 1, 1))),
        ("proof_schema.json", json(&chain.prove(1, 2, 1))),
        ("proof_later_validators.json", json(&later)),
        ("checkpoint.txt", examples::note(sample, 3).into_bytes()),
        ("checkpoint_old.txt", examples::note(sample, 1).into_bytes()),
        ("consistency.json", consistency(sample)),
        (
            "checkpoint.vkey",
            format!("{}\n", examples::note_key(sample)).into_bytes(),
        ),
    ]
}
