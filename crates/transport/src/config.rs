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

/// Bounds of one network thread. Counts and sizes must be at least 1, durations above zero.
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
    /// Refuses limits with which nothing could work, and names the one at fault.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        let counts = [
            ("max_body", self.max_body),
            ("max_bytes", self.max_bytes),
            ("max_peer_bytes", self.max_peer_bytes),
            ("max_inflight", self.max_inflight),
            ("max_peer_inflight", self.max_peer_inflight),
            ("requests_per_second", self.requests_per_second as usize),
            ("burst", self.burst as usize),
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
        let zero_count = counts.iter().find(|(_, value)| *value == 0);
        let zero_wait = waits.iter().find(|(_, value)| value.is_zero());
        match zero_count
            .map(|(name, _)| *name)
            .or(zero_wait.map(|(name, _)| *name))
        {
            Some(name) => Err(StartError::Limit { name }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A limit of zero would make a node that answers nobody and does not say why.
    #[test]
    fn a_limit_of_zero_is_named() {
        assert!(Limits::default().check().is_ok());
        let limits = Limits {
            max_inflight: 0,
            ..Limits::default()
        };
        let error = limits.check().expect_err("refused").to_string();
        assert!(error.contains("max_inflight"), "{error}");
        let limits = Limits {
            idle_timeout: Duration::ZERO,
            ..Limits::default()
        };
        let error = limits.check().expect_err("refused").to_string();
        assert!(error.contains("idle_timeout"), "{error}");
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
