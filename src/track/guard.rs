//! The guard, a BEFORE trigger: settles what a statement wants under the row
//! lock, so that every write to a tracked table is a join with what the row
//! holds. Here, and nowhere else, dots and stamps are made.

use super::table::{Column, Table, bytes_of};
use super::trigger::{Call, Event, Row, trigger_function};
use super::{key, tombstone};
use crate::error::{OrCorrupt, raise};
use crate::instance::{clock, identity};
use crate::types::refusal;
use crdt::{AnyState, Author, ColumnKind, Hlc, ReplicaId, RowMeta, Stamp};
use pgrx::{IntoDatum, PgSqlErrorCode, pg_sys};

trigger_function!(crdt_guard, pg_finfo_crdt_guard, settle);

/// This node as the author of dots and stamps.
pub struct ThisNode {
    replica: ReplicaId,
    exclusive: bool,
}

impl ThisNode {
    /// The node of the current database, under the lock of a row.
    fn of_row() -> ThisNode {
        ThisNode {
            replica: identity::replica(),
            exclusive: true,
        }
    }

    /// The node of the current database, for a value that other sessions may hold as well.
    pub fn of_value() -> ThisNode {
        ThisNode {
            exclusive: false,
            ..Self::of_row()
        }
    }

    /// A stamp greater than all this node has seen.
    pub fn stamp(&mut self, after: Option<Stamp>) -> Stamp {
        if let Some(after) = after {
            clock::observe(after.hlc);
        }
        Stamp {
            hlc: self.tick(),
            replica: self.replica,
        }
    }
}

impl Author for ThisNode {
    fn replica(&self) -> ReplicaId {
        self.replica
    }

    fn tick(&mut self) -> Hlc {
        clock::tick()
    }

    fn is_exclusive(&self) -> bool {
        self.exclusive
    }
}

/// Attributes that the guard writes into the new tuple.
#[derive(Default)]
struct Changes {
    numbers: Vec<i32>,
    values: Vec<pg_sys::Datum>,
}

impl Changes {
    fn set(&mut self, attribute: usize, bytes: &[u8]) {
        self.numbers
            .push(i32::try_from(attribute + 1).unwrap_or_default());
        self.values
            .push(bytes.into_datum().unwrap_or(pg_sys::Datum::null()));
    }

    /// The tuple with the changes in it.
    fn apply(mut self, call: &Call, tuple: pg_sys::HeapTuple) -> pg_sys::HeapTuple {
        if self.numbers.is_empty() {
            return tuple;
        }
        let mut nulls = vec![false; self.numbers.len()];
        // SAFETY: the three arrays have one entry for each change.
        unsafe {
            pg_sys::heap_modify_tuple_by_cols(
                tuple,
                call.descriptor(),
                i32::try_from(self.numbers.len()).unwrap_or_default(),
                self.numbers.as_mut_ptr(),
                self.values.as_mut_ptr(),
                nulls.as_mut_ptr(),
            )
        }
    }
}

fn settle(call: &Call) -> pg_sys::HeapTuple {
    let tuple = call.new_tuple();
    let changes = match call.event {
        Event::Insert => insert(&call.table, &call.deform(tuple)),
        Event::Update => {
            let (old, new) = (call.deform(call.old_tuple()), call.deform(tuple));
            match meta_of(&call.table, &old) {
                Some(meta) => update(&call.table, meta, &old, &new),
                // A row from before tracking: enters as if inserted now.
                None => insert(&call.table, &new),
            }
        }
        Event::Delete | Event::Truncate => return tuple,
    };
    changes.apply(call, tuple)
}

/// The row's meta column; `None` when the row was never settled.
pub fn meta_of(table: &Table, row: &Row) -> Option<RowMeta> {
    row.get(table.meta)
        .map(|value| RowMeta::decode(&bytes_of(value)).or_corrupt("crdt_meta"))
}

fn insert(table: &Table, new: &Row) -> Changes {
    let mut author = ThisNode::of_row();
    let mut changes = Changes::default();
    for (_, column) in table.crdt_columns() {
        if let Some(value) = new.get(column.attribute) {
            let settled = settled(table, column, None, &bytes_of(value), &mut author);
            changes.set(column.attribute, &settled);
        }
    }
    let id = key::tombstone_id(&key::hash(
        &table.schema.schema,
        &table.schema.table,
        &key::of_row(table, new),
    ));
    let causal_length = tombstone::find(&id).map_or(1, |deleted| deleted.saturating_add(1));
    let meta = RowMeta {
        causal_length,
        stamp: Some(author.stamp(None)),
    };
    changes.set(table.meta, &meta.encode());
    changes
}

fn update(table: &Table, mut meta: RowMeta, old: &Row, new: &Row) -> Changes {
    let mut author = ThisNode::of_row();
    let mut changes = Changes::default();
    let mut plain_changed = false;
    for (at, column) in table.columns.iter().enumerate() {
        let (before, after) = (old.get(column.attribute), new.get(column.attribute));
        let same = match (before, after) {
            (Some(a), Some(b)) => column.same(a, b),
            (None, None) => true,
            _ => false,
        };
        if same {
            continue;
        }
        if table.key.contains(&at) {
            raise(
                PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
                format!(
                    "the primary key of a row in tracked table {} cannot be changed",
                    table.schema.table
                ),
                "Delete the row and insert it under the new key.",
            );
        }
        if column.kind == ColumnKind::Plain {
            plain_changed = true;
            continue;
        }
        let wanted = match after {
            Some(value) => bytes_of(value),
            None => null(column.kind).unwrap_or_else(|| {
                raise(
                    PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
                    format!(
                        "column \"{}\" of tracked table {} cannot be set to null",
                        column.name, table.schema.table
                    ),
                    "A merge can only add to a CRDT column: assign an empty value instead.",
                )
            }),
        };
        let before = before.map(bytes_of);
        let settled = settled(table, column, before.as_deref(), &wanted, &mut author);
        changes.set(column.attribute, &settled);
    }
    if plain_changed {
        meta.stamp = Some(author.stamp(meta.stamp));
    }
    // What the statement wrote into crdt_meta counts for nothing.
    let bytes = meta.encode();
    if new
        .get(table.meta)
        .is_none_or(|value| bytes_of(value) != bytes)
    {
        changes.set(table.meta, &bytes);
    }
    changes
}

/// What SET column = NULL means: only a register can hold nothing, as JSON's
/// null.
fn null(kind: ColumnKind) -> Option<Vec<u8>> {
    match kind {
        ColumnKind::LwwRegister | ColumnKind::MvRegister => AnyState::from_text(kind, "null")
            .ok()
            .map(|state| state.encode()),
        _ => None,
    }
}

/// What the column stores when `wanted` is written over `before`.
fn settled(
    table: &Table,
    column: &Column,
    before: Option<&[u8]>,
    wanted: &[u8],
    author: &mut ThisNode,
) -> Vec<u8> {
    AnyState::settle_bytes(column.kind, before, wanted, author).unwrap_or_else(|error| {
        refusal::change_of_column(&column.name, &table.schema.table, &error)
    })
}
