//! The living elements in flat columns: one buffer of texts, one column of dots.

use std::cmp::Ordering;
use std::ops::Range;

/// Elements ascending by bytes, each with at least one dot; dots ascending.
///
/// A dot names its replica by its place in the set's table of replicas: the causal context of an
/// aw_set, the tombstones of an or_set.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Live {
    /// UTF-8; bytes, because a String cannot be spliced in place.
    pub texts: Vec<u8>,
    /// Where each text ends in `texts`. States are bounded far below 4 GiB.
    pub ends: Vec<u32>,
    pub counters: Vec<u64>,
    /// The replica of each counter.
    pub authors: Vec<u16>,
    /// Where each element's dots end; empty if each element has one dot, as most sets are.
    pub dot_ends: Vec<u32>,
}

fn start_in(ends: &[u32], index: usize) -> usize {
    match index.checked_sub(1) {
        Some(before) => ends.get(before).copied().unwrap_or_default() as usize,
        None => 0,
    }
}

impl Live {
    pub fn with_capacity(elements: usize, bytes: usize) -> Self {
        Self {
            texts: Vec::with_capacity(bytes),
            ends: Vec::with_capacity(elements),
            counters: Vec::with_capacity(elements),
            authors: Vec::with_capacity(elements),
            dot_ends: Vec::new(),
        }
    }

    /// How many elements.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Where the text of an element, or what follows the last, starts.
    pub fn start(&self, index: usize) -> usize {
        start_in(&self.ends, index)
    }

    /// The text of an element; empty beyond the end.
    #[inline]
    pub fn bytes(&self, index: usize) -> &[u8] {
        let end = self.ends.get(index).copied().unwrap_or_default() as usize;
        self.texts.get(self.start(index)..end).unwrap_or_default()
    }

    pub fn text(&self, index: usize) -> &str {
        // Every text came in as a str.
        std::str::from_utf8(self.bytes(index)).unwrap_or_default()
    }

