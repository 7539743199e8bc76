//! The join of many states, for aggregates.

use crate::{AnyState, CrdtError};

/// Joins states as a counter of binary digits carries: only partial results of like weight meet,
/// so that n states cost about n log n, where adding one by one to a growing result costs n².
#[derive(Clone, Debug, Default)]
pub struct Cascade {
    /// Partial results and how many states each holds, weights descending.
    partial: Vec<(usize, AnyState)>,
}

impl Cascade {
    /// Adds a state; all must be of one type.
    pub fn push(&mut self, state: AnyState) -> Result<(), CrdtError> {
        let mut last = (1, state);
        while let Some((weight, _)) = self.partial.last()
            && *weight <= last.0
            && let Some((weight, held)) = self.partial.pop()
        {
            last = (weight + last.0, held.join(&last.1)?);
        }
        self.partial.push(last);
        Ok(())
    }

    /// The join of all; None of nothing.
    pub fn finish(&self) -> Result<Option<AnyState>, CrdtError> {
        let mut partial = self.partial.iter().rev().map(|(_, state)| state);
        let Some(first) = partial.next() else {
            return Ok(None);
        };
        partial
            .try_fold(first.clone(), |joined, state| state.join(&joined))
            .map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Crdt, OrSet};

    /// A row left out of an aggregate would be a lost write.
    #[test]
    fn every_state_counts_once() {
        let set = |element: usize| OrSet::default().add(&format!("e{element:03}"));
        for count in [0usize, 1, 2, 3, 7, 100] {
            let mut cascade = Cascade::default();
            for element in 0..count {
                cascade.push(set(element).unwrap().into()).unwrap();
            }
            assert!(cascade.partial.len() <= 8);
            let joined = cascade.finish().unwrap();
            let elements = joined.map_or(0, |state| match state {
                AnyState::OrSet(set) => set.value().unwrap().len(),
                _ => 0,
            });
            assert_eq!(elements, count);
        }
    }
}
