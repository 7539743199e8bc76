//! A map in sorted vectors. A tree of such maps takes little more memory than its bytes, where
//! one of balanced trees takes hundreds of times as much if each of them holds a single key.

use std::cmp::Ordering;

/// A key with its value.
type Item<V> = (Box<str>, V);

/// So many keys lie in one vector at most: where one comes in between, so many move.
const CHUNK: usize = 512;

/// Values by key, ascending by the bytes of the key.
#[derive(Clone, Debug)]
pub struct Keyed<V> {
    items: Items<V>,
}

#[derive(Clone, Debug)]
enum Items<V> {
    Few(Vec<Item<V>>),
    Many(Box<Many<V>>),
}

/// At least two vectors, none of them empty.
#[derive(Clone, Debug)]
struct Many<V> {
    chunks: Vec<Vec<Item<V>>>,
}

impl<V> Default for Keyed<V> {
    fn default() -> Self {
        Self {
            items: Items::Few(Vec::new()),
        }
    }
}

impl<V> Keyed<V> {
    /// How many keys.
    pub fn len(&self) -> usize {
        self.chunks().iter().map(Vec::len).sum()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.chunks().iter().all(Vec::is_empty)
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&V> {
        let (chunk, at) = self.find(key).ok()?;
        let (_, value) = self.chunks().get(chunk)?.get(at)?;
        Some(value)
    }

    /// Whether a key is there.
    pub fn contains_key(&self, key: &str) -> bool {
        self.find(key).is_ok()
    }

    /// Keys with their values, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        let items = self.chunks().iter().flatten();
        items.map(|(key, value)| (&**key, value))
    }

    /// The keys, ascending.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(key, _)| key)
    }

    /// The values, by ascending keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        let items = self.chunks_mut().iter_mut().flatten();
        items.map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        let (chunk, at) = self.find(key).ok()?;
        let (_, value) = self.chunks_mut().get_mut(chunk)?.get_mut(at)?;
        Some(value)
    }

    /// Takes the place of the value that was there, which it gives.
    pub fn insert(&mut self, key: impl Into<Box<str>>, value: V) -> Option<V> {
        let key = key.into();
        match self.find(&key) {
            Ok((chunk, at)) => {
                let (_, held) = self.chunks_mut().get_mut(chunk)?.get_mut(at)?;
                Some(std::mem::replace(held, value))
            }
            Err((chunk, at)) => {
                self.insert_at(chunk, at, (key, value));
                None
            }
        }
    }

    fn insert_at(&mut self, index: usize, at: usize, item: Item<V>) {
        let Some(chunk) = self.chunks_mut().get_mut(index) else {
            return;
        };
        if chunk.len() < CHUNK {
            return chunk.insert(at, item);
        }
        let next = if at == chunk.len() {
            vec![item]
        } else {
            let mut next = chunk.split_off(CHUNK / 2);
            match at.checked_sub(CHUNK / 2) {
                Some(at) => next.insert(at, item),
                None => chunk.insert(at, item),
            }
            next
        };
        self.insert_chunk(index + 1, next);
    }

    fn insert_chunk(&mut self, index: usize, next: Vec<Item<V>>) {
        match &mut self.items {
            Items::Few(first) => {
                let chunks = vec![std::mem::take(first), next];
                self.items = Items::Many(Box::new(Many { chunks }));
            }
            Items::Many(many) => many.chunks.insert(index, next),
        }
    }

    /// Takes a key out; its value.
    pub(crate) fn remove(&mut self, key: &str) -> Option<V> {
        let (chunk, at) = self.find(key).ok()?;
        let chunk = self.chunks_mut().get_mut(chunk)?;
        let (_, value) = chunk.remove(at);
        if chunk.is_empty() {
            self.drop_empty();
        }
        Some(value)
    }

    pub(crate) fn retain(&mut self, mut is_kept: impl FnMut(&str, &mut V) -> bool) {
        for chunk in self.chunks_mut() {
            chunk.retain_mut(|(key, value)| is_kept(key, value));
        }
        self.drop_empty();
    }

    fn drop_empty(&mut self) {
        if let Items::Many(many) = &mut self.items {
            many.chunks.retain(|chunk| !chunk.is_empty());
            if many.chunks.len() < 2 {
                self.items = Items::Few(many.chunks.pop().unwrap_or_default());
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The greatest key.
    pub(crate) fn last_key(&self) -> Option<&str> {
        let (key, _) = self.chunks().last()?.last()?;
        Some(key)
    }

    /// Appends a key greater than all before; `left` says how many may still come, with it. The
    /// room grows by a quarter: bytes that lie about how many there are get little memory.
    pub(crate) fn push(&mut self, key: impl Into<Box<str>>, value: V, left: usize) {
        let item = (key.into(), value);
        let last = self.chunks().len() - 1;
        let Some(chunk) = self.chunks_mut().last_mut() else {
            return;
        };
        let length = chunk.len();
        if length == chunk.capacity() && length < CHUNK {
            let more = left.min((length / 4).max(4));
            chunk.reserve_exact(more.clamp(1, CHUNK - length));
        }
        self.insert_at(last, length, item);
    }

    fn chunks(&self) -> &[Vec<Item<V>>] {
        match &self.items {
            Items::Few(items) => std::slice::from_ref(items),
            Items::Many(many) => &many.chunks,
        }
    }

    fn chunks_mut(&mut self) -> &mut [Vec<Item<V>>] {
        match &mut self.items {
            Items::Few(items) => std::slice::from_mut(items),
            Items::Many(many) => &mut many.chunks,
        }
    }

    /// Chunk and place of a key, or where it would be.
    fn find(&self, key: &str) -> Result<(usize, usize), (usize, usize)> {
        let chunks = self.chunks();
        let is_before = |chunk: &Vec<Item<V>>| chunk.last().is_some_and(|(last, _)| **last < *key);
        // What is greater than all comes at the end of the last.
        let last = chunks.len() - 1;
        let index = match chunks {
            [only] => usize::from(is_before(only)),
            all => all.partition_point(is_before),
        };
        let Some(chunk) = chunks.get(index) else {
            return Err((last, chunks.last().map_or(0, Vec::len)));
        };
        match chunk.binary_search_by(|(held, _)| (**held).cmp(key)) {
            Ok(at) => Ok((index, at)),
            Err(at) => Err((index, at)),
        }
    }
}

impl<V: Clone> Keyed<V> {
    /// What becomes of each key that either has, given the values of both; None for a key that
    /// goes.
    ///
    /// # Errors
    /// The first of `join`.
    pub(crate) fn try_joined<E>(
        self,
        other: &Self,
        mut join: impl FnMut(&str, Option<V>, Option<&V>) -> Result<Option<V>, E>,
    ) -> Result<Self, E> {
        let mut joined = Self::default();
        let mut left = self.into_iter().peekable();
        let mut right = other.iter().peekable();
        loop {
            let order = match (left.peek(), right.peek()) {
                (Some((a, _)), Some((b, _))) => (**a).cmp(b),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return Ok(joined),
            };
            let mine = if order.is_le() { left.next() } else { None };
            let theirs = if order.is_ge() { right.next() } else { None };
            let (key, mine) = mine.unzip();
            let (other_key, theirs) = theirs.unzip();
            let Some(key) = key.or_else(|| other_key.map(Box::from)) else {
                return Ok(joined);
            };
            if let Some(value) = join(&key, mine, theirs)? {
                joined.push(key, value, CHUNK);
            }
        }
    }

    /// The same where nothing can fail.
    pub(crate) fn joined(
        self,
        other: &Self,
        mut join: impl FnMut(Option<V>, Option<&V>) -> Option<V>,
    ) -> Self {
        let joined = self.try_joined(other, |_, mine, theirs| {
            Ok::<_, std::convert::Infallible>(join(mine, theirs))
        });
        match joined {
            Ok(joined) => joined,
        }
    }
}

impl<V: PartialEq> PartialEq for Keyed<V> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl<V: Eq> Eq for Keyed<V> {}

impl<V: PartialOrd> PartialOrd for Keyed<V> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.iter().partial_cmp(other.iter())
    }
}

