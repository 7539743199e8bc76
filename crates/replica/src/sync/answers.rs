//! What comes back from peers, and what it says about them.

use std::sync::Arc;

use ledger::{NodeId, Segment, VersionVector};

use super::SEND_NOTHING;
use crate::event::Report;
use crate::message::{Body, Response};
use crate::node::Node;
use crate::peers::Asked;
use crate::store::Store;

impl Node {
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
        let height = self.blocks.height();
        self.take_answer(store, from, asked, response)?;
        self.feed(store, from)?;
        // Blocks that lead nowhere are not asked for again at once.
        if asked != Asked::PullBlocks || self.blocks.height() > height {
            self.pull_blocks_from(from);
        }
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
                    pruned,
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
                self.note_pruned(from, &pruned);
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

    /// Takes note of what a peer cannot give because it has pruned it; what is here meanwhile is not
    /// missed.
    fn note_pruned(&mut self, from: NodeId, pruned: &[(NodeId, u64)]) {
        let lacking = pruned.iter().find(|(origin, after)| {
            self.members.contains_key(origin) && self.vector.get(origin).seq <= *after
        });
        let Some(peer) = self.peers.get_mut(&from) else {
            return;
        };
        let Some((origin, after)) = lacking.copied() else {
            peer.lacks = None;
            return;
        };
        // Asked once a second, it would say the same once a second.
        if peer.lacks.replace(origin) != Some(origin) {
            let report = Report::Pruned {
                peer: from,
                origin,
                after,
            };
            peer.last_error = Some(report.to_string());
            self.report(report);
        }
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
}
