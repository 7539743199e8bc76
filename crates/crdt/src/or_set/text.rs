//! The text form of a set: `{a,"b c"}` as of a text array, or `{a,"b c"} @v1:…` with its state.

use super::{OrSet, Texts, Tombstones};
use crate::{Change, Crdt, Dot, MAX_STATE_BYTES, TextError, array_text, json, text_form};

pub(super) fn print(set: &OrSet) -> String {
    let is_assignment = matches!(set.change, Change::Assign(_));
    let is_plain = is_assignment && set.live.is_empty() && set.tombstones == Tombstones::default();
    text_form::print(set, readable(set), is_plain)
}

pub(super) fn parse(text: &str) -> Result<OrSet, TextError> {
    text_form::parse(text, readable, plain)
}

fn readable(set: &OrSet) -> String {
    array_text::print(set.elements())
}

fn plain(text: &str) -> Result<OrSet, TextError> {
    let elements = array_text::parse(text).map_err(|why| TextError::Syntax {
        type_name: OrSet::NAME,
        text: text_form::shorten(text),
        why,
    })?;
    OrSet::assign(elements)
        .bounded()
        .map_err(|_| TextError::TooLarge {
            type_name: OrSet::NAME,
            limit: MAX_STATE_BYTES,
        })
}

pub(super) fn json(set: &OrSet) -> String {
    let elements: Vec<String> = set
        .elements_with_dots()
        .map(|(element, dots)| format!("{}:{}", json::quote(element), json_dots(dots.into_iter())))
        .collect();
    let change = match &set.change {
        Change::None => "null".to_owned(),
        Change::Add(texts) => format!(r#"{{"add":{}}}"#, json_texts(texts)),
        Change::Assign(texts) => format!(r#"{{"assign":{}}}"#, json_texts(texts)),
    };
    let floor = if !set.tombstones.is_folded() {
        String::new()
    } else {
        format!(r#","removed_upto":{}"#, json_dots(set.floor().iter()))
    };
    format!(
        r#"{{"type":"or_set","value":{},"elements":{{{}}},"removed":{}{floor},"change":{change}}}"#,
        json_texts(&set.elements().collect()),
        elements.join(","),
        json_dots(set.tombstones.iter())
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
