//! Parts of a chain in a file: archives, public exports, pieces put together, and the
//! verification of a run of blocks.

mod chain;

use chain::Chain;
use std::io::{Read, Write};

use ledger::bundle::{
    Frames, PACKED_BYTES, Packer, Tag, Unpacker, pack, packed_frame_length, read_op,
};
use ledger::{
    BundleError, BundleWriter, ChainSink, FindingKind, Pins, Report, verify_bundle,
    verify_bundle_blocks,
};
use proptest::prelude::*;

fn verify(bytes: &[u8]) -> Report {
    verify_bundle(bytes, &Pins::default()).unwrap().1
}

fn blocks(bytes: &[u8], first: u64, last: u64) -> Report {
    verify_bundle_blocks(bytes, &Pins::default(), first..=last)
        .unwrap()
        .1
}

fn told(report: &Report) -> Vec<(FindingKind, Option<u64>)> {
    let findings = report.findings.iter();
    findings.map(|f| (f.kind, f.height)).collect()
}

/// What is pruned lives on in the archive alone: it must verify without the database.
#[test]
fn an_archive_ends_with_a_block() {
    let chain = Chain::sample(40);
    for height in 1..=5 {
        let report = verify(&chain.archive(height));
        assert!(report.is_verified(), "{report:#?}");
        assert_eq!(report.height, height as u64);
        assert_eq!(report.tail_ops, 0);
    }
    let mut altered = chain.clone();
    altered.op_mut(3, 30).payload[0] ^= 1;
    let report = verify(&altered.archive(3));
    assert_eq!(told(&report), [(FindingKind::PayloadAltered, Some(2))]);
}

/// The public log gives away no payload, and still every signature is checked.
#[test]
fn a_public_export_holds_no_payload() {
    let chain = Chain::sample(40);
    let bytes = chain.public();
    let secret = b"delta 1 of 2";
    assert!(!bytes.windows(secret.len()).any(|at| at == secret));
    let report = verify(&bytes);
    assert!(report.is_verified() && report.withheld, "{report:#?}");
    assert_eq!(report.closed_ops, 4 * 3 * 40);
    // Its commitments are held against the log all the same.
    let mut altered = chain.clone();
    altered.op_mut(2, 50).payload[0] ^= 1;
    let report = verify(&altered.public());
    assert_eq!(told(&report), [(FindingKind::PayloadAltered, Some(2))]);
    // Without the mark it is a chain whose payloads are gone.
    let mark = bytes
        .windows(5)
        .position(|at| at == [10, 0, 0, 0, 0])
        .unwrap();
    let mut unmarked = bytes.clone();
    unmarked.drain(mark..mark + 5);
    let end = unmarked.len() - 8;
    let frames = u64::from_be_bytes(unmarked[end..].try_into().unwrap()) - 1;
    unmarked[end..].copy_from_slice(&frames.to_be_bytes());
    let report = verify(&unmarked);
    assert_eq!(report.findings.len(), 8);
    assert!(
        told(&report)
            .iter()
            .all(|(kind, _)| *kind == FindingKind::PayloadMissing)
    );
}

/// An export that goes on where it was interrupted must be the one that was never interrupted.
#[test]
fn pieces_are_the_whole() {
    let chain = Chain::sample(40);
    let whole = chain.bundle();
    for resumed_after in 1..chain.blocks.len() {
        let mut writer = BundleWriter::begin(
            Vec::new(),
            chain.chain,
            &chain.genesis_bytes,
            &chain.members,
        )
        .unwrap();
        let head = std::mem::take(writer.get_mut());
        assert!(whole.starts_with(&head));
        let before = chain.block(resumed_after as u64);
        writer.skip_to(before.cut.clone(), before.header.tree_size);
        for block in &chain.blocks[resumed_after..] {
            let plan = writer.block(&block.as_stored()).unwrap();
            chain.feed_plan(&mut writer, &plan);
            let piece = std::mem::take(writer.get_mut());
            let at = whole.windows(piece.len()).position(|w| w == piece);
            assert!(at.is_some(), "block {}", block.height);
        }
    }
}

/// An auditor who looks at some blocks must see in them what a look at all would show.
#[test]
fn a_run_of_blocks() {
    let chain = Chain::sample(40);
    let bytes = chain.bundle();
    for first in 1..=5 {
        for last in first..=6 {
            let report = blocks(&bytes, first, last);
            assert!(report.is_verified(), "{first} to {last}: {report:#?}");
            assert_eq!(report.height, last.min(5));
        }
    }
    assert_eq!(blocks(&bytes, 2, 3).ops, 2 * 3 * 40);
    let mut altered = chain.clone();
    altered.op_mut(2, 150).payload[0] ^= 1;
    let bytes = altered.bundle();
    let finding = [(FindingKind::PayloadAltered, Some(3))];
    assert_eq!(told(&blocks(&bytes, 3, 3)), finding);
    assert_eq!(told(&blocks(&bytes, 2, 5)), finding);
    assert_eq!(told(&blocks(&bytes, 4, 5)), []);
    assert_eq!(told(&blocks(&bytes, 1, 2)), []);
    let beyond = verify_bundle_blocks(bytes.as_slice(), &Pins::default(), 6..=9);
    assert!(matches!(
        beyond,
        Err(BundleError::NoSuchBlock { first: 6, last: 5 })
    ));
}

