//! The worker's side of the outbox: takes what committed transactions left,
//! whole transactions together, in causal order.
//!
//! Never "where id > last": rows commit in another order than they are
//! written. What a snapshot shows is taken and deleted in the same
//! transaction, so nothing can be skipped and nothing taken twice.
//!
//! An outbox that holds more than memory should is looked through for the rows
//! that come first, without their payloads, and their places are kept for the
//! next turns. Who commits meanwhile was seen by none of them, so it may come
//! after them. `rows` reads them, `turn` puts them in order, `rotate` empties
//! the tables.

mod rotate;
mod rows;
mod turn;

use self::rotate::rotate;
use self::rows::{Found, pages_of, scan};
use self::turn::{InTurn, LastTicks};
use crate::catalog::{Relation, Snapshot};
use crate::track::outbox::TABLES;
use pgrx::pg_sys;
use std::collections::BinaryHeap;

/// Ops taken at once, unless one transaction alone has more.
const BATCH_OPS: usize = 5_000;
/// Payload bytes taken at once, with the same exception.
const BATCH_BYTES: usize = 8 << 20;
/// Pages above which payloads are read only for the rows that are taken.
const LARGE_PAGES: u32 = 4_096;
/// Rows whose places are kept at most.
const MAX_WAITING: usize = 200_000;

/// One committed change.
pub struct Taken {
    /// Transaction that made it.
    pub transaction: u64,
    /// Its tick.
    pub hlc: u64,
    /// Kind of op.
    pub kind: u8,
    /// Number in `crdt.schema`.
    pub schema_id: i32,
    /// Index in the op log.
    pub row_id: i64,
    /// Canonical bytes.
    pub payload: Vec<u8>,
}

/// What was taken, and whether more waits.
pub struct Batch {
    /// In causal order.
    pub ops: Vec<Taken>,
    /// The outbox holds more committed rows, or may.
    pub more: bool,
}

/// The outbox as the worker knows it: lost with a transaction that took from it.
#[derive(Default)]
pub struct Outbox {
    /// Rows without payload that come next, the first one last.
    waiting: Vec<Found>,
    /// Whether there were more behind them.
    beyond: bool,
}

impl Outbox {
    /// Takes the next batch out of the outbox, within the current transaction.
    pub fn take(&mut self) -> Batch {
        let tables = TABLES.map(|name| Relation::open(name, pg_sys::RowExclusiveLock));
        let pages = tables.each_ref().map(pages_of);
        let snapshot = Snapshot::latest();
        let by_place = !self.waiting.is_empty() || pages.iter().any(|&it| it > LARGE_PAGES);
        let mut batch = match by_place {
            true => self.take_waiting(&tables, &snapshot),
            false => self.take_found(&tables, &snapshot),
        };
        for row in &mut batch {
            // SAFETY: the row was visible and only this worker deletes.
            unsafe { pg_sys::simple_heap_delete(tables[row.table].pointer(), &mut row.place) }
        }
        drop(tables);
        let known = self.beyond || !self.waiting.is_empty();
        rotate(&pages, known);
        Batch {
            // Who committed while others waited was not looked for.
            more: known || (by_place && !batch.is_empty()),
            ops: batch.into_iter().map(|row| row.taken).collect(),
        }
    }

    /// The first of all rows, of a small outbox.
    fn take_found(&mut self, tables: &[Relation; 2], snapshot: &Snapshot) -> Vec<Found> {
        let (mut found, mut last_ticks) = (Vec::new(), LastTicks::default());
        scan(tables, snapshot, true, |row| {
            last_ticks.note(&row);
            found.push(row);
        });
        found.sort_unstable_by_key(|row| last_ticks.turn(row));
        let count = batch_length(found.iter());
        self.beyond = found.len() > count;
        found.truncate(count);
        found
    }

    /// The first of those that wait, of a large outbox.
    fn take_waiting(&mut self, tables: &[Relation; 2], snapshot: &Snapshot) -> Vec<Found> {
        loop {
            if self.waiting.is_empty() {
                self.look_through(tables, snapshot);
            }
            let count = batch_length(self.waiting.iter().rev());
            let mut batch = self.waiting.split_off(self.waiting.len() - count);
            batch.reverse();
            if batch.iter_mut().all(|row| row.read(tables, snapshot)) {
                return batch;
            }
            // Somebody rewrote the table: all rows are elsewhere.
            self.waiting.clear();
        }
    }

    /// Finds the rows that come first. The last transaction of them is left out
    /// if it may not be whole, unless there is no other.
    fn look_through(&mut self, tables: &[Relation; 2], snapshot: &Snapshot) {
        let mut last_ticks = LastTicks::default();
        scan(tables, snapshot, false, |row| last_ticks.note(&row));
        let mut first = BinaryHeap::with_capacity(MAX_WAITING + 1);
        self.beyond = false;
        scan(tables, snapshot, false, |row| {
            first.push(InTurn(last_ticks.turn(&row), row));
            if first.len() > MAX_WAITING {
                first.pop();
                self.beyond = true;
            }
        });
        let first = first.into_sorted_vec();
        let mut first: Vec<Found> = first.into_iter().map(|InTurn(_, row)| row).collect();
        if let ([one, ..], true) = (first.as_slice(), self.beyond) {
            let one = one.taken.transaction;
            let last = first.last().map_or(one, |row| row.taken.transaction);
            if last != one {
                let whole =
                    first.partition_point(|row| last_ticks.turn(row) < last_ticks.begin(last));
                first.truncate(whole);
            }
        }
        first.reverse();
        self.waiting = first;
    }
}

/// How many of the rows, which are in causal order, make a batch: whole
/// transactions together.
fn batch_length<'a>(rows: impl Iterator<Item = &'a Found>) -> usize {
    let (mut count, mut bytes) = (0, 0);
    let mut before = None;
    for row in rows {
        let begins = before.is_some_and(|before| before != row.taken.transaction);
        let full = count >= BATCH_OPS || bytes >= BATCH_BYTES;
        // One transaction beyond what a segment can hold goes out in pieces.
        let piece_full =
            count >= ledger::MAX_SEGMENT_OPS || bytes + row.bytes > ledger::MAX_SEGMENT_BYTES / 2;
        if count > 0 && (begins && full || piece_full) {
            break;
        }
        before = Some(row.taken.transaction);
        count += 1;
        bytes += row.bytes;
    }
    count
}
