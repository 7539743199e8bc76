//! What an audit leaves behind for the next one:
//!
//! ```text
//! DIR/lock          held while an audit runs
//! DIR/checkpoint    the newest checkpoint that was seen: the log must continue it
//! DIR/audit         how far the leaves were audited, see ledger::audit
//! ```

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use ledger::audit::LogAudit;
use ledger::note::MAX_NOTE_BYTES;
use ledger::{ChainId, SignedCheckpoint};

use crate::durable::{make_folder, replace};

const CHECKPOINT: &str = "checkpoint";
const AUDIT: &str = "audit";
/// Longer than an audit of a log with as many nodes as there can be.
const MAX_AUDIT_BYTES: u64 = 1 << 20;

/// The folder of one log.
pub struct Keep {
    path: PathBuf,
    origin: String,
    // The lock ends with the file.
    _lock: File,
}

impl Keep {
    /// Opens the folder, and makes it if it is not there.
    pub fn open(path: &Path, origin: &str) -> Result<Self, String> {
        let told = |error: std::io::Error| format!("{}: {error}", path.display());
        make_folder(path).map_err(told)?;
        let lock = File::create(path.join("lock")).map_err(told)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                origin: origin.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(format!(
                "{}: another audit runs with this folder",
                path.display()
            )),
            Err(TryLockError::Error(error)) => Err(told(error)),
        }
    }

    /// The checkpoint that the log must continue, if one was seen.
    pub fn checkpoint(&self) -> Result<Option<SignedCheckpoint>, String> {
        let Some(bytes) = self.read(CHECKPOINT, MAX_NOTE_BYTES as u64)? else {
            return Ok(None);
        };
        let text = String::from_utf8(bytes).map_err(|error| self.told(CHECKPOINT, &error))?;
        let kept = SignedCheckpoint::parse(&text).map_err(|error| self.told(CHECKPOINT, &error))?;
        match kept.checkpoint().origin == self.origin {
            true => Ok(Some(kept)),
            false => Err(self.told(
                CHECKPOINT,
                &"it is of another log; each needs its own folder",
            )),
        }
    }

    /// How far the log was audited, if it was.
    pub fn audit(&self, chain: &ChainId) -> Result<Option<LogAudit>, String> {
        let Some(bytes) = self.read(AUDIT, MAX_AUDIT_BYTES)? else {
            return Ok(None);
        };
        let audit = LogAudit::from_bytes(&bytes).map_err(|error| self.told(AUDIT, &error))?;
        match audit.chain() == chain {
            true => Ok(Some(audit)),
            false => Err(self.told(AUDIT, &"it is of another log; each needs its own folder")),
        }
    }

    pub fn store_checkpoint(&self, checkpoint: &SignedCheckpoint) -> Result<(), String> {
        self.store(CHECKPOINT, checkpoint.to_string().as_bytes())
    }

    pub fn store_audit(&self, audit: &LogAudit) -> Result<(), String> {
        self.store(AUDIT, &audit.to_bytes())
    }

    fn store(&self, name: &str, content: &[u8]) -> Result<(), String> {
        replace(&self.path, name, content).map_err(|error| self.told(name, &error))
    }

    fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, String> {
        let file = match File::open(self.path.join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.told(name, &error)),
        };
        let mut bytes = Vec::new();
        // One byte more than allowed, so that what is too long cannot be read.
        file.take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| self.told(name, &error))?;
        Ok(Some(bytes))
    }

    fn told(&self, name: &str, error: &dyn std::fmt::Display) -> String {
        format!("{}: {error}", self.path.join(name).display())
    }
}
