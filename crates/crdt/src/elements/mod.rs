//! What the sets of texts share: the edits and checks that all of them take.
//!
//! `texts` is a sorted set of texts in one buffer. `live` holds the living elements of a state
//! with their dots, `pair` compares those of two states, `join` makes one of them, `splice` joins
//! a small one into a large one in place. `operators` is what all sets can be asked.

mod join;
mod live;
mod operators;
mod pair;
mod splice;
mod texts;

pub use texts::Texts;

pub(crate) use live::Live;
pub(crate) use operators::set_operators;
pub(crate) use pair::{Held, Pair, Seen, Side};
pub(crate) use splice::{Splice, is_small};
pub(crate) use texts::merged;

use crate::codec::{Reader, put_bytes, put_varint};
use crate::{Change, CrdtError, DecodeError};

/// How many replicas the table of a set may name: their places are two bytes.
pub(crate) const MAX_REPLICAS: usize = 1 << 16;

/// What a set of too many replicas is refused with.
pub(crate) const TOO_MANY_REPLICAS: CrdtError = CrdtError::TooLarge {
    what: "the number of a set's replicas",
    limit: MAX_REPLICAS,
};

/// One use of an operator of a set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SetEdit {
    /// The operator `+`.
    Add(String),
    /// The operator `-`.
    Remove(String),
}

/// An addition of nothing is no change.
pub(crate) fn added_or_none(added: Texts) -> Change<Texts, Texts> {
    if added.is_empty() {
        Change::None
    } else {
        Change::Add(added)
    }
}

/// Text as PostgreSQL can hold it.
pub(crate) fn check_element(element: &str) -> Result<(), CrdtError> {
    if element.contains('\0') {
        Err(CrdtError::InvalidElement)
    } else {
        Ok(())
    }
}

/// The change after an addition, in place.
pub(crate) fn add_to(change: &mut Change<Texts, Texts>, element: &str) {
    match change {
        Change::None => *change = Change::Add(Texts::from_iter([element])),
        Change::Add(texts) | Change::Assign(texts) => texts.insert(element),
    }
}

/// The change after a removal, in place; whether it is an assignment, so that what the state
/// holds does not matter.
pub(crate) fn remove_from(change: &mut Change<Texts, Texts>, element: &str) -> bool {
    match change {
        Change::None => false,
        Change::Add(added) => {
            added.remove(element);
            if added.is_empty() {
                *change = Change::None;
            }
            false
        }
        Change::Assign(value) => {
            value.remove(element);
            true
        }
    }
}

/// The join of two changes.
pub(crate) fn joined_change(
    a: &Change<Texts, Texts>,
    b: &Change<Texts, Texts>,
) -> Change<Texts, Texts> {
    a.join(b, Texts::union, |a, b| a.iter().cmp(b.iter()))
}

/// At most so many bytes has the encoding of a change.
pub(crate) fn change_bytes(change: &Change<Texts, Texts>) -> usize {
    match change {
        Change::None => 0,
        Change::Add(texts) | Change::Assign(texts) => texts.bytes() + 5 * texts.len(),
    }
}

/// Appends the texts of a change: count, then (length ‖ UTF-8), ascending by bytes.
pub(crate) fn put_change(out: &mut Vec<u8>, change: &Change<Texts, Texts>) {
    if let Change::Add(texts) | Change::Assign(texts) = change {
        put_varint(out, texts.len() as u64);
        texts
            .iter()
            .for_each(|text| put_bytes(out, text.as_bytes()));
    }
}

/// Reads what [`put_change`] wrote behind a code.
pub(crate) fn read_change(
    reader: &mut Reader<'_>,
    code: u8,
) -> Result<Change<Texts, Texts>, DecodeError> {
    let change = match code {
        0 => Change::None,
        1 => added_or_none(read_texts(reader)?),
        2 => Change::Assign(read_texts(reader)?),
        code => {
            return Err(DecodeError::UnknownCode {
                what: "change",
                code,
            });
        }
    };
    if change.code() != code {
        return Err(DecodeError::NotCanonical("an addition of nothing"));
    }
    Ok(change)
}

fn read_texts(reader: &mut Reader<'_>) -> Result<Texts, DecodeError> {
    let count = reader.count(1)?;
    let mut texts = Texts::with_capacity(count, 0);
    for _ in 0..count {
        let text = reader.text()?;
        if texts.last().is_some_and(|last| last >= text) {
            return Err(DecodeError::NotCanonical("elements must ascend"));
        }
        texts.push(text);
    }
    Ok(texts)
}
