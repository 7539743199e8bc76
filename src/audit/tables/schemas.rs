//! `crdt.schema`: each definition hashes to the hash that ops carry, and names
//! the table that the row names.

use super::{Doubt, twice};
use crate::catalog;
use crdt::TableSchema;
use ledger::hash::short;

pub fn doubts() -> Vec<Doubt> {
    let rows: Vec<(i32, [Vec<u8>; 2], [String; 2])> = catalog::query(
        "SELECT id, hash, definition, schema_name, table_name FROM crdt.schema ORDER BY id",
        &[],
        |row| {
            (
                row.need(1),
                [row.need(2), row.need(3)],
                [row.need(4), row.need(5)],
            )
        },
    );
    let mut doubts = Vec::new();
    let doubt =
        |id: i32, what: &str| Doubt::new("schema", "schema_altered", format!("id {id}"), what);
    let again = twice(&rows, |(id, ..)| *id);
    doubts.extend(again.map(|(id, ..)| doubt(*id, "two schemas have this number")));
    for (id, [hash, definition], [schema_name, table_name]) in &rows {
        // A schema that only its hash is known of: ops of a table that is
        // nowhere described.
        let unknown = definition.is_empty() && schema_name.is_empty() && table_name.is_empty();
        if unknown && *id != 0 {
            continue;
        }
        let Ok(schema) = TableSchema::decode(definition) else {
            doubts.push(doubt(*id, "the definition cannot be read"));
            continue;
        };
        if schema.hash() != hash.as_slice() {
            let what = "the definition does not hash to the hash";
            doubts.push(doubt(*id, what).differs(short(&schema.hash()), short(hash)));
        }
        for (expected, found) in [(&schema.schema, schema_name), (&schema.table, table_name)] {
            if expected != found {
                let what = "the name is not that of the definition";
                doubts.push(doubt(*id, what).differs(expected, found));
            }
        }
    }
    doubts
}
