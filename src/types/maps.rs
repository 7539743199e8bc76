//! The maps: `lww_map`, `or_map`, `or_cart`. What they show is a JSON object;
//! `->`, `->>`, `#>`, `#>>`, `crdt_keys` and `crdt_each` read it as jsonb.

use super::json::Jsonb;
use super::kind::{self, dispatch};
use super::value::{Encoded, Value};
use super::{plain, refusal};
use crate::error::{OrCorrupt, raise};
use crdt::lww_table::KeyEdit;
use crdt::or_cart::CartEdit;
use crdt::or_map::MapEdit;
use crdt::{ColumnKind, Crdt, LwwMap, OrCart, OrMap};
use pgrx::datum::Array;
use pgrx::prelude::*;
use pgrx::{direct_function_call, pg_sys};

macro_rules! of_map {
    ($kind:expr, $T:ident => $result:expr) => {
        dispatch!($kind, [LwwMap | OrMap | OrCart], $T => $result)
    };
}

fn keys(map: &Value) -> Vec<String> {
    of_map!(map.kind(), T => map.decode_as::<T>().keys())
}

/// The value as a JSON object.
pub fn json_of(map: &Value) -> String {
    let shown = of_map!(map.kind(), T => map.decode_as::<T>().plain_text());
    shown.unwrap_or_else(|error| refusal::change(&error))
}

#[pg_extern(sql = false)]
fn crdt_map_of_jsonb(value: Jsonb, fcinfo: pg_sys::FunctionCallInfo) -> Encoded {
    // SAFETY: the call is running.
    let kind = unsafe { kind::of_call(fcinfo) };
    of_map!(kind, T => Encoded::of(&plain::of_json::<T>(&value)))
}

#[pg_extern(sql = false)]
fn crdt_map_has(map: Value, key: &str) -> bool {
    keys(&map).iter().any(|it| it == key)
}

#[pg_extern(sql = false)]
fn crdt_map_has_any(map: Value, wanted: Array<'_, &str>) -> bool {
    let keys = keys(&map);
    wanted
        .iter()
        .flatten()
        .any(|it| keys.iter().any(|key| key == it))
}

/// NULL is no key.
#[pg_extern(sql = false)]
fn crdt_map_has_all(map: Value, wanted: Array<'_, &str>) -> bool {
    let keys = keys(&map);
    wanted
        .iter()
        .all(|it| it.is_some_and(|it| keys.iter().any(|key| key == it)))
}

#[pg_extern(sql = false)]
fn crdt_map_cardinality(map: Value) -> i64 {
    i64::try_from(keys(&map).len()).unwrap_or(i64::MAX)
}

/// Whether `whole` holds `part`, as jsonb's `@>`.
fn holds(whole: &Jsonb, part: &Jsonb) -> bool {
    let arguments = [Some(whole.datum()), Some(part.datum())];
    // SAFETY: jsonb_contains takes two values of jsonb.
    unsafe { direct_function_call(pg_sys::jsonb_contains, &arguments) }
        .or_corrupt("jsonb_contains returned null")
}

#[pg_extern(sql = false)]
fn crdt_map_contains(map: Value, other: Value) -> bool {
    holds(&Jsonb(json_of(&map)), &Jsonb(json_of(&other)))
}

#[pg_extern(sql = false)]
fn crdt_map_within(map: Value, other: Value) -> bool {
    holds(&Jsonb(json_of(&other)), &Jsonb(json_of(&map)))
}

#[pg_extern(sql = false)]
fn crdt_map_contains_jsonb(map: Value, part: Jsonb) -> bool {
    holds(&Jsonb(json_of(&map)), &part)
}

#[pg_extern(sql = false)]
fn crdt_jsonb_within_map(part: Jsonb, map: Value) -> bool {
    holds(&Jsonb(json_of(&map)), &part)
}

#[pg_extern(sql = false)]
fn crdt_map_within_jsonb(map: Value, whole: Jsonb) -> bool {
    holds(&whole, &Jsonb(json_of(&map)))
}

#[pg_extern(sql = false)]
fn crdt_jsonb_contains_map(whole: Jsonb, map: Value) -> bool {
    holds(&whole, &Jsonb(json_of(&map)))
}

