//! A DotFun: values under the dots of the events that made them.

use crate::{CausalContext, Dot};

/// Values by dot. An event that is known but not here was removed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DotFun<V> {
    /// Ascending by dot, each once.
    pub(crate) items: Vec<(Dot, V)>,
}

impl<V> Default for DotFun<V> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

impl<V: Clone + Ord> DotFun<V> {
    pub(crate) fn with_capacity(count: usize) -> Self {
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

    pub(crate) fn insert(&mut self, dot: Dot, value: V) {
        match self.find(&dot) {
            Ok(at) => {
                if let Some((_, held)) = self.items.get_mut(at) {
                    *held = value;
                }
            }
            Err(at) => self.items.insert(at, (dot, value)),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.items = Vec::new();
    }

    /// (s ∩ s′) ∪ (s ∖ c′) ∪ (s′ ∖ c). Of two values under one dot, which no honest author makes,
    /// `yields` says whether the first gives way to the second.
    pub(crate) fn join(
        &mut self,
        context: &CausalContext,
        other: &Self,
        other_context: &CausalContext,
        yields: impl Fn(&V, &V) -> bool,
    ) {
        self.items
            .retain(|(dot, _)| other.find(dot).is_ok() || !other_context.contains(dot));
        for (dot, value) in &other.items {
            match self.find(dot) {
                Ok(at) => {
                    if let Some((_, held)) = self.items.get_mut(at)
                        && yields(held, value)
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

    pub(crate) fn retain(&mut self, is_kept: impl Fn(&Dot) -> bool) {
        self.items.retain(|(dot, _)| is_kept(dot));
    }

    /// What stands here and not, or otherwise, in `old`.
    pub(crate) fn beyond(&self, old: &Self) -> Self {
        let new = |(dot, value): &&(Dot, V)| old.get(dot) != Some(value);
        Self {
            items: self.items.iter().filter(new).cloned().collect(),
        }
    }

    /// Whether no dot of this has another value in `other`.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
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
