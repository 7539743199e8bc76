//! What a forger tries, and the test that shows that it fails. Those that stand nowhere else are
//! in this file.
//!
//! | attack | test |
//! |---|---|
//! | a lone last leaf doubled, for the same root | `merkle/proofs.rs`, `a_doubled_last_leaf_…` |
//! | a node shown as a leaf | `merkle/proofs.rs`, `a_node_does_not_pass_as_a_leaf` |
//! | a path with nodes too many, too few, swapped | `merkle/proofs.rs`, `extra_missing_and_swapped_…`; of files `tree_proof.rs` |
//! | a path for another index or size | `merkle/proofs.rs`, `a_proof_holds_for_one_index_…`, `every_range_…`; of an op `proof.rs` |
//! | a checkpoint of another size or root | here, `a_kept_checkpoint_…`; `checkpoint.rs`, `changed_notes_…` |
//! | a leaf moved to another place or chain | here, `a_leaf_belongs_to_one_place` |
//! | a signature used under another label | here, `a_signature_is_of_one_message`; `refusals.rs` |
//! | a signature used on another chain | here, `nothing_passes_from_one_chain_to_another`; `refusals.rs` |
//! | a block replayed at another height | here, `a_block_is_not_decided_twice` |
//! | a block left out, doubled, moved | `tamper_blocks.rs`, `a_missing_doubled_or_moved_block` |
//! | two certificates of one height | here, `two_certificates_of_one_height` |
//! | validators that name themselves | `proof.rs`, `self_made_validators_…`; `tamper_blocks.rs` |
//! | the log cut off, tiles left over | `tamper_blocks.rs`, `a_missing_last_block_…` |
//! | the log cut off cleanly, everywhere | here, `a_kept_checkpoint_…` |
//! | an old checkpoint with a rewritten log | here, `a_kept_checkpoint_…`; by witnesses `witness.rs` |
//! | a payload altered, its leaf intact | `tamper_ops.rs`, `an_altered_payload_…`; of a proof `proof.rs` |
//! | payload and hashes altered together | `tamper_ops.rs`, `ops_rewritten_…`; `completeness.rs`, `a_consistent_forgery_…` |
//! | envelopes swapped between ops | here, `envelopes_are_not_exchanged` |
//! | parts of one op swapped, split, joined | here, `parts_are_bound_to_their_place` |
//! | two histories by one node | `tamper_ops.rs`, `a_second_signed_history` |
//! | an op that nobody signed in an archive | here, `what_nobody_signed_…`; `tests/verifier`, `test_hostile.py` |
//! | any byte of a bundle altered | `bundle.rs`, `any_changed_byte_is_found` |
//! | crafted signatures, keys of small order | `wycheproof.rs`; `src/signature.rs` |

mod chain;

use chain::sample::{CHAIN, ops, segment};
use chain::{Chain, key};
use ledger::bundle::{Frame, Frames, Tag, write_frame};
use ledger::hash::sha256;
use ledger::merkle::{Tree, verify_consistency};
use ledger::{
    BUNDLE_LABEL, ChainId, Checkpoint, ConsistencyProof, FindingKind, Genesis, Hash, Leaf, NodeId,
    Phase, Pins, Report, Vote, signature, verify_bundle,
};

fn kinds(report: &Report) -> Vec<FindingKind> {
    report.findings.iter().map(|finding| finding.kind).collect()
}

/// Two blocks, and a third one in two versions.
fn forked() -> (Chain, Chain, Chain) {
    let mut trunk = Chain::new();
    let founder = trunk.genesis.validators();
    trunk.join(2, 0);
    trunk.commit(&[1], &founder);
    trunk.deltas(2, 3);
    trunk.commit(&[1], &founder);
    let (mut one, mut other) = (trunk.clone(), trunk.clone());
    one.deltas(2, 5);
    one.commit(&[1], &founder);
    other.clock += 1;
    other.deltas(2, 7);
    other.commit(&[1], &founder);
    (trunk, one, other)
}

fn path(chain: &Chain, old: u64) -> Vec<Hash> {
    let tree = Tree::new(chain.tiles.clone(), chain.size);
    tree.consistency_proof(old, chain.size).unwrap()
}

