//! The bytes of a bounded counter, all big-endian:
//!
//! ```text
//! u8 version = 1 ‖ u8 change (0 none, 1 add, 2 assign, 3 assign with a floor)
//! u16 slots ‖ u16 transfers ‖ u16 gifts
//! slots × (replica16 ‖ u64 tick ‖ u64 up ‖ u64 down ‖ i64 floor), ascending by (replica, tick)
//! transfers × (replica16 ‖ u64 tick ‖ to16 ‖ u64 amount), ascending, amount not 0
//! gifts × (to16 ‖ u64 amount), ascending, amount not 0
//! add: u64 up ‖ u64 down (not both 0); assign: i64 value; with a floor: ‖ i64 floor ≤ value
//! ```

use std::collections::BTreeMap;

use super::{BCounter, MAX_TRANSFERS_PER_REPLICA, Slot, Wanted};
use crate::codec::{Reader, at_most, put_dot};
use crate::pn_counter::Step;
use crate::slots::Slots;
use crate::{Change, DecodeError};

const HEADER_BYTES: usize = 8;
const SLOT_BYTES: usize = 48;
const TRANSFER_BYTES: usize = 48;
const GIFT_BYTES: usize = 24;

pub(super) fn encode(counter: &BCounter) -> Vec<u8> {
    let counts = [
        counter.slots.len(),
        counter.transfers.len(),
        counter.gifts.len(),
    ];
    let [slots, transfers, gifts] = counts;
    let mut out = Vec::with_capacity(
        HEADER_BYTES + slots * SLOT_BYTES + transfers * TRANSFER_BYTES + gifts * GIFT_BYTES + 16,
    );
    let code = match counter.change {
        Change::Assign(Wanted { floor: Some(_), .. }) => 3,
        _ => counter.change.code(),
    };
    out.extend([1, code]);
    for count in counts {
        // The constructors keep the counts within 16 bits.
        out.extend_from_slice(&(count as u16).to_be_bytes());
    }
    for slot in counter.slots.iter() {
        put_dot(&mut out, &slot.dot);
        out.extend_from_slice(&slot.up.to_be_bytes());
        out.extend_from_slice(&slot.down.to_be_bytes());
        out.extend_from_slice(&slot.floor.to_be_bytes());
    }
    for ((from, to), amount) in &counter.transfers {
        put_dot(&mut out, from);
        out.extend_from_slice(&to.0);
        out.extend_from_slice(&amount.to_be_bytes());
    }
    for (to, amount) in &counter.gifts {
        out.extend_from_slice(&to.0);
        out.extend_from_slice(&amount.to_be_bytes());
    }
    match &counter.change {
        Change::None => (),
        Change::Add(step) => {
            out.extend_from_slice(&step.up.to_be_bytes());
            out.extend_from_slice(&step.down.to_be_bytes());
        }
        Change::Assign(Wanted { value, floor }) => {
            out.extend_from_slice(&value.to_be_bytes());
            if let Some(floor) = floor {
                out.extend_from_slice(&floor.to_be_bytes());
            }
        }
    }
    out
}

pub(super) fn decode(bytes: &[u8]) -> Result<BCounter, DecodeError> {
    let mut reader = Reader::new(bytes);
    reader.version()?;
    let code = reader.u8()?;
    let [slot_count, transfer_count, gift_count] = [reader.u16()?, reader.u16()?, reader.u16()?];
    let gift_limit = MAX_TRANSFERS_PER_REPLICA;
    at_most("transfers asked for", usize::from(gift_count), gift_limit)?;
    let mut slots = Slots::default();
    for _ in 0..slot_count {
        slots.push(Slot {
            dot: reader.dot()?,
            up: reader.u64()?,
            down: reader.u64()?,
            floor: i64::from_be_bytes(reader.array()?),
        })?;
    }
    let mut transfers = BTreeMap::new();
    for _ in 0..transfer_count {
        let key = (reader.dot()?, reader.replica()?);
        put_amount(&mut transfers, key, reader.u64()?)?;
    }
    let mut gifts = BTreeMap::new();
    for _ in 0..gift_count {
        let key = reader.replica()?;
        put_amount(&mut gifts, key, reader.u64()?)?;
    }
    let change = read_change(code, &mut reader)?;
    reader.finish()?;
    Ok(BCounter {
        slots,
        transfers,
        change,
        gifts,
    })
}

fn put_amount<K: Ord>(
    amounts: &mut BTreeMap<K, u64>,
    key: K,
    amount: u64,
) -> Result<(), DecodeError> {
    if amount == 0 {
        return Err(DecodeError::NotCanonical("a transfer of nothing"));
    }
    if amounts
        .last_key_value()
        .is_some_and(|(last, _)| *last >= key)
    {
        return Err(DecodeError::NotCanonical("transfers must ascend"));
    }
    amounts.insert(key, amount);
    Ok(())
}

fn read_change(code: u8, reader: &mut Reader<'_>) -> Result<Change<Step, Wanted>, DecodeError> {
    let change = match code {
        0 => Change::None,
        1 => Change::Add(Step {
            up: reader.u64()?,
            down: reader.u64()?,
        }),
        2 | 3 => {
            let value = i64::from_be_bytes(reader.array()?);
            let floor = match code {
                2 => None,
                _ => Some(i64::from_be_bytes(reader.array()?)),
            };
            if floor.is_some_and(|floor| value < floor) {
                return Err(DecodeError::NotCanonical("a value below its floor"));
            }
            Change::Assign(Wanted { value, floor })
        }
        code => {
            return Err(DecodeError::UnknownCode {
                what: "change",
                code,
            });
        }
    };
    if change == Change::Add(Step::default()) {
        return Err(DecodeError::NotCanonical("an addition of nothing"));
    }
    Ok(change)
}
