//! What the host decides before the public listener starts.

use std::{net::SocketAddr, time::Duration};

use crate::{
    config::{MAX_COUNT, MAX_WAIT, MIN_WAIT},
    error::StartError,
};

/// Address and limits of a public listener.
#[derive(Clone, Copy, Debug)]
pub struct PublicConfig {
    /// Where it listens. Port 0 takes any free port.
    pub listen: SocketAddr,
    /// Bounds on what strangers can make this thread hold or do.
    pub limits: PublicLimits,
}

/// Bounds of a public listener. Counts must be from 1 to 65,536, durations between a millisecond and
/// a day. An address is an IPv4 address, or the first 64 bits of an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicLimits {
    /// Connections of all together.
    pub max_connections: usize,
    /// Connections of one address.
    pub max_address_connections: usize,
    /// Requests a second of one address in the long run.
    pub requests_per_second: u32,
    /// Requests of one address at once after a pause.
    pub burst: u32,
    /// Requests that wait for the host or are being sent; beyond, the answer is 503.
    pub max_inflight: usize,
    /// Bytes of answers that are kept because they never change; 0 keeps none.
    pub max_cached_bytes: usize,
    /// For the caller to send the head of a request, and for the next one on the same connection.
    pub head_timeout: Duration,
    /// For the host to answer, and again for the caller to read the answer.
    pub request_timeout: Duration,
}

impl Default for PublicLimits {
    fn default() -> Self {
        Self {
            max_connections: 128,
            max_address_connections: 32,
            requests_per_second: 200,
            burst: 400,
            max_inflight: 64,
            max_cached_bytes: 16 << 20,
            head_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(10),
        }
    }
}

impl PublicLimits {
    /// Refuses limits with which nothing could work, and names the one at fault.
    pub(super) fn check(&self) -> Result<(), StartError> {
        let counts = [
            ("max_connections", self.max_connections),
            ("max_address_connections", self.max_address_connections),
            ("max_inflight", self.max_inflight),
        ];
        let rates = [
            ("requests_per_second", self.requests_per_second),
            ("burst", self.burst),
        ];
        let waits = [
            ("head_timeout", self.head_timeout),
            ("request_timeout", self.request_timeout),
        ];
        let counts = counts.map(|(name, count)| (name, (1..=MAX_COUNT).contains(&count)));
        let rates = rates.map(|(name, rate)| (name, rate > 0));
        let waits = waits.map(|(name, wait)| (name, (MIN_WAIT..=MAX_WAIT).contains(&wait)));
        let mut all = counts.into_iter().chain(rates).chain(waits);
        match all.find(|(_, good)| !good) {
            Some((name, _)) => Err(StartError::Limit { name }),
            None => Ok(()),
        }
    }
}
