//! Names of rows for sorting: the first half of the hash of a row's key, as in
//! `crdt.tombstone`. Called by the statements of this folder alone.

use crate::function::{argument, null, v1_function};
use crate::track::{key, table};
use crdt::RowChange;
use pgrx::prelude::*;
use pgrx::{FromDatum, IntoDatum};

/// The name of the row that an op speaks of, found from its payload. Eight
/// bytes, which sort right before the row's name, where the payload does not
/// say: it is closed or cannot be read.
#[pg_extern(sql = "
    CREATE FUNCTION crdt.row_of_op(schema_name text, table_name text, row_id bigint, closed boolean, payload bytea)
    RETURNS bytea STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', '@FUNCTION_NAME@';
")]
fn crdt_row_of_op(
    schema_name: &str,
    table_name: &str,
    row_id: i64,
    closed: bool,
    payload: &[u8],
) -> Vec<u8> {
    let change = (!closed).then(|| RowChange::decode(payload).ok()).flatten();
    match change {
        Some(change) => {
            let hash = key::hash(schema_name, table_name, &change.key);
            key::tombstone_id(&hash).to_vec()
        }
        None => row_id.to_be_bytes().to_vec(),
    }
}

v1_function!(crdt_row_name, pg_finfo_crdt_row_name, row_name);

/// The name of a live row: `crdt.row_name(table, VARIADIC key "any")`.
unsafe fn row_name(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: declared with an OID and the values of the key, in its order.
    unsafe {
        let Some(relation) = argument(fcinfo, 0).and_then(|it| pg_sys::Oid::from_datum(it, false))
        else {
            return null(fcinfo);
        };
        let table = table::tracked(relation);
        let values = table.key.iter().enumerate().map(|(place, &at)| {
            let value = argument(fcinfo, place + 1);
            value
                .map(|value| table.columns[at].send(value))
                .unwrap_or_default()
        });
        let key: Vec<Vec<u8>> = values.collect();
        let hash = key::hash(&table.schema.schema, &table.schema.table, &key);
        key::tombstone_id(&hash)
            .as_slice()
            .into_datum()
            .unwrap_or_else(|| null(fcinfo))
    }
}
