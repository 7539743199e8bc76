//! What one document has beyond an earlier one.

use super::entry::{Element, Entry};
use super::flat::as_one;
use super::merge::Unfit;
use super::table::Replica;
use super::{Chunk, Content, Document};
use crate::Dot;
use crate::sequence::span::{Id, Piece, Span, push_piece};
use crate::sequence::state::State;

/// Some elements of a delta: those of an operation from a number on.
#[derive(Clone, Copy)]
struct Named {
    dot: Dot,
    offset: u32,
    /// How many elements of the operation there are from it on.
    room: u32,
}

/// A part of a delta: elements of one operation that follow upon each other.
struct Part<'a, C: Content> {
    own: Named,
    len: u32,
    /// The origins, if they are new.
    made: Option<(Option<Named>, Option<Named>)>,
    /// What they are, if they live.
    living: Option<&'a C::Slice>,
}

/// What is new: entries, each with what lives of it, and which known elements are deleted.
struct New<C> {
    entries: Vec<(Entry, C)>,
    struck: Vec<(Element, u32)>,
}

impl<C: Content> New<C> {
    /// Adds what is new of an entry; of each author `known` elements are known, and `lived` says
    /// which of those lived, ascending.
    fn add(&mut self, mut entry: Entry, content: &C::Slice, known: u32, lived: &[(Element, u32)]) {
        let known = known.saturating_sub(entry.first.number).min(entry.len);
        let new = entry.split_off(known);
        if entry.deleted && known > 0 {
            let ends_before = |(first, len): &(Element, u32)| first.later(*len) <= entry.first;
            let from = lived.partition_point(ends_before);
            for (first, len) in lived.get(from..).unwrap_or_default() {
                let start = entry.first.max(*first);
                let end = first.later(*len).min(entry.first.later(known));
                if start.author != first.author || start >= end {
                    break;
                }
                self.struck.push((start, end.number - start.number));
            }
        }
        if new.len > 0 {
            let (_, added) = C::split(content, entry.living());
            let mut content = C::default();
            content.push(added);
            self.entries.push((new, content));
        }
    }
}

impl<C: Content> Document<'_, C> {
    /// The smallest delta that brings `old` to this document, if that is a part of a sequence
    /// and `old` an earlier form of this: chunks that are the same are not looked into.
    pub fn beyond(&self, old: &Document<'_, C>) -> Result<State<C>, Unfit> {
        if old.replicas.len() > self.replicas.len() {
            return Err(Unfit);
        }
        for (old, new) in old.replicas.iter().zip(&self.replicas) {
            let is_earlier = old.id == new.id
                && (old.last_tick(), old.elements()) == (new.last_tick(), new.elements())
                || new
                    .of_tick(old.last_tick())?
                    .is_some_and(|made| made.end == old.elements());
            if old.id != new.id || !is_earlier {
                return Err(Unfit);
            }
        }
        let most = self.chunks.len().min(old.chunks.len());
        let same = |a: &Chunk<'_, C>, b: &Chunk<'_, C>| a.is_same(b);
        let pairs = self.chunks.iter().zip(&old.chunks);
        let head = pairs.take_while(|(a, b)| same(a, b)).count();
        let pairs = self.chunks.iter().rev().zip(old.chunks.iter().rev());
        let tail = pairs.take(most - head).take_while(|(a, b)| same(a, b));
        let tail = tail.count();
        let (upto, old_upto) = (self.chunks.len() - tail, old.chunks.len() - tail);

        // What lived, ascending by number.
        let mut lived: Vec<(Element, u32)> = Vec::new();
        for chunk in old.chunks.get(head..old_upto).unwrap_or_default() {
            let opened = chunk.view()?;
            let living = opened.entries.iter().filter(|entry| !entry.deleted);
            lived.extend(living.map(|entry| (entry.first, entry.len)));
        }
        lived.sort_unstable();
        let mut new = New {
            entries: Vec::new(),
            struck: Vec::new(),
        };
        for chunk in self.chunks.get(head..upto).unwrap_or_default() {
            let opened = chunk.view()?;
            let mut rest = opened.content.slice();
            for entry in &opened.entries {
                let (content, after) = C::split(rest, entry.living());
                rest = after;
                let known = old.replicas.get(entry.first.author as usize);
                let known = known.map_or(0, Replica::elements);
                new.add(*entry, content, known, &lived);
            }
        }
        self.named(&new)
    }

    /// What is new, told by operations.
    fn named(&self, new: &New<C>) -> Result<State<C>, Unfit> {
        let mut parts: Vec<Part<'_, C>> = Vec::new();
        for (entry, content) in &new.entries {
            let (mut entry, mut rest) = (*entry, content.slice());
            while entry.len > 0 {
                let own = self.name(entry.first)?;
                let after = entry.split_off(own.room.min(entry.len));
                let (content, behind) = C::split(rest, entry.living());
                rest = behind;
                parts.push(Part {
                    own,
                    len: entry.len,
                    made: Some((
                        entry.left.map(|left| self.name(left)).transpose()?,
                        entry.right.map(|right| self.name(right)).transpose()?,
                    )),
                    living: (!entry.deleted).then_some(content),
                });
                entry = after;
            }
        }
        let made = |part: &Part<'_, C>| part.made.is_some().then_some(part.own.dot);
        let mut inserted: Vec<Dot> = parts.iter().filter_map(made).collect();
        inserted.sort_unstable();
        for (first, len) in &new.struck {
            let (mut first, mut len) = (*first, *len);
            while len > 0 {
                let own = self.name(first)?;
                let run = own.room.min(len);
                parts.push(Part {
                    own,
                    len: run,
                    made: None,
                    living: None,
                });
                first = first.later(run);
                len -= run;
            }
        }
        parts.sort_by_key(|part| (part.own.dot, part.own.offset));
        let mut ops: Vec<Dot> = Vec::new();
        for part in &parts {
            ops.push(part.own.dot);
            if let Some((left, right)) = part.made {
                ops.extend([left, right].into_iter().flatten().map(|named| named.dot));
            }
        }
        ops.sort_unstable();
        ops.dedup();
        // What stands on its own has another form.
        if ops.iter().all(|dot| inserted.binary_search(dot).is_ok()) {
            return Err(Unfit);
        }
        let id = |named: Named| Id {
            op: ops.partition_point(|dot| *dot < named.dot) as u32,
            offset: named.offset,
        };
        let (mut spans, mut pieces) = (Vec::new(), Vec::new());
        let mut content = C::default();
        for part in &parts {
            let Id { op, offset } = id(part.own);
            let len = part.len;
            if let Some((left, right)) = part.made {
                let (left, right) = (left.map(id), right.map(id));
                spans.push(Span {
                    op,
                    offset,
                    len,
                    left,
                    right,
                });
            }
            let deleted = part.living.is_none();
            push_piece(
                &mut pieces,
                Piece {
                    op,
                    offset,
                    len,
                    deleted,
                },
            );
            if let Some(living) = part.living {
                content.push(living);
            }
        }
        Ok(State {
            spans: as_one(spans),
            ops,
            pieces,
            content,
            whole: false,
        })
    }

    fn name(&self, element: Element) -> Result<Named, Unfit> {
        let replica = self.replicas.get(element.author as usize).ok_or(Unfit)?;
        let made = replica.of_number(element.number)?.ok_or(Unfit)?;
        Ok(Named {
            dot: replica.dot(&made),
            offset: element.number - made.start,
            room: made.end - element.number,
        })
    }
}
