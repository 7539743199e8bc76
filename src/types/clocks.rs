//! Causality as values: `vector_clock` and `hlc`.

use super::json::Jsonb;
use super::plain;
use super::value::{Encoded, Value};
use crate::error::raise;
use crate::instance::clock;
use crdt::{Crdt, Hlc, HlcRegister, VectorClock};
use pgrx::datum::TimestampWithTimeZone;
use pgrx::prelude::*;
use std::cmp::Ordering;

/// `crdt_tick(v)`: asks for a fresh tick in this node's entry.
#[pg_extern(sql = false)]
fn crdt_vector_clock_tick(vector: Value) -> Encoded {
    Encoded::of(&vector.decode_as::<VectorClock>().ticked())
}

#[pg_extern(sql = false)]
fn crdt_vector_clock_of_jsonb(value: Jsonb) -> Encoded {
    Encoded::of(&plain::of_json::<VectorClock>(&value))
}

/// `crdt_compare(a, b)`: before, after, equal or concurrent.
#[pg_extern(sql = false)]
fn crdt_vector_clock_compare(a: Value, b: Value) -> &'static str {
    let (a, b): (VectorClock, VectorClock) = (a.decode_as(), b.decode_as());
    match a.compare(&b) {
        Some(Ordering::Less) => "before",
        Some(Ordering::Equal) => "equal",
        Some(Ordering::Greater) => "after",
        None => "concurrent",
    }
}

/// Microseconds between 1970, where the clock starts, and 2000, where
/// PostgreSQL's time does.
const EPOCHS_APART: i64 = 946_684_800_000_000;

/// None before all times.
#[pg_extern(sql = false)]
fn crdt_hlc_to_timestamptz(hlc: Value) -> Option<TimestampWithTimeZone> {
    let tick = hlc.decode_as::<HlcRegister>().get()?;
    let since_1970 = i64::try_from(tick.millis().saturating_mul(1000)).unwrap_or(i64::MAX);
    TimestampWithTimeZone::try_from(since_1970 - EPOCHS_APART).ok()
}

#[pg_extern(sql = false)]
fn crdt_hlc_of_timestamptz(time: TimestampWithTimeZone) -> Encoded {
    let since_1970 = i64::from(time).saturating_add(EPOCHS_APART);
    let millis = u64::try_from(since_1970.div_euclid(1000)).ok();
    let Some(millis) = millis.filter(|millis| *millis < 1 << 48) else {
        raise(
            PgSqlErrorCode::ERRCODE_DATETIME_FIELD_OVERFLOW,
            "a hybrid logical clock counts from 1970 to 10889",
            "Write a time in between, or NULL for none.",
        )
    };
    Encoded::of(&HlcRegister::assign(Some(Hlc::from_parts(millis, 0))))
}

/// `crdt_logical(h)`: how many ticks the clock gave before it within its
/// millisecond.
#[pg_extern(sql = false)]
fn crdt_hlc_logical(hlc: Value) -> Option<i32> {
    let tick = hlc.decode_as::<HlcRegister>().get()?;
    Some(i32::from(tick.logical()))
}

/// `crdt_clock()`: a tick of this node's clock, later than all it has given or
/// seen.
#[pg_extern(sql = false)]
fn crdt_hlc_now() -> Encoded {
    Encoded::of(&HlcRegister::assign(Some(clock::tick())))
}
