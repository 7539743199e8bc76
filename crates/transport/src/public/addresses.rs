//! What each address does: how often it asks, how many connections it holds.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use crate::{budget::Budget, rate::Rate};

use super::PublicLimits;

/// Addresses that are remembered beside those that hold connections.
const MAX_RESTED: usize = 1_024;

/// One address, or one network of addresses that one caller can take freely.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) rate: Rate,
    pub(super) connections: Arc<Budget>,
}

/// The addresses that have a connection, or asked so lately that it still counts.
#[derive(Debug)]
pub(super) struct Addresses {
    limits: PublicLimits,
    known: Mutex<HashMap<IpAddr, Arc<Address>>>,
}

impl Addresses {
    pub(super) fn new(limits: &PublicLimits) -> Self {
        Self {
            limits: *limits,
            known: Mutex::default(),
        }
    }

    /// What is known of `address`; none if so many are known that it cannot be kept apart.
    pub(super) fn get(&self, address: IpAddr, now: Instant) -> Option<Arc<Address>> {
        let most = self.limits.max_connections.saturating_add(MAX_RESTED);
        let network = network(address);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(address) = known.get(&network) {
            return Some(Arc::clone(address));
        }
        if known.len() >= most {
            known.retain(|_, address| {
                Arc::strong_count(address) > 1 || !address.rate.is_rested(now)
            });
        }
        if known.len() >= most {
            return None;
        }
        let address = Arc::new(Address {
            rate: Rate::new(self.limits.requests_per_second, self.limits.burst),
            connections: Budget::new(self.limits.max_address_connections),
        });
        known.insert(network, Arc::clone(&address));
        Some(address)
    }
}

/// An IPv6 host has its whole /64 for itself.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let bits = address.to_bits() >> 64 << 64;
            IpAddr::V6(bits.into())
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    /// An IPv6 caller must not get a fresh rate from each of its 2^64 addresses.
    #[test]
    fn a_network_of_one_caller_counts_as_one() {
        let addresses = Addresses::new(&PublicLimits::default());
        let now = Instant::now();
        let of = |text: &str| addresses.get(address(text), now).expect("room");
        assert!(Arc::ptr_eq(&of("2001:db8::1"), &of("2001:db8::ffff:1")));
        assert!(!Arc::ptr_eq(&of("2001:db8::1"), &of("2001:db8:0:1::1")));
        assert!(Arc::ptr_eq(&of("192.0.2.1"), &of("::ffff:192.0.2.1")));
        assert!(!Arc::ptr_eq(&of("192.0.2.1"), &of("192.0.2.2")));
    }

    /// Callers from ever new addresses must not fill the memory, nor lock others out for long.
    #[test]
    fn no_more_addresses_are_kept_than_the_bound() {
        let limits = PublicLimits {
            max_connections: 1,
            ..PublicLimits::default()
        };
        let addresses = Addresses::new(&limits);
        let now = Instant::now();
        let many = |from: u32, now| {
            (from..from + 5_000)
                .filter(|n| {
                    let caller = addresses.get(IpAddr::V4((*n).into()), now);
                    caller.is_some_and(|caller| caller.rate.admit(now))
                })
                .count()
        };
        assert_eq!(many(0, now), MAX_RESTED + 1);
        let later = now + Duration::from_secs(1);
        assert!(many(10_000, later) > MAX_RESTED);
        let kept = addresses.known.lock().expect("whole").len();
        assert!(kept <= MAX_RESTED + 1, "{kept}");
    }
}
