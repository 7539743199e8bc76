//! Entries: what stands side by side in a whole sequence, and where chunks of them begin.

/// An element of a whole sequence: its author's place in the table of replicas, and its number
/// among all elements of that author.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::sequence) struct Element {
    pub author: u32,
    pub number: u32,
}

impl Element {
    pub fn next(self) -> Option<Self> {
        let number = self.number.checked_add(1)?;
        Some(Self { number, ..self })
    }

    /// The one with a number greater by `count`.
    pub fn later(self, count: u32) -> Self {
        let number = self.number.saturating_add(count);
        Self { number, ..self }
    }

    pub fn previous(self) -> Option<Self> {
        let number = self.number.checked_sub(1)?;
        Some(Self { number, ..self })
    }
}

/// Living elements that one entry holds at most: one whose number is a multiple begins an entry,
/// and a chunk.
pub(super) const PAGE: u32 = 1024;

/// Of so many entries about one begins a chunk.
const FEW: u32 = 32;

/// Elements that stand side by side with ascending numbers, all living or all deleted: the first
/// was typed between `left` and `right`, each other one between the one before it and `right`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sequence) struct Entry {
    pub first: Element,
    /// At least 1; no number is `u32::MAX`.
    pub len: u32,
    pub deleted: bool,
    pub left: Option<Element>,
    pub right: Option<Element>,
}

impl Entry {
    /// The number after that of the last element.
    pub fn end(&self) -> u32 {
        self.first.number.saturating_add(self.len)
    }

    pub fn last(&self) -> Element {
        Element {
            number: self.end() - 1,
            ..self.first
        }
    }

    /// The element that `skip` others of this entry stand before.
    pub fn at(&self, skip: u32) -> Element {
        self.first.later(skip)
    }

    /// How many elements of this entry stand before `element`, if it is one of them.
    pub fn find(&self, element: Element) -> Option<u32> {
        let skip = element.number.wrapping_sub(self.first.number);
        (self.first.author == element.author && skip < self.len).then_some(skip)
    }

    /// What the element after `skip` others was typed behind.
    pub fn left_of(&self, skip: u32) -> Option<Element> {
        match skip.checked_sub(1) {
            None => self.left,
            Some(before) => Some(self.at(before)),
        }
    }

    /// How many of its elements live.
    pub fn living(&self) -> usize {
        if self.deleted { 0 } else { self.len as usize }
    }

    /// Takes off what comes after `skip` elements.
    pub fn split_off(&mut self, skip: u32) -> Self {
        let rest = Self {
            first: self.at(skip),
            len: self.len - skip,
            left: self.left_of(skip),
            ..*self
        };
        self.len = skip;
        rest
    }

    /// Whether `next`, which stands behind it, belongs to the same entry.
    pub fn takes_in(&self, next: &Self) -> bool {
        self.first.author == next.first.author
            && self.end() == next.first.number
            && self.deleted == next.deleted
            && (self.deleted || !next.first.number.is_multiple_of(PAGE))
            && next.left == Some(self.last())
            && self.right == next.right
    }

    /// Whether a chunk begins with it. That hangs on nothing but its first element, so that
    /// equal states have equal chunks and an edit moves no border but near it.
    pub fn begins_chunk(&self) -> bool {
        let Element { author, number } = self.first;
        let mixed = (number ^ author.wrapping_mul(0x85eb_ca6b)).wrapping_mul(0x9e37_79b1);
        number.is_multiple_of(PAGE) || (mixed >> 16).is_multiple_of(FEW)
    }

    /// Whether it need not be cut in pages.
    pub fn is_on_one_page(&self) -> bool {
        self.deleted || self.len <= PAGE - self.first.number % PAGE
    }

    /// Parts of at most a page each, if it lives.
    pub fn pages(mut self) -> impl Iterator<Item = Self> {
        std::iter::from_fn(move || {
            if self.len == 0 {
                return None;
            }
            if self.is_on_one_page() {
                let all = self;
                self.len = 0;
                return Some(all);
            }
            let room = PAGE - self.first.number % PAGE;
            let rest = self.split_off(room);
            Some(std::mem::replace(&mut self, rest))
        })
    }
}

/// Appends an entry, to the last one if it goes on there.
pub(super) fn push_entry(entries: &mut Vec<Entry>, entry: Entry) {
    match entries.last_mut() {
        Some(last) if last.takes_in(&entry) => last.len += entry.len,
        _ => entries.push(entry),
    }
}
