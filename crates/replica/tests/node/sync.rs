//! Who is sent what, and when.

use ledger::VersionVector;
use replica::message::{Body, Request, Response};
use replica::{Input, Options, Report};

use crate::rig::{Rig, reports, sent};

/// Without this others would see a write only with the next round of anti-entropy.
#[test]
fn a_sealed_segment_goes_to_every_peer_at_once() {
    let mut rig = Rig::new(4);
    let effects = rig.write(0, 2);
    let pushed: Vec<_> = sent(&effects)
        .into_iter()
        .filter(
            |(.., request)| matches!(request, Request::Push { segments } if segments.len() == 1),
        )
        .map(|(peer, ..)| peer)
        .collect();
    assert_eq!(pushed.len(), 3);
}

/// Without this each write would wait for the answer to the one before; without a bound a slow peer
/// would fill the memory of a fast one.
#[test]
fn pushes_are_pipelined_to_a_bound_and_then_joined() {
    let mut rig = Rig::new(2);
    let peer = rig.id(1);
    let mut under_way = Vec::new();
    for _ in 0..20 {
        let effects = rig.write(0, 1);
        under_way.extend(sent(&effects).into_iter().filter(|(_, _, r)| is_push(r)));
    }
    let bound = Options::default().max_in_flight;
    assert!(under_way.len() < 20 && rig.node(0).peers()[0].in_flight == bound);
    let (_, id, request) = under_way.remove(0);
    let (response, _) = rig.ask(rig.id(0), 1, request);
    let effects = rig.input(
        0,
        Input::Response {
            peer,
            id,
            result: Ok(response),
        },
    );
    let joined = sent(&effects)
        .into_iter()
        .find(|(_, _, r)| is_push(r))
        .unwrap();
    let Request::Push { segments } = &joined.2 else {
        unreachable!()
    };
    assert_eq!(segments.len(), 20 - under_way.len() - 1);
    assert_eq!(segments.last().unwrap().end().seq, 20);
    under_way.push(joined);
    for (_, id, request) in under_way {
        let (response, _) = rig.ask(rig.id(0), 1, request);
        rig.input(
            0,
            Input::Response {
                peer,
                id,
                result: Ok(response),
            },
        );
    }
    assert_eq!(rig.has(1, 0), 20);
}

fn is_push(request: &Request) -> bool {
    matches!(request, Request::Push { .. })
}

/// Without this a dead peer would cost as much as a living one; without the return at once, users of a
/// peer that comes back would look at old rows for as long as it was away.
#[test]
fn a_dead_peer_is_tried_ever_less_often_and_served_at_once_when_it_is_back() {
    let mut rig = Rig::new(2);
    let peer = rig.id(1);
    let mut open: Vec<u64> = sent(&rig.write(0, 1))
        .into_iter()
        .map(|(_, id, _)| id)
        .collect();
    let mut tries = 0;
    let mut unreachable = 0;
    for _ in 0..1_200 {
        for id in std::mem::take(&mut open) {
            let effects = rig.fail(0, peer, id);
            unreachable += reports(&effects).len();
        }
        let effects = rig.tick(0, 100);
        open.extend(sent(&effects).into_iter().map(|(_, id, _)| id));
        tries += open.len();
    }
    assert_eq!(unreachable, 1, "a failure is told once");
    assert!((6..=12).contains(&tries), "{tries} tries in two minutes");
    let status = &rig.node(0).peers()[0];
    assert!(!status.reachable && status.next_try_ms.is_some());
    assert_eq!(
        (status.last_error.as_deref(), status.behind),
        (Some("no route"), 1)
    );
    rig.write(0, 1);

    let hello = Request::Pull {
        vector: VersionVector::default(),
        height: 0,
        barred: vec![],
        max_bytes: 0,
    };
    for (_, id, _) in sent(&rig.tick(0, 600)) {
        rig.fail(0, peer, id);
    }
    rig.now_ms += 600;
    rig.tick(0, 0);
    let (_, effects) = rig.ask(peer, 0, hello);
    rig.exchange(0, effects);
    assert_eq!(rig.has(1, 0), 2);
    let status = &rig.node(0).peers()[0];
    assert!(
        status.reachable && status.behind == 0 && status.failures == 0,
        "{status:?}"
    );
}

/// Without this a view would show a peer as up to date that nobody has heard of.
#[test]
fn a_peer_that_was_never_heard_of_lacks_everything() {
    let mut rig = Rig::new(2);
    let effects = rig.write(0, 3);
    let status = rig.node(0).peers()[0].clone();
    assert_eq!((status.behind, status.last_contact_ms), (3, None));
    rig.exchange(0, effects);
    let status = rig.node(0).peers()[0].clone();
    assert_eq!(
        (status.behind, status.last_contact_ms),
        (0, Some(rig.now_ms))
    );
}

/// Without this a peer that accepts and never answers would hold a place for ever.
#[test]
fn silence_counts_as_failure() {
    let mut rig = Rig::new(2);
    rig.write(0, 1);
    let effects = rig.tick(0, 31_000);
    assert!(reports(&effects).contains(&Report::Peer {
        peer: rig.id(1),
        reachable: false
    }));
    assert!(
        rig.node(0).peers()[0]
            .last_error
            .as_ref()
            .unwrap()
            .contains("30000 ms")
    );
}

