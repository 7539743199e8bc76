//! Whoever can write to the tables of a node can change any row. Each test changes one thing
//! about ops, segments or the version vector, and the verifier must name exactly that.

mod chain;

use chain::{Chain, key};
use ed25519_dalek::Signer;
use ledger::vector::{deps_from_bytes, deps_hash};
use ledger::{FindingKind, Report, SegmentClaim};

/// (kind, height, seq, leaf index) of every finding.
type Told = (FindingKind, Option<u64>, Option<u64>, Option<u64>);

fn told(report: &Report) -> Vec<Told> {
    report
        .findings
        .iter()
        .map(|f| (f.kind, f.height, f.seq, f.leaf_index))
        .collect()
}

/// Asserts that there is exactly one finding, and gives its detail.
#[track_caller]
fn only(
    report: &Report,
    kind: FindingKind,
    height: Option<u64>,
    seq: Option<u64>,
    leaf: Option<u64>,
) -> String {
    assert_eq!(told(report), [(kind, height, seq, leaf)], "{report:#?}");
    report.findings[0].detail.clone()
}

/// Node 2 has ops 1 to 6 in block 2, 7 to 12 in block 3 and so on, two segments of 3 in each.
fn sample() -> Chain {
    Chain::sample(3)
}

/// Where an op lies in the log.
fn leaf(chain: &Chain, seed: u8, seq: u64) -> Option<u64> {
    Some(chain.leaf_index(chain.id(seed), seq))
}

#[test]
fn an_untouched_chain_verifies() {
    let chain = sample();
    let report = chain.verify();
    assert!(report.is_verified(), "{report:#?}");
    assert_eq!(report.height, 5);
    assert_eq!(report.tree_size, chain.size);
    assert_eq!(report.header_hash, Some(chain.last.hash()));
    assert_eq!(report.ops, chain.ops.len() as u64);
    assert_eq!(report.tail_ops, 9);
    assert_eq!(report.segments, chain.segments.len() as u64);
    // More than one tile, so that the upper levels are checked too.
    let report = Chain::sample(40).verify();
    assert!(report.is_verified(), "{report:#?}");
    assert!(Chain::new().verify().is_verified());
}

#[test]
fn an_altered_payload_salt_or_clock() {
    let (good, place) = (sample(), Some(3));
    let changes: [&dyn Fn(&mut chain::OpRow); 5] = [
        &|op| op.payload[0] ^= 1,
        &|op| op.payload.clear(),
        &|op| op.salt[31] ^= 1,
        &|op| op.salt.truncate(7),
        &|op| op.hlc += 1,
    ];
    for change in changes {
        for seq in [7, 8, 9, 12] {
            let mut chain = good.clone();
            change(chain.op_mut(2, seq));
            let leaf = leaf(&good, 2, seq);
            only(
                &chain.verify(),
                FindingKind::PayloadAltered,
                place,
                Some(seq),
                leaf,
            );
        }
    }
}

#[test]
fn an_altered_kind_or_schema_is_named() {
    let good = sample();
    let mut chain = good.clone();
    chain.op_mut(3, 5).kind = 4;
    let place = leaf(&good, 3, 5);
    let detail = only(
        &chain.verify(),
        FindingKind::OpAltered,
        Some(3),
        Some(5),
        place,
    );
    assert_eq!(detail, "the kind is redaction, expected delta");
    let mut chain = good.clone();
    chain.op_mut(3, 5).schema_hash[0] ^= 1;
    let detail = only(
        &chain.verify(),
        FindingKind::OpAltered,
        Some(3),
        Some(5),
        place,
    );
    assert!(detail.starts_with("the schema hash is"), "{detail}");
    let mut chain = good.clone();
    chain.op_mut(3, 5).schema_hash.clear();
    let detail = only(
        &chain.verify(),
        FindingKind::OpAltered,
        Some(3),
        Some(5),
        place,
    );
    assert_eq!(detail, "the schema hash has 0 bytes, expected 32");
}

