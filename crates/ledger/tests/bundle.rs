//! A chain in a file: what is written is verified like the tables it came from.

mod chain;

use chain::Chain;
use ledger::{BundleError, FindingKind, Pins, Report, StoredOp, StoredPart, verify_bundle};
use proptest::prelude::*;

fn verify(bytes: &[u8], pins: &Pins) -> Report {
    let (_, report, _) = verify_bundle(bytes, pins).unwrap();
    report
}

fn told(report: &Report) -> Vec<FindingKind> {
    report.findings.iter().map(|f| f.kind).collect()
}

#[test]
fn a_bundle_verifies_like_the_chain() {
    for chain in [Chain::new(), Chain::sample(3), Chain::sample(40)] {
        let bytes = chain.bundle();
        let (name, report, trust) = verify_bundle(bytes.as_slice(), &Pins::default()).unwrap();
        assert!(report.is_verified(), "{report:#?}");
        assert_eq!(name, chain.chain);
        assert_eq!(report, chain.verify());
        assert_eq!(trust.as_str(), "itself");
    }
}

#[test]
fn alterations_travel_along_and_are_found() {
    let good = Chain::sample(40);
    let mut chain = good.clone();
    chain.op_mut(2, 50).payload[0] ^= 1;
    assert_eq!(
        verify(&chain.bundle(), &Pins::default()).findings,
        chain.verify().findings
    );
    let mut chain = good.clone();
    chain.block_mut(3).cut[40] ^= 1;
    assert_eq!(
        told(&verify(&chain.bundle(), &Pins::default())),
        [FindingKind::CutAltered]
    );
    let mut chain = good.clone();
    chain.block_mut(3).header.clear();
    assert_eq!(
        told(&verify(&chain.bundle(), &Pins::default())),
        [FindingKind::HeaderAltered]
    );
    let mut chain = good.clone();
    chain.members[1].node_id.0[0] ^= 1;
    assert_eq!(
        told(&verify(&chain.bundle(), &Pins::default())),
        [FindingKind::MembershipAltered; 2]
    );
}

/// Of two records of one member a reader would believe the last, whatever the first says.
#[test]
fn a_member_that_is_there_twice_is_found() {
    let mut chain = Chain::sample(3);
    let mut other = chain.members[1].clone();
    other.name = "impostor".to_owned();
    chain.members.insert(1, other);
    assert_eq!(
        told(&verify(&chain.bundle(), &Pins::default())),
        [FindingKind::MembershipAltered]
    );
}

/// The frames of a bundle, without its end.
fn frames(bundle: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = &bundle[16..];
    let mut frames = Vec::new();
    while rest[0] != 9 {
        let length = u32::from_be_bytes(rest[1..5].try_into().unwrap()) as usize;
        let (frame, behind) = rest.split_at(5 + length);
        frames.push(frame.to_vec());
        rest = behind;
    }
    frames
}

fn joined(bundle: &[u8], frames: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = [&bundle[..16], &frames.concat()].concat();
    bytes.extend([9, 0, 0, 0, 8]);
    bytes.extend((frames.len() as u64).to_be_bytes());
    bytes
}

/// Where the tail begins is part of what a bundle says: it is there once, and says nothing else.
#[test]
fn a_bundle_has_one_tail() {
    let bundle = Chain::sample(3).bundle();
    let sound = frames(&bundle);
    assert_eq!(joined(&bundle, &sound), bundle);
    let tail = sound.iter().position(|frame| frame[0] == 7).unwrap();
    let refused = |frames: &[Vec<u8>]| {
        let bytes = joined(&bundle, frames);
        assert!(verify_bundle(bytes.as_slice(), &Pins::default()).is_err());
    };
    let mut twice = sound.clone();
    twice.push(sound[tail].clone());
    refused(&twice);
    let mut filled = sound.clone();
    filled[tail] = vec![7, 0, 0, 0, 1, 0];
    refused(&filled);
    let mut early = sound.clone();
    let vector = early.pop().unwrap();
    early.insert(tail, vector);
    refused(&early);
    let blocks_only: Vec<_> = sound[..tail].to_vec();
    refused(&blocks_only);
    let mut named_twice = sound.clone();
    named_twice.push(sound.last().unwrap().clone());
    let report = verify(&joined(&bundle, &named_twice), &Pins::default());
    assert_eq!(told(&report), [FindingKind::VectorAltered]);
}

/// One chain has one file: nothing can be hidden behind its end.
#[test]
fn nothing_follows_the_end() {
    let mut bytes = Chain::sample(3).bundle();
    bytes.push(0);
    let read = verify_bundle(bytes.as_slice(), &Pins::default());
    assert!(matches!(read, Err(BundleError::Trailing)), "{read:?}");
}

