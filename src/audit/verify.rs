//! The verification of the stored chain: split into runs of blocks that
//! several processes share, joined to the result of one pass.

use super::feed::{Feed, Source, stored_chain, stored_members};
use super::{ground, parallel};
use crate::catalog;
use crate::error::corrupt;
use crate::instance::progress::{Phase, Progress};
use ledger::merkle::TILE_WIDTH;
use ledger::verify::MAX_RUN_TILES;
use ledger::{Ground, Pieces, Report, Run, SignedChange};

/// Fewer leaves than this are verified by one process: to start others would
/// take longer.
const MIN_SHARED: u64 = 20_000;
/// The smallest run is this share of what each process has to do.
const SMALLEST: u64 = 128;
/// The most leaves of a run: what one run may have to tell is bounded.
const MAX_LEAVES: u64 = (MAX_RUN_TILES as u64 / 2) * TILE_WIDTH * TILE_WIDTH;
/// The most runs; what is behind them one process verifies.
const MAX_RUNS: usize = 4096;

/// The stored chain, open for verification, by whichever process.
pub struct Stored {
    pub source: Source,
    pub pieces: Pieces,
    /// None: too many, so that only one pass from the genesis can be made.
    changes: Option<Vec<(u64, SignedChange)>>,
}

/// A run of blocks: those after one height, up to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    pub after: u64,
    pub to: u64,
}

impl Stored {
    /// Opens the tables. None: there is no chain.
    pub fn open(progress: Progress) -> Option<Stored> {
        let (chain, genesis) = stored_chain()?;
        let source = Source::open(progress);
        let changes = ground::changes(&source.names);
        Some(Stored {
            pieces: Pieces::new(chain, genesis, stored_members()),
            changes,
            source,
        })
    }

    /// What the rows say of the chain up to a height; none where they do not,
    /// and at height 0, where the genesis says it.
    pub fn ground(&self, height: u64) -> Option<Ground> {
        match height {
            0 => None,
            _ => ground::behind(height, &self.source.names, self.changes.as_ref()?),
        }
    }

    /// Verifies a run of blocks on its own; none if one pass must look at it.
    pub fn run(&self, piece: &Piece) -> Option<Run> {
        let from = self.ground(piece.after);
        let to = self.ground(piece.to)?;
        if piece.after > 0 && from.is_none() {
            return None;
        }
        let mut run = self.pieces.start(from.as_ref());
        let (first, last) = (piece.after as i64 + 1, piece.to as i64);
        let Ok(()) = Feed::new(&mut run, &self.source).blocks(first, last);
        self.pieces.end(run, from.as_ref(), &to)
    }

    /// Verifies what comes after block `after`, which is taken for granted but
    /// for its own certificate; up to block `to`, or all there is.
    pub fn verify(&self, after: u64, to: Option<u64>, progress: &Progress) -> Report {
        let report = self.attempt(after, to, true, progress);
        // Runs keep no list of the payloads that are gone: one pass makes it.
        report.unwrap_or_else(|| {
            let one_pass = self.attempt(after, to, false, progress);
            one_pass.unwrap_or_else(|| corrupt("one pass over the chain has no result"))
        })
    }

    /// None: in runs it cannot be told what is wrong.
    fn attempt(
        &self,
        after: u64,
        to: Option<u64>,
        in_runs: bool,
        progress: &Progress,
    ) -> Option<Report> {
        let base = self.ground(after);
        // What cannot be taken for granted is verified too.
        let after = base.as_ref().map_or(0, |ground| ground.height);
        let mut whole = match &base {
            Some(ground) => self.pieces.behind(ground),
            None => self.pieces.begin(),
        };
        let known = base.as_ref().map_or(0, |ground| ground.edge.size());
        let stored = catalog::last_height().and_then(|height| u64::try_from(height).ok());
        let last = to.or(stored).unwrap_or(0);
        let runs = match self.changes {
            Some(_) if in_runs => plan(after, last),
            _ => Vec::new(),
        };
        progress.total(last.saturating_sub(after), count_ops(after, to));
        progress.phase(Phase::Blocks);
        let results = parallel::run_all(self, &runs, progress);
        progress.phase(Phase::Joining);
        let mut from = base;
        for (piece, run) in runs.iter().zip(results) {
            let end = self.ground(piece.to);
            let joined = match (&run, &end) {
                (Some(run), Some(end)) => self.pieces.join(&mut whole, run, from.as_ref(), end),
                _ => false,
            };
            if !joined {
                let (first, last) = (piece.after as i64 + 1, piece.to as i64);
                let Ok(()) = Feed::new(&mut whole, &self.source).blocks(first, last);
            }
            from = end;
        }
        let fed = runs.last().map_or(after, |piece| piece.to) as i64;
        let upto = to.map_or(i64::MAX, |to| to as i64);
        let mut feed = Feed::new(&mut whole, &self.source);
        let Ok(()) = feed.blocks(fed + 1, upto);
        if to.is_none() {
            progress.phase(Phase::Tail);
            let Ok(()) = feed.tail(known);
        } else if whole.awaits_prune() {
            super::prune::explain(&mut whole);
        }
        if !runs.is_empty() && whole.awaits_prune() {
            return None;
        }
        Some(match to {
            Some(_) => whole.stop(),
            None => whole.finish(),
        })
    }
}

/// How many ops there are after a block, up to another one or to the end.
pub fn count_ops(after: u64, to: Option<u64>) -> u64 {
    let upto = |height: u64| leaves(height).unwrap_or(0).saturating_sub(height);
    let in_blocks = match to {
        Some(to) => upto(to),
        // The version vector says how far the tail goes.
        None => catalog::one(
            "SELECT coalesce(sum(seq), 0)::bigint FROM crdt.position",
            &[],
            |row| row.need::<i64>(1),
        )
        .and_then(|ops| u64::try_from(ops).ok())
        .unwrap_or(0),
    };
    in_blocks.saturating_sub(upto(after))
}

/// How many leaves the log has after a block, as its header says.
fn leaves(height: u64) -> Option<u64> {
    Some(catalog::header(height as i64)?.tree_size)
}

/// Splits the blocks into runs for several processes. Each has a share of the
/// leaves that are left: the first runs are long and the last short, so that all
/// processes end at about the same time (guided self-scheduling, Polychronopoulos
/// and Kuck 1987). None where the headers do not tell, or it is not worth while.
fn plan(after: u64, last: u64) -> Vec<Piece> {
    let processes = u64::from(parallel::max_workers()) + 1;
    let size = |height| match height {
        0 => Some(0),
        _ => leaves(height),
    };
    let (Some(start), Some(end)) = (size(after), size(last)) else {
        return Vec::new();
    };
    let total = end.saturating_sub(start);
    if processes < 2 || total < MIN_SHARED {
        return Vec::new();
    }
    let least = (total / (processes * SMALLEST)).clamp(1, MAX_LEAVES);
    let mut runs = Vec::new();
    let (mut from, mut known) = (after, start);
    while from < last && runs.len() < MAX_RUNS {
        let left = end.saturating_sub(known);
        let goal = known.saturating_add((left / (2 * processes)).clamp(least, MAX_LEAVES));
        // The first block that reaches the goal.
        let (mut low, mut high) = (from + 1, last);
        while low < high {
            let middle = low + (high - low) / 2;
            match leaves(middle) {
                Some(size) if size < goal => low = middle + 1,
                Some(_) => high = middle,
                None => return Vec::new(),
            }
        }
        runs.push(Piece {
            after: from,
            to: low,
        });
        known = leaves(low).unwrap_or(goal);
        from = low;
    }
    runs
}
