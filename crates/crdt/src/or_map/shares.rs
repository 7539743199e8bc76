//! The shares of a counter in a map.

use super::kinds::Part;
use crate::dot_fun::DotFun;
use crate::{CausalContext, Dot};

impl<V: Clone + Ord> Part for DotFun<V> {
    fn is_nothing(&self) -> bool {
        self.items.is_empty()
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
