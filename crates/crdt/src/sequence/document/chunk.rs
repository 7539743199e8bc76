//! Chunks: some entries that stand side by side, with their content.

use std::borrow::Cow;
use std::sync::Arc;

use super::entry::{Element, Entry, push_entry};
use super::packed::{self, unpack};
use crate::DecodeError;
use crate::sequence::content::Content;

/// Some entries and the content of the living ones.
#[derive(Clone, Debug)]
pub(super) struct Chunk<'a, C> {
    /// How many elements live, and how many are deleted.
    pub living: usize,
    pub deleted: usize,
    body: Body<'a, C>,
}

/// Of a stored document, what nobody looked into stays packed.
#[derive(Clone, Debug)]
enum Body<'a, C> {
    Packed(Packed<'a>),
    /// Shared with clones as long as none of them changes it.
    Open(Arc<Opened<C>>),
}

/// The bytes of a chunk: its head in the directory, its entries, its content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed<'a> {
    pub head: Part<'a>,
    pub entries: Part<'a>,
    pub content: Part<'a>,
}

/// Bytes with all that are stored behind them, so that parts side by side are copied as one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub from: &'a [u8],
    pub len: usize,
}

impl<'a> Part<'a> {
    pub fn bytes(&self) -> &'a [u8] {
        self.from.get(..self.len).unwrap_or_default()
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Opened<C> {
    pub entries: Vec<Entry>,
    pub content: C,
}

impl<C: Content> Default for Opened<C> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            content: C::default(),
        }
    }
}

impl<C: Content> Opened<C> {
    /// How many living elements stand before an entry.
    pub fn living_before(&self, entry: usize) -> usize {
        let before = self.entries.iter().take(entry);
        before.map(Entry::living).sum()
    }

    /// The entry that holds an element, and how many elements of it stand before.
    pub fn find(&self, element: Element) -> Option<(usize, u32)> {
        let found = |entry: &Entry| entry.find(element);
        let at = self
            .entries
            .iter()
            .position(|entry| found(entry).is_some())?;
        Some((at, found(self.entries.get(at)?)?))
    }

    /// Deletes `count` elements of an entry behind `skip` of them; `offset` living elements stand
    /// before the entry. Says how many that were living.
    pub fn strike(&mut self, entry: usize, skip: u32, count: u32, offset: usize) -> usize {
        let Some(held) = self.entries.get_mut(entry).filter(|held| !held.deleted) else {
            return 0;
        };
        let mut parts: [Option<Entry>; 2] = [None, None];
        if count < held.len - skip {
            parts[1] = Some(held.split_off(skip + count));
        }
        let struck = held.len - skip;
        if skip > 0 {
            let mut part = held.split_off(skip);
            part.deleted = true;
            parts[0] = Some(part);
        } else {
            held.deleted = true;
        }
        let (behind, struck) = (entry + 1, struck as usize);
        self.entries
            .splice(behind..behind, parts.into_iter().flatten());
        let nothing = C::default();
        self.content
            .splice(offset + skip as usize, struck, nothing.slice());
        struck
    }

    /// Deletes ascending ranges of places, where the first element here has the place `start`.
    /// Says how many that were living.
    pub fn strike_all(&mut self, start: usize, ranges: &[(usize, usize)]) -> usize {
        let mut ranges = ranges.iter().rev().peekable();
        let mut struck = 0;
        let (mut end, mut offset) = (start, 0);
        for entry in &self.entries {
            end += entry.len as usize;
            offset += entry.living();
        }
        // From the end on, so that what is before stays where it is.
        for at in (0..self.entries.len()).rev() {
            let Some(entry) = self.entries.get(at).copied() else {
                break;
            };
            let first = end - entry.len as usize;
            offset -= entry.living();
            while let Some((place, count)) = ranges.peek() {
                let (from, upto) = (first.max(*place), end.min(place + count));
                if from < upto {
                    let (skip, count) = (from - first, upto - from);
                    struck += self.strike(at, skip as u32, count as u32, offset);
                }
                if *place < first {
                    break;
                }
                ranges.next();
            }
            end = first;
        }
        struck
    }

    /// Brings entries that belong together into one.
    pub fn tidy(&mut self) {
        if self.entries.array_windows().any(|[a, b]| a.takes_in(b)) {
            let entries = std::mem::take(&mut self.entries);
            let into = &mut self.entries;
            entries
                .into_iter()
                .for_each(|entry| push_entry(into, entry));
        }
    }
}

const CLOSED: DecodeError = DecodeError::NotCanonical("a chunk that stays closed");

