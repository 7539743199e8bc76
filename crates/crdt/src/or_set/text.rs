//! The text form of a set: `{a,"b c"}` as of a text array, or `{a,"b c"} @v1:…` with its state.

use super::{OrSet, Texts};
use crate::{Change, Crdt, Dot, TextError, array_text, json, text_form};

pub(super) fn print(set: &OrSet) -> String {
    let is_assignment = matches!(set.change, Change::Assign(_));
    let is_plain = is_assignment && set.live.elements().is_empty() && set.removed.is_empty();
    text_form::print(set, readable(set), is_plain)
}

pub(super) fn parse(text: &str) -> Result<OrSet, TextError> {
    text_form::parse(text, readable, plain)
}

fn readable(set: &OrSet) -> String {
    array_text::print(set.elements())
}

fn plain(text: &str) -> Result<OrSet, TextError> {
    array_text::parse(text)
        .map(OrSet::assign)
        .map_err(|why| TextError::Syntax {
            type_name: OrSet::NAME,
            text: text_form::shorten(text),
            why: why.to_owned(),
        })
}

pub(super) fn json(set: &OrSet) -> String {
    let elements: Vec<String> = set
        .live
        .iter()
        .map(|(element, dots)| {
            format!(
                "{}:{}",
                json::quote(element),
                json_dots(dots.iter().copied())
            )
        })
        .collect();
    let change = match &set.change {
        Change::None => "null".to_owned(),
        Change::Add(texts) => format!(r#"{{"add":{}}}"#, json_texts(texts)),
        Change::Assign(texts) => format!(r#"{{"assign":{}}}"#, json_texts(texts)),
    };
    format!(
        r#"{{"type":"or_set","value":{},"elements":{{{}}},"removed":{},"change":{change}}}"#,
        json_texts(&set.elements().collect()),
        elements.join(","),
        json_dots(set.removed.iter())
    )
}

fn json_texts(texts: &Texts) -> String {
    format!(
        "[{}]",
        texts.iter().map(json::quote).collect::<Vec<_>>().join(",")
    )
}

fn json_dots(dots: impl Iterator<Item = Dot>) -> String {
    format!(
        "[{}]",
        dots.map(|dot| format!("\"{dot}\""))
            .collect::<Vec<_>>()
            .join(",")
    )
}
