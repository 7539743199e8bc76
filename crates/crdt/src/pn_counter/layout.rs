//! The bytes of a counter, all big-endian:
//!
//! ```text
//! u8 version = 1 ‖ u8 change (0 none, 1 add, 2 assign) ‖ u16 slots
//! slots × (replica16 ‖ u64 tick ‖ u64 up ‖ u64 down), strictly ascending by (replica, tick)
//! add: u64 up ‖ u64 down (not both 0); assign: i64
//! ```

use super::{PnCounter, Slot, Step};
use crate::codec::{Reader, put_dot};
use crate::range::in_range;
use crate::slot_layout::{HEADER_BYTES, Sections, put_header};
use crate::slots::Slots;
use crate::{Change, CrdtError, DecodeError};

const SLOT_BYTES: usize = 40;

pub(super) fn encode(counter: &PnCounter) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_BYTES + counter.slots.len() * SLOT_BYTES + 16);
    put_header(&mut out, counter.change.code(), counter.slots.len());
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
    let Sections { slots, change } = sections(bytes)?;
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

fn read_step(reader: &mut Reader<'_>) -> Result<Step, DecodeError> {
    Ok(Step {
        up: reader.u64()?,
        down: reader.u64()?,
    })
}

fn sections(bytes: &[u8]) -> Result<Sections<'_, Step>, DecodeError> {
    Sections::of(bytes, SLOT_BYTES, read_step)
}

/// The value of an encoded counter, read without building it.
///
/// Checks all lengths but not the order of the slots. Fails like [`crate::Crdt::value`].
pub fn value_of_bytes(bytes: &[u8]) -> Result<i64, CrdtError> {
    sections(bytes)?.value(|slot| Ok(read_step(slot)?.net()), |step| step.net())
}

/// [`crate::Edit::edit_bytes`]: copies the slots and rewrites the change.
///
/// Checks all lengths but not the order of the slots.
pub(super) fn edited(bytes: &[u8], step: Step) -> Result<Vec<u8>, CrdtError> {
    let sections = sections(bytes)?;
    let change = stepped(&sections.change, step)?;
    let mut out = Vec::with_capacity(HEADER_BYTES + sections.slots.len() + 16);
    put_header(&mut out, change.code(), sections.slots.len() / SLOT_BYTES);
    out.extend_from_slice(sections.slots);
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
            Change::Assign(in_range(sum)?)
        }
    };
    Ok(if change == Change::Add(Step::default()) {
        Change::None
    } else {
        change
    })
}
