//! Who is sent what, and when: new segments to every peer at once, and anti-entropy by version vector
//! with one peer at a time (Demers et al. 1987), which also finds what pushing lost.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use ledger::{Block, MAX_SEGMENT_BYTES, NodeId, Position, Segment, VersionVector, ZERO_HASH};

use crate::event::{Effect, Report};
use crate::holdback::Wait;
use crate::message::{Body, MAX_BLOCKS, Request, Response};
use crate::node::Node;
use crate::peers::{Asked, Peer};
use crate::store::Store;

/// Stands in the vector of a pull for an origin whose segments are of no use at present.
const SEND_NOTHING: Position = Position {
    seq: u64::MAX,
    head: ZERO_HASH,
};
/// Bytes of blocks in one message.
const BLOCK_BYTES: usize = 8 << 20;
/// Held segments that were reported; further ones of the same are not reported again.
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

    /// This node's own next segment: to every peer that is not already being sent as much as it takes.
    pub(crate) fn sealed<S: Store>(
        &mut self,
        store: &mut S,
        segment: &Arc<Segment>,
    ) -> Result<(), S::Error> {
        if self.vector.get(&self.id) == segment.prev {
            self.vector.advance(self.id, segment.end());
        } else {
            self.vector = store.vector()?;
        }
        self.has_moved(self.id);
        self.drain(store)?;
        for id in self.peers.keys().copied().collect::<Vec<_>>() {
            let Some(peer) = self.peers.get_mut(&id) else {
                continue;
            };
            let in_order = peer.pushed.is_none_or(|pushed| pushed == segment.prev.seq);
            let room = peer.in_flight.len() < self.options.max_in_flight;
            if peer.reachable() && peer.has_address && in_order && room {
                peer.pushed = Some(segment.end().seq);
                self.send(
                    id,
                    Asked::Push,
                    Request::Push {
                        segments: vec![segment.clone()],
                    },
                );
            } else {
                self.feed(store, id)?;
            }
        }
        Ok(())
    }

    /// A peer's answer, or why there is none.
    pub(crate) fn answered<S: Store>(
        &mut self,
        store: &mut S,
        from: NodeId,
        id: u64,
        result: Result<Response, String>,
    ) -> Result<(), S::Error> {
        let Some(peer) = self.peers.get_mut(&from) else {
            return Ok(());
        };
        let Some((asked, _)) = peer.in_flight.remove(&id) else {
            return Ok(());
        };
        self.sync.pull.take_if(|(pull, _)| *pull == id);
        self.sync.block_pull.take_if(|(pull, _)| *pull == id);
        let response = match result {
            Ok(response) => response,
            Err(error) => {
                self.failed(from, id, error);
                return Ok(());
            }
        };
        peer.height = response.height;
        if peer.answered(self.now_ms) {
            self.report(Report::Peer {
                peer: from,
                reachable: true,
            });
        }
        self.take_answer(store, from, asked, response)?;
        self.feed(store, from)?;
        self.pull_blocks_from(from);
        Ok(())
    }

    fn take_answer<S: Store>(
        &mut self,
        store: &mut S,
        from: NodeId,
        asked: Asked,
        response: Response,
    ) -> Result<(), S::Error> {
        self.note_vector(from, &response.vector);
        let Some(peer) = self.peers.get_mut(&from) else {
            return Ok(());
        };
        match (asked, response.body) {
            (Asked::Push | Asked::PushBlocks | Asked::Finality, Body::Taken { notices }) => {
                if let Some(refused) = notices.into_iter().find(|notice| !notice.held) {
                    peer.last_error = Some(format!("refused: {}", refused.reason));
                }
                // A peer that has come back may lack more than what was just sent.
                if peer.pushed.is_none() && !peer.is_asked(Asked::Pull) {
                    self.pull(store, from)?;
                }
            }
            (
                Asked::Pull,
                Body::Segments {
                    segments,
                    more,
                    evidence,
                },
            ) => {
                if !peer.is_asked(Asked::Push) {
                    peer.pushed = Some(response.vector.get(&self.id).seq);
                }
                if !peer.is_asked(Asked::PushBlocks) {
                    peer.pushed_height = Some(peer.height);
                }
                let before = self.vector.clone();
                self.sync.pull_again = false;
                self.sync.membership_changed = false;
                for proof in evidence {
                    self.take_evidence(store, proof)?;
                }
                for segment in segments {
                    if let Some((false, reason)) = self.take_in(store, segment)?.into_reason()
                        && let Some(peer) = self.peers.get_mut(&from)
                    {
                        peer.last_error = Some(reason);
                    }
                }
                self.drain(store)?;
                self.advance_blocks(store)?;
                let again = self.sync.pull_again || self.sync.membership_changed;
                if again || (more && self.vector != before) {
                    self.pull(store, from)?;
                }
            }
            (Asked::PullBlocks, Body::Blocks { blocks }) => {
                for block in blocks {
                    self.take_block(store, from, block)?;
                    self.advance_blocks(store)?;
                }
            }
            (_, Body::Refused { reason }) => peer.last_error = Some(format!("refused: {reason}")),
            _ => peer.last_error = Some("its answer does not fit the request".into()),
        }
        Ok(())
    }

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

    /// Takes note of how far a pulling peer is, the answer included.
    pub(crate) fn note_pull(
        &mut self,
        from: NodeId,
        vector: VersionVector,
        height: u64,
        answer: &[Arc<Segment>],
    ) {
        self.note_vector(from, &vector);
        let Some(peer) = self.peers.get_mut(&from) else {
            return;
        };
        peer.height = height;
        let sent = answer.iter().filter(|segment| segment.origin == self.id);
        let sent = sent.map(|segment| segment.end().seq).max().unwrap_or(0);
        if !peer.is_asked(Asked::Push) {
            peer.pushed = Some(sent.max(vector.get(&self.id).seq));
        }
        if !peer.is_asked(Asked::PushBlocks) {
            peer.pushed_height = Some(height);
        }
    }

    /// Takes note of what a peer has said it has. Messages overtake each other, so this only grows.
    fn note_vector(&mut self, from: NodeId, vector: &VersionVector) {
        let Some(peer) = self.peers.get_mut(&from) else {
            return;
        };
        for (origin, at) in vector.iter() {
            if *at != SEND_NOTHING && self.members.contains_key(origin) {
                peer.vector.advance(*origin, *at);
            }
        }
    }

    /// Offers new blocks of this node's making to all peers.
    pub(crate) fn sync_blocks<S: Store>(&mut self, store: &mut S) -> Result<(), S::Error> {
        let height = self.blocks.height();
        if height == self.sync.offered_height {
            return Ok(());
        }
        let before = std::mem::replace(&mut self.sync.offered_height, height);
        for id in self.peers.keys().copied().collect::<Vec<_>>() {
            if let Some(peer) = self.peers.get_mut(&id) {
                peer.pushed_height.get_or_insert(before);
            }
            self.feed(store, id)?;
        }
        Ok(())
    }

    /// Sends what a peer may miss: it is not kept for one that cannot be reached or does not answer.
    pub(crate) fn send_if_reachable(&mut self, id: NodeId, asked: Asked, request: &Request) {
        let room = self.options.max_in_flight.saturating_mul(4);
        let takes =
            |peer: &Peer| peer.reachable() && peer.has_address && peer.in_flight.len() < room;
        if self.peers.get(&id).is_some_and(takes) {
            self.send(id, asked, request.clone());
        }
    }

    /// Sends a peer what it lacks of this node's own making, as far as there is room.
    fn feed<S: Store>(&mut self, store: &mut S, id: NodeId) -> Result<(), S::Error> {
        let end = self.vector.get(&self.id).seq;
        let makes_blocks = self.blocks.last_is_by(&self.id);
        loop {
            let Some(peer) = self.peers.get_mut(&id) else {
                return Ok(());
            };
            let room = peer.in_flight.len() < self.options.max_in_flight;
            if !peer.reachable() || !peer.has_address || !room {
                return Ok(());
            }
            if let Some(pushed) = peer.pushed.filter(|pushed| *pushed < end) {
                let bytes = self.options.max_push_bytes.min(MAX_SEGMENT_BYTES as u32) as usize;
                let segments = store.segments_after(&self.id, pushed, bytes)?;
                if let Some(last) = segments.last() {
                    peer.pushed = Some(last.end().seq);
                    self.send(id, Asked::Push, Request::Push { segments });
                    continue;
                }
            }
            let height = self.blocks.height();
            let Some(pushed) = peer.pushed_height.filter(|at| makes_blocks && *at < height) else {
                return Ok(());
            };
            let blocks = match self.blocks.last_if_next(pushed) {
                Some(last) => vec![last],
                None => blocks_from(store, pushed.saturating_add(1))?,
            };
            let Some(last) = blocks.last() else {
                return Ok(());
            };
            peer.pushed_height = Some(last.header.height);
            self.send(id, Asked::PushBlocks, Request::PushBlocks { blocks });
        }
    }

    fn send(&mut self, peer: NodeId, asked: Asked, request: Request) {
        let id = self.sync.next_id;
        self.sync.next_id = id.wrapping_add(1);
        if let Some(known) = self.peers.get_mut(&peer) {
            known.in_flight.insert(id, (asked, self.now_ms));
            known.last_try_ms = self.now_ms;
        }
        self.out.push(Effect::Send { peer, id, request });
    }

    fn pull<S: Store>(&mut self, store: &mut S, peer: NodeId) -> Result<(), S::Error> {
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
    fn pull_in_turn<S: Store>(&mut self, store: &mut S) -> Result<(), S::Error> {
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
    fn pull_blocks_from(&mut self, id: NodeId) {
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
    fn probe<S: Store>(&mut self, store: &mut S) -> Result<(), S::Error> {
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

    fn failed(&mut self, id: NodeId, request: u64, error: String) {
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

/// Blocks from a height on, as many as fit into a message.
pub(crate) fn blocks_from<S: Store>(
    store: &mut S,
    height: u64,
) -> Result<Vec<Arc<Block>>, S::Error> {
    let mut blocks = store.blocks_from(height, MAX_BLOCKS / 4)?;
    let mut bytes = 0_usize;
    let fitting = blocks.iter().take_while(|block| {
        let entries = block
            .cut
            .0
            .len()
            .saturating_add(block.certificate.signatures.len());
        bytes = bytes.saturating_add(entries.saturating_mul(96).saturating_add(512));
        bytes <= BLOCK_BYTES
    });
    let count = fitting.count();
    blocks.truncate(count.max(1));
    Ok(blocks)
}
