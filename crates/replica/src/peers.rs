//! What a node knows of each peer: how far it is, what is under way to it, and when to try again after
//! it could not be reached.

use std::collections::BTreeMap;

use ledger::{NodeId, VersionVector};

use crate::options::Options;

/// A peer, as a view shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerStatus {
    /// Which.
    pub node_id: NodeId,
    /// Whether the last attempt to reach it succeeded; true before the first.
    pub reachable: bool,
    /// When it was last heard of, by its answer or its own request. Unix milliseconds.
    pub last_contact_ms: Option<u64>,
    /// Requests under way to it.
    pub in_flight: usize,
    /// Attempts that have failed since the last success.
    pub failures: u32,
    /// When it is tried again, if it cannot be reached. Unix milliseconds.
    pub next_try_ms: Option<u64>,
    /// Operations here that the peer is not known to have. Everything, before it was heard of.
    pub behind: u64,
    /// Operations that the peer has said it has and that are not here.
    pub ahead: u64,
    /// The last block it has said it has.
    pub height: u64,
    /// What it has said it has.
    pub vector: VersionVector,
    /// Why the last attempt failed, or what the peer last refused.
    pub last_error: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Push,
    Pull,
    PushBlocks,
    PullBlocks,
    Finality,
}

#[derive(Default)]
pub(crate) struct Peer {
    pub(crate) vector: VersionVector,
    pub(crate) height: u64,
    /// It can be reached at all, as far as its member entry says.
    pub(crate) has_address: bool,
    /// This node's own operations up to this one have been sent; none: unknown, ask first.
    pub(crate) pushed: Option<u64>,
    /// Blocks up to this height have been sent.
    pub(crate) pushed_height: Option<u64>,
    pub(crate) in_flight: BTreeMap<u64, (Asked, u64)>,
    pub(crate) failures: u32,
    pub(crate) next_try_ms: u64,
    pub(crate) last_try_ms: u64,
    pub(crate) last_contact_ms: Option<u64>,
    pub(crate) last_error: Option<String>,
    /// An origin of which it has pruned what this node needs next.
    pub(crate) lacks: Option<NodeId>,
    /// Requests with ids below this were under way when the last failure was counted.
    counted_below: u64,
}

impl Peer {
    pub(crate) fn reachable(&self) -> bool {
        self.failures == 0
    }

    pub(crate) fn is_asked(&self, what: Asked) -> bool {
        self.in_flight.values().any(|(asked, _)| *asked == what)
    }

    /// Takes note of a failed request; requests that were under way together fail together and count
    /// once. Says whether the peer has become unreachable by it.
    pub(crate) fn failed(
        &mut self,
        id: u64,
        next_id: u64,
        error: String,
        now_ms: u64,
        options: &Options,
    ) -> bool {
        self.last_error = Some(error);
        self.pushed = None;
        self.pushed_height = None;
        if id < self.counted_below {
            return false;
        }
        self.counted_below = next_id;
        self.failures = self.failures.saturating_add(1);
        let doublings = (self.failures - 1).min(16);
        let pause = (options.backoff_base_ms << doublings).min(options.backoff_cap_ms);
        self.next_try_ms = now_ms.saturating_add(pause);
        self.failures == 1
    }

    /// Takes note of an answer. Says whether the peer has become reachable by it.
    pub(crate) fn answered(&mut self, now_ms: u64) -> bool {
        self.last_contact_ms = Some(now_ms);
        std::mem::take(&mut self.failures) > 0
    }

    pub(crate) fn status(&self, node_id: NodeId, mine: &VersionVector) -> PeerStatus {
        let lacking = |has: &VersionVector, lacks: &VersionVector| {
            has.iter()
                .map(|(origin, at)| at.seq.saturating_sub(lacks.get(origin).seq))
                .fold(0, u64::saturating_add)
        };
        PeerStatus {
            node_id,
            reachable: self.reachable(),
            last_contact_ms: self.last_contact_ms,
            in_flight: self.in_flight.len(),
            failures: self.failures,
            next_try_ms: (!self.reachable()).then_some(self.next_try_ms),
            behind: lacking(mine, &self.vector),
            ahead: lacking(&self.vector, mine),
            height: self.height,
            vector: self.vector.clone(),
            last_error: self.last_error.clone(),
        }
    }
}
