//! One check of the ledger: the chain, the index of its blocks and the catalog,
//! of which blocks, and whether it may rely on what was verified before.

use super::cosignature::{self, Fault};
use super::prefix::{self, Memory, Remembered};
use super::ranges::{self, Misplaced};
use super::tables::{self, Doubt};
use super::verify::Stored;
use crate::catalog;
use crate::error::raise;
use crate::instance::progress::{Phase, Progress};
use ledger::Report;
use pgrx::PgSqlErrorCode;

/// Ops behind what is remembered that make it worth while to remember anew.
const WORTH: u64 = 1_000;

/// A check that is under way.
pub struct Check {
    from: Option<i64>,
    to: Option<i64>,
    /// None: there is no chain.
    stored: Option<Stored>,
    progress: Progress,
    memory: Memory,
    /// Of the chain, once it was verified.
    report: Option<Report>,
}

impl Check {
    /// Of the blocks `from ..= to`, or without end.
    pub fn begin(from: Option<i64>, to: Option<i64>) -> Check {
        let last = catalog::last_height().unwrap_or(0);
        let first = from.unwrap_or(1).max(1);
        if first > last.saturating_add(1) || to.is_some_and(|to| to > last || to < first) {
            let (from, to) = (
                from.map_or("NULL".to_owned(), |n| n.to_string()),
                to.map_or("NULL".to_owned(), |n| n.to_string()),
            );
            raise(
                PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
                format!(
                    "the blocks from {from} to {to} are not all in the chain, which ends at block {last}"
                ),
                "Give the heights of the first and the last block to look at; without the last one, what is in no block yet is looked at too.",
            );
        }
        let progress = Progress::begin();
        Check {
            stored: Stored::open(Progress::of(progress.number())),
            from,
            to,
            progress,
            memory: Memory::Nothing,
            report: None,
        }
    }

    /// Lets the check begin behind what was verified before, if that still
    /// stands.
    pub fn rely_on_memory(&mut self) {
        self.progress.phase(Phase::Surveying);
        if let Some(stored) = &self.stored {
            self.memory = prefix::recall(stored);
        }
        if let Memory::Doubtful(reason) | Memory::Altered(reason) = &self.memory {
            pgrx::notice!("verify_chain() verifies all blocks again: {reason}");
        }
    }

    /// The block behind which the check begins.
    fn after(&self) -> u64 {
        match self.memory {
            Memory::Holds(height) => height,
            _ => self
                .from
                .map_or(0, |from| from.saturating_sub(1).max(0) as u64),
        }
    }

    /// The chain; none if there is none.
    pub fn report(&mut self) -> Option<&Report> {
        if self.report.is_none() {
            let to = self.to.map(|to| to as u64);
            let stored = self.stored.as_ref()?;
            self.report = Some(stored.verify(self.after(), to, &self.progress));
        }
        self.report.as_ref()
    }

    /// The index from ops to blocks.
    pub fn misplaced(&self) -> Vec<Misplaced> {
        self.progress.phase(Phase::Catalog);
        ranges::misplaced(Some(self.after() as i64 + 1), self.to)
    }

    /// The catalog's tables, after the chain; they belong to no block.
    pub fn catalog(&self) -> Vec<Doubt> {
        self.progress.phase(Phase::Catalog);
        let archives = !matches!(self.memory, Memory::Holds(_));
        match (&self.stored, &self.report, self.from, self.to) {
            (Some(stored), Some(report), None, None) => tables::doubts(stored, report, archives),
            (None, _, None, None) => tables::chainless().into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// What witnesses have cosigned.
    pub fn cosignatures(&self) -> Vec<Fault> {
        cosignature::faults(self.from, self.to)
    }

    /// What is wrong with what verify_chain() remembers.
    pub fn memory(&self) -> Option<Doubt> {
        match (self.from, self.to) {
            (None, None) => prefix::fault().map(|what| {
                Doubt::new("verified", "verified_altered", "its row".to_owned(), &what)
            }),
            _ => None,
        }
    }

    /// Whether nothing is wrong.
    pub fn is_sound(&mut self) -> bool {
        !matches!(self.memory, Memory::Altered(_))
            && self.report().is_none_or(|report| report.is_verified())
            && self.misplaced().is_empty()
            && self.catalog().is_empty()
            && self.cosignatures().is_empty()
    }

    /// What of a sound chain can be remembered, if it is worth while.
    pub fn memorable(&self) -> Option<Remembered> {
        let stored = self.stored.as_ref()?;
        if let Memory::Holds(height) = self.memory {
            let behind = super::verify::count_ops(height, None);
            let before = super::verify::count_ops(0, Some(height));
            if behind < WORTH.max(before / 20) {
                return None;
            }
        }
        self.progress.phase(Phase::Surveying);
        prefix::memorable(stored)
    }
}
