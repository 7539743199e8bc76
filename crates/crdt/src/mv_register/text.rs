//! The text form of a register: its JSON text, `"a" @v1:…` with its state, or of a conflict
//! `"a" | "b" @v1:…`.

use super::MvRegister;
use crate::{Crdt, MAX_STATE_BYTES, TextError, text_form};

pub(super) fn print(register: &MvRegister) -> String {
    // Several values or none would be read back as one.
    let is_one = register.wanted().is_some_and(|wanted| wanted.len() == 1);
    let is_plain = is_one && register.knows_nothing();
    text_form::print(register, readable(register), is_plain)
}

pub(super) fn parse(text: &str) -> Result<MvRegister, TextError> {
    text_form::parse(text, readable, plain)
}

/// An empty register shows as null; its state tells it from a JSON null.
pub(super) fn readable(register: &MvRegister) -> String {
    match register.values().as_slice() {
        [] => "null".to_owned(),
        values => values.join(" | "),
    }
}

/// JSON if it parses as JSON, else a JSON string of the text.
fn plain(text: &str) -> Result<MvRegister, TextError> {
    if text.contains('\0') {
        return Err(TextError::Syntax {
            type_name: MvRegister::NAME,
            text: text_form::shorten(text),
            why: "a NUL character",
        });
    }
    let register = MvRegister::assign(vec![text.to_owned()]);
    match register.check_size() {
        Ok(()) => Ok(register),
        Err(_) => Err(TextError::TooLarge {
            type_name: MvRegister::NAME,
            limit: MAX_STATE_BYTES,
        }),
    }
}

pub(super) fn json(register: &MvRegister) -> String {
    let written: Vec<String> = register
        .live()
        .iter()
        .map(|(dot, value)| format!(r#""{dot}":{value}"#))
        .collect();
    let seen: Vec<String> = register
        .context()
        .iter()
        .map(|(replica, spans)| {
            let spans: Vec<String> = spans
                .iter()
                .map(|span| format!("[{},{}]", span.after, span.upto))
                .collect();
            format!(r#""{replica}":[{}]"#, spans.join(","))
        })
        .collect();
    let change = match register.wanted() {
        Some(wanted) => format!(r#"{{"assign":[{}]}}"#, wanted.join(",")),
        None => "null".to_owned(),
    };
    format!(
        r#"{{"type":"mv_register","value":[{}],"written":{{{}}},"seen":{{{}}},"change":{change}}}"#,
        register.values().join(","),
        written.join(","),
        seen.join(",")
    )
}
