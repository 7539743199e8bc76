//! The bytes that counters with one change beside their slots have alike, all big-endian:
//!
//! ```text
//! u8 version = 1 ‖ u8 change (0 none, 1 add, 2 assign) ‖ u16 slots
//! slots × (replica16 ‖ u64 tick ‖ the slot's numbers), strictly ascending by (replica, tick)
//! add: the addition, which is not nothing; assign: i64
//! ```

use crate::codec::Reader;
use crate::range::in_range;
use crate::{Change, CrdtError, DecodeError};

/// Version, change and count of slots.
pub(crate) const HEADER_BYTES: usize = 4;

/// Of a slot, before its numbers.
const DOT_BYTES: usize = 24;

/// Writes the header.
pub(crate) fn put_header(out: &mut Vec<u8>, change: u8, slots: usize) {
    out.extend([1, change]);
    // The constructors keep the count within 16 bits.
    out.extend_from_slice(&(slots as u16).to_be_bytes());
}

/// The sections of an encoded counter, lengths checked.
pub(crate) struct Sections<'a, A> {
    pub(crate) slots: &'a [u8],
    pub(crate) change: Change<A, i64>,
}

impl<'a, A: Default + PartialEq> Sections<'a, A> {
    /// Of slots of `slot_bytes` each and an addition as `read_addition` reads it.
    pub(crate) fn of(
        bytes: &'a [u8],
        slot_bytes: usize,
        read_addition: impl FnOnce(&mut Reader<'a>) -> Result<A, DecodeError>,
    ) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version()?;
        let code = reader.u8()?;
        let count = usize::from(reader.u16()?);
        let slots = reader.take(count * slot_bytes)?;
        let change = match code {
            0 => Change::None,
            1 => Change::Add(read_addition(&mut reader)?),
            2 => Change::Assign(i64::from_be_bytes(reader.array()?)),
            code => {
                return Err(DecodeError::UnknownCode {
                    what: "change",
                    code,
                });
            }
        };
        reader.finish()?;
        if matches!(&change, Change::Add(addition) if *addition == A::default()) {
            return Err(DecodeError::NotCanonical("an addition of nothing"));
        }
        Ok(Self { slots, change })
    }

    /// The value, from what the numbers of a slot (read behind its dot) and an addition are
    /// worth.
    pub(crate) fn value(
        &self,
        slot: impl Fn(&mut Reader<'a>) -> Result<i128, DecodeError>,
        addition: impl FnOnce(&A) -> i128,
    ) -> Result<i64, CrdtError> {
        let mut sum = match &self.change {
            Change::None => 0,
            Change::Add(asked) => addition(asked),
            Change::Assign(value) => return Ok(*value),
        };
        let mut reader = Reader::new(self.slots);
        while reader.remaining() > 0 {
            reader.take(DOT_BYTES)?;
            sum += slot(&mut reader)?;
        }
        in_range(sum)
    }
}
