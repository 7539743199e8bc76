//! The bytes of a counter, all big-endian:
//!
//! ```text
//! u8 version = 1 ‖ u8 change (0 none, 1 add, 2 assign) ‖ u16 slots
//! slots × (replica16 ‖ u64 tick ‖ u64 up ‖ u64 down), strictly ascending by (replica, tick)
//! add: u64 up ‖ u64 down (not both 0); assign: i64
//! ```

use super::{PnCounter, Slot, Step};
use crate::codec::{Reader, put_dot};
use crate::slots::Slots;
use crate::{Change, CrdtError, DecodeError};

const HEADER_BYTES: usize = 4;
const SLOT_BYTES: usize = 40;

pub(super) fn encode(counter: &PnCounter) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_BYTES + counter.slots.len() * SLOT_BYTES + 16);
    out.extend([1, counter.change.code()]);
    // The constructors keep the count within 16 bits.
    out.extend_from_slice(&(counter.slots.len() as u16).to_be_bytes());
    for slot in counter.slots.iter() {
        put_dot(&mut out, &slot.dot);
        out.extend_from_slice(&slot.up.to_be_bytes());
        out.extend_from_slice(&slot.down.to_be_bytes());
    }
    put_change(&mut out, &counter.change);
    out
}

fn put_change(out: &mut Vec<u8>, change: &Change<Step, i64>) {
    match change {
        Change::None => (),
        Change::Add(step) => {
            out.extend_from_slice(&step.up.to_be_bytes());
            out.extend_from_slice(&step.down.to_be_bytes());
        }
        Change::Assign(value) => out.extend_from_slice(&value.to_be_bytes()),
    }
}

pub(super) fn decode(bytes: &[u8]) -> Result<PnCounter, DecodeError> {
    let Parts { slots, change } = Parts::of(bytes)?;
    let mut reader = Reader::new(slots);
    let mut slots = Slots::default();
    while reader.remaining() > 0 {
        slots.push(Slot {
            dot: reader.dot()?,
            up: reader.u64()?,
            down: reader.u64()?,
        })?;
    }
    Ok(PnCounter { slots, change })
}

/// The three sections of an encoded counter, lengths checked.
struct Parts<'a> {
    slots: &'a [u8],
    change: Change<Step, i64>,
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
            1 => Change::Add(Step {
                up: reader.u64()?,
                down: reader.u64()?,
            }),
            2 => Change::Assign(i64::from_be_bytes(reader.array()?)),
            code => {
                return Err(DecodeError::UnknownCode {
                    what: "change",
                    code,
                });
            }
        };
        reader.finish()?;
        if change == Change::Add(Step::default()) {
            return Err(DecodeError::NotCanonical("an addition of nothing"));
        }
        Ok(Self { slots, change })
    }

    fn state_sum(&self) -> Result<i128, DecodeError> {
        let mut reader = Reader::new(self.slots);
        let mut sum = 0i128;
        while reader.remaining() > 0 {
            reader.take(SLOT_BYTES - 16)?;
            sum += i128::from(reader.u64()?) - i128::from(reader.u64()?);
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
        Change::Add(step) => parts.state_sum()? + step.net(),
        Change::Assign(value) => return Ok(value),
    };
    i64::try_from(sum).map_err(|_| CrdtError::Overflow)
}

/// [`PnCounter::add`] on an encoded counter: copies the slots and rewrites the change.
///
/// Checks all lengths but not the order of the slots.
pub fn add_to_bytes(bytes: &[u8], amount: i64) -> Result<Vec<u8>, CrdtError> {
    let parts = Parts::of(bytes)?;
    let change = stepped(&parts.change, Step::by(amount))?;
    let mut out = Vec::with_capacity(HEADER_BYTES + parts.slots.len() + 16);
    out.extend([1, change.code()]);
    out.extend_from_slice(&((parts.slots.len() / SLOT_BYTES) as u16).to_be_bytes());
    out.extend_from_slice(parts.slots);
    put_change(&mut out, &change);
    Ok(out)
}

/// A change followed by one more step.
pub(super) fn stepped(
    change: &Change<Step, i64>,
    step: Step,
) -> Result<Change<Step, i64>, CrdtError> {
    let change = match change {
        Change::None => Change::Add(step),
        Change::Add(held) => Change::Add(Step {
            up: held.up.checked_add(step.up).ok_or(CrdtError::Overflow)?,
            down: held
                .down
                .checked_add(step.down)
                .ok_or(CrdtError::Overflow)?,
        }),
        Change::Assign(value) => {
            let sum = i128::from(*value) + step.net();
            Change::Assign(i64::try_from(sum).map_err(|_| CrdtError::Overflow)?)
        }
    };
    Ok(if change == Change::Add(Step::default()) {
        Change::None
    } else {
        change
    })
}
