//! The text form of a grow-only counter: `12`, or `12 @v1:…` with its state.

use super::GCounter;
use crate::slots::whole_number;
use crate::{Change, Crdt, TextError, text_form};

pub(super) fn print(counter: &GCounter) -> String {
    let is_plain = counter.slots.is_empty() && matches!(counter.change, Change::Assign(_));
    text_form::print(counter, readable(counter), is_plain)
}

pub(super) fn parse(text: &str) -> Result<GCounter, TextError> {
    text_form::parse(text, readable, |text| {
        whole_number(GCounter::NAME, text).map(GCounter::assign)
    })
}

/// A sum beyond bigint is shown as it is, so that a dump loses nothing.
fn readable(counter: &GCounter) -> String {
    counter.sum().to_string()
}

pub(super) fn json(counter: &GCounter) -> String {
    let slots: Vec<String> = counter
        .slots
        .iter()
        .map(|slot| {
            format!(
                r#"{{"replica":"{}","tick":{},"total":{}}}"#,
                slot.dot.replica, slot.dot.counter, slot.total
            )
        })
        .collect();
    let change = match counter.change {
        Change::None => "null".to_owned(),
        Change::Add(amount) => format!(r#"{{"add":{amount}}}"#),
        Change::Assign(value) => format!(r#"{{"assign":{value}}}"#),
    };
    format!(
        r#"{{"type":"g_counter","value":{},"slots":[{}],"change":{change}}}"#,
        counter.sum(),
        slots.join(",")
    )
}
