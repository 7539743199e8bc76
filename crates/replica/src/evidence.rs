//! Proofs of misbehaviour that anyone can check: two signed statements that no honest node signs both.

use std::sync::Arc;

use ed25519_dalek::VerifyingKey;
use ledger::{Block, ChainId, Hash, Segment, ValidatorSet};

use crate::store::Barred;

/// A proof of misbehaviour.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence {
    /// Two segments of one origin that cannot belong to one history.
    Segments {
        /// The first operation on which they differ.
        seq: u64,
        /// One segment.
        first: Arc<Segment>,
        /// The other.
        second: Arc<Segment>,
    },
    /// Two certified blocks of one height: more than a third of the weight has signed both.
    Blocks {
        /// One block.
        first: Arc<Block>,
        /// The other.
        second: Arc<Block>,
    },
}

impl Evidence {
    /// The origin that this bars, and from where on; none for blocks.
    #[must_use]
    pub fn barred(&self) -> Option<Barred> {
        let Self::Segments { seq, first, second } = self else {
            return None;
        };
        // A segment is admitted whole, so what is beyond dispute ends where one of the two begins.
        let start = |segment: &Segment| match segment.prev.seq {
            at if at < *seq => at,
            _ => seq.saturating_sub(1),
        };
        Some(Barred {
            origin: first.origin,
            after: start(first).min(start(second)),
        })
    }

    /// Checks two segments against the key of their origin.
    #[must_use]
    pub fn proves_against_origin(&self, chain: &ChainId, key: &VerifyingKey) -> bool {
        let Self::Segments { seq, first, second } = self else {
            return false;
        };
        match (
            first.verify_alone(chain, key),
            second.verify_alone(chain, key),
        ) {
            (Ok(a), Ok(b)) => dispute((first, &a), (second, &b)) == Some(*seq),
            _ => false,
        }
    }

    /// Checks two blocks against those who decided on their height.
    #[must_use]
    pub fn proves_against_validators(&self, chain: &ChainId, validators: &ValidatorSet) -> bool {
        let Self::Blocks { first, second } = self else {
            return false;
        };
        let certified = |block: &Block| {
            block.certificate.header_hash == block.header.hash()
                && block.certificate.verify(chain, validators).is_ok()
        };
        first.header.height == second.header.height
            && first.header.hash() != second.header.hash()
            && certified(first)
            && certified(second)
    }

    /// Version byte 1, kind byte (1 segments, 2 blocks), u64 disputed seq (0 for blocks), then both
    /// statements, each as u32 length and its own bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (kind, seq, first, second) = match self {
            Self::Segments { seq, first, second } => (1, *seq, first.to_bytes(), second.to_bytes()),
            Self::Blocks { first, second } => (2, 0, first.to_bytes(), second.to_bytes()),
        };
        let mut bytes = vec![1, kind];
        bytes.extend_from_slice(&seq.to_be_bytes());
        for statement in [first, second] {
            // A statement is within its own limit, far below 4 GiB.
            bytes.extend_from_slice(&(statement.len() as u32).to_be_bytes());
            bytes.extend_from_slice(&statement);
        }
        bytes
    }

    /// Reads [`to_bytes`](Self::to_bytes). The result is well-formed, not checked.
    ///
    /// # Errors
    /// [`ledger::DecodeError`] names the field.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ledger::DecodeError> {
        let mut reader = ledger::codec::Reader::new(bytes);
        reader.version(1, "evidence")?;
        let kind = reader.u8("evidence kind")?;
        let seq = reader.u64("evidence seq")?;
        let first = reader.long(bytes.len(), "evidence")?;
        let second = reader.long(bytes.len(), "evidence")?;
        reader.finish("evidence")?;
        match kind {
            1 => Ok(Self::Segments {
                seq,
                first: Arc::new(Segment::from_bytes(first)?),
                second: Arc::new(Segment::from_bytes(second)?),
            }),
            2 => Ok(Self::Blocks {
                first: Arc::new(Block::from_bytes(first)?),
                second: Arc::new(Block::from_bytes(second)?),
            }),
            _ => Err(ledger::DecodeError::Value {
                what: "evidence kind",
            }),
        }
    }
}

/// The first operation on which two verified segments of one origin differ; none if one history can
/// hold both. Each comes with the hashes of its operations.
pub(crate) fn dispute(a: (&Segment, &[Hash]), b: (&Segment, &[Hash])) -> Option<u64> {
    if a.0.origin != b.0.origin {
        return None;
    }
    let from = a.0.prev.seq.max(b.0.prev.seq);
    let upto = a.0.end().seq.min(b.0.end().seq);
    if from > upto {
        return None;
    }
    // Equal hashes mean equal histories before them, so the last common operation decides.
    if attested(a, upto) != attested(b, upto) {
        return (from..=upto).find(|seq| attested(a, *seq) != attested(b, *seq));
    }
    // Signing the same operations in other runs is no second history, but it would let an origin keep
    // two members at places from which neither can take the other's segments.
    let same_run = a.0.prev.seq == b.0.prev.seq && a.0.end().seq == b.0.end().seq;
    (from < upto && !same_run).then_some(from.saturating_add(1))
}

/// What a segment says that the hash of operation `seq` is.
fn attested((segment, hashes): (&Segment, &[Hash]), seq: u64) -> Option<Hash> {
    let offset = seq.checked_sub(segment.prev.seq)?;
    match offset.checked_sub(1) {
        None => Some(segment.prev.head),
        Some(index) => hashes.get(usize::try_from(index).ok()?).copied(),
    }
}
