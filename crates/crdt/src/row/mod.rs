//! Rows as they travel between nodes: existence by causal length, a delta per CRDT column, the
//! plain columns together under one stamp.
//!
//! `meta` is what a row remembers of itself, `change` what a transaction did to it, `layout` the
//! bytes of a change, `plain` the plain columns, `state` a row as its changes lead to it, `translate` a
//! change under another schema.

mod change;
mod layout;
mod meta;
mod plain;
mod state;
mod translate;

pub use change::{RowAction, RowChange};
pub use meta::RowMeta;
pub use plain::PlainRow;
pub use state::{Joined, RowState};

use crate::EncodeError;

/// The most columns of a table: PostgreSQL's own limit.
pub const MAX_COLUMNS: usize = 1_600;

/// The most columns of a key: PostgreSQL's own limit.
pub const MAX_KEY_COLUMNS: usize = 32;

/// The largest encoded row change, in bytes.
pub const MAX_CHANGE_BYTES: usize = 64 << 20;

/// The longest name, actor or application, in bytes.
pub const MAX_NAME_BYTES: usize = 1_024;

/// Refuses a name that could not be read back.
pub(crate) fn name_fits(name: &str) -> Result<(), EncodeError> {
    if name.contains('\0') {
        return Err(EncodeError::Malformed("a NUL character in a name"));
    }
    fits("bytes of a name", name.len(), MAX_NAME_BYTES)
}

/// Refuses what is over the limit.
pub(crate) fn fits(what: &'static str, actual: usize, limit: usize) -> Result<(), EncodeError> {
    if actual > limit {
        return Err(EncodeError::TooLarge {
            what,
            actual,
            limit,
        });
    }
    Ok(())
}
