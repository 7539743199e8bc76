//! A set of dots, eight bytes each: the tombstones.

use crate::elements::merged;
use crate::{Dot, ReplicaId, VersionVector};

/// Per replica, ascending, its counters, ascending; no replica without counters.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DotSet {
    runs: Vec<(ReplicaId, Vec<u64>)>,
}

impl DotSet {
    /// Whether `dot` is in it.
    pub fn contains(&self, dot: &Dot) -> bool {
        self.counters(&dot.replica)
            .binary_search(&dot.counter)
            .is_ok()
    }

    /// How many dots.
    pub fn len(&self) -> usize {
        self.runs.iter().map(|(_, counters)| counters.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Ascending by replica, then counter.
    pub fn iter(&self) -> impl Iterator<Item = Dot> + '_ {
        self.runs.iter().flat_map(|(replica, counters)| {
            counters.iter().map(|counter| Dot {
                replica: *replica,
                counter: *counter,
            })
        })
    }

    /// The counters of one replica.
    pub(super) fn counters(&self, replica: &ReplicaId) -> &[u64] {
        let index = self
            .runs
            .binary_search_by_key(replica, |(replica, _)| *replica);
        index
            .ok()
            .and_then(|index| self.runs.get(index))
            .map_or(&[], |(_, counters)| counters)
    }

    /// The replicas and their smallest counters.
    pub(super) fn firsts(&self) -> impl Iterator<Item = Dot> + '_ {
        self.runs.iter().filter_map(|(replica, counters)| {
            counters.first().map(|counter| Dot {
                replica: *replica,
                counter: *counter,
            })
        })
    }

    /// Appends a replica greater than all before with ascending counters.
    pub(super) fn push_run(&mut self, replica: ReplicaId, counters: Vec<u64>) {
        if !counters.is_empty() {
            self.runs.push((replica, counters));
        }
    }

    /// Adds a dot in place.
    pub(super) fn insert(&mut self, dot: Dot) {
        let index = self
            .runs
            .binary_search_by_key(&dot.replica, |(replica, _)| *replica);
        let index = index.unwrap_or_else(|index| {
            self.runs.insert(index, (dot.replica, Vec::new()));
            index
        });
        if let Some((_, counters)) = self.runs.get_mut(index)
            && let Err(at) = counters.binary_search(&dot.counter)
        {
            counters.insert(at, dot.counter);
        }
    }

    pub(super) fn union(&self, other: &Self) -> Self {
        if self.is_empty() || other.is_empty() {
            return if self.is_empty() {
                other.clone()
            } else {
                self.clone()
            };
        }
        merged(self.iter(), other.iter()).collect()
    }

    /// Those that `floor` does not cover.
    pub(super) fn above(&self, floor: &VersionVector) -> Self {
        self.iter().filter(|dot| !floor.covers(dot)).collect()
    }

    pub(super) fn without(&self, other: &Self) -> Self {
        self.iter().filter(|dot| !other.contains(dot)).collect()
    }
}

/// Collects dots that ascend strictly.
impl FromIterator<Dot> for DotSet {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Self {
        let mut set = Self::default();
        for dot in dots {
            match set.runs.last_mut() {
                Some((replica, counters)) if *replica == dot.replica => counters.push(dot.counter),
                _ => set.runs.push((dot.replica, vec![dot.counter])),
            }
        }
        set
    }
}
