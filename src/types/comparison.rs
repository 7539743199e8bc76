//! Comparison by value, whatever state it comes from, and the hash that goes
//! with it.

use super::counters;
use super::value::Value;
use crate::error::OrCorrupt;
use pgrx::datum::IntoDatum;
use pgrx::prelude::*;
use pgrx::{direct_function_call, pg_sys};
use std::cmp::Ordering;

/// Functions behind `=` and `<>` between two types, from one that gives their
/// order (`Ordering`) or, where that is unknown, `None` (SQL's NULL).
macro_rules! equality_functions {
    ($left:ty, $right:ty, $order:path, $equal:ident, $unequal:ident) => {
        #[::pgrx::pg_extern(sql = false)]
        fn $equal(a: $left, b: $right) -> Option<bool> {
            Option::from($order(&a, &b)).map(std::cmp::Ordering::is_eq)
        }

        #[::pgrx::pg_extern(sql = false)]
        fn $unequal(a: $left, b: $right) -> Option<bool> {
            Option::from($order(&a, &b)).map(std::cmp::Ordering::is_ne)
        }
    };
}
pub(super) use equality_functions;

/// Functions behind `<`, `<=`, `>`, `>=` between two types, and the three-way
/// comparison of a btree, from one that gives their order.
macro_rules! order_functions {
    (
        $left:ty, $right:ty, $order:path,
        $less:ident, $at_most:ident, $greater:ident, $at_least:ident, $compare:ident
    ) => {
        #[::pgrx::pg_extern(sql = false)]
        fn $less(a: $left, b: $right) -> bool {
            $order(&a, &b).is_lt()
        }

        #[::pgrx::pg_extern(sql = false)]
        fn $at_most(a: $left, b: $right) -> bool {
            $order(&a, &b).is_le()
        }

        #[::pgrx::pg_extern(sql = false)]
        fn $greater(a: $left, b: $right) -> bool {
            $order(&a, &b).is_gt()
        }

        #[::pgrx::pg_extern(sql = false)]
        fn $at_least(a: $left, b: $right) -> bool {
            $order(&a, &b).is_ge()
        }

        #[::pgrx::pg_extern(sql = false)]
        fn $compare(a: $left, b: $right) -> i32 {
            $order(&a, &b) as i32
        }
    };
}
pub(super) use order_functions;

fn by_value(a: &Value, b: &Value) -> Ordering {
    if a.bytes() == b.bytes() {
        return Ordering::Equal;
    }
    // Numbers can be read without building the counter; those beyond bigint
    // have no value but still their place in an index.
    match (counters::value_of(a), counters::value_of(b)) {
        (Some(Ok(a)), Some(Ok(b))) => a.cmp(&b),
        _ => a.decode().cmp_by_value(&b.decode()),
    }
}

equality_functions!(Value, Value, by_value, crdt_eq, crdt_ne);
order_functions!(
    Value, Value, by_value, crdt_lt, crdt_le, crdt_gt, crdt_ge, crdt_cmp
);

#[pg_extern(sql = false)]
fn crdt_hash(value: Value) -> i32 {
    let key = value.decode().hash_key();
    // SAFETY: hashvarlena takes a varlena.
    unsafe { direct_function_call(pg_sys::hashvarlena, &[key.into_datum()]) }
        .or_corrupt("hashvarlena returned null")
}
