//! The text form that all types share: `<readable> @v1:<base64url(bytes ‖ CRC-32 of bytes)>`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{Crdt, TextError};

const MARKER: &str = " @v1:";

/// How much of a bad input an error repeats, in characters.
const QUOTED_CHARS: usize = 60;

/// Prints `readable`, and the state behind it unless a plain literal says it all.
pub(crate) fn print<T: Crdt>(value: &T, readable: String, is_plain: bool) -> String {
    // A literal that contains the marker would be read as a state: spell it out.
    if is_plain && !readable.contains(MARKER) {
        return readable;
    }
    let mut bytes = value.encode();
    let checksum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&checksum.to_be_bytes());
    let mut text = readable;
    text.push_str(MARKER);
    URL_SAFE_NO_PAD.encode_string(&bytes, &mut text);
    text
}

/// Reads what [`print`] wrote, or a plain literal.
pub(crate) fn parse<T: Crdt>(
    text: &str,
    readable: impl FnOnce(&T) -> String,
    plain: impl FnOnce(&str) -> Result<T, TextError>,
) -> Result<T, TextError> {
    let Some((shown, armour)) = text.rsplit_once(MARKER).filter(|it| is_state(it.1)) else {
        return plain(text);
    };
    let bytes = URL_SAFE_NO_PAD
        .decode(armour.trim_end())
        .map_err(|_| TextError::Armour("not base64url without padding"))?;
    let (bytes, checksum) = bytes
        .split_last_chunk::<4>()
        .ok_or(TextError::Armour("it is too short"))?;
    let (expected, actual) = (u32::from_be_bytes(*checksum), crc32fast::hash(bytes));
    if expected != actual {
        return Err(TextError::Checksum { expected, actual });
    }
    let value = T::decode(bytes).map_err(|fault| TextError::State {
        type_name: T::NAME,
        fault,
    })?;
    let state = readable(&value);
    if shown.trim() != state.trim() {
        return Err(TextError::Disagrees {
            readable: shorten(shown),
            state: shorten(&state),
        });
    }
    Ok(value)
}

/// Whether this begins as a state does, with version byte 1: people write " @v1:" in texts of
/// their own.
fn is_state(armour: &str) -> bool {
    matches!(armour.as_bytes(), [b'A', b'Q'..=b'Z' | b'a'..=b'f', ..])
}

/// The start of a text, for an error message.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
