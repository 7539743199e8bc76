//! Payloads that are gone: what a member said that it pruned verifies without them, what
//! somebody took away is named.

mod chain;

use chain::Chain;
use ledger::verify::{StoredOp, StoredSegment};
use ledger::{ChainVerifier, DecodeError, FindingKind, Kind, Pins, Prune, Report};

/// Five blocks, the first three of them closed; `say` adds what is said about it.
fn closed(say: impl FnOnce(&mut Chain)) -> Chain {
    let mut chain = Chain::sample(3);
    chain.close(3);
    say(&mut chain);
    chain
}

fn commit(chain: &mut Chain) {
    let founder = chain.genesis.validators();
    chain.commit(&[1], &founder);
}

fn kinds(report: &Report) -> Vec<FindingKind> {
    report.findings.iter().map(|f| f.kind).collect()
}

/// Without it a pruned database could not be told from a sound one any more.
#[test]
fn what_a_member_pruned_verifies() {
    // In no block yet, then in a block; by one member and by another.
    for seed in [1, 3] {
        let mut chain = closed(|chain| chain.say_pruned(seed, 3));
        assert!(chain.verify().is_verified(), "{:#?}", chain.verify());
        commit(&mut chain);
        let report = chain.verify();
        assert!(report.is_verified(), "{report:#?}");
        assert_eq!(report.closed_ops, 2 * 9);
        // A longer prefix later, with the older statement inside and outside of it.
        commit(&mut chain);
        chain.close(6);
        chain.say_pruned(seed, 6);
        assert!(chain.verify().is_verified(), "{:#?}", chain.verify());
    }
}

/// Who deletes payloads must not get away with it because pruning exists.
#[test]
fn payloads_that_nobody_pruned_are_missing() {
    let report = closed(|_| ()).verify();
    // Blocks 2 and 3, two origins each, each a run.
    assert_eq!(kinds(&report), [FindingKind::PayloadMissing; 4]);
    // A statement about block 2 does not cover block 3.
    let report = closed(|chain| chain.say_pruned(1, 2)).verify();
    assert_eq!(kinds(&report), [FindingKind::PayloadMissing; 2]);
    assert!(report.findings.iter().all(|f| f.height == Some(3)));
    let mut chain = closed(|chain| chain.say_pruned(1, 3));
    commit(&mut chain);
    let leaf = chain.leaf_index(chain.id(2), 20);
    chain.op_mut(2, 20).close();
    let report = chain.verify();
    let [finding] = report.findings.as_slice() else {
        panic!("{report:#?}");
    };
    assert_eq!(finding.kind, FindingKind::PayloadMissing);
    assert_eq!(finding.height, Some(5));
    assert_eq!(finding.leaf_index, Some(leaf));
    assert_eq!(finding.seq, Some(20));
    assert_eq!(finding.origin, Some(chain.id(2)));
}

/// A statement reaches back only: else one of them would excuse all deletions to come.
#[test]
fn a_statement_does_not_cover_what_comes_after_it() {
    let mut chain = closed(|_| ());
    let prune = Prune {
        height: u64::MAX,
        tree_size: 0,
        archive_sha256: [0; 32],
        archive_bytes: 0,
        file_name: String::new(),
        actor: String::new(),
        application: String::new(),
    };
    chain.seal(1, vec![(Kind::Prune, prune.to_bytes())]);
    commit(&mut chain);
    chain.deltas(2, 1);
    commit(&mut chain);
    assert!(chain.verify().is_verified());
    let last = chain.heads[&chain.id(2)].seq;
    chain.op_mut(2, last).close();
    // The block that holds the statement is not covered by it either.
    chain.op_mut(2, last - 1).close();
    let report = chain.verify();
    assert_eq!(kinds(&report), [FindingKind::PayloadMissing; 2]);
    // Nor is what is in no block.
    let mut chain = closed(|chain| chain.say_pruned(1, 3));
    let last = chain.heads[&chain.id(2)].seq;
    chain.op_mut(2, last).close();
    assert_eq!(kinds(&chain.verify()), [FindingKind::PayloadMissing]);
}

/// Members and tables must be known for ever: only row changes are ever pruned.
#[test]
fn only_row_changes_may_be_closed() {
    let mut chain = Chain::sample(3);
    chain.op_mut(1, 1).close();
    chain.say_pruned(1, 3);
    let report = chain.verify();
    assert_eq!(kinds(&report), [FindingKind::PayloadMissing]);
    assert_eq!(report.findings[0].seq, Some(1));
}