impl<C: Content> Default for Chunk<'_, C> {
    fn default() -> Self {
        Self::of(Opened::default())
    }
}

impl<'a, C: Content> Chunk<'a, C> {
    /// From its bytes, which are not looked into; `living` and `deleted` elements.
    pub fn packed(living: usize, deleted: usize, packed: Packed<'a>) -> Self {
        Self {
            living,
            deleted,
            body: Body::Packed(packed),
        }
    }

    pub fn of(opened: Opened<C>) -> Self {
        let living = opened.living_before(opened.entries.len());
        let all: usize = opened.entries.iter().map(|entry| entry.len as usize).sum();
        Self {
            living,
            deleted: all - living,
            body: Body::Open(Arc::new(opened)),
        }
    }

    /// How many elements.
    pub fn len(&self) -> usize {
        self.living + self.deleted
    }

    /// Its entries and content, unpacked if need be.
    pub fn view(&self) -> Result<Cow<'_, Opened<C>>, DecodeError> {
        let packed = match &self.body {
            Body::Open(opened) => return Ok(Cow::Borrowed(opened)),
            Body::Packed(packed) => packed,
        };
        let opened = Opened {
            entries: unpack(packed.entries.bytes())?,
            content: C::read_elements(packed.content.bytes())?,
        };
        let living = opened.living_before(opened.entries.len());
        let all: usize = opened.entries.iter().map(|entry| entry.len as usize).sum();
        let said = C::count(opened.content.slice());
        if (living, said, all) != (self.living, self.living, self.len()) {
            return Err(DecodeError::NotCanonical("a chunk of another length"));
        }
        Ok(Cow::Owned(opened))
    }

    /// Its entries and content, which stay unpacked.
    pub fn look(&mut self) -> Result<&Opened<C>, DecodeError> {
        if let Cow::Owned(opened) = self.view()? {
            self.body = Body::Open(Arc::new(opened));
        }
        self.opened().ok_or(CLOSED)
    }

    /// Its entries and content, to be changed.
    pub fn open(&mut self) -> Result<&mut Opened<C>, DecodeError> {
        self.look()?;
        match &mut self.body {
            Body::Open(opened) => Ok(Arc::make_mut(opened)),
            Body::Packed(_) => Err(CLOSED),
        }
    }

    pub fn into_open(mut self) -> Result<Chunk<'static, C>, DecodeError> {
        self.look()?;
        match self.body {
            Body::Open(opened) => Ok(Chunk {
                living: self.living,
                deleted: self.deleted,
                body: Body::Open(opened),
            }),
            Body::Packed(_) => Err(CLOSED),
        }
    }

    /// What is open of it.
    pub fn opened(&self) -> Option<&Opened<C>> {
        match &self.body {
            Body::Open(opened) => Some(opened),
            Body::Packed(_) => None,
        }
    }

    /// Where an element stands, without opening the chunk.
    pub fn find(&self, element: Element) -> Result<Option<(usize, u32)>, DecodeError> {
        match &self.body {
            Body::Open(opened) => Ok(opened.find(element)),
            Body::Packed(packed) => packed::find(packed.entries.bytes(), element),
        }
    }

    /// Whether both hold the same, as far as that is seen without opening a packed one.
    pub fn is_same(&self, other: &Chunk<'_, C>) -> bool {
        self.living == other.living
            && self.deleted == other.deleted
            && match (&self.body, &other.body) {
                (Body::Open(a), Body::Open(b)) => Arc::ptr_eq(a, b) || a == b,
                (Body::Packed(a), Body::Packed(b)) => {
                    a.entries.bytes() == b.entries.bytes() && a.content.bytes() == b.content.bytes()
                }
                _ => false,
            }
    }

    /// What is open of it; Err with its bytes if nobody looked into it.
    pub fn state(&self) -> Result<&Opened<C>, &Packed<'a>> {
        match &self.body {
            Body::Open(opened) => Ok(opened),
            Body::Packed(packed) => Err(packed),
        }
    }

    /// How many bytes its content takes.
    pub fn content_bytes(&self) -> usize {
        match &self.body {
            Body::Open(opened) => C::byte_length(opened.content.slice()),
            Body::Packed(packed) => packed.content.len,
        }
    }

    /// About how many bytes it takes, never less.
    pub fn size(&self) -> usize {
        const ENTRY: usize = 34;
        const DIRECTORY: usize = 30;
        DIRECTORY
            + match &self.body {
                Body::Packed(packed) => packed.entries.len + packed.content.len,
                Body::Open(opened) => opened.entries.len() * ENTRY + opened.content.size(),
            }
    }
}
