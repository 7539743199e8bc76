//! The bytes of a vector clock:
//!
//! ```text
//! u8 version = 1 ‖ u8 flags (1 tick asked for, 2 vector asked for)
//! vector; with flag 2 another, not empty
//! vector: count (LEB128) ‖ count × (replica16 ‖ u64 tick, big-endian, not 0), ascending
//! ```

use super::{MAX_ENTRIES, VectorClock};
use crate::codec::{Reader, at_most, put_dot, put_varint};
use crate::{DecodeError, Dot, VersionVector};

const TICK: u8 = 1;
const WANTED: u8 = 2;
const ENTRY_BYTES: usize = 24;

pub(super) fn encode(clock: &VectorClock) -> Vec<u8> {
    let entries = clock.state.len() + clock.wanted.len();
    let mut out = Vec::with_capacity(2 + 6 + entries * ENTRY_BYTES);
    let wanted = if clock.wanted.is_empty() { 0 } else { WANTED };
    out.extend([1, if clock.ticks { TICK } else { 0 } | wanted]);
    put_vector(&mut out, &clock.state);
    if wanted != 0 {
        put_vector(&mut out, &clock.wanted);
    }
    out
}

fn put_vector(out: &mut Vec<u8>, vector: &VersionVector) {
    put_varint(out, vector.len() as u64);
    vector.iter().for_each(|entry| put_dot(out, &entry));
}

pub(super) fn decode(bytes: &[u8]) -> Result<VectorClock, DecodeError> {
    let mut reader = Reader::new(bytes);
    reader.version()?;
    let flags = reader.u8()?;
    if flags & !(TICK | WANTED) != 0 {
        return Err(DecodeError::UnknownCode {
            what: "flags",
            code: flags,
        });
    }
    let state = read_vector(&mut reader)?;
    let wanted = if flags & WANTED == 0 {
        VersionVector::default()
    } else {
        let wanted = read_vector(&mut reader)?;
        if wanted.is_empty() {
            return Err(DecodeError::NotCanonical("a wish for nothing"));
        }
        wanted
    };
    reader.finish()?;
    Ok(VectorClock {
        state,
        wanted,
        ticks: flags & TICK != 0,
    })
}

fn read_vector(reader: &mut Reader<'_>) -> Result<VersionVector, DecodeError> {
    let count = reader.count(ENTRY_BYTES)?;
    at_most("entries of a vector clock", count, MAX_ENTRIES)?;
    let mut vector = VersionVector::default();
    let mut last: Option<Dot> = None;
    for _ in 0..count {
        let entry = reader.dot()?;
        if entry.counter == 0 {
            return Err(DecodeError::NotCanonical("an entry of 0"));
        }
        if last.is_some_and(|last| last.replica >= entry.replica) {
            return Err(DecodeError::NotCanonical("replicas must ascend"));
        }
        vector.observe(entry);
        last = Some(entry);
    }
    Ok(vector)
}
