//! Proofs of misbehaviour that anyone can check: two signed statements that no honest node signs both.
//!
//! A proof holds what was signed and no payload, so it stays small and nothing has to be erased from
//! it.

use std::ops::Deref;
use std::sync::Arc;

use ed25519_dalek::VerifyingKey;
use ledger::codec::Reader;
use ledger::{Block, ChainId, DecodeError, NodeId, Position, Segment, SegmentClaim, ValidatorSet};

use crate::store::Barred;

/// A proof of misbehaviour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Two segments of one origin that cannot belong to one history.
    Segments {
        /// The first operation in dispute.
        seq: u64,
        /// What the origin signed about one segment.
        first: Box<Statement>,
        /// What it signed about the other.
        second: Box<Statement>,
    },
    /// Two certified blocks of one height: more than a third of the weight has signed both.
    Blocks {
        /// One block.
        first: Arc<Block>,
        /// The other.
        second: Arc<Block>,
    },
}

/// What an origin has signed about a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    claim: SegmentClaim,
    signature: [u8; 64],
}

impl Deref for Statement {
    type Target = SegmentClaim;

    fn deref(&self) -> &SegmentClaim {
        &self.claim
    }
}

impl Evidence {
    /// The proof that two verified segments make; none if one history can hold both.
    pub(crate) fn of_segments(chain: &ChainId, a: &Segment, b: &Segment) -> Option<Self> {
        let seq = dispute(&Span::of(a), &Span::of(b))?;
        let statement = |segment: &Segment| {
            Box::new(Statement {
                claim: segment.claim(chain),
                signature: segment.signature,
            })
        };
        Some(Self::Segments {
            seq,
            first: statement(a),
            second: statement(b),
        })
    }

    /// The origin that this bars, and from where on; none for blocks.
    #[must_use]
    pub fn barred(&self) -> Option<Barred> {
        match self {
            Self::Segments { seq, first, .. } => Some(Barred {
                origin: first.origin,
                after: seq.saturating_sub(1),
            }),
            Self::Blocks { .. } => None,
        }
    }

    /// Checks two statements against the key of their origin.
    #[must_use]
    pub fn proves_against_origin(&self, chain: &ChainId, key: &VerifyingKey) -> bool {
        let Self::Segments { seq, first, second } = self else {
            return false;
        };
        let disputed = match (Span::claimed(first), Span::claimed(second)) {
            (Some(a), Some(b)) => dispute(&a, &b),
            _ => None,
        };
        let signed = |s: &Statement| s.claim.signed_by(chain, key, &s.signature);
        disputed == Some(*seq) && signed(first) && signed(second)
    }

    /// Checks two blocks against those who decide on their height.
    #[must_use]
    pub fn proves_against_validators(&self, chain: &ChainId, validators: &ValidatorSet) -> bool {
        let Self::Blocks { first, second } = self else {
            return false;
        };
        let certified = |block: &Block| {
            block.header.chain_id == *chain
                && block.certificate.height == block.header.height
                && block.certificate.header_hash == block.header.hash()
                && block.certificate.verify(chain, validators).is_ok()
        };
        first.header.height == second.header.height
            && first.header.hash() != second.header.hash()
            && certified(first)
            && certified(second)
    }

