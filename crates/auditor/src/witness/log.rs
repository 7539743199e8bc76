//! One log that is witnessed: requests for it are taken one after the other, and nothing is given
//! out that is not on disk.

use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use ledger::witness::{Accepted, AddCheckpoint, Cosigned, LogState, Refusal, WitnessedLog};
use ledger::{Signed, SignedCheckpoint, SignerKey, VerifierKey};

use super::folder::LogFolder;

/// A log, its keys, and what is known of it.
pub struct Log {
    origin: String,
    keys: Vec<VerifierKey>,
    folder: LogFolder,
    /// Held while a request is decided on, thus while the disk writes.
    known: Mutex<Option<Known>>,
    /// What is shown; never held for long.
    shown: Mutex<Option<Arc<str>>>,
}

/// What stands in the log's folder.
struct Known {
    log: WitnessedLog,
    latest: Option<Latest>,
    /// What was complained of last, so that one who repeats himself does not fill the journal.
    complained: Option<LogState>,
}

struct Latest {
    checkpoint: SignedCheckpoint,
    /// The body that was answered.
    answer: String,
}

/// Why there is no cosignature.
#[derive(Debug)]
pub enum Trouble {
    /// The request is refused.
    Refused(Refusal),
    /// This witness cannot do its work.
    Own(String),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Log {
    /// Reads what the folder holds.
    pub fn open(
        origin: &str,
        keys: Vec<VerifierKey>,
        folder: LogFolder,
        witness: &SignerKey,
    ) -> Result<Self, String> {
        let known = Known::read(origin, &keys, &folder, witness.verifier())?;
        let size = known.log.latest().size;
        eprintln!("log {origin}: {size} leaves, {} keys", keys.len());
        let shown = known.latest.as_ref().map(Latest::text);
        Ok(Self {
            origin: origin.to_owned(),
            keys,
            folder,
            known: Mutex::new(Some(known)),
            shown: Mutex::new(shown),
        })
    }

    /// Its name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The newest checkpoint with this witness's cosignature, as text.
    pub fn latest(&self) -> Option<Arc<str>> {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.clone()
    }

    /// Decides on a request; gives the body of the answer. Blocks until the disk has it.
    pub fn add(&self, request: &AddCheckpoint, witness: &SignerKey) -> Result<String, Trouble> {
        let mut place = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // After a failed write the folder is asked anew what it holds.
        let mut known = match place.take() {
            Some(known) => known,
            None => Known::read(&self.origin, &self.keys, &self.folder, witness.verifier())
                .map_err(Trouble::Own)?,
        };
        let answered = match known.log.check(request) {
            Ok(accepted) => Ok(self.cosign(&mut known, accepted, witness)?),
            Err(refusal) => {
                self.complain(&mut known, request, refusal);
                Err(refusal)
            }
        };
        *place = Some(known);
        Ok(answered?)
    }

    /// Cosigns, stores, and only then gives the body of the answer.
    fn cosign(
        &self,
        known: &mut Known,
        accepted: Accepted,
        witness: &SignerKey,
    ) -> Result<String, Trouble> {
        let own = |error: &dyn Display| Trouble::Own(format!("{}: {error}", self.origin));
        let time = now()?;
        let before = known.log.latest().size;
        let cosigned = accepted
            .cosign(witness, time)
            .map_err(|error| own(&error))?;
        if let Some(latest) = known.latest.as_ref().filter(|latest| latest.is(&cosigned)) {
            return Ok(latest.answer.clone());
        }
        self.folder
            .store(cosigned.checkpoint())
            .map_err(|error| own(&error))?;
        let checkpoint = cosigned.checkpoint().clone();
        let answer = known.log.record(cosigned);
        let size = known.log.latest().size;
        if size != before {
            eprintln!("cosigned {}: {before} to {size} leaves", self.origin);
        }
        let latest = Latest {
            checkpoint,
            answer: answer.clone(),
        };
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(latest.text());
        known.latest = Some(latest);
        Ok(answer)
    }

    /// Says what an honest log would not ask for. A log that only asks for the size is honest.
    fn complain(&self, known: &mut Known, request: &AddCheckpoint, refusal: Refusal) {
        let asked = LogState::of(&request.checkpoint);
        let size = known.log.latest().size;
        let what = match refusal {
            // Another member that lags behind, or somebody who shows an old one, is refused too.
            Refusal::Conflict { .. } | Refusal::OldSizeTooLarge if asked.size < size => {
                "it lies behind; unless this is an old one, the log was rolled back"
            }
            Refusal::Fork => "another root was cosigned at this size: THE LOG HAS FORKED",
            Refusal::Inconsistent => "it is not proved to continue what was cosigned",
            _ => return,
        };
        if known.complained == Some(asked) {
            return;
        }
        known.complained = Some(asked);
        eprintln!(
            "refused {}: checkpoint of {} leaves with root {}, cosigned are {size} leaves: {what}",
            self.origin,
            asked.size,
            hex::encode(asked.root)
        );
        if refusal == Refusal::Fork {
            self.keep_fork(known, &request.checkpoint);
        }
    }

    /// Two states of one size that the log signed prove the fork to anybody.
    fn keep_fork(&self, known: &Known, offered: &SignedCheckpoint) {
        let mut offered = offered.clone();
        offered.retain(&self.keys);
        let ours = known.latest.as_ref().map(|latest| &latest.checkpoint);
        for checkpoint in ours.into_iter().chain([&offered]) {
            if let Err(error) = self.folder.keep_fork(checkpoint) {
                eprintln!("the evidence against {} is not kept: {error}", self.origin);
            }
        }
    }
}

impl Known {
    fn read(
        origin: &str,
        keys: &[VerifierKey],
        folder: &LogFolder,
        witness: &VerifierKey,
    ) -> Result<Self, String> {
        let latest = folder.latest()?;
        let state = latest.as_ref().map(LogState::of);
        let latest = latest
            .map(|checkpoint| Latest::of(checkpoint, origin, witness))
            .transpose()?;
        Ok(Self {
            log: WitnessedLog::new(origin, keys.to_vec(), state),
            latest,
            complained: None,
        })
    }
}

impl Latest {
    /// What the folder holds must be what this witness put there.
    fn of(
        checkpoint: SignedCheckpoint,
        origin: &str,
        witness: &VerifierKey,
    ) -> Result<Self, String> {
        let signed = checkpoint.signed(witness);
        let ours = matches!(signed, Signed::Yes { .. });
        if !ours || checkpoint.checkpoint().origin != origin {
            return Err(format!(
                "{origin}: the stored checkpoint is not cosigned by {}: give each key a --state \
                 folder of its own",
                witness.name()
            ));
        }
        let answer = checkpoint
            .note()
            .signatures()
            .iter()
            .filter(|line| line.is_of(witness))
            .map(ToString::to_string)
            .collect();
        Ok(Self { checkpoint, answer })
    }

    /// Whether it was cosigned just so in this very second. Whoever repeats a checkpoint that all
    /// can see must not keep the disk busy.
    fn is(&self, cosigned: &Cosigned) -> bool {
        self.checkpoint == *cosigned.checkpoint()
    }

    fn text(&self) -> Arc<str> {
        self.checkpoint.to_string().into()
    }
}

/// Seconds since 1970.
fn now() -> Result<u64, Trouble> {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map(|since| since.as_secs())
        .map_err(|_| Trouble::Own("the clock stands before 1970".to_owned()))
}
