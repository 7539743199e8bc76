//! Taking the blocks of others: certificate, header chain, cut, leaves, root. A certified block whose
//! operations are not here yet waits for them.

use std::sync::Arc;

use ledger::{Block, Hash, NodeId};

use super::{LeafFault, WINDOW};
use crate::event::Report;
use crate::evidence::Evidence;
use crate::node::Node;
use crate::store::Store;

impl Node {
    /// Keeps a block until its turn; a height that has its block is checked for a second one.
    pub(crate) fn take_block<S: Store>(
        &mut self,
        store: &mut S,
        from: NodeId,
        block: Arc<Block>,
    ) -> Result<(), S::Error> {
        let height = self.blocks.height();
        if block.header.height <= height {
            return self.check_known_height(store, &block);
        }
        if block.header.height <= height.saturating_add(WINDOW) {
            self.blocks
                .pending
                .entry(block.header.height)
                .or_insert((from, block));
        }
        Ok(())
    }

    /// Appends the next block if it is here, right, and covered by the log. Says whether it did.
    pub(super) fn append_next<S: Store>(&mut self, store: &mut S) -> Result<bool, S::Error> {
        let next = self.blocks.height().saturating_add(1);
        let Some((from, block)) = self.blocks.pending.get(&next).cloned() else {
            return Ok(false);
        };
        // While it waits, it is looked at again only when something has changed.
        let hash = block.header.hash();
        if self.blocks.waiting == Some((hash, self.changes)) {
            return Ok(false);
        }
        let checked = self
            .blocks
            .waiting
            .is_some_and(|(checked, _)| checked == hash);
        if !checked && let Err(reason) = self.check_header(store, &block)? {
            self.refuse_block(from, &block, reason);
            return Ok(false);
        }
        if !self.covers(store, &block)? {
            self.blocks.waiting = Some((hash, self.changes));
            return Ok(false);
        }
        let leaves = match self.leaves(store, &block.cut) {
            Ok(leaves) => leaves,
            Err(fault) => return self.cannot_append(from, &block, fault),
        };
        match self.root_with(store, &leaves) {
            Ok(root) if root == block.header.log_root => {}
            Ok(_) => {
                self.refuse_block(
                    from,
                    &block,
                    "its log root is not that of its operations".into(),
                );
                return Ok(false);
            }
            Err(fault) => return self.cannot_append(from, &block, fault),
        }
        match self.append(store, block.clone(), &leaves) {
            Ok(()) => Ok(true),
            Err(fault) => self.cannot_append(from, &block, fault),
        }
    }

    fn cannot_append<E>(
        &mut self,
        from: NodeId,
        block: &Block,
        fault: LeafFault<E>,
    ) -> Result<bool, E> {
        match fault {
            LeafFault::Store(error) => Err(error),
            LeafFault::Log(reason) => {
                self.refuse_block(from, block, reason);
                Ok(false)
            }
        }
    }

    fn refuse_block(&mut self, from: NodeId, block: &Block, reason: String) {
        let height = block.header.height;
        self.blocks.pending.remove(&height);
        self.blocks.wanted.clear();
        self.blocks.waiting = None;
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.last_error = Some(format!("sent block {height}: {reason}"));
        }
        self.blocks.wait = Some(format!("block {height}: {reason}"));
        let refused = Some((block.header.hash(), reason.clone()));
        if self.blocks.refused != refused {
            self.blocks.refused = refused;
            self.report(Report::BlockRefused { height, reason });
        }
    }

    /// Everything about the next block that needs no operation.
    fn check_header<S: Store>(
        &self,
        store: &mut S,
        block: &Block,
    ) -> Result<Result<(), String>, S::Error> {
        let validators = store.validators(block.header.height)?;
        let (header, before) = (&block.header, &self.blocks.tip);
        let hash = header.hash();
        let leaves = block
            .cut
            .ops_since(&before.cut)
            .and_then(|ops| ops.checked_add(1));
        let size = leaves.and_then(|leaves| leaves.checked_add(before.header.tree_size));
        let wrong = |what: &str| Ok(Err(what.to_owned()));
        if header.chain_id != self.chain {
            return wrong("it is of another chain");
        }
        if header.validator_set_hash != validators.hash(&self.chain) {
            return wrong("it names other validators than those of its height");
        }
        if block.certificate.height != header.height || block.certificate.header_hash != hash {
            return wrong("its certificate is for another block");
        }
        if let Err(fault) = block.certificate.verify(&self.chain, &validators) {
            return Ok(Err(fault.to_string()));
        }
        if !validators.0.contains_key(&header.proposer) {
            return wrong("its proposer is no validator");
        }
        if header.prev_header != before.hash || header.epoch != before.header.epoch {
            return wrong("it follows another block than the last one here");
        }
        if header.state_root != block.cut.hash(&self.chain) {
            return wrong("its cut is not the one in its header");
        }
        if header.first_leaf != before.header.tree_size || size != Some(header.tree_size) {
            return wrong("its leaves are not those between the cuts");
        }
        if header.time_ms < before.header.time_ms {
            return wrong("its time is before that of the block before it");
        }
        Ok(Ok(()))
    }

    /// Whether the log holds every operation of the block, and the very ones. If not, notes what is
    /// wanted.
    fn covers<S: Store>(&mut self, store: &mut S, block: &Block) -> Result<bool, S::Error> {
        self.blocks.wanted.clear();
        self.blocks.wait = None;
        for (origin, at) in block.cut.iter() {
            if *at == self.blocks.tip.cut.get(origin) {
                continue;
            }
            let mut have = self.vector.get(origin);
            if !self.holds(store, origin, at.seq, &at.head)?
                && (have.seq >= at.seq || self.barred.contains_key(origin))
            {
                self.adopt_branch(store, origin, *at)?;
                have = self.vector.get(origin);
            }
            if self.holds(store, origin, at.seq, &at.head)? {
                continue;
            }
            if have.seq >= at.seq || self.barred.contains_key(origin) {
                self.blocks.wanted.insert(*origin, *at);
            }
            let height = block.header.height;
            self.blocks.wait = Some(match have.seq >= at.seq {
                true => format!(
                    "block {height} holds another operation {} of {origin}",
                    at.seq
                ),
                false => format!("block {height} waits for operation {} of {origin}", at.seq),
            });
        }
        Ok(self.blocks.wait.is_none())
    }

    fn holds<S: Store>(
        &self,
        store: &mut S,
        origin: &NodeId,
        seq: u64,
        hash: &Hash,
    ) -> Result<bool, S::Error> {
        Ok(self.known_hash(store, origin, seq)? == Some(*hash))
    }

    /// A block for a height that has one: the same, or proof that validators signed two.
    fn check_known_height<S: Store>(
        &mut self,
        store: &mut S,
        block: &Arc<Block>,
    ) -> Result<(), S::Error> {
        let (height, hash) = (block.header.height, block.header.hash());
        if height == 0 || hash == self.blocks.tip.hash || self.blocks.halted {
            return Ok(());
        }
        let Some(known) = store.blocks_from(height, 1)?.into_iter().next() else {
            return Ok(());
        };
        if known.header.hash() == hash {
            return Ok(());
        }
        let evidence = Evidence::Blocks {
            first: known,
            second: block.clone(),
        };
        if evidence.proves_against_validators(&self.chain, &store.validators(height)?) {
            store.record_evidence(&evidence)?;
            self.blocks.halted = true;
            self.blocks.asked = None;
            self.blocks.wait = Some(format!("two certified blocks of height {height} exist"));
            self.report(Report::Halted { height });
        }
        Ok(())
    }
}
