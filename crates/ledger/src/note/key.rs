//! The keys of signed notes, and their text forms.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{SigningKey, VerifyingKey};

use super::NoteError;
use crate::cosignature;
use crate::hash::sha256;
use crate::signature::{self, SignatureBytes};

/// Before the private key in its text form, as in Go's package `note`.
const SECRET_PREFIX: &str = "PRIVATE+KEY+";

/// What a key signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum KeyKind {
    /// Ed25519 over the note's text.
    Ed25519 = 1,
    /// Ed25519 over the note's text and a time, see [`crate::cosignature`].
    Cosignature = 4,
}

impl KeyKind {
    fn from_byte(byte: u8) -> Result<Self, NoteError> {
        match byte {
            1 => Ok(Self::Ed25519),
            4 => Ok(Self::Cosignature),
            found => Err(NoteError::UnknownKind { found }),
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ed25519 => "Ed25519 signatures",
            Self::Cosignature => "cosignatures",
        })
    }
}

/// A public key with its name: who may have signed a note. As text `name+id+base64`, the form in
/// which tools of transparency logs have keys configured ("vkey").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    key: VerifyingKey,
}

impl VerifierKey {
    /// The key of this name.
    ///
    /// # Errors
    /// [`NoteError::KeyName`]; [`NoteError::Key`] if the key is of small order.
    pub fn new(name: &str, kind: KeyKind, key: VerifyingKey) -> Result<Self, NoteError> {
        check_name(name)?;
        if key.is_weak() {
            return Err(NoteError::Key);
        }
        Ok(Self {
            name: name.to_owned(),
            kind,
            key,
        })
    }

    /// Its name. That of a log is the log's origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it verifies.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The public key itself.
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// Its id: the first four bytes of SHA-256(name ‖ "\n" ‖ kind ‖ public key). Name and id
    /// together tell whose a signature is; the id is no proof of anything.
    pub fn id(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = sha256(&[
            self.name.as_bytes(),
            b"\n",
            &[self.kind as u8],
            self.key.as_bytes(),
        ]);
        [a, b, c, d]
    }

    /// # Errors
    /// [`NoteError::Kind`] if it is of another kind.
    pub fn need(&self, needed: KeyKind) -> Result<(), NoteError> {
        need(self.kind, needed)
    }

    /// Whether `signature`, without the key id before it, is this key's over a note of this
    /// text. Gives the time that a cosignature tells; none within if it tells none, none at all
    /// if it does not hold.
    pub(super) fn verify(&self, text: &str, signature: &[u8]) -> Option<Option<u64>> {
        match self.kind {
            KeyKind::Ed25519 => {
                let signature = SignatureBytes::try_from(signature).ok()?;
                signature::verify(&self.key, text.as_bytes(), &signature).then_some(None)
            }
            KeyKind::Cosignature => cosignature::verify(&self.key, text, signature).map(Some),
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_key(f, self, self.key.as_bytes())
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let read = Parts::read(text)?;
        let key = signature::public_key(&read.key).ok_or(NoteError::Key)?;
        let key = Self::new(read.name, read.kind, key)?;
        read.check(&key)?;
        Ok(key)
    }
}

/// A private key with its name.
#[derive(Clone)]
pub struct SignerKey {
    verifier: VerifierKey,
    key: SigningKey,
}

impl SignerKey {
    /// The key of this name.
    ///
    /// # Errors
    /// [`NoteError::KeyName`].
    pub fn new(name: &str, kind: KeyKind, key: SigningKey) -> Result<Self, NoteError> {
        let verifier = VerifierKey::new(name, kind, key.verifying_key())?;
        Ok(Self { verifier, key })
    }

    /// Its public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.verifier.name()
    }

    /// # Errors
    /// [`NoteError::Kind`] if it is of another kind.
    pub fn need(&self, needed: KeyKind) -> Result<(), NoteError> {
        self.verifier.need(needed)
    }

    /// The private key itself.
    pub(crate) fn key(&self) -> &SigningKey {
        &self.key
    }

    /// `PRIVATE+KEY+name+id+base64`, to be kept secret. There is no `Display`, so that it is not
    /// printed by accident.
    pub fn to_secret_text(&self) -> String {
        struct Secret<'a>(&'a SignerKey);
        impl fmt::Display for Secret<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(SECRET_PREFIX)?;
                write_key(f, &self.0.verifier, self.0.key.as_bytes())
            }
        }
        Secret(self).to_string()
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerKey({})", self.verifier)
    }
}

impl FromStr for SignerKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let text = text.strip_prefix(SECRET_PREFIX).ok_or(NoteError::Key)?;
        let read = Parts::read(text)?;
        let key = Self::new(read.name, read.kind, SigningKey::from_bytes(&read.key))?;
        read.check(&key.verifier)?;
        Ok(key)
    }
}

fn need(found: KeyKind, needed: KeyKind) -> Result<(), NoteError> {
    match found == needed {
        true => Ok(()),
        false => Err(NoteError::Kind { needed, found }),
    }
}

fn write_key(f: &mut fmt::Formatter<'_>, key: &VerifierKey, bytes: &[u8; 32]) -> fmt::Result {
    let mut encoded = vec![key.kind as u8];
    encoded.extend_from_slice(bytes);
    let id = hex::encode(key.id());
    write!(f, "{}+{id}+{}", key.name, BASE64.encode(encoded))
}

/// What stands in the text form of a key.
struct Parts<'a> {
    name: &'a str,
    id: [u8; 4],
    kind: KeyKind,
    key: [u8; 32],
}

impl<'a> Parts<'a> {
    fn read(text: &'a str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id_text), Some(encoded)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(NoteError::Key);
        };
        let mut id = [0; 4];
        hex::decode_to_slice(id_text, &mut id).map_err(|_| NoteError::Key)?;
        // Upper case would name the same key, but two texts for one key are one too many.
        if hex::encode(id) != id_text {
            return Err(NoteError::Key);
        }
        let bytes = BASE64.decode(encoded).map_err(|_| NoteError::Key)?;
        let (kind, bytes) = bytes.split_first().ok_or(NoteError::Key)?;
        Ok(Self {
            name,
            id,
            kind: KeyKind::from_byte(*kind)?,
            key: bytes.try_into().map_err(|_| NoteError::Key)?,
        })
    }

    fn check(&self, key: &VerifierKey) -> Result<(), NoteError> {
        match key.id() == self.id {
            true => Ok(()),
            false => Err(NoteError::Key),
        }
    }
}

pub(super) fn check_name(name: &str) -> Result<(), NoteError> {
    let unfit = |c: char| c.is_whitespace() || c < ' ' || c == '+';
    if name.is_empty() || name.contains(unfit) {
        return Err(NoteError::KeyName);
    }
    Ok(())
}
