//! Who gets through: exactly the pinned keys, guests only to the door, and nobody longer than said.

use std::{collections::HashMap, time::Duration};

use transport::{Answer, Event, JOIN_PATH, TransportError, start};

use crate::node::{Node, PATIENCE, brisk, key};

/// Two nodes that trust each other talk, and each knows whom it talks to.
#[test]
fn round_trip() {
    let (asker, answerer) = (Node::new(1, brisk()), Node::new(2, brisk()));
    asker.trust_node(&answerer);
    answerer.trust_node(&asker);
    for size in [0, 1, 4 << 10, 3 << 20] {
        asker.send(2, size as u64, vec![7; size]);
        let (token, request) = answerer.request();
        let Event::Request {
            from,
            guest,
            path,
            body,
            ..
        } = request
        else {
            unreachable!()
        };
        assert_eq!((from, guest, path.as_str()), (key(1), false, "/v1/push"));
        assert_eq!(body, vec![7; size]);
        assert!(answerer.start.handle.reply(token, 207, vec![9; size * 2]));
        assert!(!answerer.start.handle.reply(token, 200, Vec::new()));
        let answer = Answer {
            status: 207,
            body: vec![9; size * 2],
        };
        assert_eq!(asker.response(), (size as u64, Ok(answer)));
    }
}

/// Without this, anybody who reaches the port could fill the queue of the database's worker.
#[test]
fn an_unknown_client_is_refused_in_the_handshake() {
    let (stranger, answerer) = (Node::new(1, brisk()), Node::new(2, brisk()));
    stranger.trust_node(&answerer);
    answerer.trust(&[(3, "https://127.0.0.1:1".into())]);
    let outcome = stranger.ask(2, b"let me in".to_vec());
    assert!(
        matches!(
            outcome,
            Err(TransportError::Refused | TransportError::Broken(_))
        ),
        "{outcome:?}"
    );
    assert!(answerer.start.events.try_recv().is_none());
}

/// Without this, whoever takes over a peer's address could read what is meant for the peer.
#[test]
fn a_wrong_server_key_is_refused() {
    let (asker, impostor) = (Node::new(1, brisk()), Node::new(2, brisk()));
    impostor.trust_node(&asker);
    asker.trust(&[(3, impostor.url())]);
    assert_eq!(
        asker.ask(3, b"secret".to_vec()),
        Err(TransportError::WrongKey)
    );
    assert!(impostor.start.events.try_recv().is_none());
}

/// An invitation opens one path for its lifetime and nothing else.
#[test]
fn a_guest_reaches_only_the_join_path_and_only_before_its_deadline() {
    let (newcomer, host) = (Node::new(1, brisk()), Node::new(2, brisk()));
    let join = |id| {
        let handle = &newcomer.start.handle;
        handle.join(&host.url(), key(2), &[9; 32], id, b"hello".to_vec())
    };
    host.invite(9, Duration::from_secs(60));
    join(1).expect("join is taken");
    let (token, request) = host.request();
    let Event::Request {
        from, guest, path, ..
    } = request
    else {
        unreachable!()
    };
    assert_eq!((from, guest, path.as_str()), (key(9), true, JOIN_PATH));
    host.start.handle.reply(token, 200, b"welcome".to_vec());
    let (id, answer) = newcomer.response();
    assert_eq!((id, answer.expect("answer").body), (1, b"welcome".to_vec()));

    // The guest's key at any other path.
    let curious = Node::new(9, brisk());
    curious.trust_node(&host);
    assert_eq!(curious.ask(2, Vec::new()).expect("answer").status, 403);

    // Past the deadline, on the connection that is already open and on a new one.
    host.invite(9, Duration::from_millis(300));
    assert_eq!(curious.ask(2, Vec::new()).expect("answer").status, 403);
    std::thread::sleep(Duration::from_millis(400));
    assert!(curious.ask(2, Vec::new()).is_err());
    join(2).expect("join is taken");
    assert!(newcomer.response().1.is_err());

    // Taken back before its deadline.
    host.invite(9, Duration::from_secs(60));
    host.start.handle.set_guests(HashMap::new());
    join(3).expect("join is taken");
    assert!(newcomer.response().1.is_err());
    assert!(host.start.events.try_recv().is_none());
}

/// A member that was removed must not go on reading or writing over a connection from before.
#[test]
fn removing_a_peer_closes_its_connection_and_its_calls() {
    let (removed, remover) = (Node::new(1, brisk()), Node::new(2, brisk()));
    removed.trust_node(&remover);
    remover.trust_node(&removed);
    // One request each way is under way.
    removed.send(2, 1, Vec::new());
    remover.request();
    remover.send(1, 2, Vec::new());
    removed.request();
    remover.trust(&[]);
    let outcome = removed.response();
    assert!(
        matches!(outcome, (1, Err(TransportError::Broken(_)))),
        "{outcome:?}"
    );
    assert_eq!(remover.response(), (2, Err(TransportError::Removed)));
    assert!(removed.ask(2, Vec::new()).is_err());
    assert!(remover.start.events.try_recv().is_none());
    let sent = remover.start.handle.send(key(1), "/v1/push", 3, Vec::new());
    assert_eq!(sent, Err(TransportError::UnknownPeer));
}

/// Adding a member must not disturb what runs between the others.
#[test]
fn peers_that_stay_keep_their_requests() {
    let (asker, answerer) = (Node::new(1, brisk()), Node::new(2, brisk()));
    asker.trust_node(&answerer);
    answerer.trust_node(&asker);
    asker.send(2, 1, Vec::new());
    let (token, _) = answerer.request();
    let third = (3, "https://127.0.0.1:1".to_owned());
    asker.trust(&[(2, answerer.url()), third.clone()]);
    answerer.trust(&[(1, asker.url()), third]);
    assert!(answerer.start.handle.reply(token, 200, Vec::new()));
    assert_eq!(asker.response().1.expect("answer").status, 200);
}

/// One member with a bad URL must not keep a node from the others.
#[test]
fn a_bad_url_is_reported_for_its_peer_alone() {
    let (asker, answerer) = (Node::new(1, brisk()), Node::new(2, brisk()));
    answerer.trust_node(&asker);
    asker.trust(&[
        (2, answerer.url()),
        (3, "http://127.0.0.1:1".into()),
        (4, "nonsense".into()),
    ]);
    for bad in [3, 4] {
        let sent = asker.start.handle.send(key(bad), "/v1/push", 1, Vec::new());
        assert!(matches!(sent, Err(TransportError::BadUrl(_))), "{sent:?}");
    }
    let echo = answerer.echo(Duration::from_millis(500));
    assert_eq!(asker.ask(2, b"x".to_vec()).expect("answer").body, b"x");
    echo.join().expect("echo ends");
}

/// A node behind a firewall calls out without listening.
#[test]
fn a_node_without_listener_calls_out() {
    let answerer = Node::new(2, brisk());
    let config = transport::Config {
        listen: None,
        tls_seed: [1; 32],
        limits: brisk(),
    };
    let asker = Node {
        seed: 1,
        start: start(config, || ()).expect("node starts"),
    };
    assert_eq!(asker.start.local_addr, None);
    asker.trust_node(&answerer);
    answerer.trust(&[(1, "https://127.0.0.1:1".into())]);
    asker.send(2, 1, Vec::new());
    let (token, _) = answerer.request();
    answerer.start.handle.reply(token, 200, Vec::new());
    assert!(asker.start.events.recv_timeout(PATIENCE).is_some());
}
