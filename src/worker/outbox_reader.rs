//! The worker's side of the outbox: takes what committed transactions left,
//! whole transactions together, in causal order.
//!
//! Never "where id > last": rows commit in another order than they are
//! written. What a snapshot shows is taken and deleted in the same
//! transaction, so nothing can be skipped and nothing taken twice.

use crate::catalog::{self, Relation};
use crate::error::OrCorrupt;
use crate::instance::slot;
use crate::track::outbox::TABLES;
use pgrx::{FromDatum, pg_sys};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;

/// Ops taken at once, unless one transaction alone has more.
const BATCH_OPS: usize = 5_000;
/// Payload bytes taken at once, with the same exception.
const BATCH_BYTES: usize = 8 << 20;
/// Pages of an outbox table above which writers are sent to the other one.
const ROTATE_PAGES: u32 = 128;
/// Pages above which payloads are read only for the rows that are taken.
const LARGE_PAGES: u32 = 4_096;

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

/// A row of one of the outbox tables.
struct Found {
    table: usize,
    place: pg_sys::ItemPointerData,
    bytes: usize,
    taken: Taken,
}

impl Found {
    fn place_key(&self) -> (usize, u32, u16) {
        place_key(self.table, &self.place)
    }
}

fn place_key(table: usize, place: &pg_sys::ItemPointerData) -> (usize, u32, u16) {
    let block = (u32::from(place.ip_blkid.bi_hi) << 16) | u32::from(place.ip_blkid.bi_lo);
    (table, block, place.ip_posid)
}

/// What was taken, and whether more waits.
pub struct Batch {
    /// In causal order.
    pub ops: Vec<Taken>,
    /// The outbox holds more committed rows.
    pub more: bool,
}

/// Takes the next batch out of the outbox, within the current transaction.
pub fn take() -> Batch {
    let tables = TABLES.map(|name| Relation::open(name, pg_sys::RowExclusiveLock));
    let pages = tables.each_ref().map(pages_of);
    let large = pages.iter().any(|&pages| pages > LARGE_PAGES);
    let mut found = Vec::new();
    for (at, table) in tables.iter().enumerate().filter(|(at, _)| pages[*at] > 0) {
        scan(at, table, &mut found, |_| !large);
    }
    let total = found.len();
    let mut chosen = choose(found);
    if large {
        let places: HashSet<_> = chosen.iter().map(Found::place_key).collect();
        let mut payloads = HashMap::new();
        for (at, table) in tables.iter().enumerate().filter(|(at, _)| pages[*at] > 0) {
            let mut again = Vec::new();
            scan(at, table, &mut again, |place| {
                places.contains(&place_key(at, place))
            });
            payloads.extend(
                again
                    .into_iter()
                    .filter(|row| places.contains(&row.place_key()))
                    .map(|row| (row.place_key(), row.taken.payload)),
            );
        }
        for row in &mut chosen {
            row.taken.payload = payloads
                .remove(&row.place_key())
                .or_corrupt("an outbox row");
        }
    }
    for row in &mut chosen {
        // SAFETY: the row was visible and only this worker deletes.
        unsafe { pg_sys::simple_heap_delete(tables[row.table].pointer(), &mut row.place) }
    }
    let more = chosen.len() < total;
    drop(tables);
    rotate(&pages);
    Batch {
        ops: chosen.into_iter().map(|row| row.taken).collect(),
        more,
    }
}

fn pages_of(table: &Relation) -> u32 {
    // SAFETY: asks the storage manager for the file's length.
    unsafe {
        pg_sys::RelationGetNumberOfBlocksInFork(table.pointer(), pg_sys::ForkNumber::MAIN_FORKNUM)
    }
}

