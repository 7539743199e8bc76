//! A look through the ledger's tables that reads no payload and hashes
//! nothing: how many rows the blocks up to a height have, and whether any of
//! them was written after a moment. PostgreSQL stamps each row version with the
//! transaction that wrote it and gives no transaction number twice, so an
//! UPDATE, DELETE or INSERT shows, whoever makes it and however it is hidden
//! from triggers. What does not show is who writes into the data files.

use super::shape::{self, Shape};
use super::stamp::{NEVER, full_number, tile_is_complete};
use super::tuple::Tuple;
use crate::catalog::Relation;
use ledger::Hash;
use ledger::hash::sha256;
use pgrx::{check_for_interrupts, pg_sys};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};

/// Rows between two looks at whether the query was cancelled.
const STRIDE: u64 = 4096;

/// What belongs to the blocks up to a height.
pub struct Bounds {
    /// The height.
    pub height: u64,
    /// How many leaves the log has then.
    pub size: u64,
    /// By local number of the origin: the last op in the blocks, and the last
    /// of those that a segment row covers.
    pub origins: BTreeMap<i32, (i64, i64)>,
    /// Transactions below this number, which is 64 bits wide, had ended.
    pub horizon: u64,
    /// How many ops they have, if each was just read under the snapshot in use:
    /// by far the most rows, which are not looked at twice then.
    pub ops: Option<u64>,
}

/// How many rows there are within the bounds, and which tables they are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    pub ops: u64,
    pub segments: u64,
    pub blocks: u64,
    pub ranges: u64,
    pub tiles: u64,
    /// Rows of `crdt.schema` written before the horizon.
    pub schemas: u64,
    /// Rows of `crdt.archive`.
    pub archived: u64,
    /// Pieces of long values written before the horizon.
    pub long: u64,
    /// Hash over the tables' identities: one put in another's place, or
    /// rewritten as a whole, is noticed.
    pub tables: Hash,
}

/// Counts, unless a row within the bounds was written since.
///
/// # Errors
/// What is doubtful, in words.
pub fn survey(bounds: &Bounds) -> Result<Numbers, String> {
    let next = next_transaction();
    if bounds.horizon > next {
        return Err("transactions are numbered anew since".to_owned());
    }
    let mut look = Look {
        next,
        horizon: bounds.horizon,
        long: 0,
        tables: Vec::new(),
    };
    let within = |origin: i32, seq: i64, covered: bool| {
        bounds
            .origins
            .get(&origin)
            .is_some_and(|(last, segments)| seq <= if covered { *segments } else { *last })
    };
    // The numbers below are the places of the columns in a stored row.
    let complete = RefCell::new(HashSet::new());
    let tile = |row: &Tuple| {
        let wanted = tile_is_complete(bounds.size, row.int2(0), row.int8(8));
        if let Some(value) = row.long_value(16).filter(|_| wanted) {
            complete.borrow_mut().insert(value);
        }
        wanted
    };
    let ops = match bounds.ops {
        Some(ops) => look.only_long_values(&shape::OP).map(|()| ops),
        None => look.table(&shape::OP, |row| within(row.int4(24), row.int8(0), false)),
    };
    Ok(Numbers {
        ops: ops?,
        segments: look.table(&shape::SEGMENT, |row| {
            within(row.int4(0), row.int8(16), true)
        })?,
        blocks: look.table(&shape::BLOCK, |row| row.int8(0) <= bounds.height as i64)?,
        ranges: look.table(&shape::BLOCK_RANGE, |row| {
            row.int8(24) <= bounds.height as i64
        })?,
        // The open tiles are replaced as the log grows, and their long values.
        tiles: look.table_and(&shape::TILE, tile, Some(&complete))?,
        schemas: look.older(&shape::SCHEMA)?,
        archived: look.table(&shape::ARCHIVE, |_| true)?,
        long: look.long,
        tables: sha256(&[&look.tables]),
    })
}

/// The number of the next transaction, 64 bits wide.
fn next_transaction() -> u64 {
    // SAFETY: reads shared state.
    unsafe { pg_sys::ReadNextFullTransactionId().value }
}

/// All transactions below this number have ended as the snapshot in use sees
/// it, their subtransactions too.
pub fn horizon() -> u64 {
    // SAFETY: a query runs, so a snapshot is active.
    let xmin = unsafe { (*pg_sys::GetActiveSnapshot()).xmin };
    // It may be the next transaction itself, if none runs.
    match full_number(next_transaction() + 1, xmin.into_inner()) {
        NEVER => 0,
        number => number,
    }
}

/// Whether the row version with this stamp was written before the horizon.
pub fn is_older(stamp: u32, horizon: u64) -> bool {
    full_number(next_transaction(), stamp) < horizon
}

struct Look {
    next: u64,
    horizon: u64,
    long: u64,
    tables: Vec<u8>,
}

impl Look {
    /// Counts the rows of a table that `wanted` names; each must be older than
    /// the horizon.
    fn table(&mut self, shape: &Shape, wanted: impl Fn(&Tuple) -> bool) -> Result<u64, String> {
        self.table_and(shape, wanted, None)
    }

