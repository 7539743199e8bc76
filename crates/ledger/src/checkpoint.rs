//! Checkpoints (https://c2sp.org/tlog-checkpoint): the size and root of the log as a signed note,
//! in the form that transparency-log tools read.
//!
//! ```text
//! blockchain_crdt/3a5f…        the log's origin
//! 1297                         its size in leaves
//! q2r+…=                       its root, base64
//!
//! — blockchain_crdt/3a5f… hBq0…    one line for each signature
//! ```

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{SigningKey, VerifyingKey};
use thiserror::Error;

use crate::hash::Hash;
use crate::ids::ChainId;
use crate::note::{KeyKind, Note, NoteError, NoteSignature, Signed, SignerKey, VerifierKey};

/// The state of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name: one line.
    pub origin: String,
    /// How many leaves it has.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// Further lines that are signed along; none of them empty.
    pub extensions: Vec<String>,
}

/// A checkpoint with the signatures that came with it, none of them verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

/// Why a text is no signed checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CheckpointError {
    /// It is not even a signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The first line is empty.
    #[error("the checkpoint's first line is not the name of a log")]
    Origin,
    /// The second line is not a number as it should be written.
    #[error("the checkpoint's second line is not the size of a log")]
    Size,
    /// The third line is not 32 bytes of base64.
    #[error("the checkpoint's third line is not a root hash")]
    Root,
    /// A line after the third is empty.
    #[error("an extension line of the checkpoint is empty or more than one line")]
    Extension,
}

impl Checkpoint {
    /// The state of the log of `chain`.
    pub fn of_chain(chain: &ChainId, size: u64, root: Hash) -> Self {
        Self {
            origin: origin_of_chain(chain),
            size,
            root,
            extensions: Vec::new(),
        }
    }

    /// The signed text: origin, size, root and extensions, a line each.
    pub fn text(&self) -> String {
        let root = BASE64.encode(self.root);
        let mut text = format!("{}\n{}\n{root}\n", self.origin, self.size);
        for line in &self.extensions {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// Reads what [`Checkpoint::text`] gives.
    ///
    /// # Errors
    /// [`CheckpointError`] that names the line.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text
            .strip_suffix('\n')
            .ok_or(CheckpointError::Origin)?
            .split('\n');
        let origin = lines
            .next()
            .filter(|line| !line.is_empty())
            .ok_or(CheckpointError::Origin)?;
        let size = lines
            .next()
            .and_then(decimal)
            .ok_or(CheckpointError::Size)?;
        let root = lines
            .next()
            .and_then(hash_of_base64)
            .ok_or(CheckpointError::Root)?;
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(CheckpointError::Extension);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
            extensions,
        })
    }

    /// The checkpoint, signed by a key whose name is the origin, as logs do.
    ///
    /// # Errors
    /// [`CheckpointError`] if the origin is no name of a key, or the text would not be read back.
    pub fn sign(&self, key: &SigningKey) -> Result<SignedCheckpoint, CheckpointError> {
        let text = self.text();
        if Self::parse(&text)? != *self {
            return Err(CheckpointError::Extension);
        }
        let mut note = Note::new(text)?;
        note.sign(&SignerKey::new(
            &self.origin,
            KeyKind::Ed25519,
            key.clone(),
        )?)?;
        Ok(SignedCheckpoint {
            checkpoint: self.clone(),
            note,
        })
    }
}

impl SignedCheckpoint {
    /// Reads a signed note.
    ///
    /// # Errors
    /// [`CheckpointError`] that names the line.
    pub fn parse(note: &str) -> Result<Self, CheckpointError> {
        let note = Note::parse(note)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        Ok(Self { checkpoint, note })
    }

    /// What is signed.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The text with its signature lines.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Whether a key signed, see [`Note::signed`].
    pub fn signed(&self, key: &VerifierKey) -> Signed {
        self.note.signed(key)
    }

    /// Adds a signature line, see [`Note::add`].
    ///
    /// # Errors
    /// As [`Note::add`].
    pub fn add(&mut self, signature: NoteSignature) -> Result<(), NoteError> {
        self.note.add(signature)
    }

    /// Keeps the signatures of these keys only, the first of each.
    pub fn retain(&mut self, keys: &[VerifierKey]) {
        self.note.retain(keys);
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

/// The first line of the checkpoints of a chain's log.
pub fn origin_of_chain(chain: &ChainId) -> String {
    format!("blockchain_crdt/{chain}")
}

/// The key with which a member signs checkpoints of the chain's log. Its name is the log's, so
/// all members sign under one name; what differs is the id.
///
/// # Errors
/// [`NoteError::Key`] if the key is of small order.
pub fn log_key(chain: &ChainId, key: VerifyingKey) -> Result<VerifierKey, NoteError> {
    VerifierKey::new(&origin_of_chain(chain), KeyKind::Ed25519, key)
}

/// A number as it should be written: no sign, no leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    text.parse::<u64>().ok().filter(|n| n.to_string() == text)
}

pub(crate) fn hash_of_base64(text: &str) -> Option<Hash> {
    BASE64.decode(text).ok()?.try_into().ok()
}
