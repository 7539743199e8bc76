//! The sets of texts: `or_set`, `aw_set`, `lww_set`.

use super::comparison::equality_functions;
use super::json::Jsonb;
use super::kind::{self, dispatch};
use super::text_array::TextArray;
use super::value::{Encoded, Value};
use crate::error::raise;
use crdt::aw_set::SetEdit;
use crdt::lww_table::KeyEdit;
use crdt::{AwSet, ColumnKind, Crdt, Edit, LwwSet, OrSet};
use pgrx::pg_sys;
use pgrx::prelude::*;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// The sets as one.
trait Set: Edit {
    fn addition(element: &str) -> Self::Edit;

    fn removal(element: &str) -> Self::Edit;

    fn of(elements: BTreeSet<String>) -> Self;
}

macro_rules! set_by_tags {
    ($type:ident) => {
        impl Set for $type {
            fn addition(element: &str) -> SetEdit {
                SetEdit::Add(element.to_owned())
            }

            fn removal(element: &str) -> SetEdit {
                SetEdit::Remove(element.to_owned())
            }

            fn of(elements: BTreeSet<String>) -> Self {
                Self::assign(elements)
            }
        }
    };
}
set_by_tags!(OrSet);
set_by_tags!(AwSet);

impl Set for LwwSet {
    fn addition(element: &str) -> KeyEdit {
        KeyEdit::add(element)
    }

    fn removal(element: &str) -> KeyEdit {
        KeyEdit::Remove(element.to_owned())
    }

    fn of(elements: BTreeSet<String>) -> Self {
        let valueless = |element| (element, "null".to_owned());
        Self::assign(elements.into_iter().map(valueless).collect())
    }
}

macro_rules! of_set {
    ($kind:expr, $T:ident => $result:expr) => {
        dispatch!($kind, [OrSet | AwSet | LwwSet], $T => $result)
    };
}

/// The elements, ascending.
pub fn elements(set: &Value) -> Vec<String> {
    of_set!(set.kind(), T => set.decode_as::<T>().keys())
}

/// An element that is there already keeps the value that it carries.
fn added<'a>(set: &Value, elements: impl Iterator<Item = &'a str>) -> Encoded {
    if set.kind() == ColumnKind::LwwSet {
        let held: LwwSet = set.decode_as();
        let new = elements.filter(|it| !held.contains(it));
        return set.all_edited::<LwwSet>(new.map(LwwSet::addition));
    }
    of_set!(set.kind(), T => set.all_edited::<T>(elements.map(T::addition)))
}

#[pg_extern(sql = false)]
fn crdt_set_add(set: Value, element: &str) -> Encoded {
    added(&set, std::iter::once(element))
}

#[pg_extern(sql = false)]
fn crdt_set_remove(set: Value, element: &str) -> Encoded {
    of_set!(set.kind(), T => set.edited::<T>(&T::removal(element)))
}

/// The element of an array that is none of a set.
fn refuse_null() -> ! {
    raise(
        PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
        "NULL cannot be an element of a set",
        "array_remove(elements, NULL) leaves it out.",
    )
}

#[pg_extern(sql = false)]
fn crdt_set_add_all(set: Value, elements: TextArray) -> Encoded {
    let elements = elements
        .iter()
        .map(|it| it.unwrap_or_else(|| refuse_null()));
    added(&set, elements)
}

/// NULL is in no set: to remove it changes nothing.
#[pg_extern(sql = false)]
fn crdt_set_remove_all(set: Value, elements: TextArray) -> Encoded {
    let elements = elements.iter().flatten();
    of_set!(set.kind(), T => set.all_edited::<T>(elements.map(T::removal)))
}

#[pg_extern(sql = false)]
fn crdt_set_value(set: Value) -> Vec<String> {
    elements(&set)
}

