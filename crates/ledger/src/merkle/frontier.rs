//! The right edge of a growing tree: the roots of its complete subtrees. Enough to go on
//! appending and to know the root, in memory that grows with the logarithm of the size.

use super::{EMPTY_ROOT, node_hash};
use crate::hash::Hash;

/// The edge of a tree of `size` leaves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// Roots of the complete subtrees, the largest first: one for each 1 bit of `size`.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The edge with these peaks, largest first; none if their number does not fit the size.
    pub fn from_peaks(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the complete subtrees, largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Appends a leaf hash. A tree of 2^64 - 1 leaves is full and stays as it is.
    pub fn push(&mut self, leaf_hash: Hash) {
        let Some(size) = self.size.checked_add(1) else {
            return;
        };
        // Each trailing 1 bit of the old size is a subtree that the new leaf completes.
        let mut node = leaf_hash;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.peaks.push(node);
        self.size = size;
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            None => EMPTY_ROOT,
            Some(last) => peaks.fold(*last, |right, left| node_hash(left, &right)),
        }
    }
}
