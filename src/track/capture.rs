//! The capture, an AFTER trigger: puts the delta between a row's settled
//! states before and after a write into the outbox, and refuses TRUNCATE.

use super::outbox::{self, Entry};
use super::table::{Table, bytes_of};
use super::trigger::{Call, Event, Row, trigger_function};
use super::{guard, key, tombstone};
use crate::error::{OrCorrupt, raise};
use crdt::{AnyState, ColumnKind, PlainRow, RowAction, RowChange, RowMeta};
use ledger::Kind;
use pgrx::{PgSqlErrorCode, pg_sys};
use std::ffi::CStr;

trigger_function!(crdt_capture, pg_finfo_crdt_capture, capture);
trigger_function!(crdt_no_truncate, pg_finfo_crdt_no_truncate, refuse_truncate);

fn capture(call: &Call) -> pg_sys::HeapTuple {
    let table = &call.table;
    let tuple = call.new_tuple();
    let row = call.deform(tuple);
    match call.event {
        Event::Insert => insert(call, &row),
        Event::Update => {
            let old = call.deform(call.old_tuple());
            match guard::meta_of(table, &old) {
                Some(before) => update(table, &before, &old, &row),
                None => insert(call, &row),
            }
        }
        Event::Delete => delete(table, &row),
        Event::Truncate => {}
    }
    tuple
}

fn refuse_truncate(call: &Call) -> pg_sys::HeapTuple {
    raise(
        PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
        format!(
            "tracked table {} cannot be truncated",
            call.table.schema.table
        ),
        "DELETE FROM the table: each row's removal is then synced and audited. Or crdt_untrack it first.",
    )
}

fn meta(table: &Table, row: &Row) -> RowMeta {
    guard::meta_of(table, row).or_corrupt("crdt_meta is missing behind the guard")
}

fn insert(call: &Call, row: &Row) {
    let table = &call.table;
    let mut meta = meta(table, row);
    let (row_key, hash) = name(table, row);
    // The guard looked before this row's key was locked: another session, or a
    // peer, may have deleted a row of this key between then and now.
    let deleted = tombstone::find_settled(&key::tombstone_id(&hash)).unwrap_or_default();
    if deleted > meta.causal_length {
        meta.causal_length = deleted.saturating_add(1);
        call.rewrite(table.meta, &meta.encode());
    }
    let deltas = table
        .crdt_columns()
        .filter_map(|(at, column)| row.get(column.attribute).map(|value| (at, bytes_of(value))))
        .collect();
    let change = RowChange {
        action: RowAction::Upsert,
        causal_length: meta.causal_length,
        key: row_key,
        deltas,
        plain: plain(table, row, &meta),
        ..author()
    };
    append(table, &hash, &change);
}

fn update(table: &Table, before: &RowMeta, old: &Row, new: &Row) {
    let after = meta(table, new);
    let deltas: Vec<_> = table
        .crdt_columns()
        .filter_map(|(at, column)| {
            let value = new.get(column.attribute)?;
            if old
                .get(column.attribute)
                .is_some_and(|old| column.same(old, value))
            {
                return None;
            }
            let old = old.get(column.attribute).map(bytes_of);
            AnyState::delta_bytes(column.kind, old.as_deref(), &bytes_of(value))
                .or_corrupt(&column.name)
                .map(|delta| (at, delta))
        })
        .collect();
    let plain = if before.stamp == after.stamp {
        None
    } else {
        plain(table, new, &after)
    };
    if deltas.is_empty() && plain.is_none() {
        return;
    }
    let (row_key, hash) = name(table, new);
    let change = RowChange {
        action: RowAction::Upsert,
        causal_length: after.causal_length,
        key: row_key,
        deltas,
        plain,
        ..author()
    };
    append(table, &hash, &change);
}

fn delete(table: &Table, row: &Row) {
    let causal_length = guard::meta_of(table, row)
        .map_or(1, |meta| meta.causal_length)
        .saturating_add(1);
    let (row_key, hash) = name(table, row);
    tombstone::put(&key::tombstone_id(&hash), causal_length);
    let change = RowChange {
        action: RowAction::Delete,
        causal_length,
        key: row_key,
        deltas: Vec::new(),
        plain: None,
        ..author()
    };
    append(table, &hash, &change);
}

/// The plain columns outside the key, with the row's stamp.
fn plain(table: &Table, row: &Row, meta: &RowMeta) -> Option<PlainRow> {
    let stamp = meta.stamp?;
    let values = (0u16..)
        .zip(&table.columns)
        .filter(|(at, column)| {
            column.kind == ColumnKind::Plain && !table.key.contains(&usize::from(*at))
        })
        .map(|(at, column)| (at, row.get(column.attribute).map(|v| column.send(v))))
        .collect();
    Some(PlainRow { stamp, values })
}

fn name(table: &Table, row: &Row) -> (Vec<Vec<u8>>, [u8; 32]) {
    let row_key = key::of_row(table, row);
    let hash = key::hash(&table.schema.schema, &table.schema.table, &row_key);
    (row_key, hash)
}

/// A change with nothing in it but who made it, and in which transaction.
fn author() -> RowChange {
    RowChange {
        action: RowAction::Upsert,
        causal_length: 0,
        key: Vec::new(),
        deltas: Vec::new(),
        plain: None,
        actor: actor(),
        application: application(),
        // SAFETY: the transaction has an id, for it has written a row.
        transaction: unsafe { pg_sys::GetTopFullTransactionId() }.value,
    }
}

/// The role that logged in.
pub fn actor() -> String {
    // SAFETY: a catalog look-up that returns a palloc'd name, or null.
    unsafe {
        let name = pg_sys::GetUserNameFromId(pg_sys::GetSessionUserId(), true);
        if name.is_null() {
            String::new()
        } else {
            text(name)
        }
    }
}

/// What the client calls itself.
pub fn application() -> String {
    // SAFETY: the setting's current value, never freed while it is read.
    unsafe {
        if pg_sys::application_name.is_null() {
            String::new()
        } else {
            text(pg_sys::application_name)
        }
    }
}

unsafe fn text(pointer: *const std::ffi::c_char) -> String {
    // SAFETY: the callers pass a NUL-terminated string.
    unsafe { CStr::from_ptr(pointer) }
        .to_string_lossy()
        .into_owned()
}

fn append(table: &Table, hash: &[u8; 32], change: &RowChange) {
    let payload = change.encode().unwrap_or_else(|error| {
        raise(
            PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
            format!(
                "a row of tracked table {} is too large for the log: {error}",
                table.schema.table
            ),
            "Keep large objects in a table of their own that is not tracked.",
        )
    });
    outbox::append(&Entry {
        kind: Kind::Delta,
        schema_id: table.schema_id,
        row_id: key::row_id(hash),
        payload: &payload,
    });
}
