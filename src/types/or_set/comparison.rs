//! Comparison by value, among sets and with arrays; btree and hash.

use super::Set;
use super::casts::texts;
use crate::error::OrCorrupt;
use crate::types::comparison::{equality_operators, order_operators};
use pgrx::datum::{Array, IntoDatum};
use pgrx::prelude::*;
use pgrx::{direct_function_call, pg_sys};
use std::cmp::Ordering;

/// By the elements in the order of their bytes, like words of a dictionary.
fn by_value(a: &Set, b: &Set) -> Ordering {
    if a.bytes() == b.bytes() {
        return Ordering::Equal;
    }
    let (a, b) = (a.decode(), b.decode());
    a.elements().cmp(b.elements())
}

/// Order and repetitions in the array do not count; one with a NULL in it
/// equals no set.
fn with_array(set: &Set, array: &Array<'_, &str>) -> Ordering {
    match texts(array) {
        Some(elements) => set
            .decode()
            .elements()
            .cmp(elements.iter().map(String::as_str)),
        None => Ordering::Less,
    }
}

fn array_with(array: &Array<'_, &str>, set: &Set) -> Ordering {
    with_array(set, array).reverse()
}

equality_operators!(Set, Set, by_value, or_set_eq, or_set_ne, hashes, merges);
order_operators!(
    Set, Set, by_value, or_set_lt, or_set_le, or_set_gt, or_set_ge, or_set_cmp
);
equality_operators!(
    Set,
    Array<'_, &str>,
    with_array,
    or_set_eq_array,
    or_set_ne_array
);
equality_operators!(
    Array<'_, &str>,
    Set,
    array_with,
    array_eq_or_set,
    array_ne_or_set
);

/// The hash of the elements, each closed by a zero byte, which none contains.
#[pg_extern(immutable, parallel_safe)]
fn or_set_hash(set: Set) -> i32 {
    let set = set.decode();
    let bytes: Vec<u8> = set.elements().flat_map(|e| e.bytes().chain([0])).collect();
    // SAFETY: hashvarlena takes a varlena.
    unsafe { direct_function_call(pg_sys::hashvarlena, &[bytes.into_datum()]) }
        .or_corrupt("hashvarlena returned null")
}

extension_sql!(
    r#"
CREATE OPERATOR CLASS or_set_ops DEFAULT FOR TYPE or_set USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
    FUNCTION 1 or_set_cmp (or_set, or_set);
CREATE OPERATOR CLASS or_set_ops DEFAULT FOR TYPE or_set USING hash AS
    OPERATOR 1 =,
    FUNCTION 1 or_set_hash (or_set);
"#,
    name = "or_set_classes",
    requires = [
        or_set_eq,
        or_set_lt,
        or_set_le,
        or_set_gt,
        or_set_ge,
        or_set_cmp,
        or_set_hash
    ]
);