    /// The same, and of the long values only those that are named by the time
    /// the rows have been seen.
    fn table_and(
        &mut self,
        shape: &Shape,
        wanted: impl Fn(&Tuple) -> bool,
        named: Option<&RefCell<HashSet<u32>>>,
    ) -> Result<u64, String> {
        let (mut count, mut newer) = (0, 0);
        let each = |row: &Tuple, older: bool| {
            if wanted(row) {
                count += 1;
                newer += u64::from(!older);
            }
        };
        self.rows(shape, each, named)?;
        match newer {
            0 => Ok(count),
            _ => Err(format!(
                "{newer} rows of crdt.{} were written since",
                shape.name.to_string_lossy()
            )),
        }
    }

    /// Counts the rows of a table that are older than the horizon.
    fn older(&mut self, shape: &Shape) -> Result<u64, String> {
        let mut count = 0;
        self.rows(shape, |_, older| count += u64::from(older), None)?;
        Ok(count)
    }

    /// Opens a table, unless another was put in its place.
    fn open(&mut self, shape: &Shape) -> Result<Relation, String> {
        let table = Relation::open(shape.name, pg_sys::AccessShareLock);
        if !shape.fits(&table) {
            let name = shape.name.to_string_lossy();
            return Err(format!("crdt.{name} is not as it was created"));
        }
        self.identify(table.pointer());
        Ok(table)
    }

    fn only_long_values(&mut self, shape: &Shape) -> Result<(), String> {
        let table = self.open(shape)?;
        self.long_values(table.pointer(), None);
        Ok(())
    }

    fn rows(
        &mut self,
        shape: &Shape,
        mut each: impl FnMut(&Tuple, bool),
        named: Option<&RefCell<HashSet<u32>>>,
    ) -> Result<(), String> {
        let table = self.open(shape)?;
        let (next, horizon) = (self.next, self.horizon);
        let mut nulls = false;
        scan(table.pointer(), |tuple| {
            // SAFETY: a tuple that the scan lends.
            let row = unsafe { Tuple::of(tuple) };
            nulls |= row.has_nulls;
            if !nulls {
                each(&row, full_number(next, row.stamp) < horizon);
            }
        });
        if nulls {
            let name = shape.name.to_string_lossy();
            return Err(format!("crdt.{name} has null columns"));
        }
        self.long_values(table.pointer(), named);
        Ok(())
    }

    /// Counts the pieces of long values that are older than the horizon.
    fn long_values(&mut self, table: pg_sys::Relation, named: Option<&RefCell<HashSet<u32>>>) {
        // SAFETY: the table is open.
        let oid = unsafe { (*(*table).rd_rel).reltoastrelid };
        if oid == pg_sys::InvalidOid {
            return;
        }
        let toast = Open(
            // SAFETY: closed when it is dropped.
            unsafe { pg_sys::table_open(oid, pg_sys::AccessShareLock as pg_sys::LOCKMODE) },
        );
        self.identify(toast.0);
        let (next, horizon) = (self.next, self.horizon);
        let mut older = 0;
        scan(toast.0, |tuple| {
            // SAFETY: a tuple that the scan lends; its first column is the
            // number of the value.
            let row = unsafe { Tuple::of(tuple) };
            if named.is_none_or(|named| named.borrow().contains(&row.oid(0))) {
                older += u64::from(full_number(next, row.stamp) < horizon);
            }
        });
        self.long += older;
    }

    fn identify(&mut self, table: pg_sys::Relation) {
        // SAFETY: the table is open.
        let (oid, file) = unsafe { ((*table).rd_id, (*(*table).rd_rel).relfilenode) };
        self.tables.extend(oid.to_u32().to_be_bytes());
        self.tables.extend(file.to_u32().to_be_bytes());
    }
}

/// A relation that is closed when it is dropped.
struct Open(pg_sys::Relation);

impl Drop for Open {
    fn drop(&mut self) {
        // SAFETY: opened once, closed once; the lock stays.
        unsafe { pg_sys::table_close(self.0, pg_sys::NoLock as pg_sys::LOCKMODE) }
    }
}

/// Lends every row version of a heap that the snapshot in use shows.
fn scan(table: pg_sys::Relation, mut lend: impl FnMut(pg_sys::HeapTuple)) {
    struct Scan(pg_sys::TableScanDesc);
    impl Drop for Scan {
        fn drop(&mut self) {
            // SAFETY: begun once, ended once.
            unsafe { pg_sys::heap_endscan(self.0) }
        }
    }
    let flags = pg_sys::ScanOptions::SO_TYPE_SEQSCAN
        | pg_sys::ScanOptions::SO_ALLOW_STRAT
        | pg_sys::ScanOptions::SO_ALLOW_PAGEMODE;
    let mut count = 0u64;
    // SAFETY: the table is an open heap; a tuple is valid until the next one.
    unsafe {
        let scan = Scan(pg_sys::heap_beginscan(
            table,
            pg_sys::GetActiveSnapshot(),
            0,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            flags,
        ));
        loop {
            let tuple = pg_sys::heap_getnext(scan.0, pg_sys::ScanDirection::ForwardScanDirection);
            if tuple.is_null() {
                break;
            }
            lend(tuple);
            count += 1;
            if count.is_multiple_of(STRIDE) {
                check_for_interrupts!();
            }
        }
    }
}
