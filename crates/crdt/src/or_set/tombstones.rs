//! What was removed from a set: eight bytes a dot, or one tick a replica for all up to a floor.

use crate::elements::{MAX_REPLICAS, Seen, TOO_MANY_REPLICAS, merged};
use crate::{CrdtError, Dot, ReplicaId, VersionVector};

/// The table of a set's replicas with what was removed of each.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tombstones {
    /// Ascending by replica; those that have a living or removed dot, or a floor.
    runs: Vec<Run>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Run {
    replica: ReplicaId,
    /// Up to this tick everything that does not live was removed; 0 if nothing was folded.
    floor: u64,
    /// Ticks above the floor that were removed, ascending.
    ticks: Vec<u64>,
}

impl Run {
    fn new(replica: ReplicaId) -> Self {
        Self {
            replica,
            floor: 0,
            ticks: Vec::new(),
        }
    }

    /// Folds what is not above a tick.
    fn raise(&mut self, floor: u64) {
        self.floor = self.floor.max(floor);
        let above = self.ticks.partition_point(|tick| *tick <= self.floor);
        self.ticks.drain(..above);
    }
}

/// How the tables of two sets become one.
pub(super) struct Joint {
    pub replicas: Vec<ReplicaId>,
    /// Of each replica of the two tables the place in the joint one.
    pub left: Vec<u16>,
    pub right: Vec<u16>,
}

impl Tombstones {
    /// The removed dots that stand for themselves, ascending by replica, then counter.
    pub fn iter(&self) -> impl Iterator<Item = Dot> + '_ {
        self.runs.iter().flat_map(|run| {
            run.ticks.iter().map(|tick| Dot {
                replica: run.replica,
                counter: *tick,
            })
        })
    }

    /// How many of them.
    pub fn len(&self) -> usize {
        self.runs.iter().map(|run| run.ticks.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.runs.iter().all(|run| run.ticks.is_empty())
    }

    /// Whether a dot is one of them.
    pub fn contains(&self, dot: &Dot) -> bool {
        self.find(&dot.replica)
            .is_some_and(|run| run.ticks.binary_search(&dot.counter).is_ok())
    }

    /// Of each replica the tick up to which removals were folded.
    pub fn floor(&self) -> VersionVector {
        self.floors().collect()
    }

    fn floors(&self) -> impl Iterator<Item = Dot> + '_ {
        let folded = self.runs.iter().filter(|run| run.floor > 0);
        folded.map(|run| Dot {
            replica: run.replica,
            counter: run.floor,
        })
    }

    /// Whether the floor covers a dot.
    pub(super) fn folds(&self, dot: &Dot) -> bool {
        self.find(&dot.replica)
            .is_some_and(|run| dot.counter <= run.floor)
    }

    /// Whether there is a floor.
    pub(super) fn is_folded(&self) -> bool {
        self.floors().next().is_some()
    }

    /// Whether nothing is folded here that `other` has not folded.
    pub(super) fn folds_within(&self, other: &Self) -> bool {
        self.floors().all(|dot| other.folds(&dot))
    }

    /// At most so many bytes has the encoding.
    pub(super) fn bytes(&self) -> usize {
        36 * self.len() + 26 * self.runs.len()
    }

    /// How many replicas the table has.
    pub(super) fn replicas(&self) -> usize {
        self.runs.len()
    }

    /// The replica at a place of the table with what was removed of it.
    pub(super) fn at(&self, place: usize) -> Option<(ReplicaId, u64, &[u64])> {
        let run = self.runs.get(place)?;
        Some((run.replica, run.floor, &run.ticks))
    }

    /// The place of a replica in the table.
    pub(super) fn place(&self, replica: &ReplicaId) -> Option<u16> {
        let place = self.runs.binary_search_by_key(replica, |run| run.replica);
        place.ok().map(|place| place as u16)
    }

    fn find(&self, replica: &ReplicaId) -> Option<&Run> {
        let place = self.runs.binary_search_by_key(replica, |run| run.replica);
        self.runs.get(place.ok()?)
    }

    fn find_mut(&mut self, replica: &ReplicaId) -> Option<&mut Run> {
        let place = self.runs.binary_search_by_key(replica, |run| run.replica);
        self.runs.get_mut(place.ok()?)
    }

    /// Of each replica of this table what `other` has removed.
    pub(super) fn seen_by<'a>(&self, other: &'a Self) -> Vec<Seen<'a>> {
        let seen = |run: &Run| match other.find(&run.replica) {
            Some(run) => Seen::Removed(run.floor, &run.ticks),
            None => Seen::NOTHING,
        };
        self.runs.iter().map(seen).collect()
    }

    /// The joint table of two sets; fails if it has too many replicas.
    pub(super) fn joint(&self, other: &Self) -> Result<Joint, CrdtError> {
        let replicas =
            |of: &Self| -> Vec<ReplicaId> { of.runs.iter().map(|run| run.replica).collect() };
        let (left, right) = (replicas(self), replicas(other));
        let joint: Vec<ReplicaId> = merged(left.iter().copied(), right.iter().copied()).collect();
        if joint.len() > MAX_REPLICAS {
            return Err(TOO_MANY_REPLICAS);
        }
        let place = |replica: &ReplicaId| joint.binary_search(replica).unwrap_or_default() as u16;
        Ok(Joint {
            left: left.iter().map(place).collect(),
            right: right.iter().map(place).collect(),
            replicas: joint,
        })
    }

    /// What either has removed, in place.
    pub(super) fn join_assign(&mut self, other: &Self) {
        self.note(other.runs.iter().map(|run| run.replica));
        for run in &other.runs {
            if let Some(held) = self.find_mut(&run.replica) {
                held.raise(run.floor);
                let above = run.ticks.partition_point(|tick| *tick <= held.floor);
                merge(&mut held.ticks, run.ticks.get(above..).unwrap_or_default());
            }
        }
    }

    /// Notes replicas, each once, ascending.
    pub(super) fn note(&mut self, replicas: impl Iterator<Item = ReplicaId>) {
        let count = self.runs.len();
        let known = self.runs.get(..count).unwrap_or_default();
        let is_new = |id: &ReplicaId| known.binary_search_by_key(id, |run| run.replica).is_err();
        let new: Vec<Run> = replicas.filter(is_new).map(Run::new).collect();
        self.runs.extend(new);
        if self.runs.len() > count {
            self.runs.sort_by_key(|run| run.replica);
        }
    }

    /// Notes dots as removed, in any order.
    pub(super) fn remove(&mut self, mut dots: Vec<Dot>) {
        dots.sort_unstable();
        dots.dedup();
        let runs = || dots.chunk_by(|a, b| a.replica == b.replica);
        self.note(runs().filter_map(|dots| Some(dots.first()?.replica)));
        for dots in runs() {
            if let Some(run) = dots.first().and_then(|dot| self.find_mut(&dot.replica)) {
                let ticks = dots.iter().map(|dot| dot.counter);
                let ticks: Vec<u64> = ticks.filter(|tick| *tick > run.floor).collect();
                merge(&mut run.ticks, &ticks);
            }
        }
    }

    /// Folds what was removed of some replicas, ascending, up to a tick of each.
    pub(super) fn raise(&mut self, floor: &[Dot]) {
        self.note(floor.iter().map(|dot| dot.replica));
        for dot in floor {
            if let Some(run) = self.find_mut(&dot.replica) {
                run.raise(dot.counter);
            }
        }
    }

    /// Folds the tombstones that `stable` covers.
    pub(super) fn fold(&mut self, stable: &VersionVector) {
        for run in &mut self.runs {
            let covered = stable.get(&run.replica);
            let folded = run.ticks.partition_point(|tick| *tick <= covered);
            if let Some(last) = folded.checked_sub(1).and_then(|at| run.ticks.get(at)) {
                let floor = *last;
                run.raise(floor);
            }
        }
    }

    /// Appends a replica greater than all before with removed ticks, ascending.
    pub(super) fn push(&mut self, replica: ReplicaId, ticks: Vec<u64>) {
        self.runs.push(Run {
            ticks,
            ..Run::new(replica)
        });
    }
}

