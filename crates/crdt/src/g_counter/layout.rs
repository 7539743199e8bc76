//! The bytes of a grow-only counter, all big-endian:
//!
//! ```text
//! u8 version = 1 ‖ u8 change (0 none, 1 add, 2 assign) ‖ u16 slots
//! slots × (replica16 ‖ u64 tick ‖ u64 total), strictly ascending by (replica, tick)
//! add: u64 (not 0); assign: i64
//! ```

use super::{GCounter, Slot};
use crate::codec::{Reader, put_dot};
use crate::slots::Slots;
use crate::{Change, CrdtError, DecodeError};

const HEADER_BYTES: usize = 4;
const SLOT_BYTES: usize = 32;

pub(super) fn encode(counter: &GCounter) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_BYTES + counter.slots.len() * SLOT_BYTES + 8);
    out.extend([1, counter.change.code()]);
    // The constructors keep the count within 16 bits.
    out.extend_from_slice(&(counter.slots.len() as u16).to_be_bytes());
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
    let Parts { slots, change } = Parts::of(bytes)?;
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

/// The sections of an encoded counter, lengths checked.
struct Parts<'a> {
    slots: &'a [u8],
    change: Change<u64, i64>,
}

impl<'a> Parts<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version()?;
        let code = reader.u8()?;
        let count = usize::from(reader.u16()?);
        let slots = reader.take(count * SLOT_BYTES)?;
        let change = match code {
            0 => Change::None,
            1 => Change::Add(reader.u64()?),
            2 => Change::Assign(i64::from_be_bytes(reader.array()?)),
            code => {
                return Err(DecodeError::UnknownCode {
                    what: "change",
                    code,
                });
            }
        };
        reader.finish()?;
        if change == Change::Add(0) {
            return Err(DecodeError::NotCanonical("an addition of nothing"));
        }
        Ok(Self { slots, change })
    }

    fn state_sum(&self) -> Result<i128, DecodeError> {
        let mut reader = Reader::new(self.slots);
        let mut sum = 0i128;
        while reader.remaining() > 0 {
            reader.take(SLOT_BYTES - 8)?;
            sum += i128::from(reader.u64()?);
        }
        Ok(sum)
    }
}

/// The value of an encoded counter, read without building it.
///
/// Checks all lengths but not the order of the slots. Fails like [`crate::Crdt::value`].
pub fn value_of_bytes(bytes: &[u8]) -> Result<i64, CrdtError> {
    let parts = Parts::of(bytes)?;
    let sum = match parts.change {
        Change::None => parts.state_sum()?,
        Change::Add(amount) => parts.state_sum()? + i128::from(amount),
        Change::Assign(value) => return Ok(value),
    };
    i64::try_from(sum).map_err(|_| CrdtError::Overflow)
}
