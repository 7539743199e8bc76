//! Opening the extension's tables without the parser, for the write path.

use crate::error::OrCorrupt;
use pgrx::pg_sys;
use std::ffi::CStr;

/// A table of schema `crdt`, open until dropped; its lock lasts until the
/// transaction ends.
pub struct Relation(pg_sys::Relation);

impl Relation {
    /// Opens and locks a table.
    pub fn open(name: &CStr, lock: u32) -> Relation {
        let oid = relation_oid(name);
        // SAFETY: raises an error if the table is gone.
        Relation(unsafe { pg_sys::table_open(oid, lock as pg_sys::LOCKMODE) })
    }

    /// The relation, valid while this lives.
    pub fn pointer(&self) -> pg_sys::Relation {
        self.0
    }
}

impl Drop for Relation {
    fn drop(&mut self) {
        // SAFETY: opened by `open`, closed once.
        unsafe { pg_sys::table_close(self.0, pg_sys::NoLock as pg_sys::LOCKMODE) }
    }
}

/// OID of a table or index in schema `crdt`, from the system caches.
pub fn relation_oid(name: &CStr) -> pg_sys::Oid {
    // SAFETY: catalog look-ups.
    let oid = unsafe {
        let schema = pg_sys::get_namespace_oid(c"crdt".as_ptr(), false);
        pg_sys::get_relname_relid(name.as_ptr(), schema)
    };
    (oid != pg_sys::InvalidOid)
        .then_some(oid)
        .or_corrupt("a table of schema crdt is missing")
}