/// Adds ascending ticks to ascending ones in place, each once: only what is greater moves.
fn merge(held: &mut Vec<u64>, more: &[u64]) {
    let (mut from, mut left) = (held.len(), more.len());
    let mut to = from + left;
    held.resize(to, 0);
    while let Some(next) = left.checked_sub(1).and_then(|at| more.get(at)) {
        let last = from.checked_sub(1).and_then(|at| held.get(at)).copied();
        let greater = match last {
            Some(last) if last > *next => {
                from -= 1;
                last
            }
            last => {
                from -= usize::from(last == Some(*next));
                left -= 1;
                *next
            }
        };
        to -= 1;
        if let Some(place) = held.get_mut(to) {
            *place = greater;
        }
    }
    // As wide as ticks that both had.
    held.drain(from..to);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    use super::merge;

    proptest! {
        /// A tombstone that is lost revives what was removed.
        #[test]
        fn ticks_merge_as_sets(
            a in prop::collection::btree_set(0..40u64, 0..20),
            b in prop::collection::btree_set(0..40u64, 0..20),
        ) {
            let mut held: Vec<u64> = a.iter().copied().collect();
            let more: Vec<u64> = b.iter().copied().collect();
            merge(&mut held, &more);
            let both: BTreeSet<u64> = &a | &b;
            prop_assert_eq!(held, both.into_iter().collect::<Vec<_>>());
        }
    }
}
