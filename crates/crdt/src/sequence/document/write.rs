//! Edits: what is inserted and deleted in a document.

use super::entry::{Element, Entry};
use super::place::{LOST, Place};
use super::{Chunk, Content, Document, Replica};
use crate::sequence::draft::Edits;
use crate::{CrdtError, DecodeError, Dot};

/// What a deletion adds to the size at most: two entries, and the heads of two chunks.
const STRUCK: usize = 200;

impl<C: Content> Document<'_, C> {
    /// Puts entries that follow upon each other before a place, with what lives of them.
    pub(super) fn put_in(
        &mut self,
        at: Place,
        new: &[Entry],
        content: &C::Slice,
    ) -> Result<(), DecodeError> {
        // Before the first element of a chunk is behind the last one of the chunk before it.
        let mut at = at;
        if at.entry == 0 && at.skip == 0 && at.chunk > 0 {
            let before = at.chunk - 1;
            let entries = match self.chunks.get_mut(before) {
                Some(chunk) => chunk.look()?.entries.len(),
                None => return Err(LOST),
            };
            at.chunk = before;
            at.entry = entries;
        }
        if self.chunks.is_empty() {
            self.chunks.push(Chunk::default());
        }
        let chunk = self.chunks.get_mut(at.chunk).ok_or(LOST)?;
        let size = chunk.size();
        let (mut living, mut deleted) = (0, 0);
        for entry in new {
            living += entry.living();
            deleted += entry.len as usize - entry.living();
        }
        let opened = chunk.open()?;
        let mut offset = opened.living_before(at.entry);
        let holder = opened.entries.get(at.entry);
        if holder.is_some_and(|entry| !entry.deleted) {
            offset += at.skip as usize;
        }
        opened.content.splice(offset, 0, content);
        let before = at.entry.checked_sub(1).filter(|_| at.skip == 0);
        let before = before.and_then(|before| opened.entries.get_mut(before));
        if let (Some(before), [entry]) = (before, new)
            && before.takes_in(entry)
            && entry.is_on_one_page()
        {
            before.len += entry.len;
        } else {
            let mut place = at.entry;
            if at.skip > 0 {
                let held = opened.entries.get_mut(at.entry).ok_or(LOST)?;
                let rest = held.split_off(at.skip);
                place += 1;
                opened.entries.insert(place, rest);
            }
            let pages = new.iter().flat_map(|entry| entry.pages());
            opened.entries.splice(place..place, pages);
        }
        chunk.living += living;
        chunk.deleted += deleted;
        self.size += chunk.size() - size;
        let chunks = self.chunks.len();
        let mended = self.mend(at.chunk)?;
        self.size += 64 * self.chunks.len().saturating_sub(chunks);
        self.recent.rotate_right(1);
        if let Some(first) = self.recent.first_mut() {
            *first = mended;
        }
        Ok(())
    }

    /// Deletes `count` elements of the entry at a place from there on; what is deleted stays so.
    fn strike(&mut self, at: Place, count: u32) -> Result<(), DecodeError> {
        let chunk = self.chunks.get_mut(at.chunk).ok_or(LOST)?;
        let opened = chunk.open()?;
        let offset = opened.living_before(at.entry);
        let struck = opened.strike(at.entry, at.skip, count, offset);
        chunk.living -= struck;
        chunk.deleted += struck;
        self.size += STRUCK;
        self.mend(at.chunk)?;
        Ok(())
    }

    /// Deletes `count` elements from one on, by their numbers.
    pub(super) fn delete(&mut self, mut first: Element, count: u32) -> Result<(), DecodeError> {
        let end = first.number.checked_add(count).ok_or(LOST)?;
        while first.number < end {
            let at = self.find(first)?;
            let held = self.entry(at)?.ok_or(LOST)?;
            let run = (held.len - at.skip).min(end - first.number);
            self.strike(at, run)?;
            first.number += run;
        }
        Ok(())
    }

    /// Deletes elements: ascending ranges of places, which count deleted ones too.
    fn strike_all(&mut self, ranges: &[(usize, usize)]) -> Result<(), DecodeError> {
        let mut touched: Vec<usize> = Vec::new();
        let mut start = 0;
        for (at, chunk) in self.chunks.iter_mut().enumerate() {
            let end = start + chunk.len();
            let from = ranges.partition_point(|(place, count)| place + count <= start);
            let upto = ranges.partition_point(|(place, _)| *place < end);
            let inside = ranges.get(from..upto).unwrap_or_default();
            if !inside.is_empty() {
                let struck = chunk.open()?.strike_all(start, inside);
                chunk.living -= struck;
                chunk.deleted += struck;
                self.size += STRUCK * inside.len();
                touched.push(at);
            }
            start = end;
        }
        for at in touched.into_iter().rev() {
            self.mend(at)?;
        }
        Ok(())
    }

    /// Makes room for an operation of `count` elements; None if it is not later than all of its
    /// replica's, or a replica stands between others. Then nothing was changed.
    pub(super) fn push_operation(&mut self, dot: Dot, count: u32) -> Option<Element> {
        let found = self.author(&dot);
        let held = found.and_then(|author| self.replicas.get(author));
        let number = held.map_or(0, |replica| replica.elements());
        // The last number stays free: it is the end of the one before.
        number.checked_add(count).filter(|end| *end < u32::MAX)?;
        let author = match found {
            Some(author) => {
                self.replicas.get_mut(author)?.push(dot.counter, count)?;
                author
            }
            None => {
                if self
                    .replicas
                    .last()
                    .is_some_and(|last| last.id > dot.replica)
                {
                    return None;
                }
                let mut replica = Replica::new(dot.replica);
                replica.push(dot.counter, count)?;
                self.replicas.push(replica);
                self.size += 80;
                self.replicas.len() - 1
            }
        };
        self.size += 18;
        let author = author as u32;
        Some(Element { author, number })
    }

    /// Carries out edits, what they insert under `dot`, which is needed if they insert; false if
    /// that dot is not the latest of its replica. Then nothing was changed.
    pub fn carry_out(&mut self, edits: &Edits<C>, dot: Option<Dot>) -> Result<bool, CrdtError> {
        let mut total = 0u32;
        for (_, content) in &edits.inserted {
            content.check()?;
            let count = u32::try_from(C::count(content.slice())).ok();
            let Some(sum) = count.and_then(|count| total.checked_add(count)) else {
                return Ok(false);
            };
            total = sum;
        }
        let mut next = None;
        if let (Some(dot), true) = (dot, total > 0) {
            next = self.push_operation(dot, total);
            if next.is_none() {
                return Ok(false);
            }
        }
        self.strike_all(&edits.deleted)?;
        let gaps: Vec<usize> = edits.inserted.iter().map(|(gap, _)| *gap).collect();
        let places = self.at_places(&gaps)?;
        // From the end on, so that places stay what they were.
        for ((_, content), at) in edits.inserted.iter().zip(places).rev() {
            let Some(first) = next else {
                return Ok(false);
            };
            let len = C::count(content.slice()) as u32;
            total -= len;
            let entry = Entry {
                first: Element {
                    number: first.number + total,
                    ..first
                },
                len,
                deleted: false,
                left: self.element_before(at)?,
                right: self.element(at)?,
            };
            self.put_in(at, &[entry], content.slice())?;
        }
        Ok(true)
    }
}
