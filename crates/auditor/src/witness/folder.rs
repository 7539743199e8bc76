//! What a witness keeps on disk:
//!
//! ```text
//! DIR/lock                        held while the witness runs
//! DIR/<origin hash>/checkpoint    the newest checkpoint of a log, with our cosignature
//! DIR/<origin hash>/fork-…        states that its log signed and that exclude each other
//! ```
//!
//! The origin hash is the SHA-256 of the log's name in hexadecimal, as c2sp.org/tlog-mirror has it.

use std::fs::{File, TryLockError, read_dir};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use ledger::SignedCheckpoint;
use ledger::note::MAX_NOTE_BYTES;
use sha2::{Digest, Sha256};

use crate::durable::{make_folder, replace, sync_folder};

const CHECKPOINT: &str = "checkpoint";
const FORK: &str = "fork-";
/// The most files of evidence that are kept of one log; two prove a fork.
const MAX_FORK_FILES: usize = 16;

/// The folder of a witness that runs; nobody else can run on it meanwhile.
#[derive(Debug)]
pub struct StateFolder {
    path: PathBuf,
    // The lock ends with the file.
    _lock: File,
}

impl StateFolder {
    /// Opens it, and makes it if it is not there.
    pub fn open(path: &Path) -> Result<Self, String> {
        let told = |error: io::Error| format!("{}: {error}", path.display());
        make_folder(path).map_err(told)?;
        let lock = File::create(path.join("lock")).map_err(told)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(format!(
                "{}: another witness runs on this folder",
                path.display()
            )),
            Err(TryLockError::Error(error)) => Err(told(error)),
        }
    }

    /// The folder of the log of this name.
    pub fn log(&self, origin: &str) -> Result<LogFolder, String> {
        let path = self.path.join(origin_hash(origin));
        make_folder(&path)
            .and_then(|()| sync_folder(&self.path))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(LogFolder { path })
    }
}

/// What is kept of one log.
#[derive(Debug)]
pub struct LogFolder {
    path: PathBuf,
}

impl LogFolder {
    /// The newest checkpoint that was cosigned, if any was.
    pub fn latest(&self) -> Result<Option<SignedCheckpoint>, String> {
        let path = self.path.join(CHECKPOINT);
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let mut text = String::new();
        match File::open(&path) {
            Ok(file) => file
                .take(MAX_NOTE_BYTES as u64 + 1)
                .read_to_string(&mut text)
                .map_err(|error| told(&error))?,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(told(&error)),
        };
        let checkpoint = SignedCheckpoint::parse(&text).map_err(|error| told(&error))?;
        Ok(Some(checkpoint))
    }

    /// Puts a checkpoint in the place of the one before. When this has returned, no crash brings
    /// the older one back.
    pub fn store(&self, checkpoint: &SignedCheckpoint) -> io::Result<()> {
        self.write(CHECKPOINT, checkpoint)
    }

    /// Keeps a checkpoint as evidence of a fork, if there is not enough of it already.
    pub fn keep_fork(&self, checkpoint: &SignedCheckpoint) -> io::Result<()> {
        let state = checkpoint.checkpoint();
        let name = format!("{FORK}{}-{}", state.size, hex::encode(&state.root[..8]));
        let kept = read_dir(&self.path)?
            .filter_map(|entry| Some(entry.ok()?.file_name()))
            .filter(|name| name.to_string_lossy().starts_with(FORK))
            .count();
        if kept < MAX_FORK_FILES && !self.path.join(&name).exists() {
            self.write(&name, checkpoint)?;
        }
        Ok(())
    }

    fn write(&self, name: &str, checkpoint: &SignedCheckpoint) -> io::Result<()> {
        replace(&self.path, name, checkpoint.to_string().as_bytes())
    }
}

/// The name under which a log is kept and served.
pub fn origin_hash(origin: &str) -> String {
    hex::encode(Sha256::digest(origin))
}
