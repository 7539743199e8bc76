//! Rows of a heap by their places, without the executor.

use super::relation::Relation;
use pgrx::pg_sys;
use std::ptr;

/// A page of the heap that stays in memory until it is dropped.
pub struct Page(pg_sys::Buffer);

impl Page {
    /// Reads a page of an open table.
    pub fn read(table: &Relation, block: pg_sys::BlockNumber) -> Page {
        // SAFETY: the table is open.
        Page(unsafe { pg_sys::ReadBuffer(table.pointer(), block) })
    }

    /// Puts the rows at these places of the page into `rows`, those that the snapshot shows. They
    /// are valid as long as the page.
    pub fn find(
        &self,
        table: &Relation,
        snapshot: pg_sys::Snapshot,
        places: &[pg_sys::ItemPointerData],
        rows: &mut Vec<pg_sys::HeapTupleData>,
    ) {
        rows.clear();
        // SAFETY: the page is in memory, and locked while it is looked at.
        unsafe {
            pg_sys::LockBuffer(self.0, pg_sys::BUFFER_LOCK_SHARE as i32);
            for mut place in places.iter().copied() {
                let mut row = pg_sys::HeapTupleData::default();
                let shown = pg_sys::heap_hot_search_buffer(
                    &mut place,
                    table.pointer(),
                    self.0,
                    snapshot,
                    &mut row,
                    ptr::null_mut(),
                    true,
                );
                if shown {
                    rows.push(row);
                }
            }
            pg_sys::LockBuffer(self.0, pg_sys::BUFFER_LOCK_UNLOCK as i32);
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: read once, let go once.
        unsafe { pg_sys::ReleaseBuffer(self.0) }
    }
}
