//! From and to the flat state, which names elements by operation and knows no chunks.

use std::cell::Cell;

use super::chunk::{Chunk, Opened};
use super::entry::{Element, Entry, push_entry};
use super::table::{Made, Replica};
use super::{Content, Document};
use crate::sequence::span::{Id, Piece, Span, locate, push_piece};
use crate::sequence::state::State;
use crate::{CrdtError, DecodeError, Dot};

const STRAY: DecodeError = DecodeError::NotCanonical("an element of no operation");

/// All operations of a document, and where each replica's begin.
pub(super) struct Operations {
    pub dots: Vec<Dot>,
    made: Vec<Made>,
    starts: Vec<usize>,
    /// What was found last: neighbours are mostly of the same few operations.
    recent: Cell<[usize; 4]>,
}

impl Operations {
    pub fn of(replicas: &[Replica<'_>]) -> Result<Self, DecodeError> {
        let mut all = Self {
            dots: Vec::new(),
            made: Vec::new(),
            starts: Vec::with_capacity(replicas.len() + 1),
            recent: Cell::default(),
        };
        for replica in replicas {
            all.starts.push(all.made.len());
            let made = replica.operations()?;
            all.dots.extend(made.iter().map(|made| replica.dot(made)));
            all.made.extend(made);
        }
        all.starts.push(all.made.len());
        Ok(all)
    }

    /// The element by its operation, and how many of that there are from it on.
    pub fn id(&self, element: Element) -> Result<(Id, u32), DecodeError> {
        let author = element.author as usize;
        let start = self.starts.get(author).copied().ok_or(STRAY)?;
        let end = self.starts.get(author + 1).copied().ok_or(STRAY)?;
        let own = self.made.get(start..end).ok_or(STRAY)?;
        let is_in = |made: &Made| (made.start..made.end).contains(&element.number);
        let recent = self.recent.get();
        let near = recent.into_iter().filter_map(|at| at.checked_sub(start));
        let mut near = near.filter(|at| own.get(*at).is_some_and(is_in));
        let at = near.next().unwrap_or_else(|| {
            let at = own.partition_point(|made| made.end <= element.number);
            let [a, b, c, _] = recent;
            self.recent.set([start + at, a, b, c]);
            at
        });
        let made = own.get(at).ok_or(STRAY)?;
        let id = Id {
            op: (start + at) as u32,
            offset: element.number - made.start,
        };
        Ok((id, made.end - element.number))
    }

    fn origin(&self, element: Option<Element>) -> Result<Option<Id>, DecodeError> {
        element.map(|element| Ok(self.id(element)?.0)).transpose()
    }

    /// Divides an entry by operations: of each part what it says, and its piece.
    pub fn divided(
        &self,
        mut entry: Entry,
        mut each: impl FnMut(Span, Piece),
    ) -> Result<(), DecodeError> {
        while entry.len > 0 {
            let (id, run) = self.id(entry.first)?;
            let rest = entry.split_off(run.min(entry.len));
            let span = Span {
                op: id.op,
                offset: id.offset,
                len: entry.len,
                left: self.origin(entry.left)?,
                right: self.origin(entry.right)?,
            };
            let piece = Piece {
                op: id.op,
                offset: id.offset,
                len: entry.len,
                deleted: entry.deleted,
            };
            each(span, piece);
            entry = rest;
        }
        Ok(())
    }
}

/// Appends a span, to the last one if it was typed with it.
fn push_span(spans: &mut Vec<Span>, span: Span) {
    let before = span.offset.checked_sub(1);
    let before = before.map(|offset| Id {
        op: span.op,
        offset,
    });
    match spans.last_mut() {
        Some(last)
            if last.op == span.op
                && last.offset.checked_add(last.len) == Some(span.offset)
                && last.right == span.right
                && span.left == before =>
        {
            last.len += span.len;
        }
        _ => spans.push(span),
    }
}

/// Spans in any order, as a state has them: ascending, and in one what was typed as one.
pub(super) fn as_one(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable_by_key(|span| (span.op, span.offset));
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    spans
        .into_iter()
        .for_each(|span| push_span(&mut merged, span));
    merged
}

impl<C: Content> Document<'_, C> {
    /// Opens all that is packed.
    pub fn open_all(&mut self) -> Result<(), DecodeError> {
        for chunk in &mut self.chunks {
            chunk.look()?;
        }
        Ok(())
    }

