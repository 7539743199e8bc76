//! Checkpoints: the size and root of the log as text, signed by the node's checkpoint key, in
//! the forms that transparency-log tools read (https://c2sp.org/tlog-checkpoint and
//! https://c2sp.org/signed-note).
//!
//! ```text
//! blockchain_crdt/3a5f…        the log's origin
//! 1297                         its size in leaves
//! q2r+…=                       its root, base64
//!
//! — node1 hBq0…                one line for each signature
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{SigningKey, VerifyingKey};
use thiserror::Error;

use crate::hash::{Hash, sha256};
use crate::ids::ChainId;
use crate::signature::{self, SignatureBytes};

/// The most bytes of a signed checkpoint.
pub const MAX_CHECKPOINT_BYTES: usize = 64 << 10;
/// The number that signed notes give to plain Ed25519 signatures.
const ED25519: u8 = 1;

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
    /// What is signed.
    pub checkpoint: Checkpoint,
    /// The signature lines in their order, of keys known or not.
    pub signatures: Vec<NoteSignature>,
}

/// One signature line of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// The name of the key.
    pub name: String,
    /// The id of the key, see [`key_id`].
    pub key_id: [u8; 4],
    /// The signature; 64 bytes if it is plain Ed25519.
    pub signature: Vec<u8>,
}

/// Why a text is no signed checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CheckpointError {
    /// It is longer than [`MAX_CHECKPOINT_BYTES`].
    #[error("the checkpoint is longer than {MAX_CHECKPOINT_BYTES} bytes")]
    TooLong,
    /// There is no blank line before the signatures, or no signature.
    #[error("the checkpoint has no signature lines after a blank line")]
    NoSignatures,
    /// The first line is empty or holds control characters.
    #[error("the checkpoint's first line is not the name of a log")]
    Origin,
    /// The second line is not a number as it should be written.
    #[error("the checkpoint's second line is not the size of a log")]
    Size,
    /// The third line is not 32 bytes of base64.
    #[error("the checkpoint's third line is not a root hash")]
    Root,
    /// A line after the third is empty or holds control characters.
    #[error("an extension line of the checkpoint is empty or holds control characters")]
    Extension,
    /// A signature line is not `— name base64`.
    #[error("a signature line of the checkpoint cannot be read")]
    Signature,
    /// The name of the key is empty or holds spaces or `+`.
    #[error("the name of a key must not be empty or hold spaces or +")]
    KeyName,
}

impl Checkpoint {
    /// The state of the log of `chain`.
    pub fn of_chain(chain: &ChainId, size: u64, root: Hash) -> Self {
        Self {
            origin: format!("blockchain_crdt/{chain}"),
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

    /// The signed note; `name` is the name of the key, e.g. the node's.
    ///
    /// # Errors
    /// [`CheckpointError`] if name, origin or an extension would not be read back.
    pub fn sign(&self, name: &str, key: &SigningKey) -> Result<String, CheckpointError> {
        check_name(name)?;
        let text = self.text();
        if parse_text(&text)? != *self {
            return Err(CheckpointError::Extension);
        }
        let mut bytes = key_id(name, &key.verifying_key()).to_vec();
        bytes.extend_from_slice(&signature::sign(key, text.as_bytes()));
        Ok(format!("{text}\n— {name} {}\n", BASE64.encode(bytes)))
    }
}

impl SignedCheckpoint {
    /// Reads a signed note.
    ///
    /// # Errors
    /// [`CheckpointError`] that names the line.
    pub fn parse(note: &str) -> Result<Self, CheckpointError> {
        if note.len() > MAX_CHECKPOINT_BYTES {
            return Err(CheckpointError::TooLong);
        }
        // The text itself may not hold a blank line, so the first one ends it.
        let (text, lines) = note
            .split_once("\n\n")
            .ok_or(CheckpointError::NoSignatures)?;
        let checkpoint = parse_text(&format!("{text}\n"))?;
        let lines = lines
            .strip_suffix('\n')
            .ok_or(CheckpointError::NoSignatures)?;
        let signatures = lines
            .split('\n')
            .map(parse_signature)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            checkpoint,
            signatures,
        })
    }

    /// Whether the key of this name signed. Lines of other keys do not matter, a line of this
    /// key that does not hold does.
    pub fn verify(&self, name: &str, key: &VerifyingKey) -> bool {
        let id = key_id(name, key);
        let text = self.checkpoint.text();
        let mut own = self
            .signatures
            .iter()
            .filter(|line| line.name == name && line.key_id == id)
            .peekable();
        own.peek().is_some()
            && own.all(|line| {
                SignatureBytes::try_from(line.signature.as_slice())
                    .is_ok_and(|signature| signature::verify(key, text.as_bytes(), &signature))
            })
    }
}

/// The id of a key: the first four bytes of SHA-256(name ‖ "\n" ‖ 1 ‖ public key).
pub fn key_id(name: &str, key: &VerifyingKey) -> [u8; 4] {
    let [a, b, c, d, ..] = sha256(&[name.as_bytes(), b"\n", &[ED25519], key.as_bytes()]);
    [a, b, c, d]
}

/// The key as log tools want it configured: `name+id+base64`.
///
/// # Errors
/// [`CheckpointError::KeyName`].
pub fn verifier_key(name: &str, key: &VerifyingKey) -> Result<String, CheckpointError> {
    check_name(name)?;
    let mut bytes = vec![ED25519];
    bytes.extend_from_slice(key.as_bytes());
    let id = hex::encode(key_id(name, key));
    Ok(format!("{name}+{id}+{}", BASE64.encode(bytes)))
}

fn check_name(name: &str) -> Result<(), CheckpointError> {
    let unfit = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if name.is_empty() || name.contains(unfit) {
        return Err(CheckpointError::KeyName);
    }
    Ok(())
}

fn is_line(line: &str) -> bool {
    !line.is_empty() && !line.contains(char::is_control)
}

fn parse_text(text: &str) -> Result<Checkpoint, CheckpointError> {
    let mut lines = text
        .strip_suffix('\n')
        .ok_or(CheckpointError::Origin)?
        .split('\n');
    let origin = lines
        .next()
        .filter(|line| is_line(line))
        .ok_or(CheckpointError::Origin)?;
    let size = lines
        .next()
        .and_then(|line| line.parse::<u64>().ok().filter(|n| n.to_string() == line))
        .ok_or(CheckpointError::Size)?;
    let root = lines
        .next()
        .and_then(|line| BASE64.decode(line).ok())
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(CheckpointError::Root)?;
    let extensions: Vec<String> = lines.map(str::to_owned).collect();
    if !extensions.iter().all(|line| is_line(line)) {
        return Err(CheckpointError::Extension);
    }
    Ok(Checkpoint {
        origin: origin.to_owned(),
        size,
        root,
        extensions,
    })
}

fn parse_signature(line: &str) -> Result<NoteSignature, CheckpointError> {
    let (name, encoded) = line
        .strip_prefix("— ")
        .and_then(|rest| rest.split_once(' '))
        .ok_or(CheckpointError::Signature)?;
    check_name(name).map_err(|_| CheckpointError::Signature)?;
    let bytes = BASE64
        .decode(encoded)
        .map_err(|_| CheckpointError::Signature)?;
    let (key_id, signature) = bytes
        .split_first_chunk()
        .filter(|(_, signature)| !signature.is_empty())
        .ok_or(CheckpointError::Signature)?;
    Ok(NoteSignature {
        name: name.to_owned(),
        key_id: *key_id,
        signature: signature.to_vec(),
    })
}
