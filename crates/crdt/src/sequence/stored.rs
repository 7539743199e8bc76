//! Work on encoded sequences that this node wrote: reads the chunks that a change touches and
//! copies the others. What does not go so is done upon the decoded value.

use super::content::Content;
use super::document::{self, Document};
use super::draft::Edits;
use super::settled::Settled;
use super::{Sequence, SequenceEdit, author, checked_edit, content_of_bytes, layout};
use crate::codec::Reader;
use crate::{Author, Change, Crdt, CrdtError, DecodeError};

/// What a plain literal begins with: version, flags and no state.
const LITERAL: [u8; 6] = [1, 2, 0, 0, 0, 0];

/// More places than this are found faster by walking over all of a sequence.
const FEW: usize = 64;

/// The bytes of a whole and settled sequence.
fn settled<C: Content>(bytes: &[u8]) -> Result<Option<Document<'_, C>>, DecodeError> {
    let Some(mut reader) = layout::settled_content(bytes)? else {
        return Ok(None);
    };
    let document = document::open(&mut reader)?;
    reader.finish()?;
    Ok(Some(document))
}

/// See [`Crdt::decode_stored`].
pub(super) fn decode<C: Content>(bytes: &[u8]) -> Result<Sequence<C>, DecodeError> {
    match settled(bytes)? {
        Some(document) => Ok(Sequence::settled(Settled::Whole(document.into_open()?))),
        None => Sequence::decode(bytes),
    }
}

fn encoded<C: Content>(document: &mut Document<'_, C>) -> Result<Vec<u8>, CrdtError> {
    layout::check_length(document.size())?;
    let mut out = vec![1, 0];
    document.put(&mut out);
    Ok(out)
}

/// See [`super::length_of_bytes`].
pub(super) fn length<C: Content>(bytes: &[u8]) -> Result<usize, CrdtError> {
    match settled::<C>(bytes)? {
        Some(document) => Ok(document.living()),
        None => Ok(Sequence::<C>::decode(bytes)?.length()),
    }
}

/// See [`Crdt::join_bytes`].
pub(super) fn join<C: Content>(stored: &[u8], other: &[u8]) -> Result<Vec<u8>, CrdtError> {
    let other: Sequence<C> = Sequence::decode(other)?;
    if let (Settled::Part(delta), Change::None) = (&other.state, &other.change)
        && let Some(mut document) = settled::<C>(stored)?
        && document.take_in(delta).is_ok()
    {
        return encoded(&mut document);
    }
    Ok(decode::<C>(stored)?.join(&other)?.encode())
}

/// See [`Crdt::settle_bytes`].
pub(super) fn settle<C: Content>(
    old: Option<&[u8]>,
    new: &[u8],
    author: &mut dyn Author,
) -> Result<Vec<u8>, CrdtError> {
    let Some(old) = old else {
        return Ok(Sequence::<C>::settle(None, &Sequence::decode(new)?, author)?.encode());
    };
    let held = settled::<C>(old)?;
    if held.is_some() && old == new {
        return Ok(old.to_vec());
    }
    if let Some(mut document) = held
        && let Some(edits) = asked(&mut document, old, new)?
    {
        if edits.is_empty() {
            return Ok(old.to_vec());
        }
        let dot = author::fresh_dot(&edits, author);
        if document.carry_out(&edits, dot)? {
            return encoded(&mut document);
        }
        let flat = document.into_open()?.to_state()?;
        let state = author::carried_out_flat(&flat, edits, dot)?;
        return Ok(Sequence::settled(Settled::of(state)?).bounded()?.encode());
    }
    let old = decode::<C>(old)?;
    Ok(Sequence::settle(Some(&old), &Sequence::decode(new)?, author)?.encode())
}

/// What `new` asks of the settled value `old`, if that can be told without decoding both.
fn asked<C: Content>(
    document: &mut Document<'_, C>,
    old: &[u8],
    new: &[u8],
) -> Result<Option<Edits<C>>, CrdtError> {
    let Some(plain) = new.strip_prefix(&LITERAL) else {
        return Ok(edits_upon(old, new)?);
    };
    let mut reader = Reader::new(plain);
    let value = C::read(&mut reader)?;
    reader.finish()?;
    let hunks = C::hunks(content_of_bytes::<C>(old)?.slice(), value.slice());
    if hunks.len() > FEW {
        return Ok(None);
    }
    let mut edits = Edits::default();
    for hunk in hunks {
        let (behind, gone) = document.living_runs(hunk.at, hunk.removed)?;
        edits.deleted.extend(gone);
        if hunk.added > 0 {
            let (_, rest) = C::split(value.slice(), hunk.from);
            let mut content = C::default();
            content.push(C::split(rest, hunk.added).0);
            edits.inserted.push((behind, content));
        }
    }
    Ok(Some(edits))
}

/// The edits of a value whose state is that of the settled value `old`.
fn edits_upon<C: Content>(old: &[u8], new: &[u8]) -> Result<Option<Edits<C>>, DecodeError> {
    let (Some((_, state)), Some(([1, 1], rest))) =
        (old.split_at_checked(2), new.split_at_checked(2))
    else {
        return Ok(None);
    };
    match rest.strip_prefix(state) {
        Some(edits) => {
            let mut reader = Reader::new(edits);
            let edits = layout::read_edits(&mut reader)?;
            reader.finish()?;
            Ok(Some(edits))
        }
        None => Ok(None),
    }
}

/// See [`Crdt::delta_bytes`].
pub(super) fn delta<C: Content>(
    old: Option<&[u8]>,
    new: &[u8],
) -> Result<Option<Vec<u8>>, CrdtError> {
    if let Some(old) = old
        && let (Some(held), Some(document)) = (settled::<C>(old)?, settled::<C>(new)?)
    {
        if old == new {
            return Ok(None);
        }
        if let Ok(delta) = document.beyond(&held) {
            return Ok(Some(Sequence::settled(Settled::Part(delta)).encode()));
        }
    }
    let old = old.map(decode::<C>).transpose()?;
    let delta = Sequence::delta(old.as_ref(), &decode(new)?);
    Ok(delta.map(|delta| delta.encode()))
}

/// See [`crate::Edit::edit_bytes`].
pub(super) fn edit<C: Content>(value: &[u8], edit: &SequenceEdit<C>) -> Result<Vec<u8>, CrdtError> {
    let Some(mut document) = settled::<C>(value)? else {
        let mut value = decode(value)?;
        crate::Edit::edit(&mut value, edit)?;
        return Ok(value.encode());
    };
    if !checked_edit(document.living(), edit)? {
        return Ok(value.to_vec());
    }
    let mut edits = Edits::default();
    match edit {
        SequenceEdit::Insert { at, content } => {
            let (behind, _) = document.living_runs(*at, 0)?;
            edits.inserted.push((behind, content.clone()));
        }
        SequenceEdit::Delete { at, count } => {
            (_, edits.deleted) = document.living_runs(*at, *count)?;
        }
    }
    let mut out = Vec::with_capacity(value.len() + 64);
    out.extend_from_slice(value);
    if let Some(flags) = out.get_mut(1) {
        *flags = 1;
    }
    layout::put_edits(&mut out, &edits);
    layout::check_length(out.len())?;
    Ok(out)
}
