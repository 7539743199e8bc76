//! The text form of a map: `{"a":1,"b":["x"]}` as of JSON, or the same and ` @v1:…` with its state.

use super::nested::{self, Nested, Plain};
use super::tree::{Entry, Tree};
use super::{DotFun, Keyed, OrMap, Wants};
use crate::{CausalContext, Change, Crdt, Dot, MAX_STATE_BYTES, TextError, json, text_form};

pub(super) fn print(map: &OrMap) -> String {
    let is_plain = match &map.change {
        Change::Assign(value) => map.is_bare() && nested::is_literal(value),
        Change::None | Change::Add(_) => false,
    };
    text_form::print(map, readable(map), is_plain)
}

pub(super) fn parse(text: &str) -> Result<OrMap, TextError> {
    text_form::parse(text, readable, |text| {
        let canonical = json::canonical(text).map_err(|fault| syntax(text, fault.why))?;
        let value = nested::of_json(&canonical, 1).map_err(|why| syntax(text, why))?;
        OrMap::assign(value)
            .bounded()
            .map_err(|_| TextError::TooLarge {
                type_name: OrMap::NAME,
                limit: MAX_STATE_BYTES,
            })
    })
}

fn syntax(text: &str, why: &'static str) -> TextError {
    TextError::Syntax {
        type_name: OrMap::NAME,
        text: text_form::shorten(text),
        why,
    }
}

pub(super) fn readable(map: &OrMap) -> String {
    nested::to_json(&map.shown())
}

pub(super) fn json(map: &OrMap, type_name: &str) -> String {
    let change = match &map.change {
        Change::None => "null".to_owned(),
        Change::Add(wants) => format!(r#"{{"add":{}}}"#, json_wants(wants)),
        Change::Assign(value) => format!(r#"{{"assign":{}}}"#, json_plain(value)),
    };
    format!(
        r#"{{"type":{},"value":{},"keys":{},"context":{},"floor":{},"change":{change}}}"#,
        json::quote(type_name),
        readable(map),
        json_tree(&map.tree),
        json_context(&map.context),
        json_context(&map.floor),
    )
}

fn object(members: impl Iterator<Item = (String, String)>) -> String {
    let members: Vec<String> = members
        .map(|(key, value)| format!("{}:{value}", json::quote(&key)))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// An object of those kinds that are there.
fn kinds(kinds: [(&str, Option<String>); 4]) -> String {
    object(
        kinds
            .into_iter()
            .filter_map(|(kind, value)| Some((kind.to_owned(), value?))),
    )
}

fn json_tree(tree: &Tree) -> String {
    object(
        tree.iter()
            .map(|(key, entry)| (key.to_owned(), json_entry(entry))),
    )
}

fn json_entry(entry: &Entry) -> String {
    let elements = |set: &Keyed<DotFun<()>>| {
        object(set.iter().map(|(element, dots)| {
            let dots: Vec<String> = dots.iter().map(|(dot, ())| json_dot(dot)).collect();
            (element.to_owned(), format!("[{}]", dots.join(",")))
        }))
    };
    kinds([
        ("map", entry.map().map(json_tree)),
        ("set", entry.set().map(elements)),
        ("counter", entry.counter().map(json_dots)),
        ("register", entry.register().map(json_dots)),
    ])
}

fn json_dot(dot: Dot) -> String {
    json::quote(&dot.to_string())
}

fn json_dots<V: Clone + Ord + std::fmt::Display>(dots: &DotFun<V>) -> String {
    object(
        dots.iter()
            .map(|(dot, value)| (dot.to_string(), value.to_string())),
    )
}

fn json_context(context: &CausalContext) -> String {
    object(context.iter().map(|(replica, spans)| {
        let spans: Vec<String> = spans
            .iter()
            .map(|span| format!("[{},{}]", span.after, span.upto))
            .collect();
        (replica.to_string(), format!("[{}]", spans.join(",")))
    }))
}

fn json_texts(texts: &Keyed<()>) -> String {
    let texts: Vec<String> = texts.keys().map(json::quote).collect();
    format!("[{}]", texts.join(","))
}

fn json_wants(wants: &Wants) -> String {
    object(wants.iter().map(|(key, want)| {
        let step = want.counter().copied().flatten().map(i128::from);
        let wanted = kinds([
            ("map", want.map().map(json_wants)),
            ("set", want.set().map(json_texts)),
            ("counter", step.map(|step| step.to_string())),
            ("register", want.register().cloned().flatten()),
        ]);
        (key.to_owned(), wanted)
    }))
}

fn json_plain(map: &Plain) -> String {
    object(map.iter().map(|(key, value)| {
        let (kind, value) = match value {
            Nested::Map(map) => ("map", json_plain(map)),
            Nested::Set(elements) => ("set", json_texts(elements)),
            Nested::Counter(value) => ("counter", value.to_string()),
            Nested::Register(json) => ("register", json.clone()),
        };
        (
            key.to_owned(),
            object(std::iter::once((kind.to_owned(), value))),
        )
    }))
}
