//! Whether a table of the ledger is still the table that was created: plain
//! rows of its own in a heap, with the columns in their places. A superuser can
//! put another in its place, drop a column and add one with a default, hang
//! tables below it; rows read by their place would then not be what SQL shows.

use crate::catalog::Relation;
use pgrx::{PgTupleDesc, pg_sys};
use std::ffi::CStr;

/// A table and its columns, all NOT NULL.
pub struct Shape {
    /// Name in schema crdt.
    pub name: &'static CStr,
    columns: &'static [(&'static str, pg_sys::Oid)],
}

use pg_sys::{BYTEAOID, INT2OID, INT4OID, INT8OID, TEXTOID};

pub const OP: Shape = Shape {
    name: c"op",
    columns: &[
        ("seq", INT8OID),
        ("hlc", INT8OID),
        ("row_id", INT8OID),
        ("origin", INT4OID),
        ("schema_id", INT4OID),
        ("kind", INT2OID),
        ("salt", BYTEAOID),
        ("hash", BYTEAOID),
        ("payload", BYTEAOID),
    ],
};

pub const SEGMENT: Shape = Shape {
    name: c"segment",
    columns: &[
        ("origin", INT4OID),
        ("first_seq", INT8OID),
        ("last_seq", INT8OID),
        ("sealed_ms", INT8OID),
        ("prev", BYTEAOID),
        ("head", BYTEAOID),
        ("deps", BYTEAOID),
        ("signature", BYTEAOID),
    ],
};

pub const BLOCK: Shape = Shape {
    name: c"block",
    columns: &[
        ("height", INT8OID),
        ("header", BYTEAOID),
        ("cut", BYTEAOID),
        ("certificate", BYTEAOID),
    ],
};

pub const BLOCK_RANGE: Shape = Shape {
    name: c"block_range",
    columns: &[
        ("origin", INT4OID),
        ("last_seq", INT8OID),
        ("first_seq", INT8OID),
        ("height", INT8OID),
        ("first_leaf", INT8OID),
    ],
};

pub const TILE: Shape = Shape {
    name: c"tile",
    columns: &[("level", INT2OID), ("index", INT8OID), ("hashes", BYTEAOID)],
};

pub const SCHEMA: Shape = Shape {
    name: c"schema",
    columns: &[
        ("id", INT4OID),
        ("hash", BYTEAOID),
        ("schema_name", TEXTOID),
        ("table_name", TEXTOID),
        ("definition", BYTEAOID),
    ],
};

pub const ARCHIVE: Shape = Shape {
    name: c"archive",
    columns: &[
        ("chain_id", BYTEAOID),
        ("piece", INT4OID),
        ("bytes", BYTEAOID),
    ],
};

impl Shape {
    /// Whether the table is as it was created.
    pub fn fits(&self, table: &Relation) -> bool {
        // SAFETY: the relation is open; its descriptor has natts attributes.
        unsafe {
            let relation = table.pointer();
            let class = (*relation).rd_rel;
            let descriptor = (*relation).rd_att;
            let plain = (*class).relkind == pg_sys::RELKIND_RELATION as std::ffi::c_char
                && (*class).relam == pg_sys::HEAP_TABLE_AM_OID
                && (*class).relpersistence == pg_sys::RELPERSISTENCE_PERMANENT as std::ffi::c_char
                && !(*class).relhassubclass
                && !(*class).relispartition
                && !(*class).relhasrules;
            let attributes = PgTupleDesc::from_pg_unchecked(descriptor);
            plain
                && attributes.len() == self.columns.len()
                && attributes
                    .iter()
                    .zip(self.columns)
                    .all(|(found, (name, oid))| {
                        !found.attisdropped
                            && !found.atthasmissing
                            && found.attnotnull
                            && found.atttypid == *oid
                            && CStr::from_ptr(found.attname.data.as_ptr()).to_bytes()
                                == name.as_bytes()
                    })
        }
    }
}

/// The table's primary key, open, if it is on exactly these columns.
pub fn primary_key(table: &Relation, columns: &[i16]) -> Option<pg_sys::Relation> {
    // SAFETY: the table is open and locked, so its indexes stay; one that does
    // not fit is closed again.
    unsafe {
        let oid = pg_sys::RelationGetPrimaryKeyIndex(table.pointer());
        if oid == pg_sys::InvalidOid {
            return None;
        }
        let index = pg_sys::index_open(oid, pg_sys::AccessShareLock as pg_sys::LOCKMODE);
        let form = (*index).rd_index;
        let count = usize::try_from((*form).indnatts).unwrap_or_default();
        let fits = (*form).indisvalid
            && (*(*index).rd_rel).relam == pg_sys::BTREE_AM_OID
            && (*form).indkey.values.as_slice(count) == columns;
        if !fits {
            pg_sys::index_close(index, pg_sys::AccessShareLock as pg_sys::LOCKMODE);
        }
        fits.then_some(index)
    }
}
