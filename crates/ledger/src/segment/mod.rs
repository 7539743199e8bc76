//! A segment: a run of ops of one origin, chained to the run before it and signed once. It is
//! what travels between nodes; anyone may relay it.

mod codec;

use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::codec::Write;
use crate::hash::{Hash, LABEL_SEGMENT, short};
use crate::ids::{ChainId, NodeId};
use crate::op::{Kind, MAX_PARTS, MAX_PAYLOAD, Op};
use crate::signature::{self, SignatureBytes};
use crate::vector::{Deps, MAX_MEMBERS, Position, deps_hash};

/// The most ops in one segment.
pub const MAX_SEGMENT_OPS: usize = 10_000;
/// The most bytes of one encoded segment.
pub const MAX_SEGMENT_BYTES: usize = 32 << 20;

/// A signed run of ops of one origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Who made the ops.
    pub origin: NodeId,
    /// The op before the first one here.
    pub prev: Position,
    /// What the origin had admitted of others; never of itself.
    pub deps: Deps,
    /// When it was sealed, unix milliseconds.
    pub sealed_ms: u64,
    /// One to [`MAX_SEGMENT_OPS`] ops, numbered on from `prev`.
    pub ops: Vec<Op>,
    /// The hash of the last op.
    pub head: Hash,
    /// The origin's signature over [`SegmentClaim::message`].
    #[serde(with = "crate::signature::as_halves")]
    pub signature: SignatureBytes,
}

/// What the origin signs about a segment: it names every op by chaining their hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentClaim {
    /// Who signs.
    pub origin: NodeId,
    /// The number of the first op.
    pub first_seq: u64,
    /// How many ops.
    pub count: u32,
    /// The hash of the op before the first.
    pub prev: Hash,
    /// The hash of the last op.
    pub head: Hash,
    /// [`deps_hash`] of the dependencies.
    pub deps_hash: Hash,
    /// Unix milliseconds.
    pub sealed_ms: u64,
}

impl SegmentClaim {
    /// The signed bytes: label ‖ chain ‖ origin ‖ first seq ‖ u32 count ‖ prev ‖ head ‖ deps hash ‖
    /// sealed ms.
    pub fn message(&self, chain: &ChainId) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LABEL_SEGMENT.len() + 5 * 32 + 20);
        bytes.put(LABEL_SEGMENT);
        bytes.put(&chain.0);
        bytes.put(&self.origin.0);
        bytes.put_u64(self.first_seq);
        bytes.put_u32(self.count);
        bytes.put(&self.prev);
        bytes.put(&self.head);
        bytes.put(&self.deps_hash);
        bytes.put_u64(self.sealed_ms);
        bytes
    }

    /// Whether `signature` over this claim is `key`'s.
    pub fn signed_by(
        &self,
        chain: &ChainId,
        key: &VerifyingKey,
        signature: &SignatureBytes,
    ) -> bool {
        signature::verify(key, &self.message(chain), signature)
    }
}

/// Why a segment is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SegmentFault {
    /// It does not start where the receiver stands.
    #[error("the segment starts after op {found}, expected after op {expected}")]
    NotNext {
        /// The receiver's last op.
        expected: u64,
        /// The op that the segment follows.
        found: u64,
    },
    /// It starts at the right number, but after another op: two histories of one origin.
    #[error("the segment follows op {seq} with hash {found}, known here as {expected}")]
    OtherHistory {
        /// The op.
        seq: u64,
        /// Its hash as known, short.
        expected: String,
        /// Its hash as the segment says, short.
        found: String,
    },
    /// It holds no op or too many.
    #[error("the segment holds {found} ops, allowed are 1 to {MAX_SEGMENT_OPS}")]
    OpCount {
        /// How many.
        found: usize,
    },
    /// Its encoding is too long.
    #[error("the segment takes {found} bytes, allowed are {MAX_SEGMENT_BYTES}")]
    TooLarge {
        /// How many bytes.
        found: usize,
    },
    /// An op has another number than its place.
    #[error("op {found} stands where op {expected} belongs")]
    Sequence {
        /// The number of that place.
        expected: u64,
        /// The number found.
        found: u64,
    },
    /// An op has no part, too many, or one that is too long.
    #[error("op {seq} has {parts} parts or a payload beyond {MAX_PAYLOAD} bytes")]
    Parts {
        /// The op.
        seq: u64,
        /// How many parts it has.
        parts: usize,
    },
    /// An op claims to be a block header.
    #[error("op {seq} claims to be a block header, which no origin writes")]
    HeaderOp {
        /// The op.
        seq: u64,
    },
    /// The dependencies name the origin itself, an op 0, or too many nodes.
    #[error("the dependencies name the origin itself, an op 0 or more than {MAX_MEMBERS} nodes")]
    Dependencies,
    /// The ops do not hash to the head.
    #[error("the ops hash to {found}, the segment names {expected}")]
    Head {
        /// The head in the segment, short.
        expected: String,
        /// What the ops hash to, short.
        found: String,
    },
    /// The signature is not the origin's.
    #[error("the signature is not the origin's")]
    Signature,
}

