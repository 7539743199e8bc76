//! One member that signs two histories.

use std::sync::Arc;

use ledger::{Position, Segment, SigningKey};
use proptest::prelude::*;
use replica::message::Request;
use replica::{Evidence, Report, Wait};

use crate::rig::{Rig, reports};

/// Two segments of node `who` for the same place.
fn fork(rig: &mut Rig, who: usize) -> (Arc<Segment>, Arc<Segment>) {
    let one = rig.unkept(who, b"one");
    let other = rig.unkept(who, b"other");
    (one, other)
}

/// Without this one member could show different rows to different users, and nobody could prove it.
#[test]
fn two_histories_are_proven_and_bar_their_author_and_nobody_else() {
    let mut rig = Rig::new(4);
    let (one, other) = fork(&mut rig, 2);
    rig.push(2, 0, [one]);
    let (_, effects) = rig.ask(
        rig.id(2),
        0,
        Request::Push {
            segments: vec![other],
        },
    );
    assert_eq!(
        reports(&effects),
        [Report::Equivocation {
            origin: rig.id(2),
            seq: 1
        }]
    );
    let store = &rig.hosts[0].store;
    let key = rig.cast.members[2].verifying_key().unwrap();
    assert!(store.evidence[0].proves_against_origin(&store.chain, &key));
    let wrong_key = rig.cast.members[1].verifying_key().unwrap();
    assert!(!store.evidence[0].proves_against_origin(&store.chain, &wrong_key));
    let next = rig.written(2, 1);
    assert_eq!(rig.push(2, 0, [next]).len(), 1);
    let honest = rig.written(3, 1);
    assert!(rig.push(3, 0, [honest]).is_empty());
}

/// Without this a member that missed the proof could be led on by the cheat for ever.
#[test]
fn who_has_missed_a_proof_gets_it_with_the_next_pull() {
    let mut rig = Rig::new(4);
    let (one, other) = fork(&mut rig, 2);
    rig.push(2, 0, [one.clone(), other]);
    rig.push(2, 1, [one]);
    // What is passed on is what the store kept.
    rig.hosts[0].open(rig.now_ms);
    for _ in 0..3 {
        let effects = rig.tick(1, 1_000);
        rig.exchange(1, effects);
    }
    assert_eq!(rig.hosts[1].store.evidence, rig.hosts[0].store.evidence);
}

/// Without this a cheat that vanishes would block those who had believed it.
#[test]
fn what_a_cheat_withholds_is_not_waited_for_for_ever() {
    let mut rig = Rig::new(4);
    let (one, other) = fork(&mut rig, 2);
    rig.push(2, 1, [one.clone()]);
    let honest = rig.written(1, 1);
    rig.push(1, 0, [honest]);
    let wait = Wait::Dependency {
        origin: rig.id(2),
        seq: 1,
    };
    assert_eq!(rig.node(0).held()[0].wait, wait);
    rig.push(2, 3, [one, other]);
    let evidence = rig.hosts[3].store.evidence.clone();
    assert_eq!(evidence.len(), 1);
    for _ in 0..4 {
        let effects = rig.tick(0, 1_000);
        rig.exchange(0, effects);
    }
    assert_eq!(rig.has(0, 1), 1);
}

/// Without this a cheat could stop finality at the member it has fooled.
#[test]
fn the_history_that_is_final_replaces_the_other() {
    let mut rig = Rig::new(3);
    let (final_one, other) = fork(&mut rig, 2);
    rig.push(2, 0, [final_one.clone()]);
    rig.push(2, 1, [other]);
    for _ in 0..6 {
        let effects = rig.tick(1, 1_000);
        rig.exchange(1, effects);
    }
    assert_eq!(rig.node(1).height(), 1);
    assert_eq!(rig.node(1).vector().get(&rig.id(2)), final_one.end());
    assert_eq!(rig.hosts[1].store.branches_discarded, 1);
}

/// Without this an honest member could be barred by anyone who sends a made-up proof.
#[test]
fn a_proof_that_proves_nothing_bars_nobody() {
    let mut rig = Rig::new(3);
    let (one, other) = fork(&mut rig, 2);
    rig.push(2, 0, [one, other]);
    let store = &rig.hosts[0].store;
    let key = rig.cast.members[2].verifying_key().unwrap();
    let bytes = store.evidence[0].to_bytes();
    for at in 2..bytes.len() {
        let mut bent = bytes.clone();
        bent[at] ^= 1;
        let Ok(bent) = Evidence::from_bytes(&bent) else {
            continue;
        };
        assert!(
            !bent.proves_against_origin(&store.chain, &key),
            "byte {at} is not bound"
        );
    }
    let Evidence::Segments { seq, first, .. } = store.evidence[0].clone() else {
        panic!()
    };
    let twice = Evidence::Segments {
        seq,
        first: first.clone(),
        second: first,
    };
    assert!(!twice.proves_against_origin(&store.chain, &key));
}

/// Without this a proof written today could not be checked by a later version.
#[test]
fn golden_bytes_of_a_proof() {
    let mut rig = Rig::new(3);
    let (one, other) = fork(&mut rig, 2);
    rig.push(2, 0, [one.clone(), other.clone()]);
    let chain = rig.hosts[0].store.chain;
    let bytes = rig.hosts[0].store.evidence[0].to_bytes();
    let mut expected = vec![1, 1, 0, 0, 0, 0, 0, 0, 0, 1];
    expected.extend(rig.id(2).0);
    for segment in [one, other] {
        expected.extend(1u64.to_be_bytes());
        expected.extend(1u32.to_be_bytes());
        expected.extend([0; 32]);
        expected.extend(segment.head);
        expected.extend(segment.claim(&chain).deps_hash);
        expected.extend(segment.sealed_ms.to_be_bytes());
        expected.extend(segment.signature);
    }
    assert_eq!(bytes, expected);
    assert_eq!(Evidence::from_bytes(&bytes).unwrap().to_bytes(), bytes);
}

fn resealed(rig: &Rig, of: &Segment, ops: std::ops::Range<usize>, prev: Position) -> Arc<Segment> {
    let key: &SigningKey = &rig.cast.keys[2];
    let ops = of.ops[ops].to_vec();
    let (origin, sealed_ms) = (of.origin, of.sealed_ms);
    let chain = rig.hosts[0].store.chain;
    Arc::new(Segment::seal(&chain, origin, prev, of.deps.clone(), sealed_ms, ops, key).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Without this a member that has done nothing wrong could be barred for being slow, or one that
    /// cuts its history differently for each peer could keep them apart.
    #[test]
    fn runs_of_one_cut_are_no_dispute_and_runs_of_two_cuts_are(a in 1usize..8, b in 1usize..8) {
        let mut rig = Rig::new(3);
        let whole = rig.written(2, 9);
        let halves = |at: usize| {
            let first = resealed(&rig, &whole, 0..at, Position::START);
            let second = resealed(&rig, &whole, at..9, first.end());
            [first, second]
        };
        let (one, two) = (halves(a), halves(b));
        rig.push(2, 0, [one[1].clone(), one[0].clone(), one[1].clone()]);
        prop_assert_eq!(rig.has(0, 2), 9);
        // Who holds all of it already has nothing to gain from another cut of the same.
        rig.push(2, 0, [two[0].clone(), two[1].clone()]);
        prop_assert!(rig.hosts[0].store.evidence.is_empty());
        rig.push(2, 1, [one[0].clone(), two[1].clone()]);
        prop_assert_eq!(rig.hosts[1].store.evidence.len(), usize::from(b < a));
    }
}
