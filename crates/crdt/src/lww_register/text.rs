//! The text form of a register: its JSON text, or `"a" @v1:…` with its state.

use super::LwwRegister;
use crate::{Crdt, MAX_STATE_BYTES, Stamp, TextError, json, text_form};

pub(super) fn print(register: &LwwRegister) -> String {
    let is_plain = register.state.is_none() && register.wanted.is_some();
    text_form::print(register, readable(register), is_plain)
}

pub(super) fn parse(text: &str) -> Result<LwwRegister, TextError> {
    text_form::parse(text, readable, plain)
}

/// A register that was never set shows as null; its state tells it from a JSON null.
fn readable(register: &LwwRegister) -> String {
    register.get().unwrap_or("null").to_owned()
}

/// JSON if it parses as JSON, else a JSON string of the text.
fn plain(text: &str) -> Result<LwwRegister, TextError> {
    if text.contains('\0') {
        return Err(TextError::Syntax {
            type_name: LwwRegister::NAME,
            text: text_form::shorten(text),
            why: "a NUL character",
        });
    }
    LwwRegister::assign(Some(text.to_owned()))
        .bounded()
        .map_err(|_| TextError::TooLarge {
            type_name: LwwRegister::NAME,
            limit: MAX_STATE_BYTES,
        })
}

pub(super) fn json(register: &LwwRegister) -> String {
    let state = match register.written() {
        Some(written) => format!(
            r#"{{"value":{},"stamp":{},"birth":{}}}"#,
            written.value,
            json_stamp(&written.stamp),
            json_stamp(&written.birth)
        ),
        None => "null".to_owned(),
    };
    let change = match register.wanted() {
        Some(wanted) => format!(r#"{{"assign":{wanted}}}"#),
        None => "null".to_owned(),
    };
    let value = register.get().unwrap_or("null");
    format!(r#"{{"type":"lww_register","value":{value},"written":{state},"change":{change}}}"#)
}

fn json_stamp(stamp: &Stamp) -> String {
    format!(
        r#"{{"millis":{},"logical":{},"replica":{}}}"#,
        stamp.hlc.millis(),
        stamp.hlc.logical(),
        json::quote(&stamp.replica.to_string())
    )
}
