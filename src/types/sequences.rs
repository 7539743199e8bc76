//! The sequences: `rga_text`, whose elements are characters, and `rga`, whose
//! elements are JSON values. Positions count from 0.

use super::comparison::equality_functions;
use super::json::Jsonb;
use super::kind::dispatch;
use super::value::{Encoded, Value};
use super::{plain, refusal};
use crate::error::raise;
use crdt::rga::{ListEdit, Values};
use crdt::rga_text::TextEdit;
use crdt::sequence::{Content, SequenceEdit};
use crdt::{ColumnKind, Crdt, CrdtError, Rga, RgaText};
use pgrx::prelude::*;
use std::cmp::Ordering;

macro_rules! of_sequence {
    ($kind:expr, $T:ident => $result:expr) => {
        dispatch!($kind, [Rga | RgaText], $T => $result)
    };
}

/// A position or a count from SQL.
fn natural(number: i32, what: &str) -> usize {
    usize::try_from(number).unwrap_or_else(|_| {
        raise(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            format!("a {what} cannot be negative: {number}"),
            "Positions count from 0, to the length.",
        )
    })
}

fn length<C: Content>(sequence: &Value) -> usize {
    crdt::sequence::length_of_bytes::<C>(sequence.bytes())
        .unwrap_or_else(|error| refusal::change(&error))
}

#[pg_extern(sql = false)]
fn crdt_sequence_length(sequence: Value) -> i32 {
    let length = match sequence.kind() {
        ColumnKind::Rga => length::<Values>(&sequence),
        _ => length::<String>(&sequence),
    };
    i32::try_from(length).unwrap_or(i32::MAX)
}

#[pg_extern(sql = false)]
fn crdt_sequence_delete(sequence: Value, at: i32, count: i32) -> Encoded {
    let (at, count) = (natural(at, "position"), natural(count, "count"));
    of_sequence!(sequence.kind(), T => sequence.edited::<T>(&SequenceEdit::Delete { at, count }))
}

// rga_text's own.

/// The text, read without building the sequence.
fn text_of(text: &Value) -> String {
    crdt::rga_text::text_of_bytes(text.bytes()).unwrap_or_else(|error| refusal::change(&error))
}

#[pg_extern(sql = false)]
fn crdt_rga_text_insert(text: Value, at: i32, inserted: &str) -> Encoded {
    let at = natural(at, "position");
    text.edited::<RgaText>(&TextEdit::Insert {
        at,
        content: inserted.to_owned(),
    })
}

#[pg_extern(sql = false)]
fn crdt_rga_text_append(text: Value, appended: &str) -> Encoded {
    text.edited::<RgaText>(&TextEdit::Insert {
        at: length::<String>(&text),
        content: appended.to_owned(),
    })
}

/// `crdt_edit(text, edits)`: many edits at the price of one. Each is
/// `[position, how many to delete, "what to insert"]`, on what the edits before
/// it have left.
#[pg_extern(sql = false)]
fn crdt_rga_text_edit(text: Value, edits: Jsonb) -> Encoded {
    let edits: Vec<(u32, u32, String)> = serde_json::from_str(&edits.0).unwrap_or_else(|error| {
        raise(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            format!("invalid edits: {error}"),
            "Write an array of edits [position, how many to delete, \"what to insert\"].",
        )
    });
    let edits = edits.into_iter().flat_map(|(at, count, content)| {
        let (at, count) = (at as usize, count as usize);
        [
            TextEdit::Delete { at, count },
            TextEdit::Insert { at, content },
        ]
    });
    text.all_edited::<RgaText>(edits)
}

#[pg_extern(sql = false)]
fn crdt_rga_text_value(text: Value) -> String {
    text_of(&text)
}

#[pg_extern(sql = false)]
fn crdt_rga_text_of_text(text: &str) -> Encoded {
    // The join with nothing refuses a text that is too large to store.
    Encoded::of_change(RgaText::assign(text.to_owned()).join(&RgaText::default()))
}

fn with_text(sequence: &Value, text: &&str) -> Ordering {
    text_of(sequence).as_str().cmp(text)
}

fn text_with(text: &&str, sequence: &Value) -> Ordering {
    with_text(sequence, text).reverse()
}

equality_functions!(
    Value,
    &str,
    with_text,
    crdt_rga_text_eq_text,
    crdt_rga_text_ne_text
);
equality_functions!(
    &str,
    Value,
    text_with,
    crdt_text_eq_rga_text,
    crdt_text_ne_rga_text
);

// rga's own.

fn append(list: &Value, content: Values) -> Encoded {
    let at = length::<Values>(list);
    list.edited::<Rga>(&ListEdit::Insert { at, content })
}

fn one(element: &Jsonb) -> Values {
    Values::new([element.0.as_str()])
        .unwrap_or_else(|error| refusal::change(&CrdtError::InvalidJson(error)))
}

#[pg_extern(sql = false)]
fn crdt_rga_insert(list: Value, at: i32, element: Jsonb) -> Encoded {
    let at = natural(at, "position");
    list.edited::<Rga>(&ListEdit::Insert {
        at,
        content: one(&element),
    })
}

#[pg_extern(sql = false)]
fn crdt_rga_append(list: Value, element: Jsonb) -> Encoded {
    append(&list, one(&element))
}

/// `list || elements`: all elements of a JSON array at the end.
#[pg_extern(sql = false)]
fn crdt_rga_concat(list: Value, elements: Jsonb) -> Encoded {
    let elements = Values::of_array(&elements.0)
        .unwrap_or_else(|error| refusal::change(&CrdtError::InvalidJson(error)));
    append(&list, elements)
}

#[pg_extern(sql = false)]
fn crdt_rga_of_jsonb(value: Jsonb) -> Encoded {
    Encoded::of(&plain::of_json::<Rga>(&value))
}
