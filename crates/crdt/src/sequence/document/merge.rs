//! Taking in a delta: what one author, or a few, changed.

use super::entry::{Element, Entry};
use super::place::Place;
use super::{Content, Document};
use crate::codec::MAX_STATE_BYTES;
use crate::sequence::span::{Id, Piece, Span};
use crate::sequence::state::State;
use crate::{DecodeError, Dot};

/// That what was asked can only be done, or refused, upon the flat state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sequence) struct Unfit;

impl From<DecodeError> for Unfit {
    fn from(_: DecodeError) -> Self {
        Self
    }
}

/// The pieces of a delta, ascending by id, each with what lives of it.
type Parts<'a, C> = Vec<(Piece, &'a <C as Content>::Slice)>;

/// What one operation of a delta inserts.
struct Insertion<'a> {
    dot: Dot,
    spans: &'a [Span],
}

impl Insertion<'_> {
    fn count(&self) -> Result<u32, Unfit> {
        let last = self.spans.last().ok_or(Unfit)?;
        last.offset.checked_add(last.len).ok_or(Unfit)
    }
}

impl<C: Content> Document<'_, C> {
    /// The join with a delta that is not whole. Where this gives an error and the delta has more
    /// than one operation that inserts, the document is left in between.
    pub fn take_in(&mut self, delta: &State<C>) -> Result<(), Unfit> {
        let size = delta.content.size() + 100 * (delta.pieces.len() + delta.spans.len());
        if delta.whole || self.size.saturating_add(size) > MAX_STATE_BYTES {
            return Err(Unfit);
        }
        let mut parts: Parts<'_, C> = Vec::with_capacity(delta.pieces.len());
        let mut rest = delta.content.slice();
        for piece in &delta.pieces {
            let living = if piece.deleted { 0 } else { piece.len as usize };
            let (content, after) = C::split(rest, living);
            rest = after;
            parts.push((*piece, content));
        }
        let mut insertions = Vec::new();
        for spans in delta.spans.chunk_by(|a, b| a.op == b.op) {
            let op = spans.first().map_or(u32::MAX, |span| span.op);
            let dot = delta.dot(op).map_err(|_| Unfit)?;
            insertions.push(Insertion { dot, spans });
        }
        // Who saw another's operation has a later tick.
        insertions.sort_by_key(|insertion| insertion.dot.counter);
        let is_new = |op: u32| {
            delta
                .spans
                .binary_search_by_key(&op, |span| span.op)
                .is_ok()
        };
        let mut struck = Vec::new();
        for (piece, _) in parts.iter().filter(|(piece, _)| !is_new(piece.op)) {
            if !piece.deleted {
                return Err(Unfit);
            }
            let (first, room) = self.known(delta, piece.first())?;
            if piece.len > room {
                return Err(Unfit);
            }
            struck.push((first, piece.len));
        }
        for insertion in &insertions {
            self.insert(delta, insertion, &parts)?;
        }
        for (first, count) in struck {
            self.delete(first, count)?;
        }
        Ok(())
    }

    /// An element of a delta that the document holds, and how many of its operation there are
    /// from it on.
    fn known(&self, delta: &State<C>, id: Id) -> Result<(Element, u32), Unfit> {
        let dot = delta.dot(id.op).map_err(|_| Unfit)?;
        let author = self.author(&dot).ok_or(Unfit)?;
        let replica = self.replicas.get(author).ok_or(Unfit)?;
        let made = replica.of_tick(dot.counter)?.ok_or(Unfit)?;
        let number = made.start.checked_add(id.offset).ok_or(Unfit)?;
        let room = made.end.checked_sub(number).filter(|room| *room > 0);
        let author = author as u32;
        Ok((Element { author, number }, room.ok_or(Unfit)?))
    }

    fn origin(&self, delta: &State<C>, id: Option<Id>) -> Result<Option<Element>, Unfit> {
        id.map(|id| Ok(self.known(delta, id)?.0)).transpose()
    }

    /// Puts in what an operation inserts; after an error nothing was changed.
    fn insert(
        &mut self,
        delta: &State<C>,
        insertion: &Insertion<'_>,
        parts: &Parts<'_, C>,
    ) -> Result<(), Unfit> {
        let author = match self.author(&insertion.dot) {
            Some(author) => author,
            None => self.replicas.len(),
        };
        let held = self.replicas.get(author);
        let start = held.map_or(0, |replica| replica.elements());
        let author = author as u32;
        let count = insertion.count()?;
        start.checked_add(count).ok_or(Unfit)?;
        let mut placed: Vec<(Place, Entry, &Span)> = Vec::with_capacity(insertion.spans.len());
        for span in insertion.spans {
            let number = start + span.offset;
            let first = Element { author, number };
            let left = self.origin(delta, span.left)?;
            let right = self.origin(delta, span.right)?;
            let at = self.belongs(first, left, right)?.ok_or(Unfit)?;
            // Elements of one operation stand in the order of their numbers.
            if placed.last().is_some_and(|(last, ..)| *last >= at) {
                return Err(Unfit);
            }
            let entry = Entry {
                first,
                len: span.len,
                deleted: false,
                left,
                right,
            };
            placed.push((at, entry, span));
        }
        self.push_operation(insertion.dot, count).ok_or(Unfit)?;
        // From the end on, so that places stay what they were.
        for (at, entry, span) in placed.into_iter().rev() {
            let (entries, content) = divided::<C>(entry, span, parts);
            self.put_in(at, &entries, content.slice())?;
        }
        Ok(())
    }
}

/// The entries of a span, by what of it is deleted, and the content of what is not.
fn divided<C: Content>(mut entry: Entry, span: &Span, parts: &Parts<'_, C>) -> (Vec<Entry>, C) {
    let mut entries = Vec::with_capacity(1);
    let mut content = C::default();
    let end = u64::from(span.offset) + u64::from(span.len);
    let from = parts
        .partition_point(|(piece, _)| (piece.op, piece.end()) <= (span.op, span.offset.into()));
    for (piece, held) in parts.get(from..).unwrap_or_default() {
        if piece.op != span.op || u64::from(piece.offset) >= end || entry.len == 0 {
            break;
        }
        let skip = span.offset.saturating_sub(piece.offset);
        let len = (piece.len - skip).min(entry.len);
        let rest = entry.split_off(len);
        entry.deleted = piece.deleted;
        entries.push(std::mem::replace(&mut entry, rest));
        if !piece.deleted {
            let (_, held) = C::split(held, skip as usize);
            content.push(C::split(held, len as usize).0);
        }
    }
    (entries, content)
}