/// Without this every node would ask every other all the time: work that grows with the square.
#[test]
fn anti_entropy_asks_one_peer_a_second_in_turn() {
    let mut rig = Rig::new(4);
    let mut asked = Vec::new();
    for _ in 0..6 {
        let effects = rig.tick(0, 1_000);
        let sent = sent(&effects);
        assert_eq!(sent.len(), 1);
        asked.push(sent[0].0);
        rig.exchange(0, effects);
    }
    assert_eq!(asked[..3], asked[3..]);
    let mut all = asked[..3].to_vec();
    all.sort();
    let mut peers: Vec<_> = (1..4).map(|node| rig.id(node)).collect();
    peers.sort();
    assert_eq!(all, peers);
}

/// Without this what a member wrote would stay with those that could reach it, though others can reach
/// them; and a newcomer could not take in a long history piece by piece.
#[test]
fn a_pull_brings_every_origin_in_an_order_that_can_be_admitted() {
    let mut rig = Rig::new(4);
    for round in 0..10 {
        let author = [0, 1, 2][round % 3];
        let segment = rig.written(author, 5);
        for other in 0..3 {
            rig.push(author, other, [segment.clone()]);
        }
    }
    let mut request = Request::Pull {
        vector: VersionVector::default(),
        height: 0,
        barred: vec![],
        max_bytes: 1_500,
    };
    let mut answers = 0;
    loop {
        let (response, _) = rig.ask(rig.id(3), 0, request);
        let Body::Segments { segments, more, .. } = response.body else {
            panic!()
        };
        assert!(
            rig.push(0, 3, segments).is_empty(),
            "each can be admitted as it comes"
        );
        answers += 1;
        if !more {
            break;
        }
        let vector = rig.node(3).vector().clone();
        request = Request::Pull {
            vector,
            height: 0,
            barred: vec![],
            max_bytes: 1_500,
        };
    }
    assert!(answers > 4);
    assert_eq!(rig.node(3).vector(), rig.node(0).vector());
}

/// Without this a clock that is set back would silence a node until it has caught up with itself.
#[test]
fn a_clock_that_is_set_back_stops_nothing() {
    let mut rig = Rig::new(2);
    let effects = rig.tick(0, 3_600_000);
    rig.exchange(0, effects);
    let effects = rig.write(0, 1);
    rig.exchange(0, effects);
    rig.now_ms -= 3_600_000;
    assert!(rig.node(0).next_tick_ms() >= rig.now_ms);
    let effects = rig.tick(0, 0);
    assert!(!sent(&effects).is_empty());
    assert!(rig.node(0).next_tick_ms() <= rig.now_ms + 1_000);
    rig.write(0, 1);
    rig.tick(0, 1_001);
    assert_eq!(rig.node(0).height(), 2);
}

/// Without this an answer that nobody asked for could pass for one.
#[test]
fn answers_that_were_not_asked_for_change_nothing() {
    let mut rig = Rig::new(3);
    let segment = rig.written(1, 1);
    let body = Body::Segments {
        segments: vec![segment],
        more: false,
        evidence: vec![],
        pruned: vec![],
    };
    let response = Response {
        vector: VersionVector::default(),
        height: 9,
        body,
    };
    let (peer, result) = (rig.id(1), Ok(response));
    rig.input(
        0,
        Input::Response {
            peer,
            id: 12_345,
            result: result.clone(),
        },
    );
    let (_, id, request) = sent(&rig.write(0, 1)).remove(0);
    assert!(is_push(&request));
    rig.input(
        0,
        Input::Response {
            peer: rig.id(1),
            id,
            result,
        },
    );
    assert_eq!(rig.has(0, 1), 0);
}

/// Without this a member would wait for ever for what nobody it asks can give, and be sent over and over
/// what depends on it.
#[test]
fn what_a_peer_has_pruned_is_told_and_comes_from_another() {
    let mut rig = Rig::new(4);
    let effects = rig.write(1, 1);
    rig.exchange(1, effects);
    // Depends on what 1 wrote.
    let effects = rig.write(2, 1);
    rig.exchange(2, effects);
    let origin = rig.id(1);
    for node in [0, 2] {
        rig.hosts[node].store.pruned.insert(origin, 1);
    }
    let guest = &mut rig.hosts[3];
    guest.store.vector = VersionVector::default();
    guest.store.segments.clear();
    guest.store.ops.clear();
    guest.open(rig.now_ms);
    let mut told = Vec::new();
    for _ in 0..3 {
        let (response, _) = rig.ask(
            rig.id(3),
            0,
            Request::Pull {
                vector: rig.node(3).vector().clone(),
                height: 0,
                barred: vec![],
                max_bytes: 1 << 20,
            },
        );
        let Body::Segments {
            segments, pruned, ..
        } = response.body
        else {
            panic!("a pull is answered with segments");
        };
        told.push((segments.len(), pruned));
    }
    let ids = {
        let mut ids = [(rig.id(1), 0), (rig.id(2), 0)];
        ids.sort();
        ids.to_vec()
    };
    assert_eq!(told[0], (0, ids));
    let mut pruned = 0;
    for _ in 0..20 {
        let effects = rig.tick(3, 1_000);
        let lacking = |report: &Report| matches!(report, Report::Pruned { .. });
        for (peer, id, request) in sent(&effects) {
            let to = rig.hosts.iter().position(|host| host.id == peer).unwrap();
            let (response, _) = rig.ask(rig.id(3), to, request);
            let result = Ok(response);
            let effects = rig.input(3, Input::Response { peer, id, result });
            pruned += reports(&effects).iter().filter(|r| lacking(r)).count();
        }
    }
    assert_eq!((rig.has(3, 1), rig.has(3, 2)), (1, 1));
    assert!((1..=2).contains(&pruned), "{pruned} reports of two peers");
}