/// A program that reads the findings must not have to take sentences apart.
#[test]
fn what_was_expected_and_what_was_found_are_told_apart_from_the_words() {
    let good = sample();
    let pair = |chain: &Chain| {
        let report = chain.verify();
        let [finding] = report.findings.as_slice() else {
            panic!("{report:#?}");
        };
        (finding.expected.clone(), finding.found.clone())
    };
    let told = |expected: &str, found: &str| (Some(expected.to_owned()), Some(found.to_owned()));
    let stored = ledger::hash::short(&good.clone().op_mut(2, 8).op_hash);

    let mut chain = good.clone();
    chain.op_mut(2, 8).payload[0] ^= 1;
    let (expected, found) = pair(&chain);
    assert_eq!(expected.as_ref(), Some(&stored));
    assert!(found.is_some() && found != expected, "{found:?}");

    let mut chain = good.clone();
    chain.op_mut(2, 8).salt.truncate(7);
    assert_eq!(pair(&chain), told("32 bytes", "7 bytes"));

    let mut chain = good.clone();
    chain.op_mut(2, 8).op_hash[0] ^= 1;
    let altered = ledger::hash::short(&chain.op_mut(2, 8).op_hash);
    assert_eq!(pair(&chain), told(&stored, &altered));

    let mut chain = good.clone();
    let id = chain.id(2).0;
    chain
        .ops
        .retain(|op| op.origin != id || !(8..=9).contains(&op.seq));
    assert_eq!(pair(&chain), (Some("ops 8 to 9".to_owned()), None));

    let mut chain = good.clone();
    let mut header = ledger::Header::from_bytes(&chain.block_mut(3).header).unwrap();
    let epoch = header.epoch;
    header.epoch += 7;
    chain.block_mut(3).header = header.to_bytes();
    assert_eq!(pair(&chain), told(&epoch.to_string(), "7"));
}

#[test]
fn an_altered_stored_hash_is_not_blamed_on_the_payload() {
    let good = sample();
    for seq in [7, 8, 9, 12] {
        let mut chain = good.clone();
        chain.op_mut(2, seq).op_hash[3] ^= 1;
        let place = leaf(&good, 2, seq);
        let report = chain.verify();
        let detail = only(&report, FindingKind::OpAltered, Some(3), Some(seq), place);
        assert!(detail.starts_with("the stored hash is"), "{detail}");
        chain.op_mut(2, seq).op_hash.truncate(31);
        only(
            &chain.verify(),
            FindingKind::OpAltered,
            Some(3),
            Some(seq),
            place,
        );
    }
}

#[test]
fn two_altered_payloads_side_by_side_are_two_findings() {
    let good = sample();
    let mut chain = good.clone();
    chain.op_mut(2, 7).payload[0] ^= 1;
    chain.op_mut(2, 8).payload[0] ^= 1;
    let altered = |seq| {
        let place = leaf(&good, 2, seq);
        (FindingKind::PayloadAltered, Some(3), Some(seq), place)
    };
    assert_eq!(told(&chain.verify()), [altered(7), altered(8)]);
}

#[test]
fn a_deleted_op_is_one_finding() {
    let good = sample();
    for seq in [7, 8, 9, 10, 12] {
        let mut chain = good.clone();
        let origin = chain.id(2).0;
        chain.ops.retain(|op| op.origin != origin || op.seq != seq);
        let detail = only(
            &chain.verify(),
            FindingKind::OpMissing,
            Some(3),
            Some(seq),
            None,
        );
        assert_eq!(detail, format!("op {seq} is not stored"));
    }
    let mut chain = good.clone();
    let origin = chain.id(2).0;
    chain
        .ops
        .retain(|op| op.origin != origin || !(8..=20).contains(&op.seq));
    assert_eq!(
        told(&chain.verify()),
        [
            (FindingKind::OpMissing, Some(3), Some(8), None),
            (FindingKind::OpMissing, Some(4), Some(13), None),
            (FindingKind::OpMissing, Some(5), Some(19), None),
        ]
    );
}

#[test]
fn swapped_rows_are_named_as_reordered() {
    let good = sample();
    for (a, b) in [(7, 8), (7, 9), (8, 12), (7, 12)] {
        let mut chain = good.clone();
        let (left, right) = (chain.op_mut(2, a).clone(), chain.op_mut(2, b).clone());
        *chain.op_mut(2, a) = chain::OpRow { seq: a, ..right };
        let at = chain
            .ops
            .iter()
            .rposition(|op| op.origin == left.origin && op.seq == b)
            .unwrap();
        chain.ops[at] = chain::OpRow { seq: b, ..left };
        let moved = |seq| {
            let place = leaf(&good, 2, seq);
            (FindingKind::OpReordered, Some(3), Some(seq), place)
        };
        let report = chain.verify();
        assert_eq!(told(&report), [moved(a), moved(b)], "{report:#?}");
        assert!(
            report.findings[0]
                .detail
                .ends_with(&format!("stored as op {b}"))
        );
    }
}

