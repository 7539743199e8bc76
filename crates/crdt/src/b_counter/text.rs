//! The text form of a bounded counter: `12`, `12 floor 5`, or either ` @v1:…` with its state.

use super::{BCounter, Wanted};
use crate::pn_counter::Step;
use crate::slots::whole_number;
use crate::{Change, Crdt, TextError, text_form};

pub(super) fn print(counter: &BCounter) -> String {
    let is_plain = counter.slots.is_empty()
        && counter.transfers.is_empty()
        && counter.gifts.is_empty()
        && matches!(counter.change, Change::Assign(_));
    text_form::print(counter, readable(counter), is_plain)
}

pub(super) fn parse(text: &str) -> Result<BCounter, TextError> {
    text_form::parse(text, readable, plain)
}

/// A sum beyond bigint is shown as it is, so that a dump loses nothing.
pub(super) fn readable(counter: &BCounter) -> String {
    let is_said = matches!(
        counter.change,
        Change::Assign(Wanted { floor: Some(_), .. })
    );
    match counter.floor() {
        0 if !is_said => counter.sum().to_string(),
        floor => format!("{} floor {floor}", counter.sum()),
    }
}

fn plain(text: &str) -> Result<BCounter, TextError> {
    let syntax = |why| TextError::Syntax {
        type_name: BCounter::NAME,
        text: text_form::shorten(text),
        why,
    };
    let number = |digits: &str| whole_number(BCounter::NAME, digits);
    let mut words = text.split_whitespace();
    let value = words
        .next()
        .ok_or_else(|| syntax("a whole number is expected"))?;
    let value = number(value)?;
    match (words.next(), words.next(), words.next()) {
        (None, ..) => Ok(BCounter::assign(value)),
        (Some("floor"), Some(floor), None) => {
            BCounter::with_floor(value, number(floor)?).map_err(|_| syntax("it is below its floor"))
        }
        _ => Err(syntax("a whole number or \"12 floor 5\" is expected")),
    }
}

pub(super) fn json(counter: &BCounter) -> String {
    let slots = counter.slots.iter().map(|slot| {
        format!(
            r#"{{"replica":"{}","tick":{},"up":{},"down":{},"floor":{}}}"#,
            slot.dot.replica, slot.dot.counter, slot.up, slot.down, slot.floor
        )
    });
    let transfers = counter.transfers.iter().map(|((from, to), amount)| {
        format!(
            r#"{{"from":"{}","tick":{},"to":"{to}","amount":{amount}}}"#,
            from.replica, from.counter
        )
    });
    let rights = counter.rights();
    let rights = rights
        .iter()
        .map(|(replica, rights)| format!(r#""{replica}":{rights}"#));
    let mut changes = Vec::new();
    match counter.change {
        Change::None => (),
        Change::Add(Step { up, down }) => {
            changes.push(format!(r#""add":{{"up":{up},"down":{down}}}"#));
        }
        Change::Assign(Wanted { value, floor }) => {
            changes.push(format!(r#""assign":{value}"#));
            changes.extend(floor.map(|floor| format!(r#""floor":{floor}"#)));
        }
    }
    if !counter.gifts.is_empty() {
        let gifts = counter.gifts.iter();
        let gifts = gifts.map(|(to, amount)| format!(r#""{to}":{amount}"#));
        changes.push(format!(r#""transfer":{{{}}}"#, joined(gifts)));
    }
    let change = if changes.is_empty() {
        "null".to_owned()
    } else {
        format!("{{{}}}", changes.join(","))
    };
    format!(
        r#"{{"type":"b_counter","value":{},"floor":{},"slots":[{}],"transfers":[{}],"rights":{{{}}},"change":{change}}}"#,
        counter.sum(),
        counter.floor(),
        joined(slots),
        joined(transfers),
        joined(rights)
    )
}

fn joined(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(",")
}