impl<V: Ord> Ord for Keyed<V> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

/// Of a key that comes several times the last value counts.
impl<K: Into<Box<str>>, V> FromIterator<(K, V)> for Keyed<V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(items: I) -> Self {
        let mut keyed = Self::default();
        for (key, value) in items {
            keyed.insert(key, value);
        }
        keyed
    }
}

impl<K: Into<Box<str>>, V, const N: usize> From<[(K, V); N]> for Keyed<V> {
    fn from(items: [(K, V); N]) -> Self {
        items.into_iter().collect()
    }
}

/// Keys without values: a set.
impl FromIterator<String> for Keyed<()> {
    fn from_iter<I: IntoIterator<Item = String>>(keys: I) -> Self {
        keys.into_iter().map(|key| (key, ())).collect()
    }
}

impl<V> IntoIterator for Keyed<V> {
    type Item = (Box<str>, V);
    type IntoIter = std::iter::Flatten<std::vec::IntoIter<Vec<Item<V>>>>;

    fn into_iter(self) -> Self::IntoIter {
        let chunks = match self.items {
            Items::Few(items) => vec![items],
            Items::Many(many) => many.chunks,
        };
        chunks.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::Keyed;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// A key that is lost among the chunks is a lost write.
        #[test]
        fn it_is_a_map(
            edits in prop::collection::vec((0..3_000u16, any::<bool>()), 0..4_000),
            first in 0..2_000u16,
        ) {
            let key = |number: u16| format!("{number:05}");
            let mut keyed = Keyed::default();
            let mut oracle = BTreeMap::new();
            for number in 0..first {
                keyed.push(key(number), 0, 1);
                oracle.insert(key(number), 0);
            }
            for (at, (number, is_kept)) in edits.iter().enumerate() {
                let key = key(*number);
                if *is_kept {
                    prop_assert_eq!(keyed.insert(key.as_str(), at), oracle.insert(key, at));
                } else {
                    prop_assert_eq!(keyed.remove(&key), oracle.remove(&key));
                }
            }
            prop_assert_eq!(keyed.len(), oracle.len());
            prop_assert!(keyed.iter().eq(oracle.iter().map(|(key, value)| (key.as_str(), value))));
            prop_assert_eq!(&keyed, &oracle.clone().into_iter().collect());
            prop_assert!(keyed.clone().into_iter().map(|(key, _)| String::from(key)).eq(oracle.keys().cloned()));
            for number in (0..3_000).step_by(7).map(key) {
                prop_assert_eq!(keyed.get(&number), oracle.get(&number));
            }
            keyed.retain(|key, _| key.ends_with('3'));
            oracle.retain(|key, _| key.ends_with('3'));
            prop_assert!(keyed.keys().eq(oracle.keys()));
        }
    }
}