/// `map || object`: all keys of a JSON object at the price of one.
#[pg_extern(sql = false)]
fn crdt_map_put_all(map: Value, object: Jsonb) -> Encoded {
    // The members of any object are those of an lww_map.
    let members = plain::of_json::<LwwMap>(&object);
    let members = members.iter();
    match map.kind() {
        ColumnKind::OrMap => map.all_edited::<OrMap>(members.map(|(key, json)| MapEdit::PutJson {
            path: vec![key.to_owned()],
            json: json.to_owned(),
        })),
        ColumnKind::OrCart => {
            let counts = plain::of_json::<OrCart>(&object).value();
            let counts = counts.unwrap_or_else(|error| refusal::change(&error));
            let puts = counts
                .into_iter()
                .map(|(key, count)| CartEdit::Put { key, count });
            map.all_edited::<OrCart>(puts)
        }
        _ => map.all_edited::<LwwMap>(
            members.map(|(key, json)| KeyEdit::Put(key.to_owned(), json.to_owned())),
        ),
    }
}

// lww_map's own.

#[pg_extern(sql = false)]
fn crdt_lww_map_put(map: Value, key: &str, value: Jsonb) -> Encoded {
    Encoded::of_change(map.decode_as::<LwwMap>().put(key, &value.0))
}

#[pg_extern(sql = false)]
fn crdt_lww_map_remove(map: Value, key: &str) -> Encoded {
    Encoded::of_change(map.decode_as::<LwwMap>().remove(key))
}

// or_map's own, by the path to a key.

/// The keys from the outermost map inwards.
fn path(keys: &Array<'_, &str>) -> Vec<String> {
    let key = |key: Option<&str>| match key {
        Some(key) => key.to_owned(),
        None => raise(
            PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
            "NULL cannot be a key of a map",
            "Name each key of the path.",
        ),
    };
    keys.iter().map(key).collect()
}

/// An object becomes a map of its own, all else a register; where a counter or
/// a set is, a whole number or an array of texts becomes what it shows.
#[pg_extern(sql = false)]
fn crdt_or_map_put(map: Value, keys: Array<'_, &str>, value: Jsonb) -> Encoded {
    let (path, json) = (path(&keys), value.0);
    map.edited::<OrMap>(&MapEdit::PutJson { path, json })
}

#[pg_extern(sql = false)]
fn crdt_or_map_increment(map: Value, keys: Array<'_, &str>, amount: i64) -> Encoded {
    let path = path(&keys);
    map.edited::<OrMap>(&MapEdit::Add { path, amount })
}

#[pg_extern(sql = false)]
fn crdt_or_map_add(map: Value, keys: Array<'_, &str>, element: &str) -> Encoded {
    let (path, element) = (path(&keys), element.to_owned());
    map.edited::<OrMap>(&MapEdit::SetAdd { path, element })
}

#[pg_extern(sql = false)]
fn crdt_or_map_remove_element(map: Value, keys: Array<'_, &str>, element: &str) -> Encoded {
    let (path, element) = (path(&keys), element.to_owned());
    map.edited::<OrMap>(&MapEdit::SetRemove { path, element })
}

#[pg_extern(sql = false)]
fn crdt_or_map_remove(map: Value, keys: Array<'_, &str>) -> Encoded {
    map.edited::<OrMap>(&MapEdit::Remove { path: path(&keys) })
}

// or_cart's own.

#[pg_extern(sql = false)]
fn crdt_or_cart_put(cart: Value, key: &str, count: i64) -> Encoded {
    let key = key.to_owned();
    cart.edited::<OrCart>(&CartEdit::Put { key, count })
}

#[pg_extern(sql = false)]
fn crdt_or_cart_increment(cart: Value, key: &str, amount: i64) -> Encoded {
    let key = key.to_owned();
    cart.edited::<OrCart>(&CartEdit::Add { key, amount })
}

#[pg_extern(sql = false)]
fn crdt_or_cart_remove(cart: Value, key: &str) -> Encoded {
    let key = key.to_owned();
    cart.edited::<OrCart>(&CartEdit::Remove { key })
}

/// `cart -> key`: NULL if it is not there.
#[pg_extern(sql = false)]
fn crdt_or_cart_get(cart: Value, key: &str) -> Option<i64> {
    let counts = cart.decode_as::<OrCart>().value();
    let counts = counts.unwrap_or_else(|error| refusal::change(&error));
    counts.get(key).copied()
}