#[test]
fn pins_are_held_against_the_chain() {
    let chain = Chain::sample(3);
    let bytes = chain.bundle();
    let mut pins = Pins {
        chain_id: Some(chain.chain),
        validator_keys: vec![chain::member(1, 1).signing_key],
    };
    assert!(verify(&bytes, &pins).is_verified());
    pins.chain_id = Some(ledger::ChainId([1; 32]));
    assert_eq!(told(&verify(&bytes, &pins)), [FindingKind::GenesisAltered]);
    pins.chain_id = None;
    pins.validator_keys = vec![chain::member(2, 1).signing_key];
    assert_eq!(
        told(&verify(&bytes, &pins)),
        [FindingKind::CertificateWrong]
    );
}

/// A download that broke off must not look like a short chain.
#[test]
fn a_cut_off_bundle_is_no_bundle() {
    let bytes = Chain::sample(3).bundle();
    let pins = Pins::default();
    for len in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
        let result = verify_bundle(&bytes[..len], &pins);
        assert!(matches!(
            result,
            Err(BundleError::CutOff | BundleError::NotABundle)
        ));
    }
    let mut later = bytes.clone();
    later[14] = b'9';
    assert!(matches!(
        verify_bundle(later.as_slice(), &pins),
        Err(BundleError::NotABundle)
    ));
}

#[test]
fn a_claimed_length_allocates_nothing() {
    let mut bytes = b"bcrdt/bundle/v1\0\x01".to_vec();
    bytes.extend(u32::MAX.to_be_bytes());
    assert!(matches!(
        verify_bundle(bytes.as_slice(), &Pins::default()),
        Err(BundleError::Frame { frame: 0, .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A bundle comes from the party that is audited: no byte of it may crash the auditor or
    /// pass unseen.
    #[test]
    fn any_changed_byte_is_found(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let good = small().bundle();
        let mut bytes = good.clone();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok((_, report, _)) = verify_bundle(bytes.as_slice(), &Pins::default()) {
            prop_assert!(!report.is_verified(), "byte {at}, bit {bit}");
        }
    }

    /// Rows of any shape, in any order.
    #[test]
    fn rows_of_any_shape_do_not_crash_the_verifier(
        lengths in prop::collection::vec(0usize..40, 8),
        numbers in prop::collection::vec(
            prop_oneof![0u64..12, any::<u64>(), Just(u64::MAX), Just(u64::MAX - 1)], 8),
        order in prop::collection::vec(0u8..7, 1..40),
    ) {
        let chain = small();
        let mut verifier = chain.verifier();
        let bytes: Vec<Vec<u8>> = lengths.iter().map(|len| vec![7; *len]).collect();
        let origin = chain.id(1).0;
        for (i, step) in order.into_iter().enumerate() {
            let number = |k: usize| numbers[(i + k) % 8];
            let field = |k: usize| bytes[(i + k) % 8].as_slice();
            match step {
                0 => {
                    let mut block = chain.blocks[i % chain.blocks.len()].clone();
                    block.height = number(0) % 8;
                    verifier.block(&block.as_stored());
                }
                1 => verifier.tile(number(0) as u8, number(1), &field(2).repeat(32)),
                2 => {
                    let parts = [StoredPart { salt: field(0), payload: field(1) }];
                    verifier.op(&StoredOp {
                        origin: &origin,
                        seq: number(0),
                        hlc: number(1),
                        kind: number(2) as u8,
                        schema_hash: field(2),
                        parts: &parts[..i % 2],
                        op_hash: field(3),
                    });
                }
                3 => {
                    let mut row = chain.segments[i % chain.segments.len()].clone();
                    row.first_seq = number(0);
                    row.count = number(1);
                    verifier.segment(&row.as_stored());
                }
                4 => verifier.vector(&origin, number(0), field(1)),
                5 => {
                    let mut row = chain.ops[i % chain.ops.len()].clone();
                    row.seq = number(0);
                    row.with_stored(|op| verifier.op(op));
                }
                _ => {
                    let row = &chain.ops[i % chain.ops.len()];
                    row.with_stored(|op| verifier.op(op));
                }
            }
        }
        verifier.finish();
    }
}

fn small() -> Chain {
    let mut chain = Chain::new();
    let founder = chain.genesis.validators();
    chain.join(2, 0);
    chain.commit(&[1], &founder);
    chain.deltas(2, 2);
    chain.commit(&[1], &founder);
    chain.deltas(1, 1);
    chain
}