/// An auditor keeps a checkpoint. Whoever holds the server can rewrite the log or cut it off so
/// that it verifies by itself; it does not go on from the checkpoint then.
#[test]
fn a_kept_checkpoint_holds_the_log() {
    let (trunk, one, other) = forked();
    let (kept, root) = (one.size, one.last.log_root);
    for log in [&trunk, &one, &other] {
        assert_eq!(kinds(&log.verify()), []);
    }
    // Cut off: no proof leads from more leaves to fewer.
    assert!(trunk.size < kept);
    assert!(ConsistencyProof::new(kept, trunk.size, Vec::new()).is_err());
    let backwards = path(&one, trunk.size);
    let trunk_root = trunk.last.log_root;
    assert!(!verify_consistency(
        kept,
        trunk.size,
        &backwards,
        &root,
        &trunk_root
    ));
    // Rewritten: neither its own path nor the true one, nor with a size that is near.
    let rewritten = other.last.log_root;
    for path in [path(&other, kept), path(&one, kept), backwards] {
        for size in other.size - 1..=other.size + 1 {
            for old in kept - 1..=kept + 1 {
                assert!(!verify_consistency(old, size, &path, &root, &rewritten));
            }
        }
    }
    let shared = path(&other, trunk.size);
    assert!(verify_consistency(
        trunk.size,
        other.size,
        &shared,
        &trunk_root,
        &rewritten
    ));
    // An op that was proved under the kept checkpoint is not in the rewritten log.
    let proof = one.prove(2, 8, 3);
    assert_eq!(proof.included_in(kept, &root), Ok(()));
    assert!(proof.included_in(other.size, &rewritten).is_err());
}

/// A validator that decides twice deceives whoever sees one of the two only. Both stay signed, so
/// the two together convict it, and no log holds both.
#[test]
fn two_certificates_of_one_height() {
    let (_, one, other) = forked();
    let (a, b) = (one.block(3), other.block(3));
    assert_eq!(a.header.height, b.header.height);
    assert_ne!(a.header.hash(), b.header.hash());
    let founder = one.genesis.validators();
    for block in [&a, &b] {
        assert_eq!(block.certificate.verify(&one.chain, &founder), Ok(()));
    }
    // A certificate speaks for its own header only.
    let mut mixed = one.clone();
    mixed.block_mut(3).certificate = b.certificate.to_bytes();
    assert_eq!(kinds(&mixed.verify()), [FindingKind::HeaderAltered]);
    let mut both = one.clone();
    both.blocks.push(other.blocks[2].clone());
    assert!(kinds(&both.verify()).contains(&FindingKind::BlockExtra));
    let mut other_one = one.clone();
    other_one.blocks[2] = other.blocks[2].clone();
    assert!(!other_one.verify().is_verified());
}

/// A block that was decided once must not add its ops a second time.
#[test]
fn a_block_is_not_decided_twice() {
    let good = Chain::sample(3);
    for height in 1..=5u64 {
        let mut chain = good.clone();
        let mut again = chain.block_mut(height).clone();
        chain.blocks.push(again.clone());
        assert!(
            kinds(&chain.verify()).contains(&FindingKind::BlockExtra),
            "{height}"
        );
        chain.blocks.pop();
        again.height = 6;
        chain.blocks.push(again);
        assert!(!chain.verify().is_verified(), "{height}");
    }
}

/// What the same keys signed for one chain, another one must not take over.
#[test]
fn nothing_passes_from_one_chain_to_another() {
    let one = Chain::sample(3);
    let mut genesis = one.genesis.clone();
    genesis.nonce = [10; 32];
    assert_ne!(genesis.chain_id(), one.chain);
    // The same founder, so the same keys.
    assert_eq!(genesis.validators(), one.genesis.validators());
    let mut moved = one.clone();
    moved.genesis_bytes = genesis.to_bytes();
    moved.chain = genesis.chain_id();
    moved.genesis = genesis;
    let found = kinds(&moved.verify());
    assert!(
        found.contains(&FindingKind::SegmentSignatureWrong),
        "{found:?}"
    );
    assert!(found.contains(&FindingKind::HeaderAltered), "{found:?}");
    let mut proof = one.prove(2, 1, 2);
    assert!(proof.verify(&Pins::default()).is_ok());
    proof.genesis = ledger::proof::HexBytes(moved.genesis_bytes.clone());
    proof.chain_id = ledger::proof::Hex(moved.chain.0);
    assert!(proof.verify(&Pins::default()).is_err());
    assert!(Genesis::from_bytes(&moved.genesis_bytes).is_ok());
}

/// One op must not stand for another place in the log, or for an op of another chain.
#[test]
fn a_leaf_belongs_to_one_place() {
    let op = &ops(1)[0];
    let leaf = |chain: &ChainId, index, origin: u8, prev: u8| {
        let (origin, prev) = (NodeId([origin; 32]), [prev; 32]);
        let hash = op.hash(chain, &origin, &prev);
        Leaf::of_op(chain, index, &origin, &op.core(), &prev, &hash).hash()
    };
    let here = leaf(&CHAIN, 6, 9, 3);
    for other in [
        leaf(&CHAIN, 7, 9, 3),
        leaf(&ChainId([0xc1; 32]), 6, 9, 3),
        leaf(&CHAIN, 6, 8, 3),
        leaf(&CHAIN, 6, 9, 4),
    ] {
        assert_ne!(here, other);
    }
}

