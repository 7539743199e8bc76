//! Stored rows as they are: any field may have any length or value. What is wrong with them is
//! for the verifier to say.

use std::ops::Range;

use crate::hash::Hash;
use crate::ids::NodeId;
use crate::op::{MAX_PARTS, OpCore, part_commitment, parts_root};

/// A part of a stored op.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredPart<'a> {
    /// Should be 32 bytes; empty for a part that is closed.
    pub salt: &'a [u8],
    /// The payload; of a closed part its 32 bytes of commitment.
    pub payload: &'a [u8],
}

impl StoredPart<'_> {
    /// Whether only the commitment is left of the part.
    pub fn is_closed(&self) -> bool {
        self.salt.is_empty() && self.payload.len() == 32
    }

    /// What stands in the tree for the part: of an open part computed, of a closed one as it is
    /// stored. None if the salt has neither 32 bytes nor none.
    pub fn commitment(&self) -> Option<Hash> {
        match self.salt {
            [] => self.payload.try_into().ok(),
            salt => Some(part_commitment(salt.try_into().ok()?, self.payload)),
        }
    }
}

/// An op as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredOp<'a> {
    /// Should be 32 bytes.
    pub origin: &'a [u8],
    /// The op's number.
    pub seq: u64,
    /// Its hybrid logical clock.
    pub hlc: u64,
    /// The number of its kind.
    pub kind: u8,
    /// Should be 32 bytes.
    pub schema_hash: &'a [u8],
    /// Should be 1 to 64 parts.
    pub parts: &'a [StoredPart<'a>],
    /// Should be 32 bytes: the op's hash as it was computed when it was admitted.
    pub op_hash: &'a [u8],
}

/// A segment as it is stored, without its ops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredSegment<'a> {
    /// Should be 32 bytes.
    pub origin: &'a [u8],
    /// The number of the first op.
    pub first_seq: u64,
    /// How many ops.
    pub count: u64,
    /// Should be 32 bytes: the hash of the op before the first.
    pub prev: &'a [u8],
    /// Should be 32 bytes: the hash of the last op.
    pub head: &'a [u8],
    /// Should be [`crate::vector::deps_to_bytes`].
    pub deps: &'a [u8],
    /// Unix milliseconds.
    pub sealed_ms: u64,
    /// Should be 64 bytes.
    pub signature: &'a [u8],
}

/// A block as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredBlock<'a> {
    /// The height that the row says.
    pub height: u64,
    /// Should be [`crate::block::Header::to_bytes`].
    pub header: &'a [u8],
    /// Should be [`crate::vector::Cut::to_bytes`].
    pub cut: &'a [u8],
    /// Should be [`crate::certificate::Certificate::to_bytes`].
    pub certificate: &'a [u8],
}

/// A run of ops of one origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedRange {
    /// The origin.
    pub origin: NodeId,
    /// The first op.
    pub first_seq: u64,
    /// The last op.
    pub last_seq: u64,
}

/// What the verifier wants to see next, after a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockPlan {
    /// The ops of the block, origins ascending. For each range: the segment rows whose last op
    /// lies in it, then the ops.
    pub ranges: Vec<FeedRange>,
    /// The indexes of the tiles of level 0 that hold the block's leaves and were not seen yet:
    /// each before the first op of its leaves, best all at once before the ranges.
    pub tiles: Range<u64>,
}

/// What is wrong with the form of a stored op.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Malformed {
    SchemaHash(usize),
    Salt(usize),
    PartCount(usize),
}

impl StoredOp<'_> {
    /// Whether any of its payload is no longer here.
    pub fn is_closed(&self) -> bool {
        self.parts.iter().any(StoredPart::is_closed)
    }

    /// What the op's hash covers, re-hashed from the payload.
    pub(super) fn core(&self) -> Result<OpCore, Malformed> {
        let schema_hash: Hash = self
            .schema_hash
            .try_into()
            .map_err(|_| Malformed::SchemaHash(self.schema_hash.len()))?;
        let count = self.parts.len();
        if count == 0 || count > MAX_PARTS {
            return Err(Malformed::PartCount(count));
        }
        let mut commitments = Vec::with_capacity(count);
        for part in self.parts {
            let commitment = part.commitment();
            commitments.push(commitment.ok_or(Malformed::Salt(part.salt.len()))?);
        }
        Ok(OpCore {
            seq: self.seq,
            hlc: self.hlc,
            kind: self.kind,
            schema_hash,
            part_count: count as u16,
            parts_root: parts_root(&commitments),
        })
    }
}
