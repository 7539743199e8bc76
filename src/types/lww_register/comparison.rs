//! Comparison by value, among registers, with jsonb and with text; btree and
//! hash.

use super::{Register, plain_text};
use crate::types::comparison::{equality_operators, order_operators};
use crate::types::json::Jsonb;
use crdt::json;
use pgrx::prelude::*;
use std::cmp::Ordering;

/// In the order of jsonb's kinds; a register that was never set comes first.
fn by_value(a: &Register, b: &Register) -> Ordering {
    let (a, b) = (a.decode(), b.decode());
    match (a.get(), b.get()) {
        (Some(a), Some(b)) => json::compare(a, b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// None for a register that was never set.
fn with_jsonb(register: &Register, value: &Jsonb) -> Option<Ordering> {
    let register = register.decode();
    // What nests too deep for a register equals none.
    let value = json::canonical(&value.0).ok();
    register
        .get()
        .map(|held| value.map_or(Ordering::Less, |value| json::compare(held, &value)))
}

fn jsonb_with(value: &Jsonb, register: &Register) -> Option<Ordering> {
    with_jsonb(register, value).map(Ordering::reverse)
}

/// With the register's value as text; None for JSON's null.
fn with_text(register: &Register, text: &&str) -> Option<Ordering> {
    plain_text(&register.decode()).map(|held| held.as_str().cmp(text))
}

fn text_with(text: &&str, register: &Register) -> Option<Ordering> {
    with_text(register, text).map(Ordering::reverse)
}

equality_operators!(
    Register,
    Register,
    by_value,
    lww_register_eq,
    lww_register_ne,
    hashes,
    merges
);
order_operators!(
    Register,
    Register,
    by_value,
    lww_register_lt,
    lww_register_le,
    lww_register_gt,
    lww_register_ge,
    lww_register_cmp
);
equality_operators!(
    Register,
    Jsonb,
    with_jsonb,
    lww_register_eq_jsonb,
    lww_register_ne_jsonb
);
equality_operators!(
    Jsonb,
    Register,
    jsonb_with,
    jsonb_eq_lww_register,
    jsonb_ne_lww_register
);
equality_operators!(
    Register,
    &str,
    with_text,
    lww_register_eq_text,
    lww_register_ne_text
);
equality_operators!(
    &str,
    Register,
    text_with,
    text_eq_lww_register,
    text_ne_lww_register
);

/// jsonb's hash of the value.
#[pg_extern(immutable, parallel_safe)]
fn lww_register_hash(register: Register) -> i32 {
    let register = register.decode();
    register
        .get()
        .map_or(0, |json| Jsonb(json.to_owned()).hash())
}

extension_sql!(
    r#"
CREATE OPERATOR CLASS lww_register_ops DEFAULT FOR TYPE lww_register USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
    FUNCTION 1 lww_register_cmp (lww_register, lww_register);
CREATE OPERATOR CLASS lww_register_ops DEFAULT FOR TYPE lww_register USING hash AS
    OPERATOR 1 =,
    FUNCTION 1 lww_register_hash (lww_register);
"#,
    name = "lww_register_classes",
    requires = [
        lww_register_eq,
        lww_register_lt,
        lww_register_le,
        lww_register_gt,
        lww_register_ge,
        lww_register_cmp,
        lww_register_hash
    ]
);
