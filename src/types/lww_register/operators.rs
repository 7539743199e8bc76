//! `crdt_set(r, value)` and `crdt_value(r)`.

use super::{Register, set, string};
use crate::types::json::Jsonb;
use pgrx::datum::AnyNumeric;
use pgrx::prelude::*;

#[pg_extern(immutable, parallel_safe, name = "crdt_set")]
fn lww_register_set_jsonb(register: Register, value: Jsonb) -> Register {
    set(&register.decode(), &value)
}

/// Literals of unknown type come here, and so are read as in `SET r = '...'`.
/// What NULL is to a column, a register that was never set is to this.
#[pg_extern(immutable, parallel_safe, name = "crdt_set")]
fn lww_register_set_literal(register: Register, value: Register) -> Register {
    match value.decode().get() {
        Some(json) => set(&register.decode(), &Jsonb(json.to_owned())),
        None => register,
    }
}

#[pg_extern(immutable, parallel_safe, name = "crdt_set")]
fn lww_register_set_numeric(register: Register, value: AnyNumeric) -> Register {
    set(&register.decode(), &Jsonb(value.to_string()))
}

#[pg_extern(immutable, parallel_safe, name = "crdt_set")]
fn lww_register_set_boolean(register: Register, value: bool) -> Register {
    set(&register.decode(), &Jsonb(value.to_string()))
}

#[pg_extern(immutable, parallel_safe, sql = false)]
fn lww_register_set_text(register: Register, value: &str) -> Register {
    set(&register.decode(), &string(value))
}

/// NULL if the register was never set.
#[pg_extern(immutable, parallel_safe, name = "crdt_value")]
fn lww_register_value(register: Register) -> Option<Jsonb> {
    register.decode().get().map(|json| Jsonb(json.to_owned()))
}

// Declared with varchar, which text and name of columns and parameters become
// unasked: with text, PostgreSQL would prefer this function for literals.
extension_sql!(
    r#"
CREATE FUNCTION crdt_set(register lww_register, value varchar) RETURNS lww_register
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'lww_register_set_text_wrapper';
"#,
    name = "lww_register_operators",
    requires = ["lww_register"]
);
