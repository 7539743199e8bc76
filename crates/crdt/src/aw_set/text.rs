//! The text form of a set: `{a,"b c"}` as of a text array, or `{a,"b c"} @v1:…` with its state.

use super::AwSet;
use crate::{Change, Crdt, MAX_STATE_BYTES, TextError, array_text, json, text_form};

pub(super) fn print(set: &AwSet) -> String {
    let is_plain = matches!(set.change, Change::Assign(_)) && set.context.is_empty();
    text_form::print(set, readable(set), is_plain)
}

pub(super) fn parse(text: &str) -> Result<AwSet, TextError> {
    text_form::parse(text, readable, plain)
}

fn readable(set: &AwSet) -> String {
    array_text::print(set.elements())
}

fn plain(text: &str) -> Result<AwSet, TextError> {
    let elements = array_text::parse(text).map_err(|why| TextError::Syntax {
        type_name: AwSet::NAME,
        text: text_form::shorten(text),
        why,
    })?;
    AwSet::assign(elements)
        .bounded()
        .map_err(|_| TextError::TooLarge {
            type_name: AwSet::NAME,
            limit: MAX_STATE_BYTES,
        })
}

pub(super) fn json(set: &AwSet) -> String {
    let elements: Vec<String> = set
        .elements_with_dots()
        .map(|(element, dots)| {
            let dots: Vec<String> = dots.iter().map(|dot| format!("\"{dot}\"")).collect();
            format!("{}:[{}]", json::quote(element), dots.join(","))
        })
        .collect();
    let context: Vec<String> = set
        .context
        .iter()
        .map(|(replica, spans)| {
            let spans = spans
                .iter()
                .map(|span| format!("[{},{}]", span.after, span.upto));
            format!("\"{replica}\":[{}]", spans.collect::<Vec<_>>().join(","))
        })
        .collect();
    let change = match &set.change {
        Change::None => "null".to_owned(),
        Change::Add(texts) => format!(r#"{{"add":{}}}"#, json_texts(texts.iter())),
        Change::Assign(texts) => format!(r#"{{"assign":{}}}"#, json_texts(texts.iter())),
    };
    format!(
        r#"{{"type":"aw_set","value":{},"elements":{{{}}},"context":{{{}}},"change":{change}}}"#,
        json_texts(set.elements()),
        elements.join(","),
        context.join(",")
    )
}

fn json_texts<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = texts.map(json::quote).collect();
    format!("[{}]", quoted.join(","))
}
