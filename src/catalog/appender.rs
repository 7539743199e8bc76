//! Rows into the extension's own tables and their indexes, without the
//! executor: the log grows by thousands of rows a second.

use super::Relation;
use pgrx::pg_sys;
use std::ffi::CStr;

/// Appends rows to one table of schema `crdt` until dropped. Triggers and
/// constraints other than unique indexes are not run.
pub struct Appender {
    table: Relation,
    indexes: pg_sys::CatalogIndexState,
}

impl Appender {
    /// Opens the table and its indexes for writing.
    pub fn open(name: &CStr) -> Appender {
        let table = Relation::open(name, pg_sys::RowExclusiveLock);
        // SAFETY: the indexes are closed when this is dropped.
        let indexes = unsafe { pg_sys::CatalogOpenIndexes(table.pointer()) };
        Appender { table, indexes }
    }

    /// Appends one row; raises an error if a unique index has it already.
    pub fn append<const N: usize>(&self, mut values: [pg_sys::Datum; N]) {
        let mut nulls = [false; N];
        // SAFETY: the caller gives one value for each column, none null.
        unsafe {
            let descriptor = (*self.table.pointer()).rd_att;
            assert_eq!((*descriptor).natts as usize, N, "one value for each column");
            let tuple =
                pg_sys::heap_form_tuple(descriptor, values.as_mut_ptr(), nulls.as_mut_ptr());
            pg_sys::CatalogTupleInsertWithInfo(self.table.pointer(), tuple, self.indexes);
            pg_sys::heap_freetuple(tuple);
        }
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        // SAFETY: opened together with the table, closed once.
        unsafe { pg_sys::CatalogCloseIndexes(self.indexes) }
    }
}
