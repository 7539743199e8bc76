//! Which segments a node takes, and what it says of the others.

use ledger::Segment;
use replica::message::{Body, Request};
use replica::{Effect, Input, KnownMember, Options, Report, Wait};
use std::sync::Arc;

use crate::rig::{Rig, reports};

/// Without this a user would wait a round trip and more for what another has written.
#[test]
fn a_push_is_admitted_and_answered_in_one_step() {
    let mut rig = Rig::new(2);
    let segment = rig.written(0, 3);
    let request = Request::Push {
        segments: vec![segment.clone()],
    };
    let (response, _) = rig.ask(rig.id(0), 1, request);
    assert_eq!(response.vector.get(&rig.id(0)), segment.end());
    assert_eq!(response.body, Body::Taken { notices: vec![] });
    assert_eq!(rig.hosts[1].store.ops[&rig.id(0)].len(), 3);
}

/// Without this a user would see later changes of a row without the earlier ones.
#[test]
fn a_segment_waits_for_the_one_before_it() {
    let mut rig = Rig::new(2);
    let (first, second) = (rig.written(0, 1), rig.written(0, 2));
    let reasons = rig.push(0, 1, [second]);
    assert_eq!(reasons, ["only operations up to 0 are here"]);
    assert_eq!(rig.has(1, 0), 0);
    assert!(rig.push(0, 1, [first]).is_empty());
    assert_eq!(rig.has(1, 0), 3);
    assert!(rig.node(1).held().is_empty());
}

/// Without this a user would see an answer before the question.
#[test]
fn a_segment_waits_for_what_its_author_had_seen() {
    let mut rig = Rig::new(3);
    let question = rig.written(0, 1);
    rig.push(0, 1, [question.clone()]);
    let answer = rig.written(1, 1);
    rig.push(1, 2, [answer]);
    assert_eq!(rig.has(2, 1), 0);
    let wait = Wait::Dependency {
        origin: rig.id(0),
        seq: 1,
    };
    assert_eq!(rig.node(2).held()[0].wait, wait);
    rig.push(0, 2, [question]);
    assert_eq!(rig.has(2, 1), 1);
}

/// Without this one machine with a wrong clock would win every conflict, or lose its writes.
#[test]
fn a_clock_that_runs_ahead_delays_only_its_own_writes() {
    let mut rig = Rig::new(3);
    rig.hosts[1].clock_off_ms = 100_000;
    let ahead = rig.written(1, 1);
    let normal = rig.written(2, 1);
    let request = Request::Push {
        segments: vec![ahead, normal],
    };
    let (response, effects) = rig.ask(rig.id(1), 0, request);
    let Body::Taken { notices } = response.body else {
        panic!()
    };
    assert!(notices[0].held && notices[0].reason.contains("ahead of this node's clock"));
    assert!(matches!(
        reports(&effects)[0],
        Report::Held { first_seq: 1, .. }
    ));
    assert_eq!((rig.has(0, 1), rig.has(0, 2)), (0, 1));
    rig.tick(0, 39_000);
    assert_eq!(rig.has(0, 1), 0);
    rig.tick(0, 2_000);
    assert_eq!(rig.has(0, 1), 1);
}

/// Without this anyone could write into every member's tables.
#[test]
fn strangers_and_forgeries_are_refused_with_a_reason() {
    let mut rig = Rig::new(3);
    let stranger = rig.id(2);
    rig.hosts[0]
        .store
        .members
        .retain(|known| known.member.node_id != stranger);
    rig.input(0, Input::MembershipChanged);
    let (segment, own) = (rig.written(2, 1), rig.written(1, 1));
    let refused = format!("{stranger} is not a member");
    for sender in [2, 1] {
        assert_eq!(rig.push(sender, 0, [segment.clone()])[0], refused);
    }
    let mut forged = Segment::clone(&own);
    forged.sealed_ms += 1;
    assert_eq!(
        rig.push(1, 0, [Arc::new(forged)]),
        ["the signature is not the origin's"]
    );
    let mut altered = Segment::clone(&own);
    altered.ops[0].parts[0].payload = b"more".to_vec();
    assert_eq!(rig.push(1, 0, [Arc::new(altered)]).len(), 1);
    assert!(rig.node(0).held().is_empty());
    assert_eq!(rig.has(0, 1), 0);
}

