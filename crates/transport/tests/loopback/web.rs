//! Calls to ordinary web servers.

use std::net::TcpListener;

use transport::{
    Event, Limits, MAX_WEB_BODY, PublicConfig, PublicLimits, TransportError, WebAnswer,
};

use crate::node::{Node, brisk};

fn post(node: &Node, url: &str, body: Vec<u8>) -> Result<WebAnswer, TransportError> {
    node.start.handle.post_web(url, 5, body)?;
    match node.event() {
        Event::Posted { request_id, result } => {
            assert_eq!(request_id, 5);
            result
        }
        other => panic!("no outcome: {other:?}"),
    }
}

/// A witness that answers, however, must be heard.
#[test]
fn the_answer_of_a_web_server_comes_back() {
    let node = Node::new(1, brisk());
    let config = PublicConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        limits: PublicLimits::default(),
    };
    let server = node.start.handle.serve_public(config, || ());
    let server = server.expect("listens");
    let url = format!("http://{}/add-checkpoint", server.address());
    let answer = post(&node, &url, b"old 0\n".to_vec()).expect("an answer");
    assert_eq!((answer.status, answer.body.len()), (405, 0));
}

/// A witness that cannot be reached, or whose certificate nobody vouches for, must be told apart
/// from one that refuses, and must not hold the others up.
#[test]
fn what_stands_in_the_way_is_named() {
    let node = Node::new(1, brisk());
    let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let free = format!("http://{}", free.expect("an address"));
    let unreached = post(&node, &free, Vec::new());
    assert!(
        matches!(unreached, Err(TransportError::Connect(_))),
        "{unreached:?}"
    );
    // The listener for peers has a key, and no certificate.
    let untrusted = post(&node, &node.url(), Vec::new());
    assert!(
        matches!(untrusted, Err(TransportError::Connect(_))),
        "{untrusted:?}"
    );
    let mute = TcpListener::bind("127.0.0.1:0").expect("listens");
    let url = format!("http://{}", mute.local_addr().expect("an address"));
    assert_eq!(post(&node, &url, Vec::new()), Err(TransportError::Timeout));
    let bad = post(&node, "gopher://witness.example", Vec::new());
    assert!(matches!(bad, Err(TransportError::BadUrl(_))), "{bad:?}");
    let large = post(&node, &free, vec![0; MAX_WEB_BODY + 1]);
    assert!(
        matches!(large, Err(TransportError::TooLarge { .. })),
        "{large:?}"
    );
}

/// Witnesses that hang must not take the room that peers need.
#[test]
fn hanging_calls_are_bounded() {
    let node = Node::new(1, Limits::default());
    let mute = TcpListener::bind("127.0.0.1:0").expect("listens");
    let url = format!("http://{}", mute.local_addr().expect("an address"));
    let taken = (0..100)
        .take_while(|id| node.start.handle.post_web(&url, *id, Vec::new()).is_ok())
        .count();
    assert!((1..=16).contains(&taken), "{taken}");
    let busy = node.start.handle.post_web(&url, 100, Vec::new());
    assert_eq!(busy, Err(TransportError::Busy));
}