#[pg_extern(sql = false)]
fn crdt_set_of_array(elements: TextArray, fcinfo: pg_sys::FunctionCallInfo) -> Encoded {
    let elements = elements.distinct().unwrap_or_else(|| refuse_null());
    // SAFETY: the call is running.
    let kind = unsafe { kind::of_call(fcinfo) };
    // The join with nothing refuses a set that is too large to store.
    of_set!(kind, T => Encoded::of_change(T::of(elements).join(&T::default())))
}

/// Order and repetitions in the array do not count; one with a NULL in it
/// equals no set.
fn with_array(set: &Value, array: &TextArray) -> Ordering {
    match array.distinct() {
        Some(texts) => elements(set).iter().cmp(texts.iter()),
        None => Ordering::Less,
    }
}

fn array_with(array: &TextArray, set: &Value) -> Ordering {
    with_array(set, array).reverse()
}

equality_functions!(
    Value,
    TextArray,
    with_array,
    crdt_set_eq_array,
    crdt_set_ne_array
);
equality_functions!(
    TextArray,
    Value,
    array_with,
    crdt_array_eq_set,
    crdt_array_ne_set
);

#[pg_extern(sql = false)]
fn crdt_set_has(set: Value, element: &str) -> bool {
    of_set!(set.kind(), T => set.decode_as::<T>().contains(element))
}

#[pg_extern(sql = false)]
fn crdt_set_has_any(set: Value, elements: TextArray) -> bool {
    of_set!(set.kind(), T => {
        let set = set.decode_as::<T>();
        elements.iter().flatten().any(|it| set.contains(it))
    })
}

/// As with arrays, NULL is in no set.
fn contains_all(set: &Value, elements: &TextArray) -> bool {
    of_set!(set.kind(), T => {
        let set = set.decode_as::<T>();
        elements.iter().all(|it| it.is_some_and(|it| set.contains(it)))
    })
}

#[pg_extern(sql = false)]
fn crdt_set_contains_array(set: Value, elements: TextArray) -> bool {
    contains_all(&set, &elements)
}

#[pg_extern(sql = false)]
fn crdt_array_within_set(elements: TextArray, set: Value) -> bool {
    contains_all(&set, &elements)
}

fn within_array(set: &Value, array: &TextArray) -> bool {
    let texts: BTreeSet<&str> = array.iter().flatten().collect();
    elements(set).iter().all(|it| texts.contains(it.as_str()))
}

#[pg_extern(sql = false)]
fn crdt_set_within_array(set: Value, elements: TextArray) -> bool {
    within_array(&set, &elements)
}

#[pg_extern(sql = false)]
fn crdt_array_contains_set(elements: TextArray, set: Value) -> bool {
    within_array(&set, &elements)
}

fn contains(set: &Value, other: &Value) -> bool {
    of_set!(set.kind(), T => {
        let set = set.decode_as::<T>();
        elements(other).iter().all(|it| set.contains(it))
    })
}

#[pg_extern(sql = false)]
fn crdt_set_contains(set: Value, other: Value) -> bool {
    contains(&set, &other)
}

#[pg_extern(sql = false)]
fn crdt_set_within(set: Value, other: Value) -> bool {
    contains(&other, &set)
}

#[pg_extern(sql = false)]
fn crdt_set_cardinality(set: Value) -> i64 {
    let count = of_set!(set.kind(), T => set.decode_as::<T>().cardinality());
    i64::try_from(count).unwrap_or(i64::MAX)
}

// The last writer's own: an element may carry a value.

/// `crdt_put(s, element, value)`.
#[pg_extern(sql = false)]
fn crdt_lww_set_put(set: Value, element: &str, value: Jsonb) -> Encoded {
    Encoded::of_change(set.decode_as::<LwwSet>().put(element, &value.0))
}

/// `s -> element`: NULL if it is not there.
#[pg_extern(sql = false)]
fn crdt_lww_set_get(set: Value, element: &str) -> Option<Jsonb> {
    let set: LwwSet = set.decode_as();
    set.get(element).map(|json| Jsonb(json.to_owned()))
}