impl Segment {
    /// Chains `ops` on to `prev` and signs them.
    ///
    /// # Errors
    /// Any [`SegmentFault`] that the receiver would raise about the ops.
    pub fn seal(
        chain: &ChainId,
        origin: NodeId,
        prev: Position,
        deps: Deps,
        sealed_ms: u64,
        ops: Vec<Op>,
        key: &SigningKey,
    ) -> Result<Self, SegmentFault> {
        Self::seal_hashed(chain, origin, prev, deps, sealed_ms, ops, key)
            .map(|(segment, _)| segment)
    }

    /// Like [`Self::seal`], and gives the hash of each op, which the sealer stores.
    ///
    /// # Errors
    /// As [`Self::seal`].
    pub fn seal_hashed(
        chain: &ChainId,
        origin: NodeId,
        prev: Position,
        deps: Deps,
        sealed_ms: u64,
        ops: Vec<Op>,
        key: &SigningKey,
    ) -> Result<(Self, Vec<Hash>), SegmentFault> {
        let mut segment = Self {
            origin,
            prev,
            deps,
            sealed_ms,
            ops,
            head: prev.head,
            signature: [0; 64],
        };
        segment.check_shape()?;
        let hashes = segment.op_hashes(chain);
        segment.head = hashes.last().copied().unwrap_or(prev.head);
        segment.signature = signature::sign(key, &segment.claim(chain).message(chain));
        Ok((segment, hashes))
    }

    /// Checks everything about the segment that needs no other op: where it starts, its shape,
    /// its hashes, its signature. Gives the hash of each op.
    ///
    /// # Errors
    /// The first [`SegmentFault`] found; the signature is checked last, after all cheap checks.
    pub fn verify(
        &self,
        chain: &ChainId,
        key: &VerifyingKey,
        expected: &Position,
    ) -> Result<Vec<Hash>, SegmentFault> {
        if self.prev.seq != expected.seq {
            return Err(SegmentFault::NotNext {
                expected: expected.seq,
                found: self.prev.seq,
            });
        }
        // A fork is reported only when the segment is truly signed: see the end.
        let hashes = self.verify_alone(chain, key)?;
        if self.prev.head != expected.head {
            return Err(SegmentFault::OtherHistory {
                seq: self.prev.seq,
                expected: short(&expected.head),
                found: short(&self.prev.head),
            });
        }
        Ok(hashes)
    }

    /// Like [`Self::verify`], wherever the segment starts: for evidence and for segments that
    /// wait for others.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub fn verify_alone(
        &self,
        chain: &ChainId,
        key: &VerifyingKey,
    ) -> Result<Vec<Hash>, SegmentFault> {
        self.check_shape()?;
        let hashes = self.op_hashes(chain);
        let found = hashes.last().copied().unwrap_or(self.prev.head);
        if found != self.head {
            return Err(SegmentFault::Head {
                expected: short(&self.head),
                found: short(&found),
            });
        }
        if !self.claim(chain).signed_by(chain, key, &self.signature) {
            return Err(SegmentFault::Signature);
        }
        Ok(hashes)
    }

    /// What the signature covers.
    pub fn claim(&self, chain: &ChainId) -> SegmentClaim {
        SegmentClaim {
            origin: self.origin,
            first_seq: self.prev.seq.saturating_add(1),
            count: u32::try_from(self.ops.len()).unwrap_or(u32::MAX),
            prev: self.prev.head,
            head: self.head,
            deps_hash: deps_hash(chain, &self.deps),
            sealed_ms: self.sealed_ms,
        }
    }

    /// The last op.
    pub fn end(&self) -> Position {
        Position {
            seq: self.prev.seq.saturating_add(self.ops.len() as u64),
            head: self.head,
        }
    }

    fn op_hashes(&self, chain: &ChainId) -> Vec<Hash> {
        self.ops
            .iter()
            .scan(self.prev.head, |prev, op| {
                *prev = op.hash(chain, &self.origin, prev);
                Some(*prev)
            })
            .collect()
    }

    fn check_shape(&self) -> Result<(), SegmentFault> {
        let found = self.ops.len();
        if found == 0 || found > MAX_SEGMENT_OPS {
            return Err(SegmentFault::OpCount { found });
        }
        if self.deps.len() > MAX_MEMBERS
            || self.deps.contains_key(&self.origin)
            || self.deps.values().any(|seq| *seq == 0)
        {
            return Err(SegmentFault::Dependencies);
        }
        let mut last = self.prev.seq;
        for op in &self.ops {
            let expected = last.saturating_add(1);
            if op.seq != expected || op.seq == last {
                return Err(SegmentFault::Sequence {
                    expected,
                    found: op.seq,
                });
            }
            last = op.seq;
            let parts = op.parts.len();
            let too_long = op.parts.iter().any(|part| part.payload.len() > MAX_PAYLOAD);
            if parts == 0 || parts > MAX_PARTS || too_long {
                return Err(SegmentFault::Parts { seq: op.seq, parts });
            }
            if op.kind == Kind::Header {
                return Err(SegmentFault::HeaderOp { seq: op.seq });
            }
        }
        let found = self.encoded_len();
        if found > MAX_SEGMENT_BYTES {
            return Err(SegmentFault::TooLarge { found });
        }
        Ok(())
    }
}