/// Appends the rows that are visible now; the payload only of those wanted.
fn scan(
    at: usize,
    table: &Relation,
    found: &mut Vec<Found>,
    wants_payload: impl Fn(&pg_sys::ItemPointerData) -> bool,
) {
    // SAFETY: scan and snapshot are released before return; each tuple is read
    // before the scan moves on.
    unsafe {
        let snapshot = pg_sys::RegisterSnapshot(pg_sys::GetLatestSnapshot());
        let scan = pg_sys::systable_beginscan(
            table.pointer(),
            pg_sys::InvalidOid,
            false,
            snapshot,
            0,
            std::ptr::null_mut(),
        );
        let descriptor = (*table.pointer()).rd_att;
        let (mut values, mut nulls) = ([pg_sys::Datum::null(); 6], [false; 6]);
        loop {
            let tuple = pg_sys::systable_getnext(scan);
            if tuple.is_null() {
                break;
            }
            pg_sys::heap_deform_tuple(tuple, descriptor, values.as_mut_ptr(), nulls.as_mut_ptr());
            let place = (*tuple).t_self;
            let payload = if wants_payload(&place) {
                Vec::<u8>::from_datum(values[5], false).or_corrupt("an outbox payload")
            } else {
                Vec::new()
            };
            found.push(Found {
                table: at,
                place,
                bytes: pg_sys::toast_raw_datum_size(values[5]),
                taken: Taken {
                    transaction: values[0].value() as u64,
                    hlc: values[1].value() as u64,
                    kind: values[2].value() as u8,
                    schema_id: values[3].value() as i32,
                    row_id: values[4].value() as i64,
                    payload,
                },
            });
        }
        pg_sys::systable_endscan(scan);
        pg_sys::UnregisterSnapshot(snapshot);
    }
}

/// The first rows in causal order, whole transactions together.
///
/// A transaction that saw another's commit has ticks greater than all of the
/// other's, so the order by greatest tick respects causality.
fn choose(mut found: Vec<Found>) -> Vec<Found> {
    let mut last_tick: HashMap<u64, u64> = HashMap::new();
    for row in &found {
        let last = last_tick.entry(row.taken.transaction).or_default();
        *last = (*last).max(row.taken.hlc);
    }
    found.sort_unstable_by_key(|row| {
        (
            last_tick[&row.taken.transaction],
            row.taken.transaction,
            row.taken.hlc,
        )
    });
    let (mut count, mut bytes) = (0, 0);
    for (at, row) in found.iter().enumerate() {
        let begins = at == 0 || found[at - 1].taken.transaction != row.taken.transaction;
        let full = at >= BATCH_OPS || bytes >= BATCH_BYTES;
        if begins && full && at > 0 {
            break;
        }
        // One transaction beyond what a segment can hold goes out in pieces.
        let piece_full =
            at >= ledger::MAX_SEGMENT_OPS || bytes + row.bytes > ledger::MAX_SEGMENT_BYTES / 2;
        if piece_full && at > 0 {
            break;
        }
        count = at + 1;
        bytes += row.bytes;
    }
    found.truncate(count);
    found
}

/// Sends writers to the other table when theirs has grown, and truncates the
/// table they left once nothing is in it.
fn rotate(pages: &[u32; 2]) {
    let mine = slot::mine();
    let active = mine.outbox.load(Ordering::Acquire) as usize % 2;
    let idle = 1 - active;
    if pages[idle] > 0 {
        truncate_if_empty(idle);
    } else if pages[active] > ROTATE_PAGES {
        mine.outbox.store(idle as u32, Ordering::Release);
    }
}

fn truncate_if_empty(at: usize) {
    let oid = catalog::relation_oid(TABLES[at]);
    // SAFETY: the lock, if it is had, keeps writers out until commit; it is
    // not waited for, so that no writer is ever stopped by a long transaction.
    let locked = unsafe {
        pg_sys::ConditionalLockRelationOid(oid, pg_sys::AccessExclusiveLock as pg_sys::LOCKMODE)
    };
    if !locked {
        return;
    }
    let mut left = Vec::new();
    scan(
        at,
        &Relation::open(TABLES[at], pg_sys::RowExclusiveLock),
        &mut left,
        |_| false,
    );
    if left.is_empty() {
        catalog::run(
            if at == 0 {
                "TRUNCATE crdt.outbox_0"
            } else {
                "TRUNCATE crdt.outbox_1"
            },
            &[],
        );
    } else {
        // Rows that committed meanwhile are taken next time.
        // SAFETY: releases the lock taken above.
        unsafe {
            pg_sys::UnlockRelationOid(oid, pg_sys::AccessExclusiveLock as pg_sys::LOCKMODE);
        }
    }
}
