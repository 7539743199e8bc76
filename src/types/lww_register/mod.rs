//! `lww_register`: one jsonb value, the last writer wins. `definition` declares
//! the type, the other files its functions by concern.
//!
//! A literal is JSON if it can be read as JSON, else a JSON string; a value of
//! type text is always a string, so that a title typed in as `123` or `null`
//! stays one.

mod casts;
mod comparison;
mod definition;
mod lattice;
mod operators;

use super::json::Jsonb;
use super::stored::Stored;
use super::{refusal, text_binary};
use crdt::LwwRegister;
use std::ffi::CStr;

/// A plain literal, for hints.
const EXAMPLE: &str = "'\"a\"'";

/// The SQL type.
type Register = Stored<LwwRegister>;

/// Reads the text form; JSON passes through jsonb.
fn input(text: &CStr) -> Register {
    let register: LwwRegister = text_binary::input(text, EXAMPLE);
    match register.wanted() {
        Some(json) if register.written().is_none() => assign(&Jsonb(json.to_owned())),
        _ => Stored::new(&register),
    }
}

/// A plain literal of this value.
fn assign(json: &Jsonb) -> Register {
    set(&LwwRegister::default(), json)
}

/// The register with the wish to be this value, in jsonb's own notation: equal
/// numbers become equal bytes.
fn set(register: &LwwRegister, json: &Jsonb) -> Register {
    match register.set(&json.canonical()) {
        Ok(register) => Stored::new(&register),
        Err(error) => refusal::change(&error),
    }
}

/// Text as a JSON string.
fn string(text: &str) -> Jsonb {
    Jsonb(crdt::json::quote(text))
}

/// The value as `->>` gives it: a string without quotes, NULL for JSON's null
/// and for a register that was never set.
fn plain_text(register: &LwwRegister) -> Option<String> {
    match register.get()? {
        "null" => None,
        json if json.starts_with('"') => serde_json::from_str(json).ok(),
        json => Some(Jsonb(json.to_owned()).canonical()),
    }
}
