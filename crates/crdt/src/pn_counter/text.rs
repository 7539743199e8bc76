//! The text form of a counter: `12`, or `12 @v1:…` with its state.

use super::{PnCounter, Step};
use crate::slots::whole_number;
use crate::{Change, Crdt, TextError, text_form};

pub(super) fn print(counter: &PnCounter) -> String {
    let is_plain = counter.slots.is_empty() && matches!(counter.change, Change::Assign(_));
    text_form::print(counter, readable(counter), is_plain)
}

pub(super) fn parse(text: &str) -> Result<PnCounter, TextError> {
    text_form::parse(text, readable, plain)
}

/// A sum beyond bigint is shown as it is, so that a dump loses nothing.
fn readable(counter: &PnCounter) -> String {
    counter.sum().to_string()
}

fn plain(text: &str) -> Result<PnCounter, TextError> {
    whole_number(PnCounter::NAME, text).map(PnCounter::assign)
}

pub(super) fn json(counter: &PnCounter) -> String {
    let slots: Vec<String> = counter
        .slots
        .iter()
        .map(|slot| {
            format!(
                r#"{{"replica":"{}","tick":{},"up":{},"down":{}}}"#,
                slot.dot.replica, slot.dot.counter, slot.up, slot.down
            )
        })
        .collect();
    let change = match counter.change {
        Change::None => "null".to_owned(),
        Change::Add(Step { up, down }) => format!(r#"{{"add":{{"up":{up},"down":{down}}}}}"#),
        Change::Assign(value) => format!(r#"{{"assign":{value}}}"#),
    };
    format!(
        r#"{{"type":"pn_counter","value":{},"slots":[{}],"change":{change}}}"#,
        counter.sum(),
        slots.join(",")
    )
}
