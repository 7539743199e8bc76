//! Inverted indexes over the elements of sets and the keys of maps: the support
//! functions of the operator classes, one set for all such types.
//!
//! The operators' numbers are the same in each class: 1 `@>` a value of the
//! type, 2 `@>` text[] (sets only), 3 `?` text, 4 `?|` text[], 5 `?&` text[].

use super::value::Value;
use crate::error::OrCorrupt;
use crate::function::{argument, v1_function};
use pgrx::{FromDatum, IntoDatum, pg_sys};

v1_function!(crdt_gin_value, pg_finfo_crdt_gin_value, extract_value);
v1_function!(crdt_gin_query, pg_finfo_crdt_gin_query, extract_query);
v1_function!(
    crdt_gin_consistent,
    pg_finfo_crdt_gin_consistent,
    consistent
);

const CONTAINS: u16 = 1;
const CONTAINS_ARRAY: u16 = 2;
const HAS: u16 = 3;
const HAS_ANY: u16 = 4;

/// The keys under which a value is found: (T, internal, internal) → internal.
unsafe fn extract_value(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: declared with a CRDT type first.
    unsafe {
        let value = Value::argument(fcinfo, 0).or_corrupt("an indexed value");
        let found = value.decode().keys();
        keys(found.iter().map(String::as_str), argument(fcinfo, 1))
    }
}

/// The keys that a condition asks for: (query, internal, int2, internal,
/// internal, internal, internal) → internal. The query is declared to be of
/// the class's type, and is so for the first operator.
unsafe fn extract_query(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the operator's number tells the type of the query.
    unsafe {
        let value = argument(fcinfo, 0).or_corrupt("a query");
        let count = argument(fcinfo, 1);
        let strategy = argument(fcinfo, 2).map_or(0, |it| it.value() as u16);
        let wanted: Vec<Option<String>> = match strategy {
            CONTAINS => {
                let value = Value::argument(fcinfo, 0).or_corrupt("a query");
                value.decode().keys().into_iter().map(Some).collect()
            }
            HAS => vec![String::from_datum(value, false)],
            _ => Vec::<Option<String>>::from_datum(value, false).unwrap_or_default(),
        };
        // NULL is in no set: `@>` and `?&` an array with it find nothing, and
        // `?|` passes over it.
        let impossible = strategy != HAS_ANY && wanted.contains(&None);
        let wanted: Vec<String> = wanted.into_iter().flatten().collect();
        if wanted.is_empty()
            && !impossible
            && strategy != HAS_ANY
            && let Some(mode) = argument(fcinfo, 6)
        {
            // Every value contains nothing at all.
            *mode.cast_mut_ptr::<i32>() = pg_sys::GIN_SEARCH_MODE_ALL as i32;
        }
        let wanted: &[String] = if impossible { &[] } else { &wanted };
        keys(wanted.iter().map(String::as_str), count)
    }
}

/// Whether a value that has the keys marked in `check` meets the condition:
/// consistent (internal, int2, query, int4, internal, internal, internal,
/// internal) → bool. It is exact but for `@>`: a map's values count as well.
unsafe fn consistent(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: check has as many booleans as there are keys.
    unsafe {
        let check = argument(fcinfo, 0)
            .or_corrupt("a check")
            .cast_mut_ptr::<bool>();
        let strategy = argument(fcinfo, 1).map_or(0, |it| it.value() as u16);
        let count = argument(fcinfo, 3).map_or(0, |it| it.value() as i32);
        if let Some(recheck) = argument(fcinfo, 5) {
            *recheck.cast_mut_ptr::<bool>() = matches!(strategy, CONTAINS | CONTAINS_ARRAY);
        }
        let check = match usize::try_from(count) {
            Ok(count) if count > 0 => std::slice::from_raw_parts(check, count),
            _ => &[],
        };
        pg_sys::Datum::from(match strategy {
            HAS_ANY => check.contains(&true),
            _ => !check.contains(&false),
        })
    }
}

/// A palloc'd array of text datums, its length in `count`.
unsafe fn keys<'a>(
    keys: impl Iterator<Item = &'a str>,
    count: Option<pg_sys::Datum>,
) -> pg_sys::Datum {
    let datums: Vec<pg_sys::Datum> = keys.filter_map(IntoDatum::into_datum).collect();
    // SAFETY: count points to an int4 of the caller; the copy holds all datums.
    unsafe {
        if let Some(count) = count {
            *count.cast_mut_ptr::<i32>() = i32::try_from(datums.len()).unwrap_or(i32::MAX);
        }
        if datums.is_empty() {
            return pg_sys::Datum::null();
        }
        let array = pg_sys::palloc(size_of_val(&datums[..])).cast::<pg_sys::Datum>();
        array.copy_from_nonoverlapping(datums.as_ptr(), datums.len());
        array.into()
    }
}
