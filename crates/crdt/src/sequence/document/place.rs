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
        let mut scratch: Vec<Entry> = Vec::new();
        for (at, chunk) in self.chunks.iter().enumerate() {
            if let Some(found) = chunk.find(element, &mut scratch)? {
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
            Some(chunk) => Ok(chunk.open()?.entries.get(at.entry).copied()),
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
        let entries = &chunk.open()?.entries;
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
        let is_last = at.entry + 1 >= chunk.open()?.entries.len();
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
        let entry = chunk.open()?.entries.len().checked_sub(1).ok_or(LOST)?;
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

    /// Where the element with so many before it stands, deleted ones counted too; or the end.
    pub(super) fn at_place(&mut self, mut place: usize) -> Result<Place, DecodeError> {
        let (chunk, entry) = (self.chunks.len(), 0);
        for (at, chunk) in self.chunks.iter_mut().enumerate() {
            if place >= chunk.len() {
                place -= chunk.len();
                continue;
            }
            for (entry, held) in chunk.open()?.entries.iter().enumerate() {
                match u32::try_from(place).ok().filter(|skip| *skip < held.len) {
                    Some(skip) => {
                        let chunk = at;
                        return Ok(Place { chunk, entry, skip });
                    }
                    None => place -= held.len as usize,
                }
            }
            return Err(LOST);
        }
        let skip = 0;
        Ok(Place { chunk, entry, skip })
    }

    /// How many elements, deleted ones too, stand before the living one with `living` living
    /// ones before it; and how many living ones are side by side from there on, at most `count`.
    pub(super) fn place_of_living(
        &mut self,
        mut living: usize,
        count: usize,
    ) -> Result<(usize, usize), DecodeError> {
        let (mut place, mut run) = (0, 0);
        for chunk in &mut self.chunks {
            if run == 0 && living >= chunk.living {
                living -= chunk.living;
                place += chunk.len();
                continue;
            }
            for entry in &chunk.open()?.entries {
                let len = entry.len as usize;
                if run > 0 {
                    if entry.deleted || run >= count {
                        return Ok((place, run.min(count)));
                    }
                    run += len;
                } else if entry.living() <= living {
                    living -= entry.living();
                    place += len;
                } else {
                    place += living;
                    run = len - living;
                    living = 0;
                }
            }
        }
        Ok((place, run.min(count)))
    }
}
