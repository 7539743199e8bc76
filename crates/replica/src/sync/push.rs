//! What is sent unasked: this node's own segments and blocks, pipelined to a bound and then joined.

use std::sync::Arc;

use ledger::{Block, MAX_SEGMENT_BYTES, NodeId, Segment};

use crate::message::{MAX_BLOCKS, Request};
use crate::node::Node;
use crate::peers::{Asked, Peer};
use crate::store::Store;

/// Bytes of blocks in one message.
const BLOCK_BYTES: usize = 8 << 20;

impl Node {
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
    pub(super) fn feed<S: Store>(&mut self, store: &mut S, id: NodeId) -> Result<(), S::Error> {
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