    pub fn texts(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| self.text(index))
    }

    /// Whether each element has one dot.
    pub fn is_single(&self) -> bool {
        self.dot_ends.is_empty()
    }

    /// Where the dots of these elements stand.
    #[inline]
    pub fn dots(&self, elements: Range<usize>) -> Range<usize> {
        match self.is_single() {
            true => elements,
            false => {
                start_in(&self.dot_ends, elements.start)..start_in(&self.dot_ends, elements.end)
            }
        }
    }

    /// The dot at a place: place of its replica, counter.
    #[inline]
    pub fn dot(&self, at: usize) -> (u16, u64) {
        let author = self.authors.get(at).copied().unwrap_or_default();
        (author, self.counters.get(at).copied().unwrap_or_default())
    }

    /// Whether any dot has this counter.
    pub fn has_counter(&self, counter: u64) -> bool {
        // Many at a time, without a branch between.
        let has = |some: &[u64]| {
            some.iter()
                .fold(false, |has, held| has | (*held == counter))
        };
        self.counters.chunks(128).any(has)
    }

    /// Where an element stands, or where it would.
    pub fn search(&self, element: &[u8]) -> Result<usize, usize> {
        let at = self.seek(element, 0);
        match at < self.len() && self.bytes(at) == element {
            true => Ok(at),
            false => Err(at),
        }
    }

    /// The first place from `from` on whose text is not less: near ones are found soonest.
    pub fn seek(&self, element: &[u8], from: usize) -> usize {
        let (mut low, mut step) = (from, 1);
        let mut high = loop {
            let probe = low + step - 1;
            if probe >= self.len() {
                break self.len();
            }
            if self.bytes(probe) >= element {
                break probe;
            }
            low = probe + 1;
            step *= 2;
        };
        while low < high {
            let middle = low + (high - low) / 2;
            match self.bytes(middle).cmp(element) {
                Ordering::Less => low = middle + 1,
                _ => high = middle,
            }
        }
        low
    }

    /// Appends an element greater than all before with ascending dots; without dots, nothing.
    pub fn push(&mut self, text: &[u8], dots: impl IntoIterator<Item = (u16, u64)>) {
        let before = self.counters.len();
        for (author, counter) in dots {
            self.push_dot(author, counter);
        }
        let dots = self.counters.len() - before;
        if dots > 0 {
            self.push_text(text, dots);
        }
    }

    /// Appends a dot of the element that [`Live::push_text`] will append.
    pub fn push_dot(&mut self, author: u16, counter: u64) {
        self.authors.push(author);
        self.counters.push(counter);
    }

    /// Appends an element greater than all before for the last `dots` dots, at least one.
    pub fn push_text(&mut self, text: &[u8], dots: usize) {
        if dots > 1 {
            self.note_dot_ends();
        }
        self.texts.extend_from_slice(text);
        self.ends.push(self.texts.len() as u32);
        if !self.dot_ends.is_empty() || dots > 1 {
            self.dot_ends.push(self.counters.len() as u32);
        }
    }

    /// Makes room for `count` dots, growing by halves but never beyond the `most` that can
    /// still come: hostile bytes get no more memory than their dots would take.
    pub fn reserve_dots(&mut self, count: usize, most: usize) {
        let more = count.max(self.counters.len() / 2).min(most);
        if self.counters.capacity() - self.counters.len() < count {
            self.counters.reserve_exact(more);
        }
        if self.authors.capacity() - self.authors.len() < count {
            self.authors.reserve_exact(more);
        }
    }

    /// Appends elements of another, all greater; `to` maps the places of replicas.
    pub fn push_run(&mut self, from: &Self, elements: Range<usize>, to: &[u16], is_same: bool) {
        let count = elements.len();
        if count == 0 {
            return;
        }
        if count == 1 && from.is_single() && self.is_single() {
            let (author, counter) = from.dot(elements.start);
            self.texts.extend_from_slice(from.bytes(elements.start));
            self.ends.push(self.texts.len() as u32);
            self.counters.push(counter);
            let place = || to.get(usize::from(author)).copied().unwrap_or_default();
            self.authors.push(if is_same { author } else { place() });
            return;
        }
        let (start, end) = (from.start(elements.start), from.start(elements.end));
        let base = self.texts.len();
        self.texts
            .extend_from_slice(from.texts.get(start..end).unwrap_or_default());
        let ends = from.ends.get(elements.clone()).unwrap_or_default();
        // Modulo 2^32: the sum is in range, the difference need not be.
        let shift = (base as u32).wrapping_sub(start as u32);
        self.ends
            .extend(ends.iter().map(|end| end.wrapping_add(shift)));
        let dots = from.dots(elements.clone());
        if dots.len() > count {
            self.note_dot_ends_of(self.ends.len() - count);
        }
        if !self.dot_ends.is_empty() || dots.len() > count {
            let before = self.counters.len() as u32;
            let ends = elements.map(|index| from.dots(index..index + 1).end - dots.start);
            self.dot_ends.extend(ends.map(|end| before + end as u32));
        }
        self.counters
            .extend_from_slice(from.counters.get(dots.clone()).unwrap_or_default());
        let authors = from.authors.get(dots).unwrap_or_default();
        if is_same {
            self.authors.extend_from_slice(authors);
        } else {
            let place = |author: &u16| to.get(usize::from(*author)).copied().unwrap_or_default();
            self.authors.extend(authors.iter().map(place));
        }
    }

    /// Takes an element out in place.
    pub fn remove_at(&mut self, index: usize) {
        let dots = self.dots(index..index + 1);
        let (start, end) = (self.start(index), self.start(index + 1));
        self.texts.drain(start..end);
        self.ends.remove(index);
        let moved = self.ends.get_mut(index..).unwrap_or_default();
        moved
            .iter_mut()
            .for_each(|moved| *moved -= (end - start) as u32);
        if !self.dot_ends.is_empty() {
            self.dot_ends.remove(index);
            let moved = self.dot_ends.get_mut(index..).unwrap_or_default();
            moved
                .iter_mut()
                .for_each(|moved| *moved -= dots.len() as u32);
        }
        self.counters.drain(dots.clone());
        self.authors.drain(dots);
        self.forget_dot_ends();
    }

    /// From here on elements may have several dots.
    pub fn note_dot_ends(&mut self) {
        self.note_dot_ends_of(self.ends.len());
    }

    /// Each element has one dot again if there are as many dots as elements.
    pub fn forget_dot_ends(&mut self) {
        if self.counters.len() == self.ends.len() {
            self.dot_ends = Vec::new();
        }
    }

    /// Moves the replicas of all dots to other places.
    pub fn replace(&mut self, to: &[u16]) {
        let place =
            |author: &mut u16| *author = to.get(usize::from(*author)).copied().unwrap_or_default();
        self.authors.iter_mut().for_each(place);
    }

    fn note_dot_ends_of(&mut self, elements: usize) {
        if self.dot_ends.is_empty() {
            self.dot_ends.extend(1..=elements as u32);
        }
    }
}
