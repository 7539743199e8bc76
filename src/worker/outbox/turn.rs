//! The order in which rows of the outbox become ops.

use super::rows::Found;
use std::cmp::Ordering;
use std::collections::HashMap;

/// Where a row comes in causal order: the greatest tick of its transaction, the
/// transaction, its own tick.
///
/// A transaction that saw another's commit has ticks greater than all of the
/// other's, so the order by greatest tick respects causality.
pub type Turn = (u64, u64, u64);

/// The greatest tick of each transaction.
#[derive(Default)]
pub struct LastTicks(HashMap<u64, u64>);

impl LastTicks {
    /// Takes note of a row.
    pub fn note(&mut self, row: &Found) {
        let last = self.0.entry(row.taken.transaction).or_default();
        *last = (*last).max(row.taken.hlc);
    }

    /// When a row comes.
    pub fn turn(&self, row: &Found) -> Turn {
        let (last, transaction, _) = self.begin(row.taken.transaction);
        (last, transaction, row.taken.hlc)
    }

    /// When the rows of a transaction begin.
    pub fn begin(&self, transaction: u64) -> Turn {
        let last = self.0.get(&transaction).copied().unwrap_or_default();
        (last, transaction, 0)
    }
}

/// A row that is compared by its turn.
pub struct InTurn(pub Turn, pub Found);

impl PartialEq for InTurn {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for InTurn {}

impl PartialOrd for InTurn {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for InTurn {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
