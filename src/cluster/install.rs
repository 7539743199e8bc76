//! What CREATE EXTENSION does beyond its SQL: keys for the new node.

use crate::error::raise;
use crate::instance::{identity, slot};
use pgrx::prelude::*;
use std::cell::Cell;
use std::sync::atomic::Ordering;

thread_local! {
    static PENDING: Cell<bool> = const { Cell::new(false) };
    static WATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Called once by the install script: makes the node's keys, which take effect
/// when CREATE EXTENSION commits, and has the worker started then.
#[pg_extern]
fn crdt_install() {
    crate::require_preload();
    // SAFETY: the database's encoding, fixed when it was created.
    if unsafe { pg_sys::GetDatabaseEncoding() } != pg_sys::pg_enc::PG_UTF8 as i32 {
        raise(
            PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
            "blockchain_crdt needs a database in the encoding UTF8",
            "Names and texts are signed as UTF-8: CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0.",
        );
    }
    identity::generate_pending();
    PENDING.set(true);
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
        pg_sys::XactEvent::XACT_EVENT_COMMIT if PENDING.replace(false) => {
            identity::commit_pending();
            slot::mine().wanted.store(1, Ordering::Release);
            slot::wake_launcher();
        }
        pg_sys::XactEvent::XACT_EVENT_ABORT if PENDING.replace(false) => {
            identity::abort_pending();
        }
        _ => {}
    }
}
