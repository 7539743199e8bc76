//! The witness's key file: one line, in the form that Go's package `note` has for private keys.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use ledger::{KeyKind, SignerKey, SigningKey};
#[cfg(feature = "network")]
use std::{fs::File, io::Read};

use crate::arguments::witness::WitnessKey;
use crate::status::Answer;

/// Longer than any key with a name that a person would type.
#[cfg(feature = "network")]
const MAX_KEY_BYTES: u64 = 4096;

/// `bcrdt witness-key`: writes the private key, answers the public one.
pub fn make(asked: &WitnessKey) -> Result<Answer, String> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| format!("no random bytes: {error}"))?;
    let key = SignerKey::new(
        &asked.name,
        KeyKind::Cosignature,
        SigningKey::from_bytes(&seed),
    )
    .map_err(|error| format!("{:?}: {error}", asked.name))?;
    write(&asked.file, &key).map_err(|error| format!("{}: {error}", asked.file.display()))?;
    Ok(Answer {
        text: format!("{}\n", key.verifier()),
        holds: true,
    })
}

/// A file that is not there is made; one that is there may be the key of a witness at work.
fn write(path: &Path, key: &SignerKey) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{}", key.to_secret_text())?;
    file.sync_all()
}

/// Reads a key for cosignatures.
#[cfg(feature = "network")]
pub fn read(path: &Path) -> Result<SignerKey, String> {
    let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_KEY_BYTES).read_to_string(&mut text))
        .map_err(|error| at(&error))?;
    // The error never repeats what the file holds.
    let key: SignerKey = text.trim_end().parse().map_err(|error| at(&error))?;
    key.need(KeyKind::Cosignature)
        .map_err(|error| at(&format!("{error}; bcrdt witness-key makes one")))?;
    Ok(key)
}
