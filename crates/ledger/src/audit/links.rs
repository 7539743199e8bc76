//! How leaves hang together: each node's ops are one chain of hashes, headers are another, and a
//! block is a header followed by runs of ops, their nodes ascending.

use std::collections::BTreeMap;

use super::fault::{AuditFault, AuditFaultKind};
use crate::hash::{Hash, ZERO_HASH};
use crate::ids::{ChainId, NodeId};
use crate::leaf::Leaf;
use crate::op::{Kind, OpCore};
use crate::vector::{MAX_MEMBERS, Position};

/// The last header leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LastHeader {
    pub(super) height: u64,
    pub(super) hash: Hash,
    pub(super) hlc: u64,
}

/// Where all chains end in the leaves read so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Links {
    pub(super) header: Option<LastHeader>,
    pub(super) origins: BTreeMap<NodeId, Position>,
    /// Whose ops were last since the last header.
    pub(super) current: Option<NodeId>,
}

impl Links {
    pub(super) fn headers(&self) -> u64 {
        self.header
            .map_or(0, |header| header.height.saturating_add(1))
    }

    pub(super) fn origins(&self) -> usize {
        self.origins.len()
    }

    /// Holds the next leaf, at `index`, against those before.
    pub(super) fn follow(
        &mut self,
        chain: &ChainId,
        index: u64,
        leaf: &Leaf,
    ) -> Result<(), AuditFault> {
        let misplaced = |detail: &str| AuditFault::at(AuditFaultKind::LeafMisplaced, index, detail);
        if leaf.chain_id != *chain {
            let fault = misplaced("the leaf is of another chain");
            return Err(fault.between(chain, leaf.chain_id));
        }
        if leaf.index != index {
            let fault = misplaced("the leaf says that it stands elsewhere");
            return Err(fault.between(index, leaf.index));
        }
        // Kinds that are not known here are ops of a newer version.
        match leaf.kind == Kind::Header as u8 {
            true => self.follow_header(index, leaf),
            false => self.follow_op(chain, index, leaf),
        }
    }

    fn follow_header(&mut self, index: u64, leaf: &Leaf) -> Result<(), AuditFault> {
        let broken = |detail: &str| AuditFault::at(AuditFaultKind::BlocksBroken, index, detail);
        let (height, prev, hlc) = match &self.header {
            Some(last) => (last.height.saturating_add(1), last.hash, last.hlc),
            None => (0, ZERO_HASH, 0),
        };
        if leaf.origin_seq != height {
            return Err(
                broken("a header is not of the next height").between(height, leaf.origin_seq)
            );
        }
        if leaf.prev != prev {
            return Err(broken("a header does not follow the one before")
                .between(hex::encode(prev), hex::encode(leaf.prev)));
        }
        if leaf.hlc < hlc {
            return Err(broken("a header is older than the one before").between(hlc, leaf.hlc));
        }
        let is_formed = leaf.parts_root == leaf.this
            && leaf.part_count == 1
            && leaf.schema_hash == ZERO_HASH
            && leaf.hlc & 0xffff == 0;
        if !is_formed {
            return Err(broken("a header's leaf is not made as it should be"));
        }
        self.header = Some(LastHeader {
            height,
            hash: leaf.this,
            hlc: leaf.hlc,
        });
        self.current = None;
        Ok(())
    }

    fn follow_op(&mut self, chain: &ChainId, index: u64, leaf: &Leaf) -> Result<(), AuditFault> {
        let broken = |detail: &str| AuditFault::at(AuditFaultKind::HistoryBroken, index, detail);
        let blocks = |detail: &str| AuditFault::at(AuditFaultKind::BlocksBroken, index, detail);
        if self.header.is_none() {
            return Err(blocks("the log does not begin with a header"));
        }
        if self.current.is_some_and(|current| leaf.origin < current) {
            return Err(blocks("the nodes of a block do not ascend"));
        }
        let known = self.origins.get(&leaf.origin);
        if known.is_none() && self.origins.len() >= MAX_MEMBERS {
            return Err(blocks("more nodes than can be followed"));
        }
        let before = known.copied().unwrap_or(Position::START);
        let seq = before.seq.saturating_add(1);
        if leaf.origin_seq != seq {
            let detail = format!("an op of {} is not its next one", leaf.origin);
            return Err(broken(&detail).between(seq, leaf.origin_seq));
        }
        if leaf.prev != before.head {
            let detail = format!("op {seq} of {} does not follow the one before", leaf.origin);
            return Err(broken(&detail).between(hex::encode(before.head), hex::encode(leaf.prev)));
        }
        let core = OpCore {
            seq,
            hlc: leaf.hlc,
            kind: leaf.kind,
            schema_hash: leaf.schema_hash,
            part_count: leaf.part_count,
            parts_root: leaf.parts_root,
        };
        let this = core.hash(chain, &leaf.origin, &leaf.prev);
        if leaf.this != this {
            let detail = format!(
                "op {seq} of {} does not have the hash that it says",
                leaf.origin
            );
            return Err(broken(&detail).between(hex::encode(this), hex::encode(leaf.this)));
        }
        self.current = Some(leaf.origin);
        self.origins
            .insert(leaf.origin, Position { seq, head: this });
        Ok(())
    }
}
