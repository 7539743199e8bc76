//! Starting, losing and regaining peers, and ending without hanging the host.

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use transport::{Config, Limits, StartError, TransportError, start};

use crate::node::{Node, brisk, key};

/// The host must see at start, not in a log, that the port is taken.
#[test]
fn an_address_in_use_is_an_error_of_start() {
    let first = Node::new(1, brisk());
    let second = Node::at(2, brisk(), first.address());
    assert!(matches!(second.err(), Some(StartError::Bind { .. })));
}

/// A peer that is down costs an error, and is reached again once it is back.
#[test]
fn a_peer_that_restarts_on_its_port_is_reached_again() {
    let asker = Node::new(1, brisk());
    let answerer = Node::new(2, brisk());
    let address = answerer.address();
    asker.trust_node(&answerer);
    answerer.trust_node(&asker);
    let echo = answerer.echo(Duration::from_millis(300));
    assert_eq!(asker.ask(2, b"1".to_vec()).expect("answer").body, b"1");
    drop(echo.join().expect("echo ends"));
    let begin = Instant::now();
    // Several at once: all of them must hear of the failed connection.
    (0..4).for_each(|id| asker.send(2, id, Vec::new()));
    for _ in 0..4 {
        let outcome = asker.response().1;
        assert!(
            matches!(outcome, Err(TransportError::Connect(_))),
            "{outcome:?}"
        );
    }
    assert!(begin.elapsed() < brisk().connect_timeout);
    let answerer = Node::at(2, brisk(), address).expect("same port again");
    answerer.trust_node(&asker);
    let echo = answerer.echo(Duration::from_millis(300));
    assert_eq!(asker.ask(2, b"2".to_vec()).expect("answer").body, b"2");
    echo.join().expect("echo ends");
}

/// A peer whose machine takes connections but does not speak must not hold a request for ever.
#[test]
fn a_mute_peer_costs_the_connect_timeout() {
    let asker = Node::new(1, brisk());
    let mute = TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = mute.local_addr().expect("address");
    asker.trust(&[(2, format!("https://{address}"))]);
    let begin = Instant::now();
    assert_eq!(asker.ask(2, Vec::new()), Err(TransportError::Timeout));
    let waited = begin.elapsed();
    assert!(waited < brisk().request_timeout, "{waited:?}");
}

/// A name that does not resolve is an error like any other.
#[test]
fn an_unknown_name_is_an_error() {
    let asker = Node::new(1, brisk());
    asker.trust(&[(2, "https://node.invalid:7".into())]);
    let outcome = asker.ask(2, Vec::new());
    assert!(
        matches!(
            outcome,
            Err(TransportError::Connect(_) | TransportError::Timeout)
        ),
        "{outcome:?}"
    );
}

/// DROP DATABASE waits for the worker: ending must be quick with requests under way both ways.
#[test]
fn shutdown_ends_the_thread_and_every_request() {
    let asker = Node::new(1, brisk());
    let mut answerer = Node::new(2, brisk());
    asker.trust_node(&answerer);
    answerer.trust_node(&asker);
    asker.send(2, 1, Vec::new());
    answerer.request();
    answerer.send(1, 2, Vec::new());
    asker.request();
    let begin = Instant::now();
    assert!(answerer.start.handle.shutdown());
    assert!(begin.elapsed() < Duration::from_secs(1));
    assert!(!answerer.start.handle.is_running());
    assert_eq!(asker.response().1.expect("answer").status, 503);
    assert_eq!(answerer.response(), (2, Err(TransportError::Stopped)));
    let sent = answerer
        .start
        .handle
        .send(key(1), "/v1/push", 3, Vec::new());
    assert_eq!(sent, Err(TransportError::Stopped));
    assert!(answerer.start.handle.shutdown());
}

/// An answer given just before the end still reaches its caller.
#[test]
fn answers_given_before_shutdown_arrive() {
    let asker = Node::new(1, brisk());
    let answerer = Node::new(2, brisk());
    asker.trust_node(&answerer);
    answerer.trust_node(&asker);
    asker.send(2, 1, Vec::new());
    let (token, _) = answerer.request();
    answerer.start.handle.reply(token, 200, vec![5; 1 << 20]);
    drop(answerer);
    assert_eq!(asker.response().1.expect("answer").body, vec![5; 1 << 20]);
}

/// The waker is the host's code on our thread: each event calls it, and its panic stays there.
#[test]
fn the_waker_is_called_for_each_event_and_may_panic() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let config = Config {
        listen: None,
        tls_seed: [1; 32],
        limits: Limits::default(),
    };
    let waker = move || {
        counted.fetch_add(1, Ordering::SeqCst);
        panic!("a waker's bug");
    };
    let start = start(config, waker).expect("node starts");
    let mut asker = Node { seed: 1, start };
    let answerer = Node::new(2, brisk());
    asker.trust_node(&answerer);
    answerer.trust(&[(1, "https://127.0.0.1:1".into())]);
    let echo = answerer.echo(Duration::from_millis(300));
    for _ in 0..3 {
        assert_eq!(asker.ask(2, Vec::new()).expect("answer").status, 200);
    }
    assert!(asker.start.handle.is_running());
    // An event can be read before its waker has run; not so once the thread has ended.
    assert!(asker.start.handle.shutdown());
    assert_eq!(calls.load(Ordering::SeqCst), 3);
    echo.join().expect("echo ends");
}
