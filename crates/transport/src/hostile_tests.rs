//! Callers that break the rules of HTTP or of good manners, frame by frame.

use std::{
    collections::HashMap,
    future::Future,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{body::Bytes, http::Request};
use h2::{RecvStream, SendStream, client::SendRequest};
use tokio::{io::AsyncReadExt, net::TcpStream, task::JoinHandle};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{Config, Event, Limits, Peer, Start, public_key_of, start, tls};

const SERVER: [u8; 32] = [2; 32];
const CALLER: [u8; 32] = [1; 32];
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A node that trusts [`CALLER`] and waits 400 ms at most for anything.
pub(crate) fn node(limits: Limits) -> Start {
    let config = Config {
        listen: Some(([127, 0, 0, 1], 0).into()),
        tls_seed: SERVER,
        limits,
    };
    let node = start(config, || ()).expect("node starts");
    let url = "https://127.0.0.1:1".to_owned();
    let peers = HashMap::from([(public_key_of(&CALLER), Peer { url })]);
    node.handle.set_peers(peers);
    node
}

pub(crate) fn impatient() -> Limits {
    Limits {
        max_body: 1 << 20,
        request_timeout: Duration::from_millis(400),
        handshake_timeout: Duration::from_millis(400),
        ..Limits::default()
    }
}

fn address(node: &Start) -> SocketAddr {
    node.local_addr.expect("node listens")
}

/// Runs a test with its own deadline: a hung node fails it.
pub(crate) fn within_patience(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("runtime");
    runtime
        .block_on(async { tokio::time::timeout(PATIENCE, test).await })
        .expect("in time");
}

async fn connect(node: &Start) -> TlsStream<TcpStream> {
    let config = tls::client_config(&CALLER, public_key_of(&SERVER)).expect("tls");
    let socket = TcpStream::connect(address(node)).await.expect("connect");
    let name = address(node).ip().into();
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, socket).await.expect("handshake")
}

/// A caller that speaks HTTP/2 by hand, and the task that ends with its connection.
pub(crate) async fn caller(node: &Start) -> (SendRequest<Bytes>, JoinHandle<()>) {
    let (sender, connection) = h2::client::handshake(connect(node).await)
        .await
        .expect("preface");
    let task = tokio::spawn(async move {
        // How it ends is not the question here, only when.
        let _ = connection.await;
    });
    (sender.ready().await.expect("ready"), task)
}

fn post() -> Request<()> {
    Request::post("https://node/v1/push")
        .body(())
        .expect("request")
}

/// Offers `size` bytes as fast as the node takes them; returns how many it took.
async fn feed(stream: &mut SendStream<Bytes>, size: usize) -> usize {
    let mut taken = 0;
    while taken < size {
        stream.reserve_capacity((size - taken).min(16 << 10));
        let capacity = std::future::poll_fn(|context| stream.poll_capacity(context)).await;
        let Some(Ok(capacity)) = capacity else {
            break;
        };
        let part = capacity.min(size - taken);
        if stream.send_data(Bytes::from(vec![0; part]), false).is_err() {
            break;
        }
        taken += part;
    }
    taken
}

/// Without this, a body that does not announce its length could fill the memory.
#[test]
fn a_body_without_length_is_cut_at_the_limit() {
    within_patience(async {
        let node = node(impatient());
        let (mut sender, _task) = caller(&node).await;
        let (response, mut stream) = sender.send_request(post(), false).expect("request");
        let feeding = tokio::spawn(async move { feed(&mut stream, 64 << 20).await });
        assert_eq!(response.await.expect("answer").status(), 413);
        let taken = feeding.await.expect("task");
        assert!(taken < 16 << 20, "{taken}");
        assert!(node.events.try_recv().is_none());
    });
}

/// Without this, a caller that sends one byte an hour keeps its place for ever.
#[test]
fn a_body_that_stalls_is_answered_408() {
    within_patience(async {
        let node = node(impatient());
        let (mut sender, _task) = caller(&node).await;
        let (response, mut stream) = sender.send_request(post(), false).expect("request");
        assert_eq!(feed(&mut stream, 100).await, 100);
        assert_eq!(response.await.expect("answer").status(), 408);
        assert!(node.events.try_recv().is_none());
    });
}

/// Without this, a caller that never reads its answers makes the node keep them for ever.
#[test]
fn an_answer_that_is_not_read_ends_the_connection() {
    within_patience(async {
        let node = node(impatient());
        let (mut sender, task) = caller(&node).await;
        let (response, _) = sender.send_request(post(), true).expect("request");
        let answer = tokio::task::spawn_blocking(move || {
            if let Some(Event::Request { token, .. }) = node.events.recv_timeout(PATIENCE) {
                node.handle.reply(token, 200, vec![0; 32 << 20]);
            }
            node
        });
        let begin = Instant::now();
        let unread: RecvStream = response.await.expect("headers").into_body();
        let _node = answer.await.expect("host");
        task.await.expect("connection ends");
        assert!(begin.elapsed() < Duration::from_secs(3));
        drop(unread);
    });
}

/// Without this, strangers who only connect could keep everybody else out.
#[test]
fn a_handshake_that_stalls_is_ended_and_their_number_bounded() {
    within_patience(async {
        let limits = Limits {
            max_handshakes: 2,
            ..impatient()
        };
        let node = node(limits);
        let begin = Instant::now();
        let mut mute = Vec::new();
        for _ in 0..3 {
            let connected = TcpStream::connect(address(&node)).await;
            mute.push(connected.expect("connect"));
        }
        let closed = async |socket: &mut TcpStream| {
            let end = socket.read(&mut [0; 1]).await;
            assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
        };
        // The third is over the bound and closed at once, the others after the timeout.
        closed(&mut mute[2]).await;
        assert!(begin.elapsed() < limits.handshake_timeout);
        closed(&mut mute[0]).await;
        closed(&mut mute[1]).await;
        assert!(begin.elapsed() >= limits.handshake_timeout);
        // And there is room again.
        caller(&node).await;
    });
}

/// Without this, connections that a peer forgot would add up.
#[test]
fn idle_connections_are_closed_and_their_number_bounded() {
    within_patience(async {
        let limits = Limits {
            max_peer_connections: 2,
            idle_timeout: Duration::from_millis(400),
            ..impatient()
        };
        let node = node(limits);
        let begin = Instant::now();
        let (_first, first_ends) = caller(&node).await;
        let (_second, second_ends) = caller(&node).await;
        let mut third = connect(&node).await;
        let end = third.read(&mut [0; 1]).await;
        assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
        assert!(begin.elapsed() < limits.idle_timeout);
        first_ends.await.expect("connection ends");
        second_ends.await.expect("connection ends");
        assert!(begin.elapsed() >= limits.idle_timeout);
    });
}

/// A resumed session would let a removed key back in without showing it.
#[test]
fn no_session_can_be_resumed() {
    within_patience(async {
        let node = node(impatient());
        let mut stream = connect(&node).await;
        // The node's HTTP/2 preface comes after any ticket.
        stream.read_exact(&mut [0; 9]).await.expect("preface");
        assert_eq!(stream.get_ref().1.tls13_tickets_received(), 0);
    });
}

/// Only POST asks a node anything; the rest must not reach the host.
#[test]
fn other_methods_are_refused() {
    within_patience(async {
        let node = node(impatient());
        let (mut sender, _task) = caller(&node).await;
        let get = Request::get("https://node/v1/push").body(());
        let (response, _) = sender
            .send_request(get.expect("request"), true)
            .expect("request");
        assert_eq!(response.await.expect("answer").status(), 405);
        assert!(node.events.try_recv().is_none());
    });
}
