//! What stays of a deleted row: its causal length (even), so that the row can
//! be inserted again and an old write from elsewhere cannot bring it back.
//!
//! Looked up for each INSERT, so it goes straight to the index.

use crate::catalog::Relation;
use pgrx::{FromDatum, IntoDatum, pg_sys};

const TABLE: &std::ffi::CStr = c"tombstone";
const INDEX: &std::ffi::CStr = c"tombstone_pkey";
const CAUSAL_LENGTH: i32 = 2;

/// The causal length a deleted row has reached, seen as of now and not as of
/// the statement's start: another session may just have deleted it.
pub fn find(id: &[u8; 16]) -> Option<u32> {
    let table = Relation::open(TABLE, pg_sys::AccessShareLock);
    let key = id.as_slice().into_datum()?;
    // SAFETY: the scan is ended and the snapshot released before return; the
    // key is compared with bytea equality against a bytea column.
    unsafe {
        let snapshot = pg_sys::RegisterSnapshot(pg_sys::GetLatestSnapshot());
        let mut scan_key = pg_sys::ScanKeyData::default();
        pg_sys::ScanKeyInit(
            &mut scan_key,
            1,
            pg_sys::BTEqualStrategyNumber as u16,
            pg_sys::Oid::from(pg_sys::F_BYTEAEQ),
            key,
        );
        let index = crate::catalog::relation_oid(INDEX);
        let scan =
            pg_sys::systable_beginscan(table.pointer(), index, true, snapshot, 1, &mut scan_key);
        let tuple = pg_sys::systable_getnext(scan);
        let found = (!tuple.is_null()).then(|| {
            let mut null = false;
            let value =
                pg_sys::heap_getattr(tuple, CAUSAL_LENGTH, (*table.pointer()).rd_att, &mut null);
            i32::from_datum(value, null)
                .unwrap_or_default()
                .unsigned_abs()
        });
        pg_sys::systable_endscan(scan);
        pg_sys::UnregisterSnapshot(snapshot);
        found
    }
}

/// Keeps the causal length of a deleted row, or raises it.
pub fn put(id: &[u8; 16], causal_length: u32) {
    crate::catalog::run(
        "INSERT INTO crdt.tombstone AS t (id, causal_length) VALUES ($1, $2)
         ON CONFLICT (id) DO UPDATE SET causal_length = greatest(t.causal_length, $2)",
        &[
            id.as_slice().into(),
            i32::try_from(causal_length).unwrap_or(i32::MAX).into(),
        ],
    );
}
