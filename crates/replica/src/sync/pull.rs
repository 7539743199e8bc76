//! What is asked for: segments in turn from one peer after another, blocks from whoever has more, and
//! whether a peer that was away is back.

use std::ops::Bound;

use ledger::{NodeId, Position, VersionVector};

use super::SEND_NOTHING;
use crate::holdback::Wait;
use crate::message::Request;
use crate::node::Node;
use crate::peers::Asked;
use crate::store::Store;

impl Node {
    /// A peer has asked something, so it is there.
    pub(crate) fn heard_from<S: Store>(
        &mut self,
        store: &mut S,
        from: NodeId,
    ) -> Result<(), S::Error> {
        let Some(peer) = self.peers.get_mut(&from) else {
            return Ok(());
        };
        peer.last_contact_ms = Some(self.now_ms);
        // That it reaches this node does not mean that this node reaches it: one try, not more often
        // than after a first failure.
        let rested = self.now_ms.saturating_sub(peer.last_try_ms) >= self.options.backoff_base_ms;
        if !peer.reachable() && peer.has_address && rested && !peer.is_asked(Asked::Pull) {
            self.pull(store, from)?;
        }
        Ok(())
    }

    pub(super) fn pull<S: Store>(&mut self, store: &mut S, peer: NodeId) -> Result<(), S::Error> {
        let vector = self.pull_vector(store)?;
        let request = Request::Pull {
            vector,
            height: self.blocks.height(),
            barred: self.barred.keys().copied().collect(),
            max_bytes: self.options.max_pull_bytes,
        };
        if self.peers.get(&peer).is_some_and(|peer| peer.reachable()) {
            self.sync.pull = Some((self.sync.next_id, self.now_ms));
        }
        self.send(peer, Asked::Pull, request);
        Ok(())
    }

    /// What this node has, so that it is sent what it can use.
    fn pull_vector<S: Store>(&self, store: &mut S) -> Result<VersionVector, S::Error> {
        let mut vector = self.vector.clone();
        for held in self.holdback.iter() {
            if matches!(held.wait, Wait::Time { .. } | Wait::Host { .. }) {
                vector.0.insert(held.segment.origin, SEND_NOTHING);
            }
        }
        for (origin, barred) in &self.barred {
            let have = self.vector.get(origin).seq;
            if have >= barred.after || self.grace_is_over(barred) {
                vector.0.insert(*origin, SEND_NOTHING);
            }
        }
        // The chain has finalised another history of these than the one here: from where they can
        // have parted, show what is here, so that who has the other one sees the difference.
        for (origin, at) in self.blocks.wanted() {
            let barred = self.barred.get(origin);
            let upto = barred.map_or(at.seq, |barred| barred.after);
            let seq = self.vector.get(origin).seq.min(upto);
            match self.known_hash(store, origin, seq)? {
                Some(head) if seq > 0 => vector.0.insert(*origin, Position { seq, head }),
                _ => vector.0.remove(origin),
            };
        }
        Ok(vector)
    }

    /// Asks the next peer in turn, unless an answer is still awaited.
    pub(super) fn pull_in_turn<S: Store>(&mut self, store: &mut S) -> Result<(), S::Error> {
        if self.is_awaited(self.sync.pull) {
            return Ok(());
        }
        let after = self
            .sync
            .last_pulled
            .map_or(Bound::Unbounded, Bound::Excluded);
        let next = self
            .peers
            .range((after, Bound::Unbounded))
            .chain(self.peers.iter())
            .find(|(_, peer)| peer.reachable() && peer.has_address && !peer.is_asked(Asked::Pull))
            .map(|(id, _)| *id);
        let Some(next) = next else {
            return Ok(());
        };
        self.sync.last_pulled = Some(next);
        self.pull(store, next)
    }

    /// Asks a peer for blocks that it has and this node lacks.
    pub(super) fn pull_blocks_from(&mut self, id: NodeId) {
        let height = self.blocks.height();
        let Some(peer) = self.peers.get(&id) else {
            return;
        };
        if peer.height <= height || self.blocks.has_next() || self.is_awaited(self.sync.block_pull)
        {
            return;
        }
        if peer.reachable() && peer.has_address {
            self.sync.block_pull = Some((self.sync.next_id, self.now_ms));
            self.send(
                id,
                Asked::PullBlocks,
                Request::PullBlocks {
                    from: height.saturating_add(1),
                },
            );
        }
    }

    /// Whether an answer can still be hoped for; a silent peer must not hold up the others.
    fn is_awaited(&self, pull: Option<(u64, u64)>) -> bool {
        let patience = self.options.sync_interval_ms.saturating_mul(2);
        pull.is_some_and(|(_, sent_ms)| self.now_ms.saturating_sub(sent_ms) < patience)
    }

    /// Tries peers again whose pause is over.
    pub(super) fn probe<S: Store>(&mut self, store: &mut S) -> Result<(), S::Error> {
        let now_ms = self.now_ms;
        let due: Vec<NodeId> = self
            .peers
            .iter()
            .filter(|(_, peer)| !peer.reachable() && peer.has_address && now_ms >= peer.next_try_ms)
            .filter(|(_, peer)| !peer.is_asked(Asked::Pull))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            self.pull(store, id)?;
        }
        Ok(())
    }
}
