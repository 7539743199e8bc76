//! Whose signatures a checkpoint must carry before somebody relies on it.
//!
//! The log's own signature says that the log stands for this state. It does not say that the log
//! shows the same state to everybody, and has not been rolled back since: that is what witnesses
//! say, each for itself, so enough of them must.

use thiserror::Error;

use crate::checkpoint::SignedCheckpoint;
use crate::note::{KeyKind, NoteError, Signed, VerifierKey};

/// The keys that somebody trusts, and how many of the witnesses must have cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    keys: Vec<VerifierKey>,
    witnesses: Vec<VerifierKey>,
    needed: usize,
}

/// Why keys and numbers make no policy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PolicyError {
    /// There is no key of a log.
    #[error("no key of a log is given")]
    NoKey,
    /// A key is not for what it is given for.
    #[error("{name}: {error}")]
    Kind {
        /// The key's name.
        name: String,
        /// What is wrong with it.
        error: NoteError,
    },
    /// One public key stands for two witnesses; it would count twice.
    #[error("the witnesses {first} and {second} have one public key")]
    SameKey {
        /// The name of the one.
        first: String,
        /// The name of the other.
        second: String,
    },
    /// More witnesses are needed than there are.
    #[error("{needed} witnesses are needed, and {given} given")]
    TooFew {
        /// How many are needed.
        needed: usize,
        /// How many are given.
        given: usize,
    },
}

/// Who vouches for a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// Which of the log's keys signed, at least one.
    pub keys: Vec<VerifierKey>,
    /// Which witnesses cosigned, and when, in seconds since 1970.
    pub witnesses: Vec<(VerifierKey, u64)>,
}

/// Why a checkpoint is not to be relied on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PolicyFault {
    /// None of the keys is of this log.
    #[error("the checkpoint is of log {origin}, none of the keys is")]
    OtherLog {
        /// The log that the checkpoint names.
        origin: String,
    },
    /// None of the log's keys signed.
    #[error("none of the log's keys signed the checkpoint")]
    NotSigned,
    /// A line that claims to be of a trusted key does not hold.
    #[error("a signature of {name} does not hold")]
    Wrong {
        /// The key's name.
        name: String,
    },
    /// Not enough witnesses cosigned.
    #[error("{found} of the witnesses cosigned, {needed} are needed; not among them: {missing}")]
    TooFewWitnesses {
        /// How many did.
        found: usize,
        /// How many must.
        needed: usize,
        /// The names of those that did not.
        missing: String,
    },
}

impl Policy {
    /// Any of `keys` must have signed, as the log whose name it bears; `needed` of `witnesses` must
    /// have cosigned, all of them if none is said. A key given twice counts once.
    ///
    /// # Errors
    /// [`PolicyError`] if the keys cannot be used for that, or there are too few.
    pub fn new(
        keys: &[VerifierKey],
        witnesses: &[VerifierKey],
        needed: Option<usize>,
    ) -> Result<Self, PolicyError> {
        let keys = distinct(keys, KeyKind::Ed25519)?;
        let witnesses = distinct(witnesses, KeyKind::Cosignature)?;
        if keys.is_empty() {
            return Err(PolicyError::NoKey);
        }
        for (place, first) in witnesses.iter().enumerate() {
            let same = |second: &&VerifierKey| first.key() == second.key();
            if let Some(second) = witnesses.iter().skip(place + 1).find(same) {
                return Err(PolicyError::SameKey {
                    first: first.name().to_owned(),
                    second: second.name().to_owned(),
                });
            }
        }
        let given = witnesses.len();
        let needed = needed.unwrap_or(given);
        if needed > given {
            return Err(PolicyError::TooFew { needed, given });
        }
        Ok(Self {
            keys,
            witnesses,
            needed,
        })
    }

    /// Who vouches for a checkpoint.
    ///
    /// # Errors
    /// [`PolicyFault`] if too few do, or a line of a trusted key does not hold.
    pub fn check(&self, checkpoint: &SignedCheckpoint) -> Result<Vouched, PolicyFault> {
        let origin = &checkpoint.checkpoint().origin;
        let of_log = self.keys.iter().filter(|key| key.name() == origin);
        if of_log.clone().next().is_none() {
            return Err(PolicyFault::OtherLog {
                origin: origin.clone(),
            });
        }
        let keys = signers(checkpoint, of_log)?;
        if keys.is_empty() {
            return Err(PolicyFault::NotSigned);
        }
        let witnesses = signers(checkpoint, self.witnesses.iter())?;
        if witnesses.len() < self.needed {
            let is_missing =
                |key: &&VerifierKey| !witnesses.iter().any(|(witness, _)| witness == *key);
            let missing: Vec<_> = self
                .witnesses
                .iter()
                .filter(is_missing)
                .map(VerifierKey::name)
                .collect();
            return Err(PolicyFault::TooFewWitnesses {
                found: witnesses.len(),
                needed: self.needed,
                missing: missing.join(", "),
            });
        }
        Ok(Vouched {
            keys: keys.into_iter().map(|(key, _)| key).collect(),
            witnesses,
        })
    }
}

/// The keys that signed, with the time that a cosignature tells.
fn signers<'a>(
    checkpoint: &SignedCheckpoint,
    keys: impl Iterator<Item = &'a VerifierKey>,
) -> Result<Vec<(VerifierKey, u64)>, PolicyFault> {
    let mut found = Vec::new();
    for key in keys {
        match checkpoint.signed(key) {
            Signed::No => {}
            Signed::Yes { time } => found.push((key.clone(), time.unwrap_or_default())),
            Signed::Wrong => {
                return Err(PolicyFault::Wrong {
                    name: key.name().to_owned(),
                });
            }
        }
    }
    Ok(found)
}

fn distinct(keys: &[VerifierKey], kind: KeyKind) -> Result<Vec<VerifierKey>, PolicyError> {
    let mut kept: Vec<VerifierKey> = Vec::new();
    for key in keys {
        key.need(kind).map_err(|error| PolicyError::Kind {
            name: key.name().to_owned(),
            error,
        })?;
        if !kept.contains(key) {
            kept.push(key.clone());
        }
    }
    Ok(kept)
}
