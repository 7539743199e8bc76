//! Casts from and to arrays, on assignment: `SET tags = ARRAY['a','b']`,
//! `tags::text[]`.

use super::Set;
use crate::error::raise;
use crate::types::json::Json;
use crate::types::refusal;
use crate::types::stored::Stored;
use crdt::{Crdt, OrSet};
use pgrx::datum::Array;
use pgrx::prelude::*;
use std::collections::BTreeSet;

/// The elements of an array, each once; None if one is NULL.
pub fn texts(array: &Array<'_, &str>) -> Option<BTreeSet<String>> {
    array.iter().map(|text| text.map(str::to_owned)).collect()
}

#[pg_cast(assignment, immutable, parallel_safe)]
fn or_set_to_array(set: Set) -> Vec<String> {
    set.decode().elements().map(str::to_owned).collect()
}

/// For row_to_json, to_jsonb and the like, which ask for a cast to json.
#[pg_cast(immutable, parallel_safe)]
fn or_set_to_json(set: Set) -> Json {
    let set = set.decode();
    let elements: Vec<String> = set.elements().map(crdt::json::quote).collect();
    Json(format!("[{}]", elements.join(",")))
}

#[pg_cast(assignment, immutable, parallel_safe)]
fn array_to_or_set(elements: Array<'_, &str>) -> Set {
    let Some(elements) = texts(&elements) else {
        raise(
            PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
            "NULL cannot be an element of a set",
            "array_remove(elements, NULL) leaves it out.",
        )
    };
    // The join with nothing refuses a set that is too large to store.
    match OrSet::assign(elements).join(&OrSet::default()) {
        Ok(set) => Stored::new(&set),
        Err(error) => refusal::change(&error),
    }
}

// Arrays of varchar do not pass as arrays of text, though they look the same.
extension_sql!(
    r#"
CREATE FUNCTION array_to_or_set(elements varchar[]) RETURNS or_set
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'array_to_or_set_wrapper';
CREATE CAST (varchar[] AS or_set) WITH FUNCTION array_to_or_set(varchar[]) AS ASSIGNMENT;
"#,
    name = "or_set_casts",
    requires = [array_to_or_set]
);
