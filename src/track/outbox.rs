//! The outbox: rows that committed transactions leave for the node worker.
//!
//! Two tables take turns, so that the worker can truncate the one that writers
//! have left; neither has an index. A row costs one heap insert, and a commit
//! that left some wakes the worker once.

use crate::catalog::Relation;
use crate::error::raise;
use crate::instance::{clock, slot};
use crdt::Hlc;
use ledger::op::MAX_PAYLOAD;
use ledger::{Kind, MembershipChange};
use pgrx::{IntoDatum, PgSqlErrorCode, pg_guard, pg_sys};
use std::cell::Cell;
use std::ffi::CStr;
use std::sync::atomic::Ordering;

/// The two tables.
pub const TABLES: [&CStr; 2] = [c"outbox_0", c"outbox_1"];

/// One change on its way into the log.
pub struct Entry<'a> {
    /// Kind of the op.
    pub kind: Kind,
    /// Number of the table's schema in `crdt.schema`; 0 for none.
    pub schema_id: i32,
    /// Index of the row in the op log; 0 for none.
    pub row_id: i64,
    /// Canonical bytes of the change.
    pub payload: &'a [u8],
}

thread_local! {
    static DIRTY: Cell<bool> = const { Cell::new(false) };
    static MEMBERS_CHANGED: Cell<bool> = const { Cell::new(false) };
    static WATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Appends an entry in the current transaction. Returns its tick.
///
/// Raises an error for a payload that no segment could carry.
pub fn append(entry: &Entry) -> Hlc {
    if entry.payload.len() > MAX_PAYLOAD {
        raise(
            PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
            format!(
                "the change of a tracked row has {} bytes, {MAX_PAYLOAD} can be synced",
                entry.payload.len()
            ),
            "Keep large objects in a table of their own that is not tracked.",
        );
    }
    let hlc = clock::tick();
    wake_at_commit();
    let active = slot::mine().outbox.load(Ordering::Acquire) as usize % TABLES.len();
    let table = Relation::open(TABLES[active], pg_sys::RowExclusiveLock);
    // SAFETY: the values match the columns of crdt.outbox_0 and _1 one by one;
    // simple_heap_insert toasts a long payload.
    unsafe {
        let transaction = pg_sys::GetTopFullTransactionId().value;
        let mut values = [
            pg_sys::Datum::from(transaction as i64),
            pg_sys::Datum::from(hlc.0 as i64),
            pg_sys::Datum::from(i16::from(entry.kind as u8)),
            pg_sys::Datum::from(entry.schema_id),
            pg_sys::Datum::from(entry.row_id),
            entry.payload.into_datum().unwrap_or(pg_sys::Datum::null()),
        ];
        let mut nulls = [false; 6];
        let tuple = pg_sys::heap_form_tuple(
            (*table.pointer()).rd_att,
            values.as_mut_ptr(),
            nulls.as_mut_ptr(),
        );
        pg_sys::simple_heap_insert(table.pointer(), tuple);
        pg_sys::heap_freetuple(tuple);
    }
    hlc
}

/// Appends a change of the membership in the current transaction.
pub fn append_membership(change: &MembershipChange) {
    append(&Entry {
        kind: Kind::ValidatorSet,
        schema_id: 0,
        row_id: 0,
        payload: &change.to_bytes(),
    });
}

/// Has the node worker look at members and invitations again when the current
/// transaction commits.
pub fn announce_members_at_commit() {
    MEMBERS_CHANGED.set(true);
    wake_at_commit();
}

fn wake_at_commit() {
    DIRTY.set(true);
    if !WATCHING.replace(true) {
        // SAFETY: the callback lives as long as the library.
        unsafe { pg_sys::RegisterXactCallback(Some(on_transaction_end), std::ptr::null_mut()) }
    }
}

/// Nothing in here may raise: after commit an error takes the server down.
#[pg_guard]
unsafe extern "C-unwind" fn on_transaction_end(
    event: pg_sys::XactEvent::Type,
    _argument: *mut std::ffi::c_void,
) {
    match event {
        pg_sys::XactEvent::XACT_EVENT_COMMIT => {
            if DIRTY.replace(false)
                && let Some(at) = slot::try_shared().map(|_| slot::my_index())
            {
                let slot = &slot::shared().slots[at];
                if MEMBERS_CHANGED.replace(false) {
                    slot.members_changed.store(1, Ordering::Release);
                }
                slot.wake_worker();
            }
        }
        pg_sys::XactEvent::XACT_EVENT_ABORT | pg_sys::XactEvent::XACT_EVENT_PREPARE => {
            DIRTY.set(false);
            MEMBERS_CHANGED.set(false);
        }
        _ => {}
    }
}
