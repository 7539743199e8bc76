//! blockchain_crdt: CRDT columns for PostgreSQL, synced between nodes that
//! need not trust each other, with every change in a signed ledger.
//!
//! This crate is the PostgreSQL surface; the algorithms live in `crates/`. A
//! row's way leads through these rooms: `types` (what SQL sees), `track` (the
//! guard settles a write, the capture puts its delta into the outbox),
//! `worker` (seals, spreads, admits, applies, makes blocks), `audit` (checks
//! and proves), `compare` (tables of two nodes). `instance` holds what the server's processes share.

// SAFETY of this crate's unsafe code: it is the glue to PostgreSQL's C
// functions; each block says why its call is sound.
#![allow(unsafe_code)]

use pgrx::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

mod audit;
mod catalog;
mod cluster;
mod compare;
mod error;
mod function;
mod instance;
mod track;
mod types;
mod worker;

pgrx::pg_module_magic!(name, version);

static PRELOADED: AtomicBool = AtomicBool::new(false);

/// Called by PostgreSQL when the library is loaded.
#[allow(non_snake_case)]
#[pg_guard]
pub extern "C-unwind" fn _PG_init() {
    // SAFETY: a global that the postmaster sets while it loads libraries.
    if unsafe { !pg_sys::process_shared_preload_libraries_in_progress } {
        return;
    }
    PRELOADED.store(true, Ordering::Release);
    instance::settings::declare();
    instance::slot::request();
    instance::mailbox::request_memory();
    instance::progress::request_memory();
    worker::register();
    worker::ddl::install_hook();
}

/// Whether the library came with `shared_preload_libraries`.
fn preloaded() -> bool {
    PRELOADED.load(Ordering::Acquire)
}

/// Raises an error that says what to set when the library was not preloaded.
fn require_preload() {
    if !preloaded() {
        error::raise(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            "blockchain_crdt must be loaded when the server starts",
            "Add blockchain_crdt to shared_preload_libraries in postgresql.conf and restart the server.",
        );
    }
}

extension_sql_file!("../sql/catalog.sql", name = "catalog", bootstrap);
extension_sql_file!(
    "../sql/plain_view.sql",
    name = "plain_view",
    requires = ["catalog"]
);
extension_sql_file!("../sql/finish.sql", name = "finish", finalize);
