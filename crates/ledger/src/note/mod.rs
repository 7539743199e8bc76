//! Signed notes (https://c2sp.org/signed-note): a text, and lines with signatures of it.
//!
//! ```text
//! the text, of one or more lines
//!
//! — example.com/log hBq0…        a line for each signature: name of the key, then in base64
//! — example.com/witness 5mt…     four bytes of key id and the signature
//! ```
//!
//! Here stands what any note has; `key` has the keys and their text forms, [`crate::checkpoint`]
//! the text that a log signs, [`crate::cosignature`] the signatures of witnesses.

mod key;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use thiserror::Error;

pub use key::{KeyKind, SignerKey, VerifierKey};

use crate::signature;

/// The most bytes of a note: room for sixteen signatures of the largest kinds there are.
pub const MAX_NOTE_BYTES: usize = 256 << 10;
/// The most signature lines of a note, as in Go's package `note`.
pub const MAX_SIGNATURES: usize = 100;

const SIGNATURE_PREFIX: &str = "— ";

/// A text and its signatures, none of them verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// The name of the key.
    pub name: String,
    /// The id of the key, see [`VerifierKey::id`].
    pub key_id: [u8; 4],
    /// What the key's kind makes of it; never empty.
    pub signature: Vec<u8>,
}

/// What a note says of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// The key did not sign.
    No,
    /// The key signed; a cosignature also says when.
    Yes {
        /// Seconds since 1970, of cosignatures only; the newest if there are several.
        time: Option<u64>,
    },
    /// A line claims to be of the key and is not: the note deserves no trust.
    Wrong,
}

/// Why a text is no signed note, or no key of notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoteError {
    /// It is longer than [`MAX_NOTE_BYTES`].
    #[error("the note is longer than {MAX_NOTE_BYTES} bytes")]
    TooLong,
    /// The text is empty, has no newline at its end or holds control characters.
    #[error("the note's text is empty, is not ended by a newline or holds control characters")]
    Text,
    /// There is no blank line before the signatures, or no signature.
    #[error("the note has no signature lines after a blank line")]
    NoSignatures,
    /// There are more signatures than [`MAX_SIGNATURES`].
    #[error("the note has more than {MAX_SIGNATURES} signature lines")]
    TooManySignatures,
    /// A signature line is not `— name base64`.
    #[error("signature line {line} of the note cannot be read")]
    Signature {
        /// Its number among the signature lines, from 1.
        line: usize,
    },
    /// The name of the key is empty or holds spaces, control characters or `+`.
    #[error("the name of a key must not be empty or hold spaces, control characters or +")]
    KeyName,
    /// A key is not `name+id+base64`, or its id is not that of its name and key.
    #[error("the key is not written as name+id+base64, or its parts are not of one key")]
    Key,
    /// The key is of a kind that is not known here.
    #[error("the key is of kind {found:#04x}; known are 0x01 (Ed25519) and 0x04 (cosignature/v1)")]
    UnknownKind {
        /// The byte that tells the kind.
        found: u8,
    },
    /// The key is of another kind than is needed.
    #[error("the key is for {found}, where one for {needed} is needed")]
    Kind {
        /// The kind needed.
        needed: KeyKind,
        /// The kind of the key.
        found: KeyKind,
    },
    /// A cosignature's time is later than 2^63 - 1 seconds after 1970.
    #[error("the time of a cosignature is out of range")]
    Time,
}

