//! Reading and writing the JSON text of a proof.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::ProofFault;

/// Reads a text of this format, of at most `limit` bytes.
///
/// # Errors
/// [`ProofFault::Unreadable`] or [`ProofFault::Format`].
pub(super) fn read<T: DeserializeOwned>(
    text: &str,
    format: u32,
    limit: usize,
) -> Result<T, ProofFault> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let unreadable = |error: serde_json::Error| ProofFault::Unreadable(error.to_string());
    if text.len() > limit {
        let detail = format!("it is longer than {limit} bytes");
        return Err(ProofFault::Unreadable(detail));
    }
    // A later format is named as such, not as a list of fields that are not known.
    match serde_json::from_str(text).map_err(unreadable)? {
        Format { format: found } if found != format => Err(ProofFault::Format(found)),
        Format { .. } => serde_json::from_str(text).map_err(unreadable),
    }
}

/// The text, for people to read.
///
/// # Errors
/// [`ProofFault::Unreadable`]; cannot happen with fields that were read or put together here.
pub(super) fn write<T: Serialize>(proof: &T) -> Result<String, ProofFault> {
    serde_json::to_string_pretty(proof).map_err(|e| ProofFault::Unreadable(e.to_string()))
}
