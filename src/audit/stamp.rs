//! The arithmetic of a survey. It knows nothing of PostgreSQL, so that
//! `tests/harness/tests/stamps.rs` can test it.

/// What stands for a stamp that is no transaction's: newer than all.
pub const NEVER: u64 = u64::MAX;

/// The first stamp that is an ordinary transaction's.
const FIRST: u32 = 3;

/// The greatest number below `next` that a 32 bit stamp can stand for. The
/// true one may lie whole rounds below it, for a row that was frozen long ago:
/// it is then taken for newer than it is, never for older.
pub fn full_number(next: u64, stamp: u32) -> u64 {
    // A superuser can stamp a row like this, with pg_surgery.
    if stamp < FIRST {
        return NEVER;
    }
    let round = next & !u64::from(u32::MAX);
    let number = round | u64::from(stamp);
    match number < next {
        true => number,
        false => number.checked_sub(1 << 32).unwrap_or(NEVER),
    }
}

/// Whether a tile is complete in a log of `size` leaves.
pub fn tile_is_complete(size: u64, level: i16, index: i64) -> bool {
    let Ok(level) = u32::try_from(level) else {
        return false;
    };
    let width = level.checked_add(1).and_then(|level| level.checked_mul(8));
    let complete = width.and_then(|bits| size.checked_shr(bits)).unwrap_or(0);
    u64::try_from(index).is_ok_and(|index| index < complete)
}

/// How many tiles of a log of `size` leaves are complete.
pub fn complete_tiles(size: u64) -> u64 {
    (1..8).map(|level| size >> (8 * level)).sum()
}
