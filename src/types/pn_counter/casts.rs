//! Casts from and to numbers, all on assignment: `SET views = 12`, `INSERT
//! INTO report SELECT views`, `views::bigint`. None is implicit: `views > 100`
//! and `views + 1` would then also mean bigint's own operators, and be
//! ambiguous.

use super::{Counter, need_value};
use crate::error::{OrCorrupt, raise};
use crate::types::json::Json;
use crate::types::stored::Stored;
use crdt::{Crdt, PnCounter};
use pgrx::datum::{AnyNumeric, IntoDatum};
use pgrx::prelude::*;
use pgrx::{direct_function_call, pg_sys};

#[pg_cast(assignment, immutable, parallel_safe)]
fn pn_counter_to_bigint(counter: Counter) -> i64 {
    need_value(&counter)
}

#[pg_cast(assignment, immutable, parallel_safe)]
fn pn_counter_to_integer(counter: Counter) -> i32 {
    i32::try_from(need_value(&counter)).unwrap_or_else(|_| {
        raise(
            PgSqlErrorCode::ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
            "integer out of range",
            "Cast the counter to bigint.",
        )
    })
}

#[pg_cast(assignment, immutable, parallel_safe)]
fn pn_counter_to_numeric(counter: Counter) -> AnyNumeric {
    AnyNumeric::from(need_value(&counter))
}

/// For row_to_json, to_jsonb and the like, which ask for a cast to json.
#[pg_cast(immutable, parallel_safe)]
fn pn_counter_to_json(counter: Counter) -> Json {
    Json(need_value(&counter).to_string())
}

#[pg_cast(assignment, immutable, parallel_safe)]
fn bigint_to_pn_counter(value: i64) -> Counter {
    Stored::new(&PnCounter::assign(value))
}

#[pg_cast(assignment, immutable, parallel_safe)]
fn integer_to_pn_counter(value: i32) -> Counter {
    bigint_to_pn_counter(i64::from(value))
}

#[pg_cast(assignment, immutable, parallel_safe)]
fn smallint_to_pn_counter(value: i16) -> Counter {
    bigint_to_pn_counter(i64::from(value))
}

/// For `SET views = (SELECT sum(...))`; rounds as a bigint column does.
#[pg_cast(assignment, immutable, parallel_safe)]
fn numeric_to_pn_counter(value: AnyNumeric) -> Counter {
    // SAFETY: numeric_int8 takes a numeric.
    let value = unsafe { direct_function_call(pg_sys::numeric_int8, &[value.into_datum()]) };
    bigint_to_pn_counter(value.or_corrupt("numeric_int8 returned null"))
}
