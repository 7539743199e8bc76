//! The state of a row: what members that admitted the same changes hold alike.

use crate::error::{OrCorrupt, raise};
use crate::track::table::{self, Table, bytes_of};
use crate::track::{Row, key};
use crdt::ColumnKind;
use ledger::Hash;
use ledger::digest_tree::{Entry, Tag};
use pgrx::{PgSqlErrorCode, pg_sys, varlena};
use sha2::{Digest, Sha256};
use std::rc::Rc;

/// Begins what is hashed of a row.
const LABEL_ROW: &[u8] = b"bcrdt/row-state/v1\0";
/// Begins what is hashed of one column.
const LABEL_COLUMN: &[u8] = b"bcrdt/column-state/v1\0";

/// A row of a tracked table, taken apart.
pub struct RowState {
    table: Rc<Table>,
    row: Row,
}

impl RowState {
    /// From a row as a value of its table's row type. Raises an error if the
    /// table is not tracked.
    ///
    /// # Safety
    /// The value must be a composite one and outlive the result.
    pub unsafe fn of_record(record: pg_sys::Datum) -> RowState {
        // SAFETY: a composite value is a tuple header that names its type; the
        // descriptor is released after the tuple was taken apart with it.
        unsafe {
            let header: pg_sys::HeapTupleHeader =
                pg_sys::pg_detoast_datum(record.cast_mut_ptr()).cast();
            let datum = (*header).t_choice.t_datum;
            let relation = pg_sys::get_typ_typrelid(datum.datum_typeid);
            if relation == pg_sys::InvalidOid {
                raise(
                    PgSqlErrorCode::ERRCODE_WRONG_OBJECT_TYPE,
                    "this is not a row of a table",
                    "SELECT crdt_table_digest('table') digests all rows of a tracked table.",
                );
            }
            let table = table::tracked(relation);
            let descriptor = pg_sys::lookup_rowtype_tupdesc(datum.datum_typeid, datum.datum_typmod);
            let mut tuple = pg_sys::HeapTupleData {
                t_len: varlena::varsize_any(header.cast()) as u32,
                t_data: header,
                ..Default::default()
            };
            let row = Row::deform(&mut tuple, descriptor);
            if (*descriptor).tdrefcount >= 0 {
                pg_sys::DecrTupleDescRefCount(descriptor);
            }
            RowState { table, row }
        }
    }

    /// The hash that names the row, and that of its state: SHA-256(label ‖ each
    /// column in the order of the schema, then crdt_meta), a column as u8 0 for
    /// null, or u8 1 ‖ u64 length ‖ bytes.
    pub fn entry(&self) -> Entry {
        let schema = &self.table.schema;
        let key = key::of_row(&self.table, &self.row);
        let mut hasher = Sha256::new_with_prefix(LABEL_ROW);
        self.each(|state| update(&mut hasher, state));
        Entry {
            key: key::hash(&schema.schema, &schema.table, &key),
            value: hasher.finalize().into(),
        }
    }

    /// The first half of a SHA-256 of each column, in that order.
    pub fn columns(&self) -> Vec<Tag> {
        let mut tags = Vec::new();
        self.each(|state| {
            let mut hasher = Sha256::new_with_prefix(LABEL_COLUMN);
            update(&mut hasher, state);
            let digest = hasher.finalize();
            tags.push(digest.first_chunk().copied().unwrap_or_default());
        });
        tags
    }

    /// The key as people write it: its values, with commas between.
    pub fn key_text(&self) -> String {
        let columns = self.table.key.iter().map(|&at| &self.table.columns[at]);
        let texts: Vec<String> = columns
            .filter_map(|column| Some(column.output(self.row.get(column.attribute)?)))
            .collect();
        texts.join(", ")
    }

    /// Calls for each column: a CRDT's bytes as they are stored, which are
    /// canonical; a plain value's binary form; at last crdt_meta.
    fn each(&self, mut call: impl FnMut(Option<&[u8]>)) {
        for column in &self.table.columns {
            let value = self.row.get(column.attribute);
            let state = value.map(|value| match column.kind {
                ColumnKind::Plain => column.send(value),
                _ => bytes_of(value),
            });
            call(state.as_deref());
        }
        call(self.row.get(self.table.meta).map(bytes_of).as_deref());
    }
}

fn update(hasher: &mut Sha256, state: Option<&[u8]>) {
    match state {
        None => hasher.update([0]),
        Some(bytes) => {
            hasher.update([1]);
            hasher.update((bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        }
    }
}

/// An entry as 64 bytes, which sort as entries do.
pub fn entry_bytes(entry: &Entry) -> Vec<u8> {
    [entry.key, entry.value].concat()
}

/// From [`entry_bytes`].
pub fn entry_of(bytes: &[u8]) -> Entry {
    let half = |from: usize| {
        let half = bytes.get(from..from + 32);
        half.and_then(|half| Hash::try_from(half).ok())
            .or_corrupt("a row's digest")
    };
    Entry {
        key: half(0),
        value: half(32),
    }
}
