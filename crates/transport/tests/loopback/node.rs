//! One node of a test, with the shortcuts of a host.

use std::{
    collections::HashMap,
    net::SocketAddr,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use transport::{
    Answer, Config, Event, Key, Limits, Peer, Start, StartError, TransportError, public_key_of,
    start,
};

/// Longer than any wait of a test that goes well.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Short waits, so that tests of timeouts are quick.
pub fn brisk() -> Limits {
    Limits {
        request_timeout: Duration::from_secs(2),
        connect_timeout: Duration::from_secs(1),
        handshake_timeout: Duration::from_secs(1),
        ..Limits::default()
    }
}

pub fn key(seed: u8) -> Key {
    public_key_of(&[seed; 32])
}

pub struct Node {
    pub seed: u8,
    pub start: Start,
}

impl Node {
    pub fn new(seed: u8, limits: Limits) -> Self {
        let address = ([127, 0, 0, 1], 0).into();
        Self::at(seed, limits, address).expect("node starts")
    }

    pub fn at(seed: u8, limits: Limits, address: SocketAddr) -> Result<Self, StartError> {
        let config = Config {
            listen: Some(address),
            tls_seed: [seed; 32],
            limits,
        };
        let start = start(config, || ())?;
        Ok(Self { seed, start })
    }

    pub fn address(&self) -> SocketAddr {
        self.start.local_addr.expect("node listens")
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.address())
    }

    /// Makes exactly `others` the peers of this node.
    pub fn trust(&self, others: &[(u8, String)]) {
        let peer = |(seed, url): &(u8, String)| (key(*seed), Peer { url: url.clone() });
        self.start
            .handle
            .set_peers(others.iter().map(peer).collect());
    }

    /// Makes the node with `seed` the only peer of this one.
    pub fn trust_node(&self, other: &Self) {
        self.trust(&[(other.seed, other.url())]);
    }

    pub fn invite(&self, seed: u8, lifetime: Duration) {
        let guests = HashMap::from([(key(seed), Instant::now() + lifetime)]);
        self.start.handle.set_guests(guests);
    }

    pub fn send(&self, to: u8, id: u64, body: Vec<u8>) {
        let sent = self.start.handle.send(key(to), "/v1/push", id, body);
        sent.expect("send is taken");
    }

    pub fn event(&self) -> Event {
        self.start.events.recv_timeout(PATIENCE).expect("an event")
    }

    /// The outcome of the next own request to end.
    pub fn response(&self) -> (u64, Result<Answer, TransportError>) {
        match self.event() {
            Event::Response {
                request_id, result, ..
            } => (request_id, result),
            other => panic!("no response: {other:?}"),
        }
    }

    /// Sends and waits for the outcome.
    pub fn ask(&self, to: u8, body: Vec<u8>) -> Result<Answer, TransportError> {
        self.send(to, 1, body);
        self.response().1
    }

    /// The next request of another, as (token, whole event).
    pub fn request(&self) -> (u64, Event) {
        match self.event() {
            event @ Event::Request { token, .. } => (token, event),
            other => panic!("no request: {other:?}"),
        }
    }

    /// Answers every request with its own body until the node is quiet for `quiet`, then returns it.
    pub fn echo(self, quiet: Duration) -> JoinHandle<Self> {
        std::thread::spawn(move || {
            while let Some(event) = self.start.events.recv_timeout(quiet) {
                if let Event::Request { token, body, .. } = event {
                    self.start.handle.reply(token, 200, body);
                }
            }
            self
        })
    }
}
