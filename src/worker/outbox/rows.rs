//! Rows of the outbox tables, with or without their payloads.

use super::Taken;
use crate::catalog::{Page, Relation, Snapshot};
use crate::error::OrCorrupt;
use pgrx::itemptr::item_pointer_get_block_number;
use pgrx::{FromDatum, pg_sys};

/// A row of one of the outbox tables; its payload may not have been read.
pub struct Found {
    /// Which of the tables.
    pub table: usize,
    /// Where in it.
    pub place: pg_sys::ItemPointerData,
    /// Bytes of the payload.
    pub bytes: usize,
    /// What it says.
    pub taken: Taken,
}

impl Found {
    /// # Safety
    /// The tuple must be of the outbox table, and alive.
    unsafe fn of(at: usize, table: &Relation, tuple: pg_sys::HeapTuple, payload: bool) -> Found {
        let (mut values, mut nulls) = ([pg_sys::Datum::null(); 6], [false; 6]);
        // SAFETY: by the contract; the table has six columns, none null.
        unsafe {
            let descriptor = (*table.pointer()).rd_att;
            pg_sys::heap_deform_tuple(tuple, descriptor, values.as_mut_ptr(), nulls.as_mut_ptr());
            let payload = match payload {
                true => Vec::<u8>::from_datum(values[5], false).or_corrupt("an outbox payload"),
                false => Vec::new(),
            };
            Found {
                table: at,
                place: (*tuple).t_self,
                bytes: pg_sys::toast_raw_datum_size(values[5]),
                taken: Taken {
                    transaction: values[0].value() as u64,
                    hlc: values[1].value() as u64,
                    kind: values[2].value() as u8,
                    schema_id: values[3].value() as i32,
                    row_id: values[4].value() as i64,
                    payload,
                },
            }
        }
    }

    /// Reads the payload. Returns whether the row is still in its place.
    pub fn read(&mut self, tables: &[Relation; 2], snapshot: &Snapshot) -> bool {
        let table = &tables[self.table];
        // SAFETY: a place that a scan gave.
        let block = unsafe { item_pointer_get_block_number(&self.place) };
        if block >= pages_of(table) {
            return false;
        }
        let page = Page::read(table, block);
        let mut rows = Vec::with_capacity(1);
        page.find(table, snapshot.pointer(), &[self.place], &mut rows);
        let Some(row) = rows.first_mut() else {
            return false;
        };
        // SAFETY: the row is of this table, and its page is held.
        let found = unsafe { Found::of(self.table, table, row, true) };
        let mine = (self.taken.transaction, self.taken.hlc);
        self.taken.payload = found.taken.payload;
        (found.taken.transaction, found.taken.hlc) == mine
    }
}

/// How many pages a table has.
pub fn pages_of(table: &Relation) -> u32 {
    // SAFETY: asks the storage manager for the file's length.
    unsafe {
        pg_sys::RelationGetNumberOfBlocksInFork(table.pointer(), pg_sys::ForkNumber::MAIN_FORKNUM)
    }
}

/// Lends the rows of both tables that the snapshot shows.
pub fn scan(
    tables: &[Relation; 2],
    snapshot: &Snapshot,
    payloads: bool,
    mut lend: impl FnMut(Found),
) {
    for (at, table) in tables.iter().enumerate() {
        if pages_of(table) > 0 {
            scan_one(at, table, snapshot, payloads, &mut lend);
        }
    }
}

/// Lends those of one table.
pub fn scan_one(
    at: usize,
    table: &Relation,
    snapshot: &Snapshot,
    payloads: bool,
    lend: &mut impl FnMut(Found),
) {
    // SAFETY: the scan is ended before return; each tuple is read before the
    // scan moves on.
    unsafe {
        let scan = pg_sys::systable_beginscan(
            table.pointer(),
            pg_sys::InvalidOid,
            false,
            snapshot.pointer(),
            0,
            std::ptr::null_mut(),
        );
        loop {
            let tuple = pg_sys::systable_getnext(scan);
            if tuple.is_null() {
                break;
            }
            lend(Found::of(at, table, tuple, payloads));
        }
        pg_sys::systable_endscan(scan);
    }
}
