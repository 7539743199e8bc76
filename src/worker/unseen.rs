//! Rows that no snapshot shows: sessions here are inserting them, and have not committed.

use super::find_table;
use crate::track::table::Table;
use pgrx::{PgRelation, pg_sys};
use std::ptr;

/// Whether there is a row of this key, once those have ended who were inserting or deleting one.
/// Looks as logical replication does for the row that a change is for.
pub fn is_there(table: &Table, row_key: &[Vec<u8>]) -> bool {
    let Some(oid) = find_table(&table.schema.schema, &table.schema.table) else {
        return false;
    };
    let lock = pg_sys::RowExclusiveLock as pg_sys::LOCKMODE;
    // SAFETY: the table is open and locked. The slots are of its shape, and are dropped once; on an
    // error they go with the transaction.
    unsafe {
        let relation = PgRelation::with_lock(oid, lock);
        let key = pg_sys::RelationGetPrimaryKeyIndex(relation.as_ptr());
        if key == pg_sys::InvalidOid {
            return false;
        }
        let wanted = wanted(&relation, table, row_key);
        let found = pg_sys::table_slot_create(relation.as_ptr(), ptr::null_mut());
        let is_there = pg_sys::RelationFindReplTupleByIndex(
            relation.as_ptr(),
            key,
            pg_sys::LockTupleMode::LockTupleExclusive,
            wanted,
            found,
        );
        pg_sys::ExecDropSingleTupleTableSlot(wanted);
        pg_sys::ExecDropSingleTupleTableSlot(found);
        is_there
    }
}

/// A slot with the key's columns; the others are null.
///
/// # Safety
/// The relation must be the table's.
unsafe fn wanted(
    relation: &PgRelation,
    table: &Table,
    row_key: &[Vec<u8>],
) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: a slot has room for each attribute of its descriptor.
    unsafe {
        let descriptor = (*relation.as_ptr()).rd_att;
        let slot = pg_sys::MakeSingleTupleTableSlot(descriptor, &raw const pg_sys::TTSOpsVirtual);
        let count = usize::try_from((*descriptor).natts).unwrap_or_default();
        std::slice::from_raw_parts_mut((*slot).tts_isnull, count).fill(true);
        let values = std::slice::from_raw_parts_mut((*slot).tts_values, count);
        values.fill(pg_sys::Datum::null());
        for (&at, value) in table.key.iter().zip(row_key) {
            let column = &table.columns[at];
            values[column.attribute] = column.receive(value);
            *(*slot).tts_isnull.add(column.attribute) = false;
        }
        pg_sys::ExecStoreVirtualTuple(slot)
    }
}
