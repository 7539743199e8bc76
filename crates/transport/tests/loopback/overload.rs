//! Too much: the answer comes at once and the memory stays bounded.

use std::time::{Duration, Instant};

use transport::{Limits, TransportError};

use crate::node::{Node, brisk, key};

/// A peer must not make a node hold a body of any size.
#[test]
fn an_oversize_body_is_answered_413() {
    let generous = Node::new(1, brisk());
    let strict = Node::new(
        2,
        Limits {
            max_body: 1_000,
            ..brisk()
        },
    );
    generous.trust_node(&strict);
    strict.trust_node(&generous);
    assert_eq!(generous.ask(2, vec![0; 1_001]).expect("answer").status, 413);
    assert_eq!(
        generous.ask(2, vec![0; 8 << 20]).expect("answer").status,
        413
    );
    assert!(strict.start.events.try_recv().is_none());
    generous.send(2, 1, vec![0; 1_000]);
    let (token, _) = strict.request();
    // The same holds for an answer, and for what the host itself wants to send.
    strict.start.handle.reply(token, 200, vec![0; 2_000]);
    assert_eq!(generous.response().1.expect("answer").body.len(), 2_000);
    strict.send(1, 1, Vec::new());
    let (token, _) = generous.request();
    generous.start.handle.reply(token, 200, vec![0; 1_001]);
    let what = "answer";
    let too_large = TransportError::TooLarge { what, limit: 1_000 };
    assert_eq!(strict.response().1, Err(too_large));
    let sent = strict
        .start
        .handle
        .send(key(1), "/v1/push", 2, vec![0; 1_001]);
    let what = "request";
    let too_large = TransportError::TooLarge { what, limit: 1_000 };
    assert_eq!(sent, Err(too_large));
}

/// One peer that asks without end must not take the worker's time from the others.
#[test]
fn a_peer_above_its_rate_is_answered_429() {
    let limits = Limits {
        requests_per_second: 1,
        burst: 5,
        ..brisk()
    };
    let (asker, answerer) = (Node::new(1, brisk()), Node::new(2, limits));
    asker.trust_node(&answerer);
    answerer.trust_node(&asker);
    let echo = answerer.echo(Duration::from_millis(500));
    let statuses: Vec<u16> = (0..8)
        .map(|_| asker.ask(2, Vec::new()).expect("answer").status)
        .collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429, 429]);
    echo.join().expect("echo ends");
}

/// A worker that hangs costs its peers an error after the timeout, not a connection for ever.
#[test]
fn a_silent_host_is_answered_for_with_504() {
    let patient = Limits {
        request_timeout: Duration::from_secs(8),
        ..brisk()
    };
    let hasty = Limits {
        request_timeout: Duration::from_millis(300),
        ..brisk()
    };
    let (asker, silent) = (Node::new(1, patient), Node::new(2, hasty));
    asker.trust_node(&silent);
    silent.trust_node(&asker);
    let begin = Instant::now();
    assert_eq!(asker.ask(2, Vec::new()).expect("answer").status, 504);
    assert!(begin.elapsed() < Duration::from_secs(2));
    let (token, _) = silent.request();
    assert!(!silent.start.handle.reply(token, 200, Vec::new()));
}

/// A host that answers nothing and reads nothing holds a fixed number of requests; the rest hear so
/// at once.
#[test]
fn requests_over_the_limit_are_answered_503_at_once() {
    let small = Limits {
        max_inflight: 4,
        max_peer_inflight: 3,
        request_timeout: Duration::from_secs(1),
        ..brisk()
    };
    let (asker, silent) = (Node::new(1, brisk()), Node::new(2, small));
    asker.trust_node(&silent);
    silent.trust_node(&asker);
    let ask = |expected: &[u16]| {
        let begin = Instant::now();
        let count = expected.len() as u64;
        (0..count).for_each(|id| asker.send(2, id, Vec::new()));
        let mut statuses = Vec::new();
        while statuses.len() < expected.len() {
            let status = asker.response().1.expect("answer").status;
            if status == 503 {
                assert!(begin.elapsed() < Duration::from_millis(900));
            }
            statuses.push(status);
        }
        assert_eq!(statuses, expected);
    };
    // Three at a time from one peer.
    ask(&[503, 503, 504, 504, 504]);
    // Their events are still unread: there is room for one more.
    ask(&[503, 503, 503, 503, 504]);
    ask(&[503, 503, 503, 503, 503]);
    let unread = std::iter::from_fn(|| silent.start.events.try_recv()).count();
    assert_eq!(unread, 4);
    ask(&[503, 503, 504, 504, 504]);
}

/// Many bodies at once must not add up beyond the byte limit.
#[test]
fn bytes_over_the_limit_are_answered_503() {
    let small = Limits {
        max_body: 1 << 20,
        max_bytes: 5 << 19,
        max_peer_bytes: 5 << 19,
        ..brisk()
    };
    let (asker, silent) = (Node::new(1, brisk()), Node::new(2, small));
    asker.trust_node(&silent);
    silent.trust_node(&asker);
    (0..3).for_each(|id| asker.send(2, id, vec![0; 1 << 20]));
    assert_eq!(asker.response().1.expect("answer").status, 503);
    // Reading the two that fit hands their bytes to the host and makes room.
    let (first, _) = silent.request();
    let (second, _) = silent.request();
    asker.send(2, 3, vec![0; 1 << 20]);
    let (third, _) = silent.request();
    for token in [first, second, third] {
        assert!(silent.start.handle.reply(token, 200, Vec::new()));
    }
    for _ in 0..3 {
        assert_eq!(asker.response().1.expect("answer").status, 200);
    }
}

/// A host that sends faster than a peer answers learns it at the call, and loses no outcome.
#[test]
fn own_requests_over_the_limit_are_busy() {
    let small = Limits {
        max_inflight: 8,
        max_peer_inflight: 2,
        ..brisk()
    };
    let (asker, answerer) = (Node::new(1, small), Node::new(2, brisk()));
    asker.trust_node(&answerer);
    answerer.trust_node(&asker);
    let send = |id| {
        let handle = &asker.start.handle;
        handle.send(key(2), "/v1/push", id, Vec::new())
    };
    assert_eq!(send(1), Ok(()));
    assert_eq!(send(2), Ok(()));
    assert_eq!(send(3), Err(TransportError::Busy));
    for _ in 0..2 {
        let (token, _) = answerer.request();
        answerer.start.handle.reply(token, 200, Vec::new());
    }
    let mut ended = [asker.response().0, asker.response().0];
    ended.sort_unstable();
    assert_eq!(ended, [1, 2]);
    assert_eq!(send(3), Ok(()));
}
