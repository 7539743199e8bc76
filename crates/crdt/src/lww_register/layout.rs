//! The bytes of a register:
//!
//! ```text
//! u8 version = 1 ‖ u8 flags (1 written, 2 wanted, 4 written more than once)
//! written: u64 time ‖ replica16; written more than once: the first stamp likewise
//! written: length (LEB128) ‖ canonical JSON text
//! wanted:  length (LEB128) ‖ canonical JSON text
//! ```

use super::{LwwRegister, Written};
use crate::codec::{MAX_STATE_BYTES, Reader, at_most, check_text, put_bytes, put_stamp};
use crate::{DecodeError, json};

const WRITTEN: u8 = 1;
const WANTED: u8 = 2;
const REWRITTEN: u8 = 4;

/// All bytes but the JSON texts, at most.
const MAX_OVERHEAD: usize = 2 + 2 * 24 + 2 * 10;

/// At least the size of the encoding, in bytes.
pub(super) fn size(register: &LwwRegister) -> usize {
    let written = register.written().map_or(0, |written| written.value.len());
    MAX_OVERHEAD + written + register.wanted().map_or(0, str::len)
}

pub(super) fn encode(register: &LwwRegister) -> Vec<u8> {
    let mut out = Vec::with_capacity(size(register));
    let mut flags = 0;
    if let Some(written) = register.written() {
        flags |= WRITTEN
            | if written.birth == written.stamp {
                0
            } else {
                REWRITTEN
            };
    }
    if register.wanted().is_some() {
        flags |= WANTED;
    }
    out.extend([1, flags]);
    if let Some(written) = register.written() {
        put_stamp(&mut out, &written.stamp);
        if flags & REWRITTEN != 0 {
            put_stamp(&mut out, &written.birth);
        }
        put_bytes(&mut out, written.value.as_bytes());
    }
    if let Some(wanted) = register.wanted() {
        put_bytes(&mut out, wanted.as_bytes());
    }
    out
}

pub(super) fn decode(bytes: &[u8]) -> Result<LwwRegister, DecodeError> {
    at_most("bytes of a register", bytes.len(), MAX_STATE_BYTES)?;
    let mut reader = Reader::new(bytes);
    reader.version()?;
    let flags = reader.u8()?;
    if flags & !(WRITTEN | WANTED | REWRITTEN) != 0 {
        return Err(DecodeError::UnknownCode {
            what: "flags",
            code: flags,
        });
    }
    let state = match (flags & WRITTEN != 0, flags & REWRITTEN != 0) {
        (false, true) => return Err(DecodeError::NotCanonical("rewritten but not written")),
        (false, false) => None,
        (true, rewritten) => {
            let stamp = reader.stamp()?;
            let birth = if rewritten { reader.stamp()? } else { stamp };
            if rewritten && birth == stamp {
                return Err(DecodeError::NotCanonical("the first stamp stands twice"));
            }
            Some(Written {
                stamp,
                birth,
                value: read_json(&mut reader)?,
            })
        }
    };
    let wanted = if flags & WANTED != 0 {
        Some(read_json(&mut reader)?)
    } else {
        None
    };
    reader.finish()?;
    Ok(LwwRegister { state, wanted })
}

fn read_json(reader: &mut Reader<'_>) -> Result<String, DecodeError> {
    let text = check_text(reader.bytes()?)?;
    json::check_canonical(text)?;
    Ok(text.to_owned())
}
