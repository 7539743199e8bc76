//! The text form of a table: its plain literal, or `{"a": 1} @v1:…` with its state.

use super::{Edits, LwwTable, TableKind, Values};
use crate::{Change, MAX_STATE_BYTES, Stamp, TextError, json, text_form};

pub(super) fn print<K: TableKind>(table: &LwwTable<K>) -> String {
    let is_assignment = matches!(table.change, Change::Assign(_));
    let is_plain = is_assignment && table.knows_nothing();
    text_form::print(table, readable(table), is_plain)
}

pub(super) fn parse<K: TableKind>(text: &str) -> Result<LwwTable<K>, TextError> {
    text_form::parse(text, readable, |text| {
        let change = Change::Assign(K::parse(text)?.into_iter().collect());
        let table = LwwTable::of(Default::default(), Vec::new(), 0, change);
        table.bounded().map_err(|_| TextError::TooLarge {
            type_name: K::NAME,
            limit: MAX_STATE_BYTES,
        })
    })
}

pub(super) fn readable<K: TableKind>(table: &LwwTable<K>) -> String {
    K::print(&table.values())
}

/// A JSON object of keys and JSON texts, in the order given.
pub(crate) fn object<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let members = members.into_iter();
    let members = members.map(|(key, value)| format!("{}: {value}", json::quote(key)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
}

/// The members of a JSON object: key → canonical JSON text. The error says what is wrong.
pub(crate) fn parse_object(text: &str) -> Result<Values, &'static str> {
    let canonical = json::canonical(text).map_err(|fault| fault.why)?;
    let members = json::members(&canonical).ok_or("a JSON object is expected")?;
    let owned = |(key, value): (String, &str)| (key, value.to_owned());
    Ok(members.into_iter().map(owned).collect())
}

pub(super) fn json<K: TableKind>(table: &LwwTable<K>) -> String {
    let entries: Vec<(&str, String)> = table
        .entries
        .iter()
        .map(|(key, entry)| {
            let value = match &entry.value {
                Some(value) => format!(r#""value":{value}"#),
                None => r#""removed":true"#.to_owned(),
            };
            let stamp = json_stamp(&entry.stamp);
            (key, format!(r#"{{{value},"stamp":{stamp}}}"#))
        })
        .collect();
    let births: Vec<String> = table.births.iter().map(json_stamp).collect();
    let change = match &table.change {
        Change::None => "null".to_owned(),
        Change::Add(edits) => json_edits(edits),
        Change::Assign(values) => {
            let values = values.iter().map(|(key, value)| (key, value.as_str()));
            format!(r#"{{"assign":{}}}"#, object(values))
        }
    };
    format!(
        r#"{{"type":"{}","value":{},"entries":{},"births":[{}],"floor":{},"change":{change}}}"#,
        K::NAME,
        object(table.values()),
        object(entries.iter().map(|(key, entry)| (*key, entry.as_str()))),
        births.join(","),
        table.floor
    )
}

fn json_edits(edits: &Edits) -> String {
    let put = edits
        .iter()
        .filter_map(|(key, edit)| Some((key, edit.as_deref()?)));
    let removed = edits.iter().filter(|(_, edit)| edit.is_none());
    let removed: Vec<String> = removed.map(|(key, _)| json::quote(key)).collect();
    format!(
        r#"{{"put":{},"remove":[{}]}}"#,
        object(put),
        removed.join(",")
    )
}

fn json_stamp(stamp: &Stamp) -> String {
    format!(
        r#"{{"millis":{},"logical":{},"replica":"{}"}}"#,
        stamp.hlc.millis(),
        stamp.hlc.logical(),
        stamp.replica
    )
}