/// Without this the past of a member would be lost to others when it leaves.
#[test]
fn what_a_member_wrote_before_it_left_is_still_taken() {
    let mut rig = Rig::new(3);
    let (before, after) = (rig.written(2, 2), rig.written(2, 1));
    let leaver = rig.id(2);
    for KnownMember { member, left_after } in &mut rig.hosts[0].store.members {
        if member.node_id == leaver {
            *left_after = Some(2);
        }
    }
    rig.input(0, Input::MembershipChanged);
    assert!(rig.push(1, 0, [before]).is_empty());
    assert_eq!(
        rig.push(1, 0, [after]),
        [format!("{leaver} left after operation 2")]
    );
    assert!(
        rig.node(0)
            .peers()
            .iter()
            .all(|peer| peer.node_id != leaver)
    );
}

/// Without this a restored server would reuse numbers that others know already, and its users' new
/// writes would be refused everywhere without a word here.
#[test]
fn a_node_that_has_lost_its_own_writes_says_so() {
    let mut rig = Rig::new(2);
    let segment = rig.written(0, 1);
    let mut restored = Rig::new(2);
    let request = Request::Push {
        segments: vec![segment],
    };
    let (response, effects) = restored.ask(restored.id(1), 0, request);
    let Body::Taken { notices } = response.body else {
        panic!()
    };
    assert!(!notices[0].held && notices[0].reason.contains("new incarnation"));
    assert!(matches!(reports(&effects)[0], Report::Refused { .. }));
}

/// Without this one member could fill the memory of all others, or push out what a third one sent.
#[test]
fn what_waits_is_bounded_and_each_origin_has_its_share() {
    let mut rig = Rig::with(
        3,
        Options {
            holdback_segments: 4,
            ..Options::default()
        },
    );
    let flood: Vec<_> = (0..10).map(|_| rig.written(1, 1)).collect();
    let (early, late) = (rig.written(2, 1), rig.written(2, 1));
    rig.push(2, 0, [late]);
    // The furthest come first: nearer ones take their place.
    let reversed: Vec<_> = flood[1..].iter().rev().cloned().collect();
    rig.push(1, 0, reversed);
    let held: Vec<u64> = rig
        .node(0)
        .held()
        .iter()
        .map(|held| held.first_seq)
        .collect();
    assert_eq!(held.len(), 5);
    let reasons = rig.push(1, 0, [flood[9].clone()]);
    assert!(
        reasons[0].ends_with("too much waits already"),
        "{reasons:?}"
    );
    rig.push(2, 0, [early]);
    rig.push(1, 0, [flood[0].clone()]);
    assert_eq!((rig.has(0, 2), rig.has(0, 1)), (2, 5));
}

/// Without this a change that comes before its table is ready would be lost.
#[test]
fn what_the_host_is_not_ready_for_is_offered_again() {
    let mut rig = Rig::new(2);
    let segment = rig.written(1, 1);
    rig.hosts[0].store.unready.insert(segment.head);
    assert_eq!(rig.push(1, 0, [segment]), ["the host is not ready for it"]);
    assert_eq!(rig.has(0, 1), 0);
    rig.tick(0, 1_000);
    assert_eq!(rig.has(0, 1), 1);
}

/// Without this a member taken in a moment ago could not write until others asked again.
#[test]
fn a_member_is_known_as_soon_as_its_joining_is() {
    let mut rig = Rig::new(3);
    let newcomer = rig.cast.members[2].clone();
    for host in &mut rig.hosts[..2] {
        host.store.members.retain(|known| known.member != newcomer);
        host.open(rig.now_ms);
    }
    let joining = vec![crate::simulator::host::join(&newcomer)];
    rig.hosts[0]
        .seal(rig.now_ms, None, joining, &mut rig.random)
        .unwrap();
    let taken_in = rig.last_segment(0);
    let first_words = rig.written(2, 1);
    assert!(rig.push(0, 1, [taken_in, first_words]).is_empty());
    assert_eq!(rig.has(1, 2), 1);
}

/// Without this a redelivered message would count twice.
#[test]
fn what_is_known_is_not_admitted_again() {
    let mut rig = Rig::new(2);
    let segment = rig.written(0, 2);
    for _ in 0..3 {
        assert!(
            rig.push(0, 1, [segment.clone(), segment.clone()])
                .is_empty()
        );
    }
    assert_eq!(rig.hosts[1].store.segments[&rig.id(0)].len(), 1);
    let effects: Vec<Effect> = rig.tick(1, 10);
    assert!(reports(&effects).is_empty());
}
