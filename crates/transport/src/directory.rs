//! Who may call this node and whom it calls: the pins, and what is counted for each key.

use std::{
    collections::HashMap,
    fmt,
    future::pending,
    sync::{Arc, PoisonError, RwLock},
    time::Instant,
};

use tokio::sync::watch;

use crate::{
    budget::{Budget, Room},
    client::Callee,
    config::Limits,
    error::TransportError,
    key::{Key, Seed},
    rate::Rate,
    signal::Signal,
};

/// Where a peer is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Base URL, `https://host[:port]`; the path of a request replaces its path.
    pub url: String,
}

/// One key that may call, with all that is counted for it.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) key: Key,
    /// Set for a guest: when its invitation ends, which the host may change.
    deadline: watch::Sender<Option<Instant>>,
    pub(crate) rate: Rate,
    pub(crate) room: Room,
    pub(crate) connections: Arc<Budget>,
    /// Raised when the key is taken away.
    pub(crate) revoked: Signal,
}

impl Caller {
    fn new(key: Key, deadline: Option<Instant>, limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            key,
            deadline: watch::Sender::new(deadline),
            rate: Rate::new(limits.requests_per_second, limits.burst),
            room: Room::new(limits.max_peer_inflight, limits.max_peer_bytes),
            connections: Budget::new(limits.max_peer_connections),
            revoked: Signal::new(),
        })
    }

    pub(crate) fn is_guest(&self) -> bool {
        self.deadline.borrow().is_some()
    }

    /// False for a guest at or after its deadline.
    pub(crate) fn is_live(&self, now: Instant) -> bool {
        self.deadline.borrow().is_none_or(|deadline| now < deadline)
    }

    /// Ends when the invitation of a guest does, also if its end is moved meanwhile.
    pub(crate) async fn expired(&self) {
        let mut deadline = self.deadline.subscribe();
        loop {
            let until = *deadline.borrow_and_update();
            let sleep = async {
                match until {
                    Some(until) => tokio::time::sleep_until(until.into()).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = sleep => return,
                // An error means that the sender is gone, which `self` rules out.
                _ = deadline.changed() => {}
            }
        }
    }
}

/// Both directions of one peer.
struct Entry {
    peer: Peer,
    caller: Arc<Caller>,
    callee: Result<Arc<Callee>, TransportError>,
}

/// The pins in force. Read by the network thread, replaced by the host.
pub(crate) struct Directory {
    limits: Limits,
    seed: Seed,
    peers: RwLock<HashMap<Key, Entry>>,
    guests: RwLock<HashMap<Key, Arc<Caller>>>,
}

impl fmt::Debug for Directory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Directory")
    }
}

impl Directory {
    pub(crate) fn new(limits: Limits, seed: Seed) -> Arc<Self> {
        Arc::new(Self {
            limits,
            seed,
            peers: RwLock::default(),
            guests: RwLock::default(),
        })
    }

    /// Who calls with `key`, if it may call now.
    pub(crate) fn caller(&self, key: &Key, now: Instant) -> Option<Arc<Caller>> {
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = peers.get(key) {
            return Some(Arc::clone(&entry.caller));
        }
        let guests = self.guests.read().unwrap_or_else(PoisonError::into_inner);
        let guest = guests.get(key).filter(|guest| guest.is_live(now));
        guest.map(Arc::clone)
    }

    /// How to call the peer with `key`.
    pub(crate) fn callee(&self, key: &Key) -> Result<Arc<Callee>, TransportError> {
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        peers
            .get(key)
            .map_or(Err(TransportError::UnknownPeer), |entry| {
                entry.callee.clone()
            })
    }

    /// Replaces the peers. Those that stay keep their connections; removed ones lose them.
    pub(crate) fn set_peers(&self, wanted: HashMap<Key, Peer>) {
        let mut peers = self.peers.write().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *peers);
        for (key, peer) in wanted {
            let entry = match before.remove(&key) {
                Some(entry) if entry.peer == peer => entry,
                Some(entry) => {
                    revoke_callee(&entry);
                    self.entry(key, peer, entry.caller)
                }
                None => self.entry(key, peer, Caller::new(key, None, &self.limits)),
            };
            peers.insert(key, entry);
        }
        for entry in before.values() {
            revoke_callee(entry);
            entry.caller.revoked.raise();
        }
    }

    fn entry(&self, key: Key, peer: Peer, caller: Arc<Caller>) -> Entry {
        Entry {
            callee: Callee::new(&peer.url, key, &self.seed, &self.limits).map(Arc::new),
            peer,
            caller,
        }
    }

    /// Replaces the guests. Those that stay keep their connections, up to their new deadline.
    pub(crate) fn set_guests(&self, wanted: HashMap<Key, Instant>) {
        let mut guests = self.guests.write().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *guests);
        for (key, deadline) in wanted {
            let guest = before
                .remove(&key)
                .unwrap_or_else(|| Caller::new(key, Some(deadline), &self.limits));
            guest.deadline.send_replace(Some(deadline));
            guests.insert(key, guest);
        }
        for guest in before.values() {
            guest.revoked.raise();
        }
    }
}

fn revoke_callee(entry: &Entry) {
    if let Ok(callee) = &entry.callee {
        callee.revoked.raise();
    }
}