impl Note {
    /// A note that nobody signed yet.
    ///
    /// # Errors
    /// [`NoteError::Text`] if the text is empty, does not end in a newline or holds control
    /// characters; [`NoteError::TooLong`].
    pub fn new(text: impl Into<String>) -> Result<Self, NoteError> {
        let text = text.into();
        if text.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLong);
        }
        if !text.ends_with('\n') || !is_printed(&text) {
            return Err(NoteError::Text);
        }
        Ok(Self {
            text,
            signatures: Vec::new(),
        })
    }

    /// Reads a signed note. Signatures of kinds that are not known here are kept as they are.
    ///
    /// # Errors
    /// [`NoteError`] that names what cannot be read.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLong);
        }
        // The text may hold blank lines; the last one ends it.
        let end = note.rfind("\n\n").ok_or(NoteError::NoSignatures)?;
        let (text, lines) = note.split_at(end + 1);
        let signatures = parse_lines(&lines[1..])?;
        if signatures.is_empty() {
            return Err(NoteError::NoSignatures);
        }
        Ok(Self {
            signatures,
            ..Self::new(text)?
        })
    }

    /// What is signed, with the newline at its end.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines in their order, of keys known or not.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature; one of the same key that is there already gives way to it.
    ///
    /// # Errors
    /// [`NoteError::TooManySignatures`], [`NoteError::TooLong`] if the note could not be read
    /// back.
    pub fn add(&mut self, signature: NoteSignature) -> Result<(), NoteError> {
        let mut signatures = self.signatures.clone();
        signatures.retain(|line| line.name != signature.name || line.key_id != signature.key_id);
        signatures.push(signature);
        if signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures);
        }
        let longer = Self {
            text: self.text.clone(),
            signatures,
        };
        if longer.to_string().len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLong);
        }
        *self = longer;
        Ok(())
    }

    /// Signs with a key of kind [`KeyKind::Ed25519`].
    ///
    /// # Errors
    /// [`NoteError::Kind`] if the key is for cosignatures; as [`Note::add`].
    pub fn sign(&mut self, key: &SignerKey) -> Result<(), NoteError> {
        key.need(KeyKind::Ed25519)?;
        self.add(NoteSignature {
            name: key.name().to_owned(),
            key_id: key.verifier().id(),
            signature: signature::sign(key.key(), self.text.as_bytes()).to_vec(),
        })
    }

    /// Keeps the signatures of these keys only, the first of each.
    pub fn retain(&mut self, keys: &[VerifierKey]) {
        let mut left: Vec<&VerifierKey> = keys.iter().collect();
        self.signatures.retain(|line| {
            let found = left.iter().position(|key| line.is_of(key));
            found.map(|place| left.swap_remove(place)).is_some()
        });
    }

    /// Whether a key signed. Lines of other keys do not matter; a line of this key that does not
    /// hold does, whatever its other lines say.
    pub fn signed(&self, key: &VerifierKey) -> Signed {
        let mut result = Signed::No;
        for line in self.signatures.iter().filter(|line| line.is_of(key)) {
            let Some(time) = key.verify(&self.text, &line.signature) else {
                return Signed::Wrong;
            };
            result = match result {
                Signed::Yes { time: before } => Signed::Yes {
                    time: before.max(time),
                },
                _ => Signed::Yes { time },
            };
        }
        result
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| line.fmt(f))
    }
}

impl NoteSignature {
    /// Whether the line claims to be of this key.
    pub fn is_of(&self, key: &VerifierKey) -> bool {
        self.name == key.name() && self.key_id == key.id()
    }

    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(SIGNATURE_PREFIX)?.split_once(' ')?;
        key::check_name(name).ok()?;
        let bytes = BASE64.decode(encoded).ok()?;
        let (key_id, signature) = bytes.split_first_chunk()?;
        if signature.is_empty() {
            return None;
        }
        Some(Self {
            name: name.to_owned(),
            key_id: *key_id,
            signature: signature.to_vec(),
        })
    }
}

/// The line, with its newline.
impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.key_id.to_vec();
        bytes.extend_from_slice(&self.signature);
        writeln!(
            f,
            "{SIGNATURE_PREFIX}{} {}",
            self.name,
            BASE64.encode(bytes)
        )
    }
}

/// Reads signature lines without a note, each ended by a newline; at most [`MAX_SIGNATURES`].
///
/// # Errors
/// [`NoteError`] that names the line.
pub fn parse_lines(lines: &str) -> Result<Vec<NoteSignature>, NoteError> {
    if lines.len() > MAX_NOTE_BYTES {
        return Err(NoteError::TooLong);
    }
    let mut signatures = Vec::new();
    for (place, line) in lines.split_inclusive('\n').enumerate() {
        if place == MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures);
        }
        let signature = line
            .strip_suffix('\n')
            .filter(|line| is_printed(line))
            .and_then(NoteSignature::parse)
            .ok_or(NoteError::Signature { line: place + 1 })?;
        signatures.push(signature);
    }
    Ok(signatures)
}

/// Whether a text holds no ASCII control characters but newlines.
fn is_printed(text: &str) -> bool {
    text.bytes().all(|byte| byte >= b' ' || byte == b'\n')
}
