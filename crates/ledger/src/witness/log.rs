//! How a witness decides on a checkpoint.

use thiserror::Error;

use super::SIZE_CONTENT_TYPE;
use super::request::{AddCheckpoint, RequestError};
use crate::checkpoint::SignedCheckpoint;
use crate::cosignature::cosign;
use crate::hash::Hash;
use crate::merkle::{EMPTY_ROOT, verify_consistency};
use crate::note::{NoteError, NoteSignature, Signed, SignerKey, VerifierKey};

/// How far a log had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogState {
    /// How many leaves it had.
    pub size: u64,
    /// Its root then.
    pub root: Hash,
}

impl LogState {
    /// Before the first checkpoint.
    const EMPTY: Self = Self {
        size: 0,
        root: EMPTY_ROOT,
    };

    /// The state that a checkpoint speaks of.
    pub fn of(checkpoint: &SignedCheckpoint) -> Self {
        Self {
            size: checkpoint.checkpoint().size,
            root: checkpoint.checkpoint().root,
        }
    }
}

/// A log as one witness knows it.
///
/// The host must let one request at a time go from [`WitnessedLog::check`] to
/// [`WitnessedLog::record`], and store the cosigned checkpoint durably in between: whoever gives
/// out a cosignature first and forgets it in a crash will cosign a fork later.
#[derive(Debug, Clone)]
pub struct WitnessedLog {
    origin: String,
    keys: Vec<VerifierKey>,
    latest: LogState,
}

/// Why a checkpoint is not cosigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The request cannot be read.
    #[error("{0}")]
    Malformed(#[from] RequestError),
    /// The log is none of those that the witness knows.
    #[error("the log is not known here")]
    UnknownLog,
    /// No key of the log signed the checkpoint, or a line of such a key does not hold.
    #[error("the checkpoint is not signed by the log")]
    NotSigned,
    /// The old size is greater than that of the checkpoint.
    #[error("the old size is greater than that of the checkpoint")]
    OldSizeTooLarge,
    /// The old size is not that of the newest checkpoint which was cosigned here.
    #[error("the newest checkpoint known here has {size} leaves")]
    Conflict {
        /// The size of that checkpoint.
        size: u64,
    },
    /// The checkpoint has the size of the newest one cosigned here, and another root: with both
    /// signatures at hand it is proved that the log was forked.
    #[error("another root was cosigned here at this size: the log has forked")]
    Fork,
    /// The proof does not show that the new state continues the old one.
    #[error("the consistency proof does not hold")]
    Inconsistent,
}

impl Refusal {
    /// The status of the HTTP answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) | Self::OldSizeTooLarge => 400,
            Self::NotSigned => 403,
            Self::UnknownLog => 404,
            Self::Conflict { .. } | Self::Fork => 409,
            Self::Inconsistent => 422,
        }
    }

    /// The content type of the HTTP answer.
    pub fn content_type(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => SIZE_CONTENT_TYPE,
            _ => "text/plain; charset=utf-8",
        }
    }

    /// The body of the HTTP answer.
    pub fn body(&self) -> String {
        match self {
            Self::Conflict { size } => format!("{size}\n"),
            _ => format!("{self}\n"),
        }
    }
}

/// A checkpoint that may be cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    checkpoint: SignedCheckpoint,
}

/// A checkpoint with the cosignature of this witness, to be stored before it is given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    checkpoint: SignedCheckpoint,
    line: NoteSignature,
}

impl WitnessedLog {
    /// A log of this origin, which any of the keys may sign for; `latest` is what was recorded
    /// last, if anything was.
    pub fn new(origin: &str, keys: Vec<VerifierKey>, latest: Option<LogState>) -> Self {
        Self {
            origin: origin.to_owned(),
            keys,
            latest: latest.unwrap_or(LogState::EMPTY),
        }
    }

    /// Its name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What was recorded last; 0 leaves before the first checkpoint.
    pub fn latest(&self) -> LogState {
        self.latest
    }

    /// Decides, in the order that the protocol has.
    ///
    /// # Errors
    /// [`Refusal`]: anything but [`Refusal::Malformed`].
    pub fn check(&self, request: &AddCheckpoint) -> Result<Accepted, Refusal> {
        let state = LogState::of(&request.checkpoint);
        if request.checkpoint.checkpoint().origin != self.origin {
            return Err(Refusal::UnknownLog);
        }
        self.check_signed(&request.checkpoint)?;
        if request.old_size > state.size {
            return Err(Refusal::OldSizeTooLarge);
        }
        if request.old_size != self.latest.size {
            return Err(Refusal::Conflict {
                size: self.latest.size,
            });
        }
        if state.size == self.latest.size && state.root != self.latest.root {
            return Err(Refusal::Fork);
        }
        let (old, new) = (&self.latest, &state);
        if !verify_consistency(old.size, new.size, &request.proof, &old.root, &new.root) {
            return Err(Refusal::Inconsistent);
        }
        let mut checkpoint = request.checkpoint.clone();
        checkpoint.retain(&self.keys);
        Ok(Accepted { checkpoint })
    }

    fn check_signed(&self, checkpoint: &SignedCheckpoint) -> Result<(), Refusal> {
        let mut signed = false;
        for key in &self.keys {
            match checkpoint.signed(key) {
                Signed::Yes { .. } => signed = true,
                Signed::No => {}
                Signed::Wrong => return Err(Refusal::NotSigned),
            }
        }
        match signed {
            true => Ok(()),
            false => Err(Refusal::NotSigned),
        }
    }

    /// Notes what is now stored; gives the body of the answer.
    pub fn record(&mut self, cosigned: Cosigned) -> String {
        self.latest = LogState::of(&cosigned.checkpoint);
        cosigned.line.to_string()
    }
}

impl Accepted {
    /// Cosigns at `time`, in seconds since 1970.
    ///
    /// # Errors
    /// [`NoteError`] if the key is not for cosignatures, or the time out of range.
    pub fn cosign(mut self, key: &SignerKey, time: u64) -> Result<Cosigned, NoteError> {
        let line = cosign(key, self.checkpoint.note().text(), time)?;
        self.checkpoint.add(line.clone())?;
        Ok(Cosigned {
            checkpoint: self.checkpoint,
            line,
        })
    }
}

impl Cosigned {
    /// The checkpoint with the signatures of the log and of this witness, and no others.
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }
}
