//! What the host decides before the thread starts.

use std::{fmt, net::SocketAddr, time::Duration};

use crate::{error::StartError, key::Seed};

/// Address, key and limits of one network thread.
#[derive(Clone)]
pub struct Config {
    /// Where peers reach this node; `None` only calls out. Port 0 takes any free port.
    pub listen: Option<SocketAddr>,
    /// Seed of this node's TLS key, used as server and as client.
    pub tls_seed: Seed,
    /// Bounds on what others, and the host itself, can make this thread hold or do.
    pub limits: Limits,
}

impl fmt::Debug for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Config")
            .field("listen", &self.listen)
            .field("tls_seed", &"(secret)")
            .field("limits", &self.limits)
            .finish()
    }
}

/// Room for events is taken at the start, so their count has a bound of its own.
pub(crate) const MAX_COUNT: usize = 1 << 16;

pub(crate) const MIN_WAIT: Duration = Duration::from_millis(1);

/// Keeps deadlines within what a clock can hold.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Bounds of one network thread. Counts and sizes must be at least 1 and counts at most 65,536,
/// durations between a millisecond and a day.
///
/// "In each direction" means that requests of others and requests to others are counted apart, so
/// that neither can starve the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one body, of a request as of an answer.
    pub max_body: usize,
    /// Bytes of all bodies held for the host, in each direction.
    pub max_bytes: usize,
    /// Bytes of all bodies held for or from one peer, in each direction.
    pub max_peer_bytes: usize,
    /// Requests waiting for an answer, in each direction. Also the room for unread events.
    pub max_inflight: usize,
    /// Requests waiting for an answer of or from one peer, in each direction.
    pub max_peer_inflight: usize,
    /// Requests a second that one peer may send in the long run.
    pub requests_per_second: u32,
    /// Requests that one peer may send at once after a pause.
    pub burst: u32,
    /// Connections that others hold to this node, after their handshake.
    pub max_connections: usize,
    /// Connections of one peer, after the handshake.
    pub max_peer_connections: usize,
    /// Connections within their handshake; their other side is not known yet.
    pub max_handshakes: usize,
    /// From the first byte of a request to the end of its answer, name lookup and connecting included.
    pub request_timeout: Duration,
    /// To resolve a name, connect and finish the TLS handshake with a peer.
    pub connect_timeout: Duration,
    /// For another to finish its TLS handshake with this node.
    pub handshake_timeout: Duration,
    /// Between pings on a connection, and the wait for their answer before it counts as broken.
    pub keep_alive: Duration,
    /// After which a connection to this node without requests is closed.
    pub idle_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body: 36 << 20,
            max_bytes: 288 << 20,
            max_peer_bytes: 72 << 20,
            max_inflight: 256,
            max_peer_inflight: 32,
            requests_per_second: 2_000,
            burst: 4_000,
            max_connections: 256,
            max_peer_connections: 4,
            max_handshakes: 64,
            request_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            handshake_timeout: Duration::from_secs(5),
            keep_alive: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(300),
        }
    }
}

impl Limits {
    /// Refuses limits with which nothing could work or be counted, and names the one at fault.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        let sizes = [
            ("max_body", self.max_body),
            ("max_bytes", self.max_bytes),
            ("max_peer_bytes", self.max_peer_bytes),
            ("requests_per_second", self.requests_per_second as usize),
            ("burst", self.burst as usize),
        ];
        let counts = [
            ("max_inflight", self.max_inflight),
            ("max_peer_inflight", self.max_peer_inflight),
            ("max_connections", self.max_connections),
            ("max_peer_connections", self.max_peer_connections),
            ("max_handshakes", self.max_handshakes),
        ];
        let waits = [
            ("request_timeout", self.request_timeout),
            ("connect_timeout", self.connect_timeout),
            ("handshake_timeout", self.handshake_timeout),
            ("keep_alive", self.keep_alive),
            ("idle_timeout", self.idle_timeout),
        ];
        let sizes = sizes.map(|(name, size)| (name, size > 0));
        let counts = counts.map(|(name, count)| (name, (1..=MAX_COUNT).contains(&count)));
        let waits = waits.map(|(name, wait)| (name, (MIN_WAIT..=MAX_WAIT).contains(&wait)));
        let mut all = sizes.into_iter().chain(counts).chain(waits);
        match all.find(|(_, good)| !good) {
            Some((name, _)) => Err(StartError::Limit { name }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A limit out of range would make a node that answers nobody and does not say why.
    #[test]
    fn a_limit_out_of_range_is_named() {
        assert!(Limits::default().check().is_ok());
        let refused = |name: &str, limits: Limits| {
            let error = limits.check().expect_err("refused").to_string();
            assert!(error.contains(name), "{error}");
        };
        let limits = Limits::default();
        for max_inflight in [0, MAX_COUNT + 1, usize::MAX] {
            let limits = Limits {
                max_inflight,
                ..limits
            };
            refused("max_inflight", limits);
        }
        for idle_timeout in [Duration::ZERO, Duration::MAX] {
            let limits = Limits {
                idle_timeout,
                ..limits
            };
            refused("idle_timeout", limits);
        }
        refused("burst", Limits { burst: 0, ..limits });
    }

    /// A log line with the configuration must not give the node's key away.
    #[test]
    fn debug_hides_the_seed() {
        let config = Config {
            listen: None,
            tls_seed: [0xab; 32],
            limits: Limits::default(),
        };
        let text = format!("{config:?}");
        assert!(text.contains("(secret)") && !text.contains("171"), "{text}");
    }
}
