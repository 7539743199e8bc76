//! The text forms of a sequence: its value, or `value @v1:…` with its state.

use super::Sequence;
use super::content::Content;
use super::draft::Edits;
use crate::{Change, Crdt, MAX_STATE_BYTES, TextError, json, text_form};

pub(super) fn print<C: Content>(sequence: &Sequence<C>) -> String {
    let is_plain = matches!(sequence.change, Change::Assign(_)) && sequence.state.is_empty();
    text_form::print(sequence, readable(sequence), is_plain)
}

pub(super) fn parse<C: Content>(text: &str) -> Result<Sequence<C>, TextError> {
    text_form::parse(text, readable, |text| {
        Sequence::assign(C::parse(text)?)
            .bounded()
            .map_err(|_| TextError::TooLarge {
                type_name: C::NAME,
                limit: MAX_STATE_BYTES,
            })
    })
}

/// A part of a sequence has no value and shows as the empty one.
fn readable<C: Content>(sequence: &Sequence<C>) -> String {
    sequence.value().unwrap_or_default().print()
}

pub(super) fn json<C: Content>(sequence: &Sequence<C>) -> String {
    let state = sequence.state.flat().unwrap_or_default();
    let mut rest = state.content.slice();
    let mut pieces = Vec::with_capacity(state.pieces.len());
    for piece in &state.pieces {
        let dot = state.ops.get(piece.op as usize);
        let dot = json::quote(&dot.map(ToString::to_string).unwrap_or_default());
        let (from, count) = (piece.offset, piece.len);
        if piece.deleted {
            pieces.push(format!(
                r#"{{"dot":{dot},"from":{from},"deleted":{count}}}"#
            ));
            continue;
        }
        let (head, after) = C::split(rest, count as usize);
        rest = after;
        let mut content = C::default();
        content.push(head);
        let content = content.json();
        pieces.push(format!(
            r#"{{"dot":{dot},"from":{from},"content":{content}}}"#
        ));
    }
    let change = match &sequence.change {
        Change::None => "null".to_owned(),
        Change::Assign(content) => format!(r#"{{"assign":{}}}"#, content.json()),
        Change::Add(draft) => json_edits(&draft.edits(&state.pieces)),
    };
    let value = match sequence.value() {
        Ok(value) => value.json(),
        Err(_) => "null".to_owned(),
    };
    format!(
        r#"{{"type":{},"value":{value},"pieces":[{}],"change":{change}}}"#,
        json::quote(C::NAME),
        pieces.join(",")
    )
}

/// Places count the elements of `pieces`, deleted ones too.
fn json_edits<C: Content>(edits: &Edits<C>) -> String {
    let deleted: Vec<String> = edits
        .deleted
        .iter()
        .map(|(at, count)| format!(r#"{{"place":{at},"count":{count}}}"#))
        .collect();
    let inserted: Vec<String> = edits
        .inserted
        .iter()
        .map(|(gap, content)| format!(r#"{{"place":{gap},"content":{}}}"#, content.json()))
        .collect();
    format!(
        r#"{{"delete":[{}],"insert":[{}]}}"#,
        deleted.join(","),
        inserted.join(",")
    )
}
