//! The registers, `lww_register` and `mv_register`: a jsonb value.
//!
//! A literal is JSON if it can be read as JSON, else a JSON string; a value of
//! type text is always a string, so that a title typed in as `123` or `null`
//! stays one.

use super::comparison::equality_functions;
use super::json::Jsonb;
use super::kind::{self, dispatch};
use super::value::{Encoded, Value};
use crdt::{MvRegister, json};
use pgrx::datum::AnyNumeric;
use pgrx::pg_sys;
use pgrx::prelude::*;
use std::cmp::Ordering;

macro_rules! of_register {
    ($kind:expr, $T:ident => $result:expr) => {
        dispatch!($kind, [LwwRegister | MvRegister], $T => $result)
    };
}

/// The value as JSON text; of a conflict the latest. None if it was never set.
pub fn json_of(register: &Value) -> Option<String> {
    of_register!(register.kind(), T => register.decode_as::<T>().get().map(str::to_owned))
}

/// The value as `->>` gives it: a string without quotes, NULL for JSON's null
/// and for a register that was never set.
fn text_of(register: &Value) -> Option<String> {
    match json_of(register)?.as_str() {
        "null" => None,
        json if json.starts_with('"') => Some(json::unquote(json)),
        json => Some(Jsonb(json.to_owned()).canonical()),
    }
}

/// Text as a JSON string.
fn string(text: &str) -> Jsonb {
    Jsonb(json::quote(text))
}

/// The register with the wish to be this value, in jsonb's own notation: equal
/// numbers become equal bytes.
fn set(register: &Value, json: &Jsonb) -> Encoded {
    of_register!(register.kind(), T => {
        Encoded::of_change(register.decode_as::<T>().set(&json.canonical()))
    })
}

/// A plain literal of this value.
fn assigned(json: &Jsonb, fcinfo: pg_sys::FunctionCallInfo) -> Encoded {
    // SAFETY: the call is running.
    let kind = unsafe { kind::of_call(fcinfo) };
    of_register!(kind, T => Encoded::of_change(T::default().set(&json.canonical())))
}

#[pg_extern(sql = false)]
fn crdt_register_set_jsonb(register: Value, value: Jsonb) -> Encoded {
    set(&register, &value)
}

/// Literals of unknown type come here, and so are read as in `SET r = '...'`.
/// What NULL is to a column, a register that was never set is to this.
#[pg_extern(sql = false)]
fn crdt_register_set_literal(register: Value, value: Value) -> Encoded {
    match json_of(&value) {
        Some(json) => set(&register, &Jsonb(json)),
        None => Encoded::new(register.bytes().to_vec()),
    }
}

#[pg_extern(sql = false)]
fn crdt_register_set_numeric(register: Value, value: AnyNumeric) -> Encoded {
    set(&register, &Jsonb(value.to_string()))
}

#[pg_extern(sql = false)]
fn crdt_register_set_boolean(register: Value, value: bool) -> Encoded {
    set(&register, &Jsonb(value.to_string()))
}

#[pg_extern(sql = false)]
fn crdt_register_set_text(register: Value, value: &str) -> Encoded {
    set(&register, &string(value))
}

#[pg_extern(sql = false)]
fn crdt_register_to_text(register: Value) -> Option<String> {
    text_of(&register)
}

#[pg_extern(sql = false)]
fn crdt_register_of_jsonb(value: Jsonb, fcinfo: pg_sys::FunctionCallInfo) -> Encoded {
    assigned(&value, fcinfo)
}

#[pg_extern(sql = false)]
fn crdt_register_of_text(value: &str, fcinfo: pg_sys::FunctionCallInfo) -> Encoded {
    assigned(&string(value), fcinfo)
}

/// The text of a boolean is `t` or `f`, which is no JSON.
#[pg_extern(sql = false)]
fn crdt_register_of_boolean(value: bool, fcinfo: pg_sys::FunctionCallInfo) -> Encoded {
    assigned(&Jsonb(value.to_string()), fcinfo)
}

/// `crdt_values(x)`: all values that were written at once.
#[pg_extern(sql = false)]
fn crdt_mv_register_values(register: Value) -> Jsonb {
    let register: MvRegister = register.decode_as();
    Jsonb(format!("[{}]", register.values().join(",")))
}

#[pg_extern(sql = false)]
fn crdt_mv_register_is_conflicted(register: Value) -> bool {
    register.decode_as::<MvRegister>().is_conflicted()
}

/// With the register's value as text; None for JSON's null.
fn with_text(register: &Value, text: &&str) -> Option<Ordering> {
    text_of(register).map(|held| held.as_str().cmp(text))
}

fn text_with(text: &&str, register: &Value) -> Option<Ordering> {
    with_text(register, text).map(Ordering::reverse)
}

equality_functions!(
    Value,
    &str,
    with_text,
    crdt_register_eq_text,
    crdt_register_ne_text
);
equality_functions!(
    &str,
    Value,
    text_with,
    crdt_text_eq_register,
    crdt_text_ne_register
);