/// Were two messages ever the same bytes, a harmless signature would be worth a dangerous one.
#[test]
fn a_signature_is_of_one_message() {
    let segment = segment();
    let vote = |chain: &ChainId, height, round, phase| {
        let header_hash = [1; 32];
        let vote = Vote {
            height,
            round,
            phase,
            header_hash,
        };
        vote.message(chain)
    };
    let other = ChainId([0xc1; 32]);
    let claim = segment.claim(&CHAIN);
    let messages = [
        claim.message(&CHAIN),
        claim.message(&other),
        vote(&CHAIN, 3, 0, Phase::Prevote),
        vote(&CHAIN, 3, 0, Phase::Precommit),
        vote(&CHAIN, 3, 1, Phase::Precommit),
        vote(&CHAIN, 4, 0, Phase::Precommit),
        vote(&other, 3, 0, Phase::Precommit),
        Checkpoint::of_chain(&CHAIN, 3, [1; 32]).text().into_bytes(),
        Checkpoint::of_chain(&CHAIN, 4, [1; 32]).text().into_bytes(),
    ];
    let key = key(1);
    for (i, signed) in messages.iter().enumerate() {
        let signature = signature::sign(&key, signed);
        for (j, message) in messages.iter().enumerate() {
            assert_eq!(
                signature::verify(&key.verifying_key(), message, &signature),
                i == j
            );
        }
    }
}

/// Two customers' orders exchanged, each still under its own leaf.
#[test]
fn envelopes_are_not_exchanged() {
    let good = Chain::sample(3);
    for (a, b) in [(1, 2), (7, 13)] {
        let mut chain = good.clone();
        let (one, two) = (chain.op_mut(2, a).clone(), chain.op_mut(2, b).clone());
        for (seq, from) in [(a, &two), (b, &one)] {
            let row = chain.op_mut(2, seq);
            row.salt = from.salt.clone();
            row.payload = from.payload.clone();
        }
        let report = chain.verify();
        let found: Vec<_> = report.findings.iter().map(|f| (f.kind, f.seq)).collect();
        let altered = FindingKind::PayloadAltered;
        assert_eq!(
            found,
            [(altered, Some(a)), (altered, Some(b))],
            "{report:#?}"
        );
    }
}

/// Each part belongs to one person. Nobody's data may be shown as another's.
#[test]
fn parts_are_bound_to_their_place() {
    let (origin, prev) = (NodeId([9; 32]), [3; 32]);
    let good = ops(3).remove(2);
    let hash = good.hash(&CHAIN, &origin, &prev);
    let refused = |change: &dyn Fn(&mut ledger::Op)| {
        let mut op = good.clone();
        change(&mut op);
        assert_ne!(op, good);
        assert_ne!(op.hash(&CHAIN, &origin, &prev), hash);
    };
    refused(&|op| op.parts.swap(1, 2));
    refused(&|op| {
        let salt = op.parts[1].salt;
        op.parts[1].salt = op.parts[2].salt;
        op.parts[2].salt = salt;
    });
    // The border between two parts moved by a byte.
    refused(&|op| {
        let byte = op.parts[2].payload.remove(0);
        op.parts[1].payload.push(byte);
    });
    refused(&|op| drop(op.parts.pop()));
    refused(&|op| op.parts.push(op.parts[2].clone()));
    // The hash of two parts as if it were one.
    refused(&|op| {
        let pair = op.parts.split_off(1);
        let joined = sha256(&[&pair[0].commitment(), &pair[1].commitment()]);
        op.parts[0].payload = joined.to_vec();
    });
}

/// An archive tells of nothing behind its last block. What stands in it is in a block, or is nothing.
#[test]
fn what_nobody_signed_has_no_place_in_an_archive() {
    let bundle = Chain::sample(40).bundle();
    let mut frames = Frames::begin(bundle.as_slice()).unwrap();
    let (mut head, mut first_op) = (Vec::new(), None);
    while first_op.is_none() {
        let frame = frames.next_frame().unwrap();
        match frame.tag {
            Tag::Chain | Tag::Member => head.push(frame),
            Tag::Op => first_op = Some(frame),
            _ => {}
        }
    }
    let archive = |ops: Option<Frame>| {
        let mut bytes = BUNDLE_LABEL.to_vec();
        let mut count = 1u64;
        for frame in head.iter().chain(&ops) {
            write_frame(&mut bytes, frame.tag, &frame.body).unwrap();
            count += 1;
        }
        write_frame(&mut bytes, Tag::Stop, &[]).unwrap();
        write_frame(&mut bytes, Tag::End, &count.to_be_bytes()).unwrap();
        let (_, report, _) = verify_bundle(bytes.as_slice(), &Pins::default()).unwrap();
        kinds(&report)
    };
    assert_eq!(archive(None), []);
    assert_eq!(archive(first_op), [FindingKind::OpExtra]);
}