/// What the run stands on is not taken on trust.
#[test]
fn the_ground_of_a_run_is_verified() {
    let mut chain = Chain::sample(40);
    chain.block_mut(2).certificate[60] ^= 1;
    assert!(!blocks(&chain.bundle(), 3, 4).is_verified());
    let mut chain = Chain::sample(40);
    let tile = chain.tiles.0.get_mut(&(0, 0)).unwrap();
    tile[32] ^= 1;
    assert!(!blocks(&chain.bundle(), 3, 4).is_verified());
}

/// The statement that explains what is gone stands behind the blocks; it is read to there.
#[test]
fn a_pruned_run_is_explained() {
    let mut chain = Chain::sample(40);
    let founder = chain.genesis.validators();
    chain.close(3);
    let missing = blocks(&chain.bundle(), 2, 3);
    assert_eq!(missing.findings.len(), 4);
    let mut in_tail = chain.clone();
    in_tail.say_pruned(3, 3);
    assert!(blocks(&in_tail.bundle(), 2, 2).is_verified());
    chain.say_pruned(3, 3);
    chain.commit(&[1], &founder);
    chain.deltas(2, 1);
    chain.commit(&[1], &founder);
    let report = blocks(&chain.bundle(), 2, 3);
    assert!(report.is_verified(), "{report:#?}");
    let last = chain.heads[&chain.id(2)].seq;
    chain.op_mut(2, last).payload[0] ^= 1;
    assert!(blocks(&chain.bundle(), 2, 3).is_verified());
}

/// Restoring payloads and checking a download go through the frames.
#[test]
fn frames_are_what_was_written() {
    let chain = Chain::sample(3);
    let bytes = chain.bundle();
    let mut frames = Frames::begin(bytes.as_slice()).unwrap();
    let mut ops = 0;
    loop {
        let frame = frames.next_frame().unwrap();
        match frame.tag {
            Tag::End => break,
            Tag::Op => {
                ops += 1;
                read_op(&frame.body, |op| assert!(!op.is_closed())).unwrap();
            }
            _ => {}
        }
    }
    assert_eq!(ops, chain.ops.len());
    assert!(matches!(frames.next_frame(), Err(BundleError::CutOff)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// No byte of a bundle may crash who looks at some blocks of it.
    #[test]
    fn any_byte_of_a_run(at in any::<prop::sample::Index>(), bit in 0u8..8, first in 0u64..7, run in 0u64..4) {
        let mut bytes = Chain::sample(2).bundle();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let _ = verify_bundle_blocks(bytes.as_slice(), &Pins::default(), first..=first + run);
    }
}

/// Without this a download would have to be unpacked by hand, or could not be read at all.
#[test]
fn packed_bundles() {
    let chain = Chain::sample(40);
    let plain = chain.bundle();
    let mut packer = Packer::new(Vec::new());
    packer.write_all(&plain).unwrap();
    let packed = packer.finish().unwrap();
    assert!(packed.len() < plain.len());
    assert_eq!(verify(&packed), verify(&plain));
    let mut back = Vec::new();
    Unpacker::new(packed.as_slice())
        .read_to_end(&mut back)
        .unwrap();
    assert_eq!(back, plain);
    // Frames of any size are read, empty ones too.
    let mut odd = Vec::new();
    for piece in plain.chunks(777) {
        odd.extend(pack(piece).unwrap());
        odd.extend(pack(&[]).unwrap());
    }
    assert_eq!(verify(&odd), verify(&plain));
    for cut in [0, 3, 10, packed.len() / 2, packed.len() - 9] {
        assert!(
            verify_bundle(&packed[..cut], &Pins::default()).is_err(),
            "{cut}"
        );
    }
    let mut damaged = packed.clone();
    damaged[packed.len() / 2] ^= 1;
    assert!(verify_bundle(damaged.as_slice(), &Pins::default()).is_err());
}

/// An export that went on after an interruption must have the bytes of one that did not.
#[test]
fn where_frames_begin_follows_from_the_content() {
    let content: Vec<u8> = (0..3 * PACKED_BYTES + 5).map(|i| (i % 251) as u8).collect();
    let mut at_once = Packer::new(Vec::new());
    at_once.write_all(&content).unwrap();
    let at_once = at_once.finish().unwrap();
    let mut in_steps = Packer::new(Vec::new());
    for step in content.chunks(1000) {
        in_steps.write_all(step).unwrap();
    }
    assert_eq!(in_steps.finish().unwrap(), at_once);
    let first = pack(&content[..PACKED_BYTES]).unwrap();
    let half = PACKED_BYTES + PACKED_BYTES / 2;
    let mut resumed = Packer::resume(first, content[PACKED_BYTES..half].to_vec());
    resumed.write_all(&content[half..]).unwrap();
    assert_eq!(resumed.finish().unwrap(), at_once);
    let mut rest = at_once.as_slice();
    for chunk in content.chunks(PACKED_BYTES) {
        let length = packed_frame_length(&mut rest).unwrap();
        assert_eq!(length, pack(chunk).unwrap().len() as u64);
    }
    assert!(rest.is_empty() && packed_frame_length(&mut rest).is_err());
    // A byte that was changed is seen before anything of its block is given out.
    let mut damaged = pack(&content[..1000]).unwrap();
    damaged[100] ^= 1;
    let mut out = Vec::new();
    assert!(
        Unpacker::new(damaged.as_slice())
            .read_to_end(&mut out)
            .is_err()
    );
    assert!(out.is_empty());
    // The bytes of a frame: magic, version and flags, block size, content size, checksum of these,
    // one block stored as it is with its checksum, end mark, checksum of the content.
    assert_eq!(
        hex::encode(pack(b"bcrdt").unwrap()),
        "04224d187c600500000000000000810500008062637264743f978fcb000000003f978fcb"
    );
}
