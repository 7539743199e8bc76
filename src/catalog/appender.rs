//! Rows into the extension's own tables and their indexes, without a query: the
//! log grows by thousands of rows a second.

use super::Relation;
use pgrx::{AllocatedByRust, PgBox, pg_sys};
use std::ffi::CStr;

/// Appends rows to one table of schema `crdt` until dropped. Indexes of any
/// kind are kept, on expressions or on part of the rows too; triggers and
/// constraints other than unique indexes are not run.
pub struct Appender {
    table: Relation,
    target: PgBox<pg_sys::ResultRelInfo, AllocatedByRust>,
    state: *mut pg_sys::EState,
    row: *mut pg_sys::TupleTableSlot,
}

impl Appender {
    /// Opens the table and its indexes for writing.
    pub fn open(name: &CStr) -> Appender {
        let table = Relation::open(name, pg_sys::RowExclusiveLock);
        // SAFETY: what is made here lives until this is dropped, which frees it
        // before the table is closed; no instrumentation, no partition.
        unsafe {
            let target = PgBox::<pg_sys::ResultRelInfo>::alloc0();
            pg_sys::InitResultRelInfo(target.as_ptr(), table.pointer(), 0, std::ptr::null_mut(), 0);
            pg_sys::ExecOpenIndices(target.as_ptr(), false);
            let row = pg_sys::MakeSingleTupleTableSlot(
                (*table.pointer()).rd_att,
                &raw const pg_sys::TTSOpsVirtual,
            );
            Appender {
                table,
                target,
                state: pg_sys::CreateExecutorState(),
                row,
            }
        }
    }

    /// Appends one row; raises an error if a unique index has it already.
    pub fn append<const N: usize>(&self, values: [pg_sys::Datum; N]) {
        // SAFETY: the caller gives one value for each column, none null; the
        // slot has room for them. What index expressions allocate is freed
        // with the row's own memory.
        unsafe {
            let descriptor = (*self.table.pointer()).rd_att;
            assert_eq!((*descriptor).natts as usize, N, "one value for each column");
            if let Some(clear) = (*(*self.row).tts_ops).clear {
                clear(self.row);
            }
            std::slice::from_raw_parts_mut((*self.row).tts_values, N).copy_from_slice(&values);
            std::slice::from_raw_parts_mut((*self.row).tts_isnull, N).fill(false);
            pg_sys::ExecStoreVirtualTuple(self.row);
            pg_sys::simple_table_tuple_insert(self.table.pointer(), self.row);
            self.index();
            let scratch = (*self.state).es_per_tuple_exprcontext;
            if !scratch.is_null() {
                pg_sys::MemoryContextReset((*scratch).ecxt_per_tuple_memory);
            }
        }
    }

    /// Enters the row that was just stored into the indexes.
    fn index(&self) {
        // SAFETY: slot, table and indexes belong together; a new row, in which
        // a duplicate key is an error.
        unsafe {
            pg_sys::ExecInsertIndexTuples(
                self.target.as_ptr(),
                self.row,
                self.state,
                false,
                false,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                #[cfg(not(feature = "pg15"))]
                false,
            );
        }
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        // SAFETY: made together with the table, freed once.
        unsafe {
            pg_sys::ExecCloseIndices(self.target.as_ptr());
            pg_sys::ExecDropSingleTupleTableSlot(self.row);
            pg_sys::FreeExecutorState(self.state);
        }
    }
}