    /// The same as a flat state. All must be open.
    pub fn to_state(&self) -> Result<State<C>, DecodeError> {
        let operations = Operations::of(&self.replicas)?;
        let (mut spans, mut pieces) = (Vec::new(), Vec::new());
        for opened in self.chunks.iter().filter_map(Chunk::opened) {
            for entry in &opened.entries {
                operations.divided(*entry, |span, piece| {
                    push_span(&mut spans, span);
                    push_piece(&mut pieces, piece);
                })?;
            }
        }
        Ok(State {
            content: self.content(),
            ops: operations.dots,
            spans: as_one(spans),
            pieces,
            whole: true,
        })
    }
}

impl<C: Content> Document<'static, C> {
    /// The same as a whole flat state.
    ///
    /// # Errors
    /// More elements of one replica than there are numbers.
    pub fn of_state(state: &State<C>) -> Result<Self, CrdtError> {
        const MANY: CrdtError = CrdtError::TooLarge {
            what: "what one replica inserts",
            limit: u32::MAX as usize - 1,
        };
        let mut document = Self::default();
        let mut firsts: Vec<Element> = Vec::with_capacity(state.ops.len());
        let mut spans = state.spans.as_slice();
        for (op, dot) in state.ops.iter().enumerate() {
            let own = spans.partition_point(|span| span.op as usize <= op);
            let (own, after) = spans.split_at_checked(own).unwrap_or_default();
            spans = after;
            let count = own
                .last()
                .and_then(|last| last.offset.checked_add(last.len));
            let first = document.push_operation(*dot, count.ok_or(MANY)?);
            firsts.push(first.ok_or(MANY)?);
        }
        let element = |id: Id| {
            let first = firsts.get(id.op as usize).copied();
            let stray = CrdtError::Malformed("an operation without a dot");
            Ok::<_, CrdtError>(first.ok_or(stray)?.later(id.offset))
        };
        let origin = |id: Option<Id>| id.map(element).transpose();
        let mut opened: Opened<C> = Opened::default();
        let mut rest = state.content.slice();
        for piece in &state.pieces {
            let mut piece = *piece;
            while piece.len > 0 {
                let lost = CrdtError::Malformed("a piece without a span");
                let span = locate(&state.spans, piece.first());
                let span = span.and_then(|at| state.spans.get(at)).ok_or(lost)?;
                let skip = piece.offset - span.offset;
                let len = piece.len.min(span.len - skip);
                let first = element(piece.first())?;
                let entry = Entry {
                    first,
                    len,
                    deleted: piece.deleted,
                    left: match skip {
                        0 => origin(span.left)?,
                        _ => first.previous(),
                    },
                    right: origin(span.right)?,
                };
                for page in entry.pages() {
                    if page.begins_chunk() && !opened.entries.is_empty() {
                        let is_same = opened.entries.last().is_some_and(|e| e.takes_in(&page));
                        if !is_same {
                            document.chunks.push(Chunk::of(std::mem::take(&mut opened)));
                        }
                    }
                    push_entry(&mut opened.entries, page);
                    let (content, after) = C::split(rest, page.living());
                    rest = after;
                    opened.content.push(content);
                }
                piece.offset += len;
                piece.len -= len;
            }
        }
        if !opened.entries.is_empty() {
            document.chunks.push(Chunk::of(opened));
        }
        document.measure();
        Ok(document)
    }
}
