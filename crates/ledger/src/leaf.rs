//! The leaves of the log: one for each op and one for each block header.

use crate::block::Header;
use crate::codec::{DecodeError, Reader, Write};
use crate::hash::{Hash, LABEL_LEAF, ZERO_HASH};
use crate::ids::{ChainId, NodeId};
use crate::merkle;
use crate::op::{Kind, OpCore};

/// One leaf. All that it holds is fixed; the payload is behind `parts_root`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// The chain.
    pub chain_id: ChainId,
    /// Its place in the log, from 0.
    pub index: u64,
    /// The number of its [`Kind`].
    pub kind: u8,
    /// Who made the op or proposed the block.
    pub origin: NodeId,
    /// The op's number, or the block's height.
    pub origin_seq: u64,
    /// The op's hybrid logical clock, or the block's time in its form.
    pub hlc: u64,
    /// The op's schema; zeros for a header.
    pub schema_hash: Hash,
    /// How many parts.
    pub part_count: u16,
    /// The root over the parts' commitments; for a header its hash.
    pub parts_root: Hash,
    /// The hash of the op or header before.
    pub prev: Hash,
    /// The hash of this op or header.
    pub this: Hash,
}

impl Leaf {
    /// The leaf of an op with hash `this` that follows the op with hash `prev`.
    pub fn of_op(
        chain: &ChainId,
        index: u64,
        origin: &NodeId,
        core: &OpCore,
        prev: &Hash,
        this: &Hash,
    ) -> Self {
        Self {
            chain_id: *chain,
            index,
            kind: core.kind,
            origin: *origin,
            origin_seq: core.seq,
            hlc: core.hlc,
            schema_hash: core.schema_hash,
            part_count: core.part_count,
            parts_root: core.parts_root,
            prev: *prev,
            this: *this,
        }
    }

    /// The leaf of a header: the first leaf of the block after it. `hash` is the header's hash.
    pub fn of_header(header: &Header, hash: &Hash, index: u64) -> Self {
        Self {
            chain_id: header.chain_id,
            index,
            kind: Kind::Header as u8,
            origin: header.proposer,
            origin_seq: header.height,
            hlc: header.time_ms << 16,
            schema_hash: ZERO_HASH,
            part_count: 1,
            parts_root: *hash,
            prev: header.prev_header,
            this: *hash,
        }
    }

    /// Label ‖ chain ‖ u64 index ‖ u8 kind ‖ origin ‖ u64 seq ‖ u64 hlc ‖ schema hash ‖ u16 parts ‖
    /// parts root ‖ prev ‖ this.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LABEL_LEAF.len() + 6 * 32 + 27);
        bytes.put(LABEL_LEAF);
        bytes.put(&self.chain_id.0);
        bytes.put_u64(self.index);
        bytes.put_u8(self.kind);
        bytes.put(&self.origin.0);
        bytes.put_u64(self.origin_seq);
        bytes.put_u64(self.hlc);
        bytes.put(&self.schema_hash);
        bytes.put_u16(self.part_count);
        bytes.put(&self.parts_root);
        bytes.put(&self.prev);
        bytes.put(&self.this);
        bytes
    }

    /// Reads [`Leaf::to_bytes`]; a kind that is not known here stays a number.
    ///
    /// # Errors
    /// [`DecodeError`] that names the field.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.label(LABEL_LEAF, "leaf")?;
        let leaf = Self {
            chain_id: ChainId(reader.array("leaf chain")?),
            index: reader.u64("leaf index")?,
            kind: reader.u8("leaf kind")?,
            origin: NodeId(reader.array("leaf origin")?),
            origin_seq: reader.u64("leaf sequence")?,
            hlc: reader.u64("leaf time")?,
            schema_hash: reader.array("leaf schema")?,
            part_count: reader.u16("leaf parts")?,
            parts_root: reader.array("leaf parts root")?,
            prev: reader.array("leaf previous hash")?,
            this: reader.array("leaf hash")?,
        };
        reader.finish("leaf").map(|()| leaf)
    }

    /// The RFC 6962 leaf hash: SHA-256(0x00 ‖ bytes).
    pub fn hash(&self) -> Hash {
        merkle::leaf_hash(&self.to_bytes())
    }
}
