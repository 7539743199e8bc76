//! What a log sends to a witness: the size that the witness knows, the proof that the new state
//! continues it, an empty line, the new checkpoint.
//!
//! ```text
//! old 20852014
//! PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
//! jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
//!
//! example.com/behind-the-sofa
//! 20852163
//! …
//! ```

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use thiserror::Error;

use crate::checkpoint::{CheckpointError, SignedCheckpoint, decimal, hash_of_base64};
use crate::hash::Hash;
use crate::note::MAX_NOTE_BYTES;

/// The most hashes of a proof; no tree that can be counted needs more.
pub const MAX_PROOF_LINES: usize = 63;

/// The most bytes of a request: a line for the old size and 63 for the proof, each below 64
/// bytes, and a checkpoint.
pub const MAX_REQUEST_BYTES: usize = 64 * (MAX_PROOF_LINES + 1) + MAX_NOTE_BYTES;

/// The body of an `add-checkpoint` request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size of the newest checkpoint that the witness has cosigned, 0 before the first.
    pub old_size: u64,
    /// That the tree of that size is the beginning of the new one (RFC 6962, 2.1.2). At most
    /// [`MAX_PROOF_LINES`]; empty if the old size is 0.
    pub proof: Vec<Hash>,
    /// The new state, signed by the log.
    pub checkpoint: SignedCheckpoint,
}

/// Why a text is no `add-checkpoint` request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RequestError {
    /// It is longer than [`MAX_REQUEST_BYTES`].
    #[error("the request is longer than {MAX_REQUEST_BYTES} bytes")]
    TooLong,
    /// The first line is not `old` and a number.
    #[error("the first line is not \"old\" and the size of the checkpoint before")]
    OldSize,
    /// A line after the first is not 32 bytes of base64.
    #[error("proof line {line} is not a hash")]
    Proof {
        /// Its number among the proof lines, from 1.
        line: usize,
    },
    /// There are more hashes than [`MAX_PROOF_LINES`].
    #[error("the proof has more than {MAX_PROOF_LINES} lines")]
    TooManyProofLines,
    /// No empty line and checkpoint follow.
    #[error("no empty line and checkpoint follow the proof")]
    NoCheckpoint,
    /// The checkpoint cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl AddCheckpoint {
    /// Reads a request. That old size, proof and checkpoint fit together is for
    /// [`super::WitnessedLog`] to judge.
    ///
    /// # Errors
    /// [`RequestError`] that names the line.
    pub fn parse(body: &str) -> Result<Self, RequestError> {
        if body.len() > MAX_REQUEST_BYTES {
            return Err(RequestError::TooLong);
        }
        let (head, note) = body.split_once("\n\n").ok_or(RequestError::NoCheckpoint)?;
        let mut lines = head.split('\n');
        let old_size = lines
            .next()
            .and_then(|line| line.strip_prefix("old "))
            .and_then(decimal)
            .ok_or(RequestError::OldSize)?;
        let mut proof = Vec::new();
        for (place, line) in lines.enumerate() {
            if place == MAX_PROOF_LINES {
                return Err(RequestError::TooManyProofLines);
            }
            proof.push(hash_of_base64(line).ok_or(RequestError::Proof { line: place + 1 })?);
        }
        Ok(Self {
            old_size,
            proof,
            checkpoint: SignedCheckpoint::parse(note)?,
        })
    }
}

/// The body as it is sent.
impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old_size)?;
        for hash in &self.proof {
            writeln!(f, "{}", BASE64.encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}
