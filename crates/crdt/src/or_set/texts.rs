//! A sorted set of texts in one buffer: four bytes beside each text, no allocation of its own.

/// Texts ascending by bytes, each once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Texts {
    buffer: String,
    /// Where each text ends in `buffer`.
    ends: Vec<u32>,
}

impl Texts {
    pub(super) fn with_capacity(texts: usize, bytes: usize) -> Self {
        Self {
            buffer: String::with_capacity(bytes),
            ends: Vec::with_capacity(texts),
        }
    }

    /// Appends a text that is greater than all before.
    pub(super) fn push(&mut self, text: &str) {
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
    pub(super) fn get(&self, index: usize) -> &str {
        let start = match index.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or_default(),
            None => 0,
        };
        let end = self.ends.get(index).copied().unwrap_or_default();
        self.buffer
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }

    pub(super) fn last(&self) -> Option<&str> {
        self.len().checked_sub(1).map(|index| self.get(index))
    }

    /// Ascending by bytes.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Where `text` stands.
    pub(super) fn find(&self, text: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.get(middle).cmp(text) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// Whether `text` is one of them.
    pub fn contains(&self, text: &str) -> bool {
        self.find(text).is_some()
    }

    /// Those of both.
    pub(super) fn union(&self, other: &Self) -> Self {
        merged(self.iter(), other.iter()).collect()
    }

    pub(super) fn with(&self, text: &str) -> Self {
        merged(self.iter(), std::iter::once(text)).collect()
    }

    pub(super) fn without(&self, text: &str) -> Self {
        self.iter().filter(|held| *held != text).collect()
    }

    /// Bytes of text.
    pub(super) fn bytes(&self) -> usize {
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
pub(super) fn merged<T: Ord>(
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
