//! The counters: `g_counter`, `pn_counter`, `b_counter`.

use super::comparison::{equality_functions, order_functions};
use super::kind::{self, dispatch};
use super::refusal;
use super::value::{Encoded, Value};
use crate::error::{OrCorrupt, raise};
use crate::function::v1_function;
use crdt::pn_counter::Step;
use crdt::{BCounter, ColumnKind, Crdt, CrdtError, PnCounter, ReplicaId};
use pgrx::datum::{AnyNumeric, IntoDatum};
use pgrx::prelude::*;
use pgrx::{direct_function_call, pg_sys};
use std::cmp::Ordering;

macro_rules! of_counter {
    ($kind:expr, $T:ident => $result:expr) => {
        dispatch!($kind, [GCounter | PnCounter | BCounter], $T => $result)
    };
}

/// The value of a counter, where possible without building it; None for a
/// value of another family.
pub fn value_of(counter: &Value) -> Option<Result<i64, CrdtError>> {
    Some(match counter.kind() {
        ColumnKind::PnCounter => crdt::pn_counter::value_of_bytes(counter.bytes()),
        ColumnKind::GCounter => crdt::g_counter::value_of_bytes(counter.bytes()),
        ColumnKind::BCounter => counter.decode_as::<BCounter>().value(),
        _ => return None,
    })
}

/// The value, or the error that it is beyond bigint.
fn need_value(counter: &Value) -> i64 {
    value_of(counter)
        .or_corrupt("a counter")
        .unwrap_or_else(|error| refusal::change(&error))
}

#[pg_extern(sql = false)]
fn crdt_counter_value(counter: Value) -> i64 {
    need_value(&counter)
}

fn added(counter: &Value, amount: i64) -> Encoded {
    match counter.kind() {
        ColumnKind::PnCounter => counter.edited::<PnCounter>(&Step::by(amount)),
        kind => of_counter!(kind, T => Encoded::of_change(counter.decode_as::<T>().add(amount))),
    }
}

#[pg_extern(sql = false)]
fn crdt_counter_add(counter: Value, amount: i64) -> Encoded {
    added(&counter, amount)
}

#[pg_extern(sql = false)]
fn crdt_counter_add_to(amount: i64, counter: Value) -> Encoded {
    added(&counter, amount)
}

#[pg_extern(sql = false)]
fn crdt_counter_sub(counter: Value, amount: i64) -> Encoded {
    match counter.kind() {
        ColumnKind::PnCounter => {
            let Step { up, down } = Step::by(amount);
            counter.edited::<PnCounter>(&Step { up: down, down: up })
        }
        _ => Encoded::of_change(counter.decode_as::<BCounter>().sub(amount)),
    }
}

// Casts from and to numbers, all on assignment: `SET views = 12`, `INSERT INTO
// report SELECT views`, `views::bigint`. None is implicit: `views > 100` and
// `views + 1` would then also mean bigint's own operators, and be ambiguous.

#[pg_extern(sql = false)]
fn crdt_counter_to_integer(counter: Value) -> i32 {
    i32::try_from(need_value(&counter)).unwrap_or_else(|_| {
        raise(
            PgSqlErrorCode::ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
            "integer out of range",
            "Cast the counter to bigint.",
        )
    })
}

#[pg_extern(sql = false)]
fn crdt_counter_to_numeric(counter: Value) -> AnyNumeric {
    AnyNumeric::from(need_value(&counter))
}

fn assigned(value: i64, fcinfo: pg_sys::FunctionCallInfo) -> Encoded {
    // SAFETY: the call is running.
    let kind = unsafe { kind::of_call(fcinfo) };
    of_counter!(kind, T => Encoded::of(&T::assign(value)))
}

#[pg_extern(sql = false)]
fn crdt_counter_of_bigint(value: i64, fcinfo: pg_sys::FunctionCallInfo) -> Encoded {
    assigned(value, fcinfo)
}

#[pg_extern(sql = false)]
fn crdt_counter_of_integer(value: i32, fcinfo: pg_sys::FunctionCallInfo) -> Encoded {
    assigned(i64::from(value), fcinfo)
}

#[pg_extern(sql = false)]
fn crdt_counter_of_smallint(value: i16, fcinfo: pg_sys::FunctionCallInfo) -> Encoded {
    assigned(i64::from(value), fcinfo)
}

