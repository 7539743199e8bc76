//! What the bytes of others must hold to be a document.

use std::collections::BTreeMap;

use super::chunk::Chunk;
use super::entry::{Element, Entry};
use super::flat::as_one;
use super::packed::pack;
use super::place::LOST;
use super::table::Replica;
use super::{Content, Document};
use crate::DecodeError;
use crate::sequence::order::order;
use crate::sequence::span::{Id, Piece, Span, element_before, locate};

fn id(element: Element) -> Id {
    Id {
        op: element.author,
        offset: element.number,
    }
}

impl<C: Content> Document<'_, C> {
    /// Opens all chunks; refuses other forms of them and of the operations than this crate
    /// writes.
    pub(super) fn check_form(&mut self) -> Result<(), DecodeError> {
        const OTHER: DecodeError = DecodeError::NotCanonical("another form of the same");
        let mut bytes = Vec::new();
        let mut last: Option<Entry> = None;
        for chunk in &mut self.chunks {
            let packed = chunk.state().err().copied();
            let opened = chunk.look()?;
            bytes.clear();
            pack(&mut bytes, &opened.entries);
            if packed.is_none_or(|packed| packed.entries.bytes() != bytes)
                || opened.entries.is_empty()
            {
                return Err(OTHER);
            }
            for (at, entry) in opened.entries.iter().enumerate() {
                let begins = last.is_none() || entry.begins_chunk();
                if begins != (at == 0)
                    || !entry.is_on_one_page()
                    || last.is_some_and(|last| last.takes_in(entry))
                {
                    return Err(OTHER);
                }
                last = Some(*entry);
            }
        }
        match self.replicas.iter().all(Replica::is_canonical) {
            true => Ok(()),
            false => Err(OTHER),
        }
    }

    /// Refuses an order that joins cannot lead to. All must be open, and its form right.
    pub(super) fn check_order(&self) -> Result<(), DecodeError> {
        self.check_numbers()?;
        let whole = as_one(self.entries().map(span).collect());
        let spans = self.cut(whole)?;
        let expected = order(&spans)
            .map_err(|_| DecodeError::NotCanonical("no sequence has these origins"))?
            .map_err(|_| DecodeError::NotCanonical("an origin that is not there"))?;
        is_in_order(&self.pieces(), &mut expected.into_iter())?;
        self.check_ascending()
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        let opened = self.chunks.iter().filter_map(Chunk::opened);
        opened.flat_map(|opened| &opened.entries)
    }

    /// Whether the numbers of each replica's elements are those that its operations gave, each
    /// once.
    fn check_numbers(&self) -> Result<(), DecodeError> {
        const OTHER: DecodeError = DecodeError::NotCanonical("an element twice or never");
        let mut runs: Vec<(Element, u32)> = self
            .entries()
            .map(|entry| (entry.first, entry.len))
            .collect();
        runs.sort_unstable();
        let mut runs = runs.into_iter().peekable();
        for (author, replica) in self.replicas.iter().enumerate() {
            let mut next = Element {
                author: author as u32,
                number: 0,
            };
            while let Some((_, len)) = runs.next_if(|(first, _)| *first == next) {
                next = next.later(len);
            }
            if next.number != replica.elements() {
                return Err(OTHER);
            }
        }
        match runs.next() {
            None => Ok(()),
            Some(_) => Err(OTHER),
        }
    }

    /// Spans that several operations of one author made, cut between these where something else
    /// hangs there; within one operation nothing can.
    fn cut(&self, spans: Vec<Span>) -> Result<Vec<Span>, DecodeError> {
        let held = |id: Id| locate(&spans, id).and_then(|at| spans.get(at));
        let mut cuts: Vec<Id> = Vec::new();
        for span in &spans {
            let hangs_on_right = |right: Id| {
                let before = held(right).map(|held| element_before(held, right));
                before == Some(span.left)
            };
            let Some(left) = span
                .left
                .filter(|_| !span.right.is_some_and(hangs_on_right))
            else {
                continue;
            };
            let Some(run) = held(left).filter(|run| left.offset - run.offset < run.len - 1) else {
                continue;
            };
            let replica = self.replicas.get(run.op as usize).ok_or(LOST)?;
            let made = replica.of_number(left.offset)?.ok_or(LOST)?;
            let offset = left.offset + 1;
            if made.end != offset {
                return Err(DecodeError::NotCanonical("a branch inside a run"));
            }
            cuts.push(Id { offset, ..left });
        }
        cuts.sort_unstable();
        cuts.dedup();
        let mut cuts = cuts.into_iter().peekable();
        let mut parts: Vec<Span> = Vec::with_capacity(spans.len() + cuts.len());
        for mut span in spans {
            let end = span.offset + (span.len - 1);
            while let Some(cut) = cuts.next_if(|cut| cut.op == span.op && cut.offset <= end) {
                let len = cut.offset - span.offset;
                parts.push(Span { len, ..span });
                span = Span {
                    offset: cut.offset,
                    len: span.len - len,
                    left: Some(Id {
                        offset: cut.offset - 1,
                        ..cut
                    }),
                    ..span
                };
            }
            parts.push(span);
        }
        Ok(parts)
    }

    /// Whether the elements of each operation stand in the order of their numbers.
    fn check_ascending(&self) -> Result<(), DecodeError> {
        // Of operations that were left in between, the number that must come next.
        let mut next: BTreeMap<Element, u32> = BTreeMap::new();
        for entry in self.entries() {
            let author = entry.first.author;
            let replica = self.replicas.get(author as usize).ok_or(LOST)?;
            let made = replica.of_number(entry.first.number)?.ok_or(LOST)?;
            let name = |number: u32| Element { author, number };
            let expected = next.remove(&name(made.start)).unwrap_or(made.start);
            if entry.first.number != expected {
                return Err(DecodeError::NotCanonical("elements out of order"));
            }
            let made = match entry.end() <= made.end {
                true => made,
                false => replica.of_number(entry.last().number)?.ok_or(LOST)?,
            };
            if entry.end() < made.end {
                next.insert(name(made.start), entry.end());
            }
        }
        Ok(())
    }
}

fn span(entry: &Entry) -> Span {
    Span {
        op: entry.first.author,
        offset: entry.first.number,
        len: entry.len,
        left: entry.left.map(id),
        right: entry.right.map(id),
    }
}

/// Whether `pieces` hold the elements in the expected order.
fn is_in_order(
    pieces: &[Piece],
    expected: &mut dyn Iterator<Item = Piece>,
) -> Result<(), DecodeError> {
    const OTHER: DecodeError = DecodeError::NotCanonical("elements out of order");
    let mut part: Option<Piece> = None;
    for piece in pieces {
        let mut piece = *piece;
        while piece.len > 0 {
            let next = match part.take() {
                Some(rest) => rest,
                None => expected.next().ok_or(OTHER)?,
            };
            if (next.op, next.offset) != (piece.op, piece.offset) {
                return Err(OTHER);
            }
            let len = next.len.min(piece.len);
            piece.offset += len;
            piece.len -= len;
            if next.len > len {
                part = Some(Piece {
                    offset: next.offset + len,
                    len: next.len - len,
                    ..next
                });
            }
        }
    }
    match part.or_else(|| expected.next()) {
        None => Ok(()),
        Some(_) => Err(OTHER),
    }
}
