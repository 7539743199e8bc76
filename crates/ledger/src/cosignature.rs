//! Cosignatures (https://c2sp.org/tlog-cosignature, version 1): a witness's signature under a
//! log's checkpoint, with a time. It says: at this time, the largest state of this log that I have
//! seen, and whose consistency with all that I saw before I have verified, has this root.
//!
//! ```text
//! cosignature/v1
//! time 1679315147                seconds since 1970
//! example.com/behind-the-sofa    the whole text of the checkpoint
//! …
//! ```

use ed25519_dalek::VerifyingKey;

use crate::note::{KeyKind, NoteError, NoteSignature, SignerKey};
use crate::signature;

/// The greatest time: 2^63 - 1 seconds after 1970.
const MAX_TIME: u64 = i64::MAX as u64;

/// Cosigns a checkpoint's text at `time`, in seconds since 1970.
///
/// # Errors
/// [`NoteError::Kind`] if the key is not for cosignatures, [`NoteError::Time`] if `time` is later
/// than 2^63 - 1.
pub fn cosign(key: &SignerKey, text: &str, time: u64) -> Result<NoteSignature, NoteError> {
    key.need(KeyKind::Cosignature)?;
    if time > MAX_TIME {
        return Err(NoteError::Time);
    }
    let mut signature = time.to_be_bytes().to_vec();
    signature.extend_from_slice(&signature::sign(key.key(), &message(text, time)));
    Ok(NoteSignature {
        name: key.name().to_owned(),
        key_id: key.verifier().id(),
        signature,
    })
}

/// The time of a cosignature under this text, 8 bytes of time and 64 of Ed25519; none if it does
/// not hold.
pub(crate) fn verify(key: &VerifyingKey, text: &str, bytes: &[u8]) -> Option<u64> {
    let (time, signature) = bytes.split_first_chunk()?;
    let time = u64::from_be_bytes(*time);
    let signature = signature.try_into().ok()?;
    (time <= MAX_TIME && signature::verify(key, &message(text, time), &signature)).then_some(time)
}

fn message(text: &str, time: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}
