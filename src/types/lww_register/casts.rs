//! Casts from and to jsonb and text: `SET title = $1::text`, `title::text`,
//! `title ILIKE '%x%'`.

use super::{Register, assign, plain_text, string};
use crate::types::json::{Json, Jsonb};
use pgrx::prelude::*;

#[pg_cast(assignment, immutable, parallel_safe)]
fn lww_register_to_jsonb(register: Register) -> Option<Jsonb> {
    register.decode().get().map(|json| Jsonb(json.to_owned()))
}

/// For row_to_json, to_jsonb and the like, which ask for a cast to json.
#[pg_cast(immutable, parallel_safe)]
fn lww_register_to_json(register: Register) -> Option<Json> {
    register.decode().get().map(|json| Json(json.to_owned()))
}

/// Implicit, so that what works on text works on a register: `title || '!'`,
/// `lower(title)`, `title LIKE 'a%'`.
#[pg_cast(implicit, immutable, parallel_safe)]
fn lww_register_to_text(register: Register) -> Option<String> {
    plain_text(&register.decode())
}

#[pg_cast(assignment, immutable, parallel_safe)]
fn jsonb_to_lww_register(value: Jsonb) -> Register {
    assign(&value)
}

#[pg_cast(assignment, immutable, parallel_safe)]
fn text_to_lww_register(value: &str) -> Register {
    assign(&string(value))
}

/// The text of a boolean is `t` or `f`, which is no JSON.
#[pg_cast(assignment, immutable, parallel_safe)]
fn boolean_to_lww_register(value: bool) -> Register {
    assign(&Jsonb(value.to_string()))
}

// A cast to or from varchar would otherwise go through the text form, state
// and all. Numbers may: their text is JSON.
extension_sql!(
    r#"
CREATE CAST (varchar AS lww_register) WITH FUNCTION text_to_lww_register(text) AS ASSIGNMENT;
CREATE CAST (lww_register AS varchar) WITH FUNCTION lww_register_to_text(lww_register) AS ASSIGNMENT;
"#,
    name = "lww_register_casts",
    requires = [text_to_lww_register, lww_register_to_text]
);
