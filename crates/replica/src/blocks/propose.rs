//! Making blocks: what goes into one, and the conversation with finality.

use std::sync::Arc;

use ledger::{Block, Certificate, Cut, Header, NodeId, Position};

use super::{Candidate, LeafFault};
use crate::event::Report;
use crate::finality::{FinalityEffect, FinalityInput};
use crate::message::Request;
use crate::node::Node;
use crate::peers::Asked;
use crate::store::Store;

impl Node {
    /// Tells finality to work on the height after the last block, if this node votes on it.
    pub(crate) fn start_height<S: Store>(&mut self, store: &mut S) -> Result<(), S::Error> {
        self.blocks.asked = None;
        self.blocks.timeouts.clear();
        if self.blocks.finality.is_none() || self.blocks.halted {
            return Ok(());
        }
        let height = self.blocks.height().saturating_add(1);
        let validators = store.validators(height)?;
        if validators.0.contains_key(&self.id) {
            self.finality_input(store, FinalityInput::StartHeight { height, validators })?;
        }
        Ok(())
    }

    /// Gives finality the value it asked for, when there are operations and it is time.
    pub(crate) fn propose_if_due<S: Store>(&mut self, store: &mut S) -> Result<(), S::Error> {
        let forced = std::mem::take(&mut self.blocks.forced);
        let Some((height, round)) = self.blocks.asked else {
            return Ok(());
        };
        let waiting = self.waiting_ops();
        let due =
            forced || self.now_ms >= self.blocks.due_ms || waiting >= self.options.max_block_ops;
        if waiting == 0 || !due || self.blocks.halted {
            return Ok(());
        }
        self.blocks.asked = None;
        match self.build(store, height) {
            Ok(candidate) => {
                let header_hash = candidate.header.hash();
                self.blocks.candidate = Some(candidate);
                self.finality_input(
                    store,
                    FinalityInput::Value {
                        height,
                        round,
                        header_hash,
                    },
                )?;
                // One block a transaction: a backlog must not become one long transaction.
                self.blocks.more = self.waiting_ops() >= self.options.max_block_ops;
                Ok(())
            }
            Err(LeafFault::Store(error)) => Err(error),
            Err(LeafFault::Log(reason)) => {
                self.blocks.wait = Some(reason.clone());
                self.report(Report::BlockRefused { height, reason });
                Ok(())
            }
        }
    }

    /// A message of another validator's finality; refused with the reason if it is nothing to this node.
    pub(crate) fn finality_message<S: Store>(
        &mut self,
        store: &mut S,
        from: NodeId,
        bytes: Vec<u8>,
    ) -> Result<Result<(), String>, S::Error> {
        if self.blocks.finality.is_none() {
            return Ok(Err("this node does not vote".into()));
        }
        let validators = store.validators(self.blocks.height().saturating_add(1))?;
        if !validators.0.contains_key(&from) {
            return Ok(Err("only validators vote".into()));
        }
        self.finality_input(store, FinalityInput::Message { from, bytes })?;
        Ok(Ok(()))
    }

    /// Gives finality the timeouts that have passed.
    pub(crate) fn finality_timeouts<S: Store>(&mut self, store: &mut S) -> Result<(), S::Error> {
        let passed = self
            .blocks
            .timeouts
            .partition_point(|(due_ms, _)| *due_ms <= self.now_ms);
        for (_, token) in self.blocks.timeouts.drain(..passed).collect::<Vec<_>>() {
            self.finality_input(store, FinalityInput::Timeout { token })?;
        }
        Ok(())
    }

