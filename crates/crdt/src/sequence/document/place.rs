//! Where in a document something stands.

use super::entry::{Element, Entry};
use super::{Chunk, Content, Document};
use crate::DecodeError;

/// An element of a document by where it stands, or the end: a chunk, one of its entries, and how
/// many elements of that stand before. The later in the sequence, the greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    pub chunk: usize,
    pub entry: usize,
    pub skip: u32,
}

/// What an element that is known by its operation must be found as.
pub(super) const LOST: DecodeError = DecodeError::NotCanonical("an element is missing");

impl<C: Content> Document<'_, C> {
    /// Where an element stands.
    pub(super) fn find(&mut self, element: Element) -> Result<Place, DecodeError> {
        let place = |chunk: usize, (entry, skip): (usize, u32)| Place { chunk, entry, skip };
        for (at, chunk) in self.recent.into_iter().enumerate() {
            let opened = self.chunks.get(chunk).and_then(Chunk::opened);
            if let Some(found) = opened.and_then(|opened| opened.find(element)) {
                self.recent.swap(0, at);
                return Ok(place(chunk, found));
            }
        }
        for (at, chunk) in self.chunks.iter().enumerate() {
            if let Some(found) = chunk.find(element)? {
                self.recent.rotate_right(1);
                if let Some(first) = self.recent.first_mut() {
                    *first = at;
                }
                return Ok(place(at, found));
            }
        }
        Err(LOST)
    }

    /// The entry at a place; None at the end.
    pub(super) fn entry(&mut self, at: Place) -> Result<Option<Entry>, DecodeError> {
        match self.chunks.get_mut(at.chunk) {
            Some(chunk) => Ok(chunk.look()?.entries.get(at.entry).copied()),
            None => Ok(None),
        }
    }

    /// The element at a place; None at the end.
    pub(super) fn element(&mut self, at: Place) -> Result<Option<Element>, DecodeError> {
        Ok(self.entry(at)?.map(|entry| entry.at(at.skip)))
    }

    /// The first element.
    pub(super) fn start(&self) -> Place {
        Place {
            chunk: 0,
            entry: 0,
            skip: 0,
        }
    }

    /// The element after the one at a place.
    pub(super) fn after(&mut self, at: Place) -> Result<Place, DecodeError> {
        let Some(chunk) = self.chunks.get_mut(at.chunk) else {
            return Ok(at);
        };
        let entries = &chunk.look()?.entries;
        let len = entries.get(at.entry).map_or(0, |entry| entry.len);
        Ok(if at.skip + 1 < len {
            Place {
                skip: at.skip + 1,
                ..at
            }
        } else {
            self.next_entry(at)?
        })
    }

    /// The first element of the entry after that at a place.
    pub(super) fn next_entry(&mut self, at: Place) -> Result<Place, DecodeError> {
        let Some(chunk) = self.chunks.get_mut(at.chunk) else {
            return Ok(at);
        };
        let is_last = at.entry + 1 >= chunk.look()?.entries.len();
        let (chunk, entry) = match is_last {
            true => (at.chunk + 1, 0),
            false => (at.chunk, at.entry + 1),
        };
        let skip = 0;
        Ok(Place { chunk, entry, skip })
    }

    /// The entry that ends right before a place; None at the start. Where the place is inside
    /// an entry, that.
    pub(super) fn entry_before(&mut self, at: Place) -> Result<Option<Place>, DecodeError> {
        if at.skip > 0 {
            return Ok(Some(Place { skip: 0, ..at }));
        }
        if let Some(entry) = at.entry.checked_sub(1) {
            return Ok(Some(Place { entry, ..at }));
        }
        let Some(before) = at.chunk.checked_sub(1) else {
            return Ok(None);
        };
        let Some(chunk) = self.chunks.get_mut(before) else {
            return Ok(None);
        };
        let entry = chunk.look()?.entries.len().checked_sub(1).ok_or(LOST)?;
        Ok(Some(Place {
            chunk: before,
            entry,
            skip: 0,
        }))
    }

    /// The element right before a place; None at the start.
    pub(super) fn element_before(&mut self, at: Place) -> Result<Option<Element>, DecodeError> {
        let Some(before) = self.entry_before(at)? else {
            return Ok(None);
        };
        let entry = self.entry(before)?.ok_or(LOST)?;
        Ok(Some(match at.skip.checked_sub(1) {
            Some(skip) => entry.at(skip),
            None => entry.last(),
        }))
    }

    /// Where the elements with so many before them stand, deleted ones counted too, or the end;
    /// ascending.
    pub(super) fn at_places(&mut self, places: &[usize]) -> Result<Vec<Place>, DecodeError> {
        let mut found: Vec<Place> = Vec::with_capacity(places.len());
        let mut places = places.iter().copied().peekable();
        let mut start = 0;
        for (at, chunk) in self.chunks.iter_mut().enumerate() {
            let end = start + chunk.len();
            if places.peek().is_some_and(|place| *place < end) {
                for (entry, held) in chunk.look()?.entries.iter().enumerate() {
                    let stop = start + held.len as usize;
                    while let Some(place) = places.next_if(|place| *place < stop) {
                        found.push(Place {
                            chunk: at,
                            entry,
                            skip: (place - start) as u32,
                        });
                    }
                    start = stop;
                }
            }
            start = end;
        }
        let (chunk, entry, skip) = (self.chunks.len(), 0, 0);
        found.extend(places.map(|_| Place { chunk, entry, skip }));
        Ok(found)
    }

    /// The places, deleted elements counted too, of `count` living ones behind `at` of them: of
    /// each run the first and how many; and the place behind the living one before the first.
    pub fn living_runs(
        &mut self,
        at: usize,
        count: usize,
    ) -> Result<(usize, Vec<(usize, usize)>), DecodeError> {
        let end = at.saturating_add(count);
        let (mut behind, mut runs) = (0, Vec::<(usize, usize)>::new());
        let (mut place, mut living) = (0, 0);
        for chunk in &mut self.chunks {
            let upto = living + chunk.living;
            let is_behind = living < at && at <= upto;
            if !is_behind && at.max(living) >= end.min(upto) {
                living = upto;
                place += chunk.len();
                continue;
            }
            for entry in &chunk.look()?.entries {
                let own = entry.living();
                if living < at && at <= living + own {
                    behind = place + (at - living);
                }
                let (first, last) = (at.max(living), end.min(living + own));
                if first < last {
                    let start = place + (first - living);
                    match runs.last_mut() {
                        Some((held, len)) if *held + *len == start => *len += last - first,
                        _ => runs.push((start, last - first)),
                    }
                }
                living += own;
                place += entry.len as usize;
            }
        }
        Ok((behind, runs))
    }
}
