//! A sorted set of texts in one buffer: four bytes beside each text, no allocation of its own.

/// Texts ascending by bytes, each once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Texts {
    buffer: String,
    /// Where each text ends in `buffer`.
    ends: Vec<u32>,
}

impl Texts {
    pub(crate) fn with_capacity(texts: usize, bytes: usize) -> Self {
        Self {
            buffer: String::with_capacity(bytes),
            ends: Vec::with_capacity(texts),
        }
    }

    /// Appends a text that is greater than all before.
    pub(crate) fn push(&mut self, text: &str) {
        debug_assert!(self.last().is_none_or(|last| last < text));
        self.buffer.push_str(text);
        // States are bounded far below 4 GiB.
        self.ends.push(self.buffer.len() as u32);
    }

    /// How many texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text at `index`; empty beyond the end.
    pub(crate) fn get(&self, index: usize) -> &str {
        let end = self.ends.get(index).copied().unwrap_or_default();
        self.buffer
            .get(self.start(index)..end as usize)
            .unwrap_or_default()
    }

    pub(crate) fn last(&self) -> Option<&str> {
        self.len().checked_sub(1).map(|index| self.get(index))
    }

    /// Ascending by bytes.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Where `text` stands, or where it would.
    fn search(&self, text: &str) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.get(middle).cmp(text) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Ok(middle),
            }
        }
        Err(low)
    }

    /// Where `text` stands.
    pub(crate) fn find(&self, text: &str) -> Option<usize> {
        self.search(text).ok()
    }

    /// Whether `text` is one of them.
    pub fn contains(&self, text: &str) -> bool {
        self.find(text).is_some()
    }

    /// Those of both.
    pub(crate) fn union(&self, other: &Self) -> Self {
        merged(self.iter(), other.iter()).collect()
    }

    /// Adds a text in place; at the end it costs only its own length.
    pub(crate) fn insert(&mut self, text: &str) {
        if self.last().is_none_or(|last| last < text) {
            return self.push(text);
        }
        let Err(index) = self.search(text) else {
            return;
        };
        let start = self.start(index);
        self.buffer.insert_str(start, text);
        self.ends.insert(index, start as u32);
        let moved = self.ends.get_mut(index..).unwrap_or_default();
        moved.iter_mut().for_each(|end| *end += text.len() as u32);
    }

    /// Takes a text out in place.
    pub(crate) fn remove(&mut self, text: &str) {
        if let Some(index) = self.find(text) {
            self.remove_at(index);
        }
    }

    /// Takes the text at `index` out in place.
    pub(crate) fn remove_at(&mut self, index: usize) {
        let start = self.start(index);
        if index < self.ends.len() {
            let end = self.ends.remove(index) as usize;
            self.buffer.drain(start..end);
            let moved = self.ends.get_mut(index..).unwrap_or_default();
            moved
                .iter_mut()
                .for_each(|moved| *moved -= (end - start) as u32);
        }
    }

    /// Where the text at `index` starts in the buffer.
    fn start(&self, index: usize) -> usize {
        match index.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or_default() as usize,
            None => 0,
        }
    }

    /// Bytes of text.
    pub(crate) fn bytes(&self) -> usize {
        self.buffer.len()
    }
}

/// Collects texts that ascend strictly.
impl<'a> FromIterator<&'a str> for Texts {
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Self {
        let mut set = Self::default();
        texts.into_iter().for_each(|text| set.push(text));
        set
    }
}

/// Two ascending runs as one, each item once.
pub(crate) fn merged<T: Ord>(
    left: impl Iterator<Item = T>,
    right: impl Iterator<Item = T>,
) -> impl Iterator<Item = T> {
    let (mut left, mut right) = (left.peekable(), right.peekable());
    std::iter::from_fn(move || match (left.peek(), right.peek()) {
        (Some(a), Some(b)) => match a.cmp(b) {
            std::cmp::Ordering::Less => left.next(),
            std::cmp::Ordering::Greater => right.next(),
            std::cmp::Ordering::Equal => {
                right.next();
                left.next()
            }
        },
        (Some(_), None) => left.next(),
        (None, _) => right.next(),
    })
}