    fn finality_input<S: Store>(
        &mut self,
        store: &mut S,
        input: FinalityInput,
    ) -> Result<(), S::Error> {
        let Some(finality) = &mut self.blocks.finality else {
            return Ok(());
        };
        for effect in finality.handle(input) {
            match effect {
                FinalityEffect::GetValue { height, round } => {
                    self.blocks.asked = Some((height, round));
                }
                FinalityEffect::Broadcast(message) => {
                    let request = Request::Finality { message };
                    let validators = store.validators(self.blocks.height().saturating_add(1))?;
                    for validator in validators.0.keys() {
                        self.send_if_reachable(*validator, Asked::Finality, &request);
                    }
                }
                FinalityEffect::ScheduleTimeout { token, after_ms } => {
                    let entry = (self.now_ms.saturating_add(after_ms), token);
                    let at = self
                        .blocks
                        .timeouts
                        .partition_point(|other| *other <= entry);
                    self.blocks.timeouts.insert(at, entry);
                }
                FinalityEffect::Decide(certificate) => self.decided(store, certificate)?,
            }
        }
        Ok(())
    }

    /// Appends the block that finality has decided on, if it is the one of this node's making; one of
    /// another's making comes with its certificate like every block.
    fn decided<S: Store>(
        &mut self,
        store: &mut S,
        certificate: Certificate,
    ) -> Result<(), S::Error> {
        let Some(candidate) = self.blocks.candidate.take() else {
            return Ok(());
        };
        if certificate.header_hash != candidate.header.hash() {
            return Ok(());
        }
        let height = candidate.header.height;
        let block = Block {
            header: candidate.header,
            cut: candidate.cut,
            certificate,
        };
        match self.append(store, Arc::new(block), &candidate.leaves) {
            Ok(()) => Ok(()),
            Err(LeafFault::Store(error)) => Err(error),
            Err(LeafFault::Log(reason)) => {
                self.report(Report::BlockRefused { height, reason });
                Ok(())
            }
        }
    }

    fn build<S: Store>(
        &mut self,
        store: &mut S,
        height: u64,
    ) -> Result<Candidate, LeafFault<S::Error>> {
        let cut = self.next_cut(store)?;
        let leaves = self.leaves(store, &cut)?;
        let log_root = self.root_with(store, &leaves)?;
        let validators = store.validators(height).map_err(LeafFault::Store)?;
        let before = &self.blocks.tip;
        let header = Header {
            chain_id: self.chain,
            height,
            epoch: before.header.epoch,
            prev_header: before.hash,
            first_leaf: before.header.tree_size,
            tree_size: before.header.tree_size.saturating_add(leaves.len() as u64),
            log_root,
            validator_set_hash: validators.hash(&self.chain),
            state_root: cut.hash(&self.chain),
            time_ms: self.now_ms.max(before.header.time_ms),
            proposer: self.id,
        };
        Ok(Candidate {
            header,
            cut,
            leaves,
        })
    }

    /// How far the next block reaches: everything, or if that is more than a block takes an even share
    /// of each origin, so that a busy one does not keep the others waiting.
    fn next_cut<S: Store>(&self, store: &mut S) -> Result<Cut, LeafFault<S::Error>> {
        let mut cut = self.blocks.tip.cut.clone();
        let mut backlog: Vec<(u64, NodeId, Position)> = self
            .vector
            .iter()
            .map(|(origin, at)| (at.seq.saturating_sub(cut.get(origin).seq), *origin, *at))
            .filter(|(waiting, ..)| *waiting > 0)
            .collect();
        backlog.sort_unstable_by_key(|(waiting, origin, _)| (*waiting, *origin));
        let mut room = self.options.max_block_ops.max(1);
        let mut others = backlog.len() as u64;
        for (waiting, origin, at) in backlog {
            // Shortest queues first: what they leave of their share goes to the longer ones.
            let share = (room / others.max(1)).max(u64::from(room > 0));
            others = others.saturating_sub(1);
            let taken = waiting.min(share);
            room = room.saturating_sub(taken);
            if taken == 0 {
                continue;
            }
            let end = if taken == waiting {
                at
            } else {
                let seq = cut.get(&origin).seq.saturating_add(taken);
                match store.op_hash(&origin, seq).map_err(LeafFault::Store)? {
                    Some(head) => Position { seq, head },
                    None => {
                        return Err(LeafFault::Log(format!(
                            "operation {seq} of {origin} is missing"
                        )));
                    }
                }
            };
            cut.0.insert(origin, end);
        }
        Ok(cut)
    }
}
