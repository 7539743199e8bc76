//! Who is sent what, and when: new segments to every peer at once, and anti-entropy by version vector
//! with one peer at a time (Demers et al. 1987), which also finds what pushing lost.
//!
//! `push` sends unasked, `pull` asks, `answers` takes what comes back.

mod answers;
mod pull;
mod push;

use std::collections::BTreeSet;

use ledger::{NodeId, Position, ZERO_HASH};

use crate::event::{Effect, Report};
use crate::message::Request;
use crate::node::Node;
use crate::peers::Asked;
use crate::store::Store;

pub(crate) use push::blocks_from;

/// Stands in the vector of a pull for an origin whose segments are of no use at present.
const SEND_NOTHING: Position = Position {
    seq: u64::MAX,
    head: ZERO_HASH,
};
/// Held segments that were reported; beyond so many they are forgotten and may be reported again.
const MAX_TOLD: usize = 1_024;

pub(crate) struct Sync {
    next_id: u64,
    next_ms: u64,
    last_pulled: Option<NodeId>,
    /// The pulls that anti-entropy waits for: (id, sent). One each, so that the same is not sent twice.
    pull: Option<(u64, u64)>,
    block_pull: Option<(u64, u64)>,
    /// Blocks up to this height were offered to all peers.
    offered_height: u64,
    /// Pulls answered: each starts with another origin.
    pub(crate) answered_pulls: usize,
    pub(crate) told_held: BTreeSet<(NodeId, u64)>,
    pub(crate) membership_changed: bool,
    /// What was learned makes more of the last answer useful.
    pub(crate) pull_again: bool,
}

impl Sync {
    pub(crate) fn new(now_ms: u64, height: u64) -> Self {
        Self {
            // An answer to a request of the node that ran here before must not pass for one to this.
            next_id: now_ms << 20,
            next_ms: now_ms,
            last_pulled: None,
            pull: None,
            block_pull: None,
            offered_height: height,
            answered_pulls: 0,
            told_held: BTreeSet::new(),
            membership_changed: false,
            pull_again: false,
        }
    }
}
impl Node {
    pub(crate) fn tick<S: Store>(&mut self, store: &mut S, now_ms: u64) -> Result<(), S::Error> {
        if now_ms < self.now_ms {
            self.clock_went_back(now_ms);
        }
        self.now_ms = now_ms;
        self.expire();
        self.probe(store)?;
        if now_ms >= self.sync.next_ms {
            self.sync.next_ms = now_ms.saturating_add(self.options.sync_interval_ms);
            if self.sync.told_held.len() > MAX_TOLD {
                self.sync.told_held.clear();
            }
            // Time has passed for what waits for its time, for the host, or for a barred origin.
            self.moved.extend(self.holdback.origins());
            self.drain(store)?;
            self.pull_in_turn(store)?;
        }
        self.finality_timeouts(store)
    }

    /// When this part of the node wants a tick, unix milliseconds.
    pub(crate) fn sync_due_ms(&self) -> u64 {
        self.sync.next_ms
    }

    /// Nothing may wait for a time that was set by a clock that ran ahead.
    fn clock_went_back(&mut self, now_ms: u64) {
        self.sync.next_ms = now_ms;
        for (_, sent_ms) in self.sync.pull.iter_mut().chain(&mut self.sync.block_pull) {
            *sent_ms = now_ms;
        }
        for peer in self.peers.values_mut() {
            peer.next_try_ms = peer.next_try_ms.min(now_ms);
            peer.last_try_ms = peer.last_try_ms.min(now_ms);
            for (_, sent_ms) in peer.in_flight.values_mut() {
                *sent_ms = now_ms;
            }
        }
        self.blocks.clock_went_back(now_ms);
    }

    pub(super) fn send(&mut self, peer: NodeId, asked: Asked, request: Request) {
        let id = self.sync.next_id;
        self.sync.next_id = id.wrapping_add(1);
        if let Some(known) = self.peers.get_mut(&peer) {
            known.in_flight.insert(id, (asked, self.now_ms));
            known.last_try_ms = self.now_ms;
        }
        self.out.push(Effect::Send { peer, id, request });
    }

    /// Counts requests that were never answered as failed.
    fn expire(&mut self) {
        let (now_ms, timeout_ms) = (self.now_ms, self.options.request_timeout_ms);
        let mut expired = Vec::new();
        for (peer_id, peer) in &mut self.peers {
            while let Some(oldest) = peer.in_flight.first_entry()
                && now_ms.saturating_sub(oldest.get().1) >= timeout_ms
            {
                expired.push((*peer_id, *oldest.key()));
                oldest.remove();
            }
        }
        for (peer, id) in expired {
            self.failed(peer, id, format!("no answer within {timeout_ms} ms"));
        }
    }

    pub(super) fn failed(&mut self, id: NodeId, request: u64, error: String) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        if peer.failed(
            request,
            self.sync.next_id,
            error,
            self.now_ms,
            &self.options,
        ) {
            self.report(Report::Peer {
                peer: id,
                reachable: false,
            });
        }
    }
}
