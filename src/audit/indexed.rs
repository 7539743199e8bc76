//! Rows of a heap in the order of its primary key, page by page without the executor: a page is
//! locked once for all rows of it that follow each other in the index.

use super::shape;
use super::tuple::Tuple;
use crate::catalog::{Page, Relation};
use pgrx::itemptr::item_pointer_get_block_number;
use pgrx::pg_sys;

/// The most rows of a page that are looked up at a time.
const ROWS: usize = 256;

/// A table with its primary key, open for reading.
pub struct Indexed {
    table: Relation,
    index: pg_sys::Relation,
}

impl Indexed {
    /// None if the primary key is not on exactly these columns.
    pub fn open(table: Relation, columns: &[i16]) -> Option<Indexed> {
        let index = shape::primary_key(&table, columns)?;
        Some(Indexed { table, index })
    }

    /// Lends the rows that the snapshot in use shows and that fit the keys.
    ///
    /// # Safety
    /// The keys must be those of columns of the table, as `ScanKeyInit` makes them. A row is valid
    /// only while it is lent.
    pub unsafe fn each(&self, keys: &mut [pg_sys::ScanKeyData], mut lend: impl FnMut(&Tuple)) {
        // SAFETY: table and index are open, the keys are sound by the contract.
        let scan = Scan(unsafe {
            pg_sys::systable_beginscan_ordered(
                self.table.pointer(),
                self.index,
                pg_sys::GetActiveSnapshot(),
                keys.len() as i32,
                keys.as_mut_ptr(),
            )
        });
        let mut places = Vec::with_capacity(ROWS);
        let mut rows = Vec::with_capacity(ROWS);
        let mut next = scan.next();
        while let Some(first) = next {
            // No page of the heap is locked while the index is read.
            places.clear();
            places.push(first);
            let block = block_of(first);
            next = scan.next();
            while let Some(place) = next.filter(|_| places.len() < ROWS)
                && block_of(place) == block
            {
                places.push(place);
                next = scan.next();
            }
            let page = Page::read(&self.table, block);
            // SAFETY: a query runs, so a snapshot is active.
            page.find(
                &self.table,
                unsafe { pg_sys::GetActiveSnapshot() },
                &places,
                &mut rows,
            );
            for row in &mut rows {
                // SAFETY: valid as long as the page stays in memory.
                lend(&unsafe { Tuple::of(row) });
            }
        }
    }
}

impl Drop for Indexed {
    fn drop(&mut self) {
        // SAFETY: opened by `shape::primary_key`, closed once; the lock stays.
        unsafe { pg_sys::index_close(self.index, pg_sys::NoLock as pg_sys::LOCKMODE) }
    }
}

/// A scan of the index that is ended when it is dropped.
struct Scan(pg_sys::SysScanDesc);

impl Scan {
    /// Where the next row lies.
    fn next(&self) -> Option<pg_sys::ItemPointerData> {
        // SAFETY: the scan was begun over an index.
        unsafe {
            pg_sys::index_getnext_tid((*self.0).iscan, pg_sys::ScanDirection::ForwardScanDirection)
                .as_ref()
                .copied()
        }
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        // SAFETY: begun once, ended once.
        unsafe { pg_sys::systable_endscan_ordered(self.0) }
    }
}

fn block_of(place: pg_sys::ItemPointerData) -> pg_sys::BlockNumber {
    // SAFETY: the index gave it.
    unsafe { item_pointer_get_block_number(&place) }
}
