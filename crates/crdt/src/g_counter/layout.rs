//! The bytes of a grow-only counter, all big-endian:
//!
//! ```text
//! u8 version = 1 ‖ u8 change (0 none, 1 add, 2 assign) ‖ u16 slots
//! slots × (replica16 ‖ u64 tick ‖ u64 total), strictly ascending by (replica, tick)
//! add: u64 (not 0); assign: i64
//! ```

use super::{GCounter, Slot};
use crate::codec::{Reader, put_dot};
use crate::slot_layout::{HEADER_BYTES, Sections, put_header};
use crate::slots::Slots;
use crate::{Change, CrdtError, DecodeError};

const SLOT_BYTES: usize = 32;

pub(super) fn encode(counter: &GCounter) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_BYTES + counter.slots.len() * SLOT_BYTES + 8);
    put_header(&mut out, counter.change.code(), counter.slots.len());
    for slot in counter.slots.iter() {
        put_dot(&mut out, &slot.dot);
        out.extend_from_slice(&slot.total.to_be_bytes());
    }
    match counter.change {
        Change::None => (),
        Change::Add(amount) => out.extend_from_slice(&amount.to_be_bytes()),
        Change::Assign(value) => out.extend_from_slice(&value.to_be_bytes()),
    }
    out
}

pub(super) fn decode(bytes: &[u8]) -> Result<GCounter, DecodeError> {
    let Sections { slots, change } = sections(bytes)?;
    let mut reader = Reader::new(slots);
    let mut slots = Slots::default();
    while reader.remaining() > 0 {
        slots.push(Slot {
            dot: reader.dot()?,
            total: reader.u64()?,
        })?;
    }
    Ok(GCounter { slots, change })
}

fn sections(bytes: &[u8]) -> Result<Sections<'_, u64>, DecodeError> {
    Sections::of(bytes, SLOT_BYTES, Reader::u64)
}

/// The value of an encoded counter, read without building it.
///
/// Checks all lengths but not the order of the slots. Fails like [`crate::Crdt::value`].
pub fn value_of_bytes(bytes: &[u8]) -> Result<i64, CrdtError> {
    sections(bytes)?.value(
        |slot| Ok(i128::from(slot.u64()?)),
        |amount| i128::from(*amount),
    )
}
