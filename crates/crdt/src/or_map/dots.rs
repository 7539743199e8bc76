//! A DotFun: values under the dots of the events that made them.

use super::kinds::Part;
use crate::{CausalContext, Dot};

/// Values by dot. An event that is known but not here was removed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DotFun<V> {
    /// Ascending by dot, each once.
    items: Vec<(Dot, V)>,
}

impl<V> Default for DotFun<V> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

impl<V: Clone + Ord> Part for DotFun<V> {
    fn is_nothing(&self) -> bool {
        self.items.is_empty()
    }
}

impl<V: Clone + Ord> DotFun<V> {
    pub(super) fn with_capacity(count: usize) -> Self {
        Self {
            items: Vec::with_capacity(count),
        }
    }

    /// Dots with their values, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (Dot, &V)> {
        self.items.iter().map(|(dot, value)| (*dot, value))
    }

    /// How many dots.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The value under a dot.
    pub fn get(&self, dot: &Dot) -> Option<&V> {
        let at = self.find(dot).ok()?;
        self.items.get(at).map(|(_, value)| value)
    }

    fn find(&self, dot: &Dot) -> Result<usize, usize> {
        self.items.binary_search_by_key(dot, |(dot, _)| *dot)
    }

    pub(super) fn insert(&mut self, dot: Dot, value: V) {
        match self.find(&dot) {
            Ok(at) => {
                if let Some((_, held)) = self.items.get_mut(at) {
                    *held = value;
                }
            }
            Err(at) => self.items.insert(at, (dot, value)),
        }
    }

    pub(super) fn clear(&mut self) {
        self.items = Vec::new();
    }

    /// (s ∩ s′) ∪ (s ∖ c′) ∪ (s′ ∖ c). Two values under one dot, which no honest author makes,
    /// give the greater one.
    pub(super) fn join(
        &mut self,
        context: &CausalContext,
        other: &Self,
        other_context: &CausalContext,
    ) {
        self.items
            .retain(|(dot, _)| other.find(dot).is_ok() || !other_context.contains(dot));
        for (dot, value) in &other.items {
            match self.find(dot) {
                Ok(at) => {
                    if let Some((_, held)) = self.items.get_mut(at)
                        && *held < *value
                    {
                        *held = value.clone();
                    }
                }
                Err(at) if !context.contains(dot) => {
                    self.items.insert(at, (*dot, value.clone()));
                }
                Err(_) => (),
            }
        }
    }

    /// What stands here and not, or otherwise, in `old`.
    pub(super) fn beyond(&self, old: &Self) -> Self {
        let new = |(dot, value): &&(Dot, V)| old.get(dot) != Some(value);
        Self {
            items: self.items.iter().filter(new).cloned().collect(),
        }
    }

    /// Whether no dot of this has another value in `other`.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        self.items
            .iter()
            .all(|(dot, value)| other.get(dot).is_none_or(|held| held == value))
    }

    /// The value of the latest event; of several at once that of the greatest replica.
    pub fn latest(&self) -> Option<&V> {
        self.items
            .iter()
            .max_by_key(|(dot, _)| (dot.counter, dot.replica))
            .map(|(_, value)| value)
    }
}

/// What one addition to a counter added.
pub type Share = i128;

/// No share of an honest author is beyond the way from one bigint to another.
pub(super) const MAX_SHARE: u128 = 1 << 64;

/// Nor any sum of them beyond this; so all sums fit 128 bits.
pub(super) const MAX_SUM: u128 = 1 << 95;

impl DotFun<Share> {
    /// The counter.
    pub fn sum(&self) -> i128 {
        // Each is below 2^95 and there are not 2^31 of them in a state.
        self.items.iter().map(|(_, share)| share).sum()
    }

    /// Whether some replica has several shares below the floor.
    pub(super) fn folds(&self, floor: &CausalContext) -> bool {
        let mut last = None;
        self.items
            .iter()
            .any(|(dot, _)| floor.contains(dot) && last.replace(dot.replica) == Some(dot.replica))
    }

    /// Of each replica one share for all below the floor, under the greatest of their dots.
    pub(super) fn fold(&mut self, floor: &CausalContext) {
        let mut folded: Vec<(Dot, Share)> = Vec::with_capacity(self.items.len());
        for (dot, share) in &self.items {
            match folded.last_mut() {
                // A sum beyond all honest ones stays apart, as it came.
                Some((last, sum))
                    if last.replica == dot.replica
                        && floor.contains(last)
                        && floor.contains(dot)
                        && (*sum + share).unsigned_abs() <= MAX_SUM =>
                {
                    *last = *dot;
                    *sum += share;
                }
                _ => folded.push((*dot, *share)),
            }
        }
        self.items = folded;
    }
}
