//! The tables' schemas as members agreed on them: `crdt.schema` keeps each
//! once, by its hash.

use super::sql::{one, query, run};
use crate::error::OrCorrupt;
use crdt::TableSchema;
use pgrx::pg_sys;

/// Local number and schema of a tracked table.
pub fn tracked_schema(relation: pg_sys::Oid) -> Option<(i32, TableSchema)> {
    one(
        "SELECT s.id, s.definition FROM crdt.tracked t JOIN crdt.schema s ON s.id = t.schema_id
          WHERE t.relation = $1",
        &[relation.into()],
        |row| (row.need(1), decode(&row.need::<Vec<u8>>(2))),
    )
}

/// Local number and schema by hash.
pub fn schema_by_hash(hash: &[u8; 32]) -> Option<(i32, TableSchema)> {
    one(
        "SELECT id, definition FROM crdt.schema WHERE hash = $1 AND definition <> ''",
        &[hash.as_slice().into()],
        |row| (row.need(1), decode(&row.need::<Vec<u8>>(2))),
    )
}

/// The tables that are tracked and still exist; what is known of others is
/// forgotten.
pub fn tracked_relations() -> Vec<pg_sys::Oid> {
    run(
        "DELETE FROM crdt.tracked t
          WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.relation)",
        &[],
    );
    query("SELECT relation::oid FROM crdt.tracked", &[], |row| {
        row.need(1)
    })
}

/// Keeps a schema, if it is new. Returns its local number.
pub fn store_schema(schema: &TableSchema) -> i32 {
    let (hash, definition) = (schema.hash(), schema.encode());
    run(
        "INSERT INTO crdt.schema (hash, schema_name, table_name, definition)
         VALUES ($1, $2, $3, $4) ON CONFLICT (hash) DO NOTHING",
        &[
            hash.as_slice().into(),
            schema.schema.as_str().into(),
            schema.table.as_str().into(),
            definition.as_slice().into(),
        ],
    );
    one(
        "SELECT id FROM crdt.schema WHERE hash = $1",
        &[hash.as_slice().into()],
        |row| row.need(1),
    )
    .or_corrupt("crdt.schema")
}

fn decode(definition: &[u8]) -> TableSchema {
    TableSchema::decode(definition).or_corrupt("a table's schema")
}

/// Keeps the hash of a schema that nobody here has seen. Returns its number.
pub fn store_unknown_schema(hash: &[u8; 32]) -> i32 {
    one(
        "INSERT INTO crdt.schema (hash, schema_name, table_name, definition)
         VALUES ($1, '', '', '') ON CONFLICT (hash) DO UPDATE SET hash = excluded.hash
         RETURNING id",
        &[hash.as_slice().into()],
        |row| row.need(1),
    )
    .or_corrupt("crdt.schema")
}