#[test]
fn an_inserted_op_is_extra() {
    let good = sample();
    // A second row with a number that is taken.
    let mut chain = good.clone();
    let copy = chain.op_mut(2, 8).clone();
    chain.ops.push(copy);
    only(
        &chain.verify(),
        FindingKind::OpExtra,
        Some(3),
        Some(8),
        leaf(&good, 2, 8),
    );
    // One behind the last, with a hash as it should be: nobody signed it.
    let mut chain = good.clone();
    let last = chain.heads[&chain.id(2)].seq;
    let mut row = chain.op_mut(2, last).clone();
    row.seq = last + 1;
    chain.ops.push(row);
    let careless = chain.clone();
    chain.rehash(2, last + 1, last + 1);
    for chain in [chain, careless] {
        only(
            &chain.verify(),
            FindingKind::OpExtra,
            None,
            Some(last + 1),
            None,
        );
    }
    // One of somebody unknown, or of nobody.
    let mut chain = good.clone();
    let mut row = chain.op_mut(2, 1).clone();
    row.origin = vec![7; 32];
    chain.ops.push(row.clone());
    only(&chain.verify(), FindingKind::OpExtra, None, Some(1), None);
    let last = chain.ops.len() - 1;
    chain.ops[last].origin = vec![7; 3];
    only(&chain.verify(), FindingKind::OpExtra, None, Some(1), None);
    // With a number that no op has.
    for seq in [0, u64::MAX] {
        let mut verifier = good.verifier();
        let mut row = good.clone().op_mut(2, 1).clone();
        row.seq = seq;
        verifier.tail();
        row.origin = good.id(1).0.to_vec();
        row.with_stored(|op| verifier.op(op));
        let report = verifier.finish();
        assert_eq!(
            told(&report)[0],
            (FindingKind::OpExtra, None, Some(seq), None)
        );
    }
}

/// A forger who rewrites the hashes too is caught by the log, at the first op that he touched.
#[test]
fn ops_rewritten_with_their_hashes() {
    let good = sample();
    let mut chain = good.clone();
    chain.op_mut(2, 8).payload = b"forged".to_vec();
    chain.rehash(2, 8, 9);
    let place = leaf(&good, 2, 8);
    let detail = only(
        &chain.verify(),
        FindingKind::OpAltered,
        Some(3),
        Some(8),
        place,
    );
    assert_eq!(
        detail,
        "ops 8 to 9 were rewritten together with their hashes"
    );
    // In the tail there is no log yet; the signed head is what they do not lead to.
    let mut chain = good.clone();
    chain.op_mut(2, 26).payload = b"forged".to_vec();
    chain.rehash(2, 26, 28);
    let report = chain.verify();
    assert!(
        told(&report).contains(&(FindingKind::OpAltered, None, Some(28), None)),
        "{report:#?}"
    );
}

#[test]
fn the_tail_is_verified_like_the_rest() {
    let good = sample();
    let mut chain = good.clone();
    chain.op_mut(2, 26).payload[0] ^= 1;
    only(
        &chain.verify(),
        FindingKind::PayloadAltered,
        None,
        Some(26),
        None,
    );
    let mut chain = good.clone();
    chain.op_mut(2, 28).op_hash[0] ^= 1;
    only(
        &chain.verify(),
        FindingKind::OpAltered,
        None,
        Some(28),
        None,
    );
    let mut chain = good.clone();
    let origin = chain.id(2).0;
    chain.ops.retain(|op| op.origin != origin || op.seq != 28);
    let report = chain.verify();
    only(&report, FindingKind::OpMissing, None, Some(28), None);
}