/// A commitment that was altered is not taken for the payload's.
#[test]
fn an_altered_commitment_is_found() {
    let mut chain = closed(|chain| chain.say_pruned(1, 3));
    chain.op_mut(2, 5).payload[0] ^= 1;
    assert_eq!(kinds(&chain.verify()), [FindingKind::PayloadAltered]);
    let mut chain = closed(|chain| chain.say_pruned(1, 3));
    chain.op_mut(2, 5).payload.pop();
    assert_eq!(kinds(&chain.verify()), [FindingKind::PayloadAltered]);
    // Nor is an open part whose salt was emptied a closed one.
    let mut chain = Chain::sample(3);
    chain.say_pruned(1, 3);
    chain.op_mut(2, 5).salt.clear();
    assert_eq!(kinds(&chain.verify()), [FindingKind::PayloadAltered]);
}

/// The verification of single blocks meets the statement, which lies behind them, beforehand.
#[test]
fn a_range_is_explained_by_a_statement_behind_it() {
    let mut chain = closed(|chain| {
        chain.deltas(1, 2);
        chain.say_pruned(1, 3);
    });
    let from_start = |chain: &Chain, explain: &dyn Fn(&mut ChainVerifier)| {
        let mut verifier = chain.verifier();
        for block in &chain.blocks[..3] {
            let plan = verifier.block(&block.as_stored());
            chain.feed_plan(&mut verifier, &plan);
        }
        explain(&mut verifier);
        verifier.stop()
    };
    assert_eq!(
        kinds(&from_start(&chain, &|_| ())),
        [FindingKind::PayloadMissing; 4]
    );
    let explain = |row: &StoredSegment<'_>, ops: &[StoredOp<'_>]| {
        from_start(&chain, &|verifier| {
            verifier.pruned_by(row, ops);
        })
    };
    let row = chain.segments.last().unwrap().clone();
    let ops = |chain: &Chain| vec![chain.op(1, row.first_seq).clone()];
    let told = ops(&chain);
    told[0].with_stored(|op| assert!(explain(&row.as_stored(), &[*op]).is_verified()));
    // Unsigned, or not all of what was signed: it says nothing.
    let nothing = [FindingKind::PayloadMissing; 4];
    told[0].with_stored(|op| {
        let mut forged = row.clone();
        forged.signature[3] ^= 1;
        assert_eq!(kinds(&explain(&forged.as_stored(), &[*op])), nothing);
        assert_eq!(kinds(&explain(&row.as_stored(), &[])), nothing);
        assert_eq!(kinds(&explain(&row.as_stored(), &[*op, *op])), nothing);
    });
    chain.op_mut(1, row.first_seq).payload[8] ^= 1;
    ops(&chain)[0].with_stored(|op| {
        let explained = from_start(&chain, &|verifier| {
            assert!(!verifier.pruned_by(&row.as_stored(), &[*op]));
        });
        assert_eq!(kinds(&explained), nothing);
    });
}

/// The proof of an op holds after its payload is gone.
#[test]
fn a_closed_op_stays_provable() {
    let chain = closed(|chain| chain.say_pruned(1, 3));
    let text = chain.prove(2, 5, 4).to_json().unwrap();
    let proof = ledger::OpProof::from_json(&text).unwrap();
    let pins = Pins {
        chain_id: Some(chain.chain),
        ..Pins::default()
    };
    let verified = proof.verify(&pins).unwrap();
    assert_eq!(verified.closed_parts, 1);
    assert_eq!(verified.seq, 5);
}

#[test]
fn the_bytes_of_a_prune() {
    let prune = Prune {
        height: 7,
        tree_size: 258,
        archive_sha256: [0xaa; 32],
        archive_bytes: 65_536,
        file_name: "a.bcrdt".to_owned(),
        actor: "dba".to_owned(),
        application: "psql".to_owned(),
    };
    let expected = format!(
        "01{:016x}{:016x}{}{:016x}0007612e6263726474000364626100047073716c",
        7,
        258,
        "aa".repeat(32),
        65_536
    );
    assert_eq!(hex::encode(prune.to_bytes()), expected);
    assert_eq!(Prune::from_bytes(&prune.to_bytes()), Ok(prune.clone()));
    let mut bytes = prune.to_bytes();
    bytes.push(0);
    assert!(matches!(
        Prune::from_bytes(&bytes),
        Err(DecodeError::Trailing { .. })
    ));
    bytes[0] = 2;
    assert!(matches!(
        Prune::from_bytes(&bytes),
        Err(DecodeError::Version { .. })
    ));
    // A text that is too long is cut where a character begins.
    let long = Prune {
        file_name: "ä".repeat(600),
        ..prune
    };
    let read = Prune::from_bytes(&long.to_bytes()).unwrap();
    assert_eq!(read.file_name, "ä".repeat(512));
}
