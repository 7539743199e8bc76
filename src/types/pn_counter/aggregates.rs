//! `sum`, `avg`, `min` and `max`, of values as those of bigint.

use super::{Counter, need_value};
use crate::function::v1_function;
use crate::types::aggregate;
use pgrx::prelude::*;

v1_function!(
    pn_counter_accumulate,
    pg_finfo_pn_counter_accumulate,
    accumulate
);

unsafe fn accumulate(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: declared below as (internal, pn_counter) → internal.
    unsafe { aggregate::accumulate(fcinfo, crdt::pn_counter::value_of_bytes) }
}

#[pg_extern(immutable, parallel_safe)]
fn pn_counter_larger(greatest: Option<i64>, counter: Option<Counter>) -> Option<i64> {
    greatest.max(counter.as_ref().map(need_value))
}

#[pg_extern(immutable, parallel_safe)]
fn pn_counter_smaller(least: Option<i64>, counter: Option<Counter>) -> Option<i64> {
    match (least, counter.as_ref().map(need_value)) {
        (Some(least), Some(value)) => Some(least.min(value)),
        (one, other) => one.or(other),
    }
}

extension_sql!(
    r#"
CREATE FUNCTION pn_counter_accumulate(internal, pn_counter) RETURNS internal
    IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'pn_counter_accumulate';
CREATE AGGREGATE sum(pn_counter) (
    SFUNC = pn_counter_accumulate, STYPE = internal, SSPACE = 48, FINALFUNC = numeric_poly_sum,
    COMBINEFUNC = int8_avg_combine, SERIALFUNC = int8_avg_serialize,
    DESERIALFUNC = int8_avg_deserialize, PARALLEL = SAFE
);
CREATE AGGREGATE avg(pn_counter) (
    SFUNC = pn_counter_accumulate, STYPE = internal, SSPACE = 48, FINALFUNC = numeric_poly_avg,
    COMBINEFUNC = int8_avg_combine, SERIALFUNC = int8_avg_serialize,
    DESERIALFUNC = int8_avg_deserialize, PARALLEL = SAFE
);
CREATE AGGREGATE max(pn_counter) (
    SFUNC = pn_counter_larger, STYPE = bigint, COMBINEFUNC = int8larger, PARALLEL = SAFE
);
CREATE AGGREGATE min(pn_counter) (
    SFUNC = pn_counter_smaller, STYPE = bigint, COMBINEFUNC = int8smaller, PARALLEL = SAFE
);
"#,
    name = "pn_counter_aggregates",
    requires = ["pn_counter", pn_counter_larger, pn_counter_smaller]
);
