//! A whole sequence in chunks, so that an edit touches one of them and leaves the bytes of the
//! others as they are.
//!
//! Elements are named by author and number (`table`), entries hold those that stand side by side
//! (`entry`), chunks some entries with their content (`chunk`, `packed`). Where entries and chunks
//! begin follows from the elements and their order alone, so equal states have equal chunks:
//! whatever is changed here, `mend` restores that. `place` finds elements, `tree` where what
//! comes belongs, `write` carries out edits, `merge` takes in deltas, `difference` makes them,
//! `flat` is the way from and to [`super::state::State`], `layout` the bytes, `check` what those of others must hold.

mod check;
mod chunk;
mod difference;
mod entry;
mod flat;
mod layout;
mod merge;
mod packed;
mod place;
mod table;
mod tree;
mod write;

use chunk::{Chunk, Opened};
use table::Replica;

use super::content::Content;
use super::span::Piece;
use crate::codec::MAX_STATE_BYTES;
use crate::{DecodeError, Dot, Hlc, VersionVector};

pub(super) use layout::{content_of, decode, open};

/// A whole settled state.
#[derive(Clone, Debug)]
pub(super) struct Document<'a, C> {
    /// Ascending by id, each with an operation at least.
    replicas: Vec<Replica<'a>>,
    /// In the order of the sequence, none empty.
    chunks: Vec<Chunk<'a, C>>,
    /// Where elements were found last: a guess where the next will be.
    recent: [usize; 4],
    /// At least the size of the encoding, in bytes; edits add to it, [`Document::measure`] takes
    /// off what was too much.
    size: usize,
}

impl<C> Default for Document<'_, C> {
    fn default() -> Self {
        Self {
            replicas: Vec::new(),
            chunks: Vec::new(),
            recent: [0; 4],
            size: 64,
        }
    }
}

impl<C: Content> PartialEq for Document<'_, C> {
    fn eq(&self, other: &Self) -> bool {
        self.replicas == other.replicas
            && self.chunks.len() == other.chunks.len()
            && self
                .chunks
                .iter()
                .zip(&other.chunks)
                .all(|(a, b)| a.is_same(b))
    }
}

impl<C: Content> Document<'_, C> {
    pub fn is_empty(&self) -> bool {
        self.replicas.is_empty()
    }

    /// How many elements live.
    pub fn living(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.living).sum()
    }

    /// How many elements, deleted ones too.
    pub fn len(&self) -> usize {
        self.chunks.iter().map(Chunk::len).sum()
    }

    /// At least the size of the encoding, in bytes.
    pub fn size(&mut self) -> usize {
        if self.size > MAX_STATE_BYTES {
            self.measure();
        }
        self.size
    }

    fn measure(&mut self) {
        let replicas: usize = self.replicas.iter().map(Replica::size).sum();
        let chunks: usize = self.chunks.iter().map(Chunk::size).sum();
        self.size = 64 + replicas + chunks;
    }

    /// Of each replica the greatest tick.
    pub fn version(&self) -> VersionVector {
        let last = self.replicas.iter().map(|replica| Dot {
            replica: replica.id,
            counter: replica.last_tick(),
        });
        last.collect()
    }

    /// The greatest tick of all.
    pub fn latest(&self) -> Hlc {
        let ticks = self.replicas.iter().map(Replica::last_tick);
        Hlc(ticks.max().unwrap_or_default())
    }

    /// What lives and what is deleted, in order, as far as it is open.
    pub fn pieces(&self) -> Vec<Piece> {
        let opened = self.chunks.iter().filter_map(Chunk::opened);
        opened
            .flat_map(|opened| &opened.entries)
            .map(|entry| Piece {
                op: entry.first.author,
                offset: entry.first.number,
                len: entry.len,
                deleted: entry.deleted,
            })
            .collect()
    }

    /// What lives, as far as it is open.
    pub fn content(&self) -> C {
        let mut content = C::default();
        for opened in self.chunks.iter().filter_map(Chunk::opened) {
            content.push(opened.content.slice());
        }
        content
    }

    /// How many elements the operation of a dot made; None if it is not known.
    pub fn made(&self, dot: &Dot) -> Result<Option<u32>, DecodeError> {
        let Some(replica) = self.author(dot).and_then(|at| self.replicas.get(at)) else {
            return Ok(None);
        };
        let made = replica.of_tick(dot.counter)?;
        Ok(made.map(|made| made.end - made.start))
    }

    fn author(&self, dot: &Dot) -> Option<usize> {
        let found = self
            .replicas
            .binary_search_by_key(&dot.replica, |replica| replica.id);
        found.ok()
    }

    /// Gives every entry and every chunk around the one at `at` the borders that it must have;
    /// says where the chunk begins now.
    fn mend(&mut self, mut at: usize) -> Result<usize, DecodeError> {
        while at > 0 && self.is_one(at - 1)? {
            self.absorb_next(at - 1)?;
            at -= 1;
        }
        while at + 1 < self.chunks.len() && self.is_one(at)? {
            self.absorb_next(at)?;
        }
        let Some(chunk) = self.chunks.get_mut(at) else {
            return Ok(at);
        };
        let opened = chunk.open()?;
        opened.tidy();
        let mut borders: Vec<usize> = Vec::new();
        for (index, entry) in opened.entries.iter().enumerate().skip(1) {
            if entry.begins_chunk() {
                borders.push(index);
            }
        }
        if !borders.is_empty() {
            let mut parts: Vec<Chunk<'_, C>> = Vec::with_capacity(borders.len());
            for border in borders.into_iter().rev() {
                let before = opened.living_before(border);
                let content = opened.content.split_off(before);
                let entries = opened.entries.split_off(border);
                parts.push(Chunk::of(Opened { entries, content }));
            }
            let rest = std::mem::take(opened);
            *chunk = Chunk::of(rest);
            self.chunks.splice(at + 1..at + 1, parts.into_iter().rev());
        }
        Ok(at)
    }

    /// Whether what stands in the chunk at `at` and in the next one belongs into one chunk.
    fn is_one(&mut self, at: usize) -> Result<bool, DecodeError> {
        let Some([before, after]) = self.chunks.get_mut(at..at + 2) else {
            return Ok(false);
        };
        let (last, first) = (before.look()?.entries.last(), after.look()?.entries.first());
        Ok(match (last, first) {
            (Some(last), Some(first)) => !first.begins_chunk() || last.takes_in(first),
            _ => true,
        })
    }

    fn absorb_next(&mut self, at: usize) -> Result<(), DecodeError> {
        let mut next = self.chunks.remove(at + 1);
        let next = next.look()?;
        if let Some(chunk) = self.chunks.get_mut(at) {
            let opened = chunk.open()?;
            opened.entries.extend_from_slice(&next.entries);
            opened.content.push(next.content.slice());
            *chunk = Chunk::of(std::mem::take(opened));
        }
        Ok(())
    }
}
