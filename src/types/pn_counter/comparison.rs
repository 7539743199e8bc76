//! Comparison by value, among counters and with numbers; btree and hash.

use super::{Counter, value};
use crate::error::OrCorrupt;
use crate::types::comparison::{equality_operators, order_operators};
use crdt::{Crdt, PnCounter};
use pgrx::datum::IntoDatum;
use pgrx::prelude::*;
use pgrx::{direct_function_call, pg_sys};
use std::cmp::Ordering;

/// By value. Additions of several nodes may meet beyond bigint, where a
/// counter has no value but still its place in an index.
fn by_value(a: &Counter, b: &Counter) -> Ordering {
    match (value(a), value(b)) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.decode().cmp_by_value(&b.decode()),
    }
}

fn with_number(counter: &Counter, number: &i64) -> Ordering {
    match value(counter) {
        Ok(value) => value.cmp(number),
        Err(_) => counter.decode().cmp_by_value(&PnCounter::assign(*number)),
    }
}

fn number_with(number: &i64, counter: &Counter) -> Ordering {
    with_number(counter, number).reverse()
}

equality_operators!(
    Counter,
    Counter,
    by_value,
    pn_counter_eq,
    pn_counter_ne,
    hashes,
    merges
);
order_operators!(
    Counter,
    Counter,
    by_value,
    pn_counter_lt,
    pn_counter_le,
    pn_counter_gt,
    pn_counter_ge,
    pn_counter_cmp
);
equality_operators!(
    Counter,
    i64,
    with_number,
    pn_counter_eq_bigint,
    pn_counter_ne_bigint
);
order_operators!(
    Counter,
    i64,
    with_number,
    pn_counter_lt_bigint,
    pn_counter_le_bigint,
    pn_counter_gt_bigint,
    pn_counter_ge_bigint,
    pn_counter_cmp_bigint
);
equality_operators!(
    i64,
    Counter,
    number_with,
    bigint_eq_pn_counter,
    bigint_ne_pn_counter
);
order_operators!(
    i64,
    Counter,
    number_with,
    bigint_lt_pn_counter,
    bigint_le_pn_counter,
    bigint_gt_pn_counter,
    bigint_ge_pn_counter,
    bigint_cmp_pn_counter
);

/// The hash of the value; beyond bigint that of the state, as [`by_value`]
/// tells such counters apart by it.
#[pg_extern(immutable, parallel_safe)]
fn pn_counter_hash(counter: Counter) -> i32 {
    // SAFETY: each function gets an argument of its type.
    let hash = unsafe {
        match value(&counter) {
            Ok(value) => direct_function_call(pg_sys::hashint8, &[value.into_datum()]),
            Err(_) => direct_function_call(pg_sys::hashvarlena, &[counter.bytes().into_datum()]),
        }
    };
    hash.or_corrupt("a hash function returned null")
}

// The family lets an index on a counter serve `views > 100`. It leaves bigint's
// own operators out, though amvalidate() misses them: as members of a second
// family they would no longer count as alike with those of the other integers,
// in plans of any table.
extension_sql!(
    r#"
CREATE OPERATOR FAMILY pn_counter_ops USING btree;
CREATE OPERATOR CLASS pn_counter_ops DEFAULT FOR TYPE pn_counter USING btree FAMILY pn_counter_ops AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
    FUNCTION 1 pn_counter_cmp (pn_counter, pn_counter);
ALTER OPERATOR FAMILY pn_counter_ops USING btree ADD
    OPERATOR 1 < (pn_counter, bigint), OPERATOR 2 <= (pn_counter, bigint),
    OPERATOR 3 = (pn_counter, bigint), OPERATOR 4 >= (pn_counter, bigint),
    OPERATOR 5 > (pn_counter, bigint),
    FUNCTION 1 (pn_counter, bigint) pn_counter_cmp_bigint (pn_counter, bigint),
    OPERATOR 1 < (bigint, pn_counter), OPERATOR 2 <= (bigint, pn_counter),
    OPERATOR 3 = (bigint, pn_counter), OPERATOR 4 >= (bigint, pn_counter),
    OPERATOR 5 > (bigint, pn_counter),
    FUNCTION 1 (bigint, pn_counter) bigint_cmp_pn_counter (bigint, pn_counter);
CREATE OPERATOR CLASS pn_counter_ops DEFAULT FOR TYPE pn_counter USING hash AS
    OPERATOR 1 =,
    FUNCTION 1 pn_counter_hash (pn_counter);
"#,
    name = "pn_counter_classes",
    requires = [
        pn_counter_eq,
        pn_counter_lt,
        pn_counter_le,
        pn_counter_gt,
        pn_counter_ge,
        pn_counter_cmp,
        pn_counter_eq_bigint,
        pn_counter_lt_bigint,
        pn_counter_le_bigint,
        pn_counter_gt_bigint,
        pn_counter_ge_bigint,
        pn_counter_cmp_bigint,
        bigint_eq_pn_counter,
        bigint_lt_pn_counter,
        bigint_le_pn_counter,
        bigint_gt_pn_counter,
        bigint_ge_pn_counter,
        bigint_cmp_pn_counter,
        pn_counter_hash
    ]
);
