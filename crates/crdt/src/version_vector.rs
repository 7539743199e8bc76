//! What was seen of each replica (Parker et al., "Detection of mutual inconsistency in
//! distributed systems", 1983).

use std::cmp::Ordering;

use crate::{Dot, ReplicaId};

/// Of each replica the greatest tick that was seen; a replica that is not named has 0.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct VersionVector {
    /// Ascending by replica; no tick is 0.
    entries: Vec<(ReplicaId, u64)>,
}

impl VersionVector {
    /// The tick seen of a replica, 0 if none.
    pub fn get(&self, replica: &ReplicaId) -> u64 {
        self.find(replica)
            .ok()
            .and_then(|index| self.entries.get(index))
            .map_or(0, |(_, tick)| *tick)
    }

    /// Whether the event was seen.
    pub fn covers(&self, dot: &Dot) -> bool {
        dot.counter <= self.get(&dot.replica)
    }

    /// Notes an event and all before it.
    pub fn observe(&mut self, dot: Dot) {
        match self.find(&dot.replica) {
            Ok(index) => {
                if let Some((_, tick)) = self.entries.get_mut(index) {
                    *tick = dot.counter.max(*tick);
                }
            }
            Err(index) if dot.counter > 0 => {
                self.entries.insert(index, (dot.replica, dot.counter));
            }
            Err(_) => (),
        }
    }

    /// Replicas and ticks, ascending by replica.
    pub fn iter(&self) -> impl Iterator<Item = Dot> + '_ {
        self.entries.iter().map(|(replica, tick)| Dot {
            replica: *replica,
            counter: *tick,
        })
    }

    /// How many replicas.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What either saw.
    pub fn join(&self, other: &Self) -> Self {
        let mut joined = self.clone();
        other.iter().for_each(|dot| joined.observe(dot));
        joined
    }

    fn find(&self, replica: &ReplicaId) -> Result<usize, usize> {
        self.entries
            .binary_search_by_key(replica, |(replica, _)| *replica)
    }

    fn covers_all(&self, other: &Self) -> bool {
        other.iter().all(|dot| self.covers(&dot))
    }
}

/// Of two vectors one may have seen all that the other has; if neither, they are concurrent.
impl PartialOrd for VersionVector {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.covers_all(other), other.covers_all(self)) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Greater),
            (false, true) => Some(Ordering::Less),
            (false, false) => None,
        }
    }
}

/// The greatest tick of each replica.
impl FromIterator<Dot> for VersionVector {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Self {
        let mut vector = Self::default();
        dots.into_iter().for_each(|dot| vector.observe(dot));
        vector
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(entries: &[(u8, u64)]) -> VersionVector {
        let dot = |(replica, counter): &(u8, u64)| Dot {
            replica: ReplicaId([*replica; 16]),
            counter: *counter,
        };
        entries.iter().map(dot).collect()
    }

    /// Whoever takes concurrent for later drops the other's writes.
    #[test]
    fn vectors_are_partially_ordered() {
        let (a, b) = (vector(&[(1, 5)]), vector(&[(1, 4), (2, 1)]));
        assert_eq!(a.partial_cmp(&b), None);
        assert!(a.join(&b) > a && a.join(&b) > b);
        assert_eq!(a.join(&b), b.join(&a));
        assert_eq!(vector(&[(3, 0)]), VersionVector::default());
        assert!(a.covers(&Dot {
            replica: ReplicaId([1; 16]),
            counter: 5
        }));
        assert!(!a.covers(&Dot {
            replica: ReplicaId([1; 16]),
            counter: 6
        }));
    }
}
