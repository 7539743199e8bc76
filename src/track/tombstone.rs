//! What stays of a deleted row: its causal length (even), so that the row can
//! be inserted again and an old write from elsewhere cannot bring it back.
//!
//! Looked up for each INSERT, so it goes straight to the index.

use crate::catalog::{Relation, Snapshot};
use pgrx::{FromDatum, IntoDatum, pg_sys};

const TABLE: &std::ffi::CStr = c"tombstone";
const INDEX: &std::ffi::CStr = c"tombstone_pkey";
const CAUSAL_LENGTH: i32 = 2;

/// The causal length a deleted row has reached, seen as of now and not as of
/// the statement's start: another session may just have deleted it.
pub fn find(id: &[u8; 16]) -> Option<u32> {
    let snapshot = Snapshot::latest();
    // SAFETY: the snapshot is held until the scan has ended.
    unsafe { scan(id, snapshot.pointer(), || ()) }
}

/// The same, once those have ended who are about to change it. Whoever asks has
/// inserted a row of this key: a peer's deletion that found no row has either
/// left a tombstone, which is seen here, or waits for this transaction.
pub fn find_settled(id: &[u8; 16]) -> Option<u32> {
    loop {
        let mut snapshot = pg_sys::SnapshotData {
            snapshot_type: pg_sys::SnapshotType::SNAPSHOT_DIRTY,
            ..Default::default()
        };
        let snapshot = &raw mut snapshot;
        let mut running = pg_sys::InvalidTransactionId;
        // SAFETY: the snapshot outlives the scan, which notes in it who is
        // changing the row just seen. Waiting needs no relation.
        unsafe {
            let found = scan(id, snapshot, || {
                for transaction in [(*snapshot).xmin, (*snapshot).xmax] {
                    if transaction != pg_sys::InvalidTransactionId {
                        running = transaction;
                    }
                }
            });
            if running == pg_sys::InvalidTransactionId {
                return found;
            }
            pg_sys::XactLockTableWait(
                running,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                pg_sys::XLTW_Oper::XLTW_None,
            );
        }
    }
}

/// The greatest causal length of the tombstones that the snapshot shows; `seen`
/// is called for each.
///
/// # Safety
/// The snapshot must be valid.
unsafe fn scan(id: &[u8; 16], snapshot: pg_sys::Snapshot, mut seen: impl FnMut()) -> Option<u32> {
    let table = Relation::open(TABLE, pg_sys::AccessShareLock);
    let key = id.as_slice().into_datum()?;
    let mut found = None;
    // SAFETY: the scan is ended before return; the key is compared with bytea
    // equality against a bytea column.
    unsafe {
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
        loop {
            let tuple = pg_sys::systable_getnext(scan);
            if tuple.is_null() {
                break;
            }
            seen();
            let mut null = false;
            let value =
                pg_sys::heap_getattr(tuple, CAUSAL_LENGTH, (*table.pointer()).rd_att, &mut null);
            let length = i32::from_datum(value, null)
                .unwrap_or_default()
                .unsigned_abs();
            found = found.max(Some(length));
        }
        pg_sys::systable_endscan(scan);
    }
    found
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