/// For `SET views = (SELECT sum(...))`; rounds as a bigint column does.
#[pg_extern(sql = false)]
fn crdt_counter_of_numeric(value: AnyNumeric, fcinfo: pg_sys::FunctionCallInfo) -> Encoded {
    // SAFETY: numeric_int8 takes a numeric.
    let value = unsafe { direct_function_call(pg_sys::numeric_int8, &[value.into_datum()]) };
    assigned(value.or_corrupt("numeric_int8 returned null"), fcinfo)
}

fn with_number(counter: &Value, number: &i64) -> Ordering {
    match value_of(counter).or_corrupt("a counter") {
        Ok(value) => value.cmp(number),
        Err(_) => of_counter!(counter.kind(), T => {
            counter.decode_as::<T>().cmp_by_value(&T::assign(*number))
        }),
    }
}

fn number_with(number: &i64, counter: &Value) -> Ordering {
    with_number(counter, number).reverse()
}

equality_functions!(Value, i64, with_number, crdt_counter_eq, crdt_counter_ne);
order_functions!(
    Value,
    i64,
    with_number,
    crdt_counter_lt,
    crdt_counter_le,
    crdt_counter_gt,
    crdt_counter_ge,
    crdt_counter_cmp
);
equality_functions!(i64, Value, number_with, crdt_bigint_eq, crdt_bigint_ne);
order_functions!(
    i64,
    Value,
    number_with,
    crdt_bigint_lt,
    crdt_bigint_le,
    crdt_bigint_gt,
    crdt_bigint_ge,
    crdt_bigint_cmp
);

// `sum`, `avg`, `min` and `max`, of values as those of bigint.

v1_function!(
    crdt_counter_accumulate,
    pg_finfo_crdt_counter_accumulate,
    accumulate
);

/// (internal, counter) → internal: bigint's own accumulator, with the counter's
/// value in its place.
unsafe fn accumulate(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the argument is replaced before bigint's function reads it.
    unsafe {
        if let Some(counter) = Value::argument(fcinfo, 1) {
            (*(*fcinfo).args.as_mut_ptr().add(1)).value = need_value(&counter).into();
        }
        pg_sys::int8_avg_accum(fcinfo)
    }
}

#[pg_extern(sql = false)]
fn crdt_counter_larger(greatest: Option<i64>, counter: Option<Value>) -> Option<i64> {
    greatest.max(counter.as_ref().map(need_value))
}

#[pg_extern(sql = false)]
fn crdt_counter_smaller(least: Option<i64>, counter: Option<Value>) -> Option<i64> {
    match (least, counter.as_ref().map(need_value)) {
        (Some(least), Some(value)) => Some(least.min(value)),
        (one, other) => one.or(other),
    }
}

// The bounded counter's own.

/// `b_counter(value, floor)`.
#[pg_extern(sql = false)]
fn crdt_b_counter(value: i64, floor: i64) -> Encoded {
    Encoded::of_change(BCounter::with_floor(value, floor))
}

/// `crdt_floor(x)`: beyond bigint where concurrent inserts added up.
#[pg_extern(sql = false)]
fn crdt_b_counter_floor(counter: Value) -> AnyNumeric {
    AnyNumeric::from(counter.decode_as::<BCounter>().floor())
}

/// `crdt_rights(x)`: who may subtract how much, by replica.
#[pg_extern(sql = false)]
fn crdt_b_counter_rights(
    counter: &[u8],
) -> TableIterator<'static, (name!(replica, Vec<u8>), name!(rights, AnyNumeric))> {
    let counter = BCounter::decode(counter).or_corrupt(BCounter::NAME);
    let rights = counter.rights().into_iter();
    TableIterator::new(rights.map(|(replica, rights)| (replica.0.to_vec(), rights.into())))
}

/// `crdt_transfer(x, replica, amount)`: gives rights of this node away.
#[pg_extern(sql = false)]
fn crdt_b_counter_transfer(counter: Value, replica: &[u8], amount: i64) -> Encoded {
    let (Ok(replica), Ok(amount)) = (replica.try_into(), u64::try_from(amount)) else {
        raise(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            "rights are transferred to a replica, in a number that is not negative",
            "crdt_transfer(counter, 'name of a node', 10) finds the replica by its name.",
        )
    };
    Encoded::of_change(
        counter
            .decode_as::<BCounter>()
            .transfer(ReplicaId(replica), amount),
    )
}