    /// Version byte 1, kind byte. Kind 1, segments: u64 disputed seq, origin 32, then twice: u64 first
    /// seq, u32 count, prev 32, head 32, deps hash 32, u64 sealed ms, signature 64. Kind 2, blocks:
    /// twice u32 length and the block's own bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Segments { seq, first, second } => {
                let mut bytes = vec![1, 1];
                bytes.extend_from_slice(&seq.to_be_bytes());
                bytes.extend_from_slice(&first.origin.0);
                for statement in [first, second] {
                    bytes.extend_from_slice(&statement.first_seq.to_be_bytes());
                    bytes.extend_from_slice(&statement.count.to_be_bytes());
                    bytes.extend_from_slice(&statement.prev);
                    bytes.extend_from_slice(&statement.head);
                    bytes.extend_from_slice(&statement.deps_hash);
                    bytes.extend_from_slice(&statement.sealed_ms.to_be_bytes());
                    bytes.extend_from_slice(&statement.signature);
                }
                bytes
            }
            Self::Blocks { first, second } => {
                let mut bytes = vec![1, 2];
                for block in [first, second] {
                    let block = block.to_bytes();
                    // A block is within its own limit, far below 4 GiB.
                    bytes.extend_from_slice(&(block.len() as u32).to_be_bytes());
                    bytes.extend_from_slice(&block);
                }
                bytes
            }
        }
    }

    /// Reads [`to_bytes`](Self::to_bytes). The result is well-formed, not checked.
    ///
    /// # Errors
    /// [`DecodeError`] names the field.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version(1, "evidence")?;
        let evidence = match reader.u8("evidence kind")? {
            1 => {
                let seq = reader.u64("disputed seq")?;
                let origin = NodeId(reader.array("statement origin")?);
                let first = read_statement(&mut reader, origin)?;
                let second = read_statement(&mut reader, origin)?;
                Self::Segments { seq, first, second }
            }
            2 => Self::Blocks {
                first: Arc::new(Block::from_bytes(reader.long(bytes.len(), "block")?)?),
                second: Arc::new(Block::from_bytes(reader.long(bytes.len(), "block")?)?),
            },
            _ => {
                return Err(DecodeError::Value {
                    what: "evidence kind",
                });
            }
        };
        reader.finish("evidence")?;
        Ok(evidence)
    }
}

fn read_statement(reader: &mut Reader<'_>, origin: NodeId) -> Result<Box<Statement>, DecodeError> {
    Ok(Box::new(Statement {
        claim: SegmentClaim {
            origin,
            first_seq: reader.u64("statement first seq")?,
            count: reader.u32("statement count")?,
            prev: reader.array("statement prev")?,
            head: reader.array("statement head")?,
            deps_hash: reader.array("statement deps")?,
            sealed_ms: reader.u64("statement time")?,
        },
        signature: reader.array("statement signature")?,
    }))
}

/// From where to where a segment reaches in the history of its origin.
pub(crate) struct Span {
    origin: NodeId,
    prev: Position,
    end: Position,
}

impl Span {
    pub(crate) fn of(segment: &Segment) -> Self {
        Self {
            origin: segment.origin,
            prev: segment.prev,
            end: segment.end(),
        }
    }

    fn claimed(claim: &SegmentClaim) -> Option<Self> {
        let before = claim.first_seq.checked_sub(1)?;
        let last = before.checked_add(u64::from(claim.count))?;
        Some(Self {
            origin: claim.origin,
            prev: Position {
                seq: before,
                head: claim.prev,
            },
            end: Position {
                seq: last,
                head: claim.head,
            },
        })
    }
}

/// The first operation in dispute between two segments; none if one history can hold both.
///
/// An honest origin signs each operation once, so runs that overlap without being one another are a
/// dispute even if their operations are the same: an origin could else keep two members at places from
/// which neither can take the other's segments.
pub(crate) fn dispute(a: &Span, b: &Span) -> Option<u64> {
    let (a, b) = if a.prev.seq <= b.prev.seq {
        (a, b)
    } else {
        (b, a)
    };
    if a.origin != b.origin || a.end.seq < b.prev.seq {
        return None;
    }
    let first = a.prev.seq.saturating_add(1);
    if a.end.seq == b.prev.seq {
        return (a.end.head != b.prev.head).then_some(first);
    }
    if a.prev.seq == b.prev.seq && a.prev.head != b.prev.head {
        return Some(a.prev.seq);
    }
    let same = a.prev.seq == b.prev.seq && a.end == b.end;
    (!same).then_some(first)
}