#[test]
fn an_altered_segment_row() {
    let good = sample();
    let changes: [&dyn Fn(&mut chain::SegmentRow); 10] = [
        &|s| s.signature[0] ^= 1,
        &|s| s.signature.truncate(63),
        &|s| s.sealed_ms += 1,
        &|s| s.head[0] ^= 1,
        &|s| s.prev[0] ^= 1,
        &|s| s.head.clear(),
        &|s| s.deps[10] ^= 1,
        &|s| s.deps.clear(),
        &|s| s.count = 2,
        &|s| s.count = 0,
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut chain = good.clone();
        change(chain.segment_mut(2, 10));
        let report = chain.verify();
        let kind = FindingKind::SegmentSignatureWrong;
        assert_eq!(
            told(&report),
            [(kind, Some(3), Some(10), None)],
            "change {i}: {report:#?}"
        );
    }
    let mut chain = good.clone();
    let last = chain.segments.len() - 1;
    chain.segments[last].signature[0] ^= 1;
    only(
        &chain.verify(),
        FindingKind::SegmentSignatureWrong,
        None,
        Some(25),
        None,
    );
}

#[test]
fn a_deleted_or_doubled_segment_row() {
    let good = sample();
    for first in [1, 7, 10] {
        let mut chain = good.clone();
        let origin = chain.id(2).0;
        chain
            .segments
            .retain(|s| s.origin != origin || s.first_seq != first);
        let height = if first == 1 { 2 } else { 3 };
        let report = chain.verify();
        let told = told(&report);
        assert_eq!(told.len(), 1, "{report:#?}");
        assert_eq!(told[0].0, FindingKind::SegmentMissing);
        assert_eq!(told[0].2, Some(first));
        // A row at the end of a block is missed when the next one comes.
        assert!(told[0].1 >= Some(height));
    }
    let mut chain = good.clone();
    let copy = chain.segment_mut(2, 7).clone();
    chain.segments.push(copy);
    only(
        &chain.verify(),
        FindingKind::SegmentExtra,
        Some(3),
        Some(7),
        None,
    );
    let mut chain = good.clone();
    chain.segments.pop();
    only(&chain.verify(), FindingKind::OpExtra, None, Some(25), None);
}

/// Who has the key of a node can sign a second history for it; both stay signed, so neither
/// can be denied, and the ops are not blamed.
#[test]
fn a_second_signed_history() {
    let good = sample();
    for before in [false, true] {
        let mut chain = good.clone();
        let mut row = chain.segment_mut(2, 7).clone();
        row.head = vec![9; 32];
        let claim = SegmentClaim {
            origin: chain.id(2),
            first_seq: row.first_seq,
            count: u32::try_from(row.count).unwrap(),
            prev: row.prev.clone().try_into().unwrap(),
            head: [9; 32],
            deps_hash: deps_hash(&chain.chain, &deps_from_bytes(&row.deps).unwrap()),
            sealed_ms: row.sealed_ms,
        };
        row.signature = key(2).sign(&claim.message(&chain.chain)).to_vec();
        let at = if before { 0 } else { chain.segments.len() };
        chain.segments.insert(at, row);
        let report = chain.verify();
        let last = claim.first_seq + u64::from(claim.count) - 1;
        only(
            &report,
            FindingKind::HistoryForked,
            Some(3),
            Some(last),
            None,
        );
    }
}

#[test]
fn an_altered_version_vector() {
    let good = sample();
    let node = good.id(2);
    let mut chain = good.clone();
    chain.heads.get_mut(&node).unwrap().seq += 1;
    only(
        &chain.verify(),
        FindingKind::VectorAltered,
        None,
        Some(29),
        None,
    );
    let mut chain = good.clone();
    chain.heads.get_mut(&node).unwrap().seq -= 1;
    only(
        &chain.verify(),
        FindingKind::VectorAltered,
        None,
        Some(27),
        None,
    );
    let mut chain = good.clone();
    chain.heads.get_mut(&node).unwrap().head[0] ^= 1;
    only(
        &chain.verify(),
        FindingKind::VectorAltered,
        None,
        Some(28),
        None,
    );
    let mut chain = good.clone();
    chain.heads.remove(&node);
    only(
        &chain.verify(),
        FindingKind::VectorAltered,
        None,
        Some(28),
        None,
    );
}

/// Ops and segments cut off at the end: the version vector still knows.
#[test]
fn a_tail_that_was_cut_off() {
    let mut chain = sample();
    let origin = chain.id(2).0;
    chain.ops.retain(|op| op.origin != origin || op.seq < 25);
    chain
        .segments
        .retain(|s| s.origin != origin || s.first_seq < 25);
    only(
        &chain.verify(),
        FindingKind::VectorAltered,
        None,
        Some(28),
        None,
    );
}
