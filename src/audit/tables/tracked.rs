//! `crdt.tracked`: what the log last said of each table, that it is tracked and
//! with which columns, or that it is not.

use super::Doubt;
use crate::catalog;
use crate::track::table::META;
use crdt::{SchemaAction, SchemaChange, TableSchema};
use ledger::hash::short;
use std::collections::BTreeMap;

/// The last word of the log on a table: the hash of its schema, none if it is
/// not tracked; and whether this node could not follow.
struct Word {
    hash: Option<[u8; 32]>,
    refused: bool,
}

type Name = (String, String);

pub fn doubts() -> Vec<Doubt> {
    let mut words = last_words();
    // A schema that was altered is a finding already; which table it was for is not known.
    let mut in_doubt = false;
    let rows = catalog::query(
        "SELECT t.relation::text, s.definition, s.hash,
                EXISTS (SELECT FROM pg_catalog.pg_attribute a
                         WHERE a.attrelid = t.relation AND a.attname = $1 AND NOT a.attisdropped)
           FROM crdt.tracked t LEFT JOIN crdt.schema s ON s.id = t.schema_id
          WHERE EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.relation)
          ORDER BY t.relation",
        &[META.into()],
        |row| {
            let relation: String = row.need(1);
            let definition: Option<Vec<u8>> = row.get(2);
            let hash: Vec<u8> = row.get(3).unwrap_or_default();
            (relation, definition, hash, row.need::<bool>(4))
        },
    );
    let mut doubts = Vec::new();
    for (relation, definition, hash, enrolled) in rows {
        let doubt = |what: &str| Doubt::new("tracked", "tracked_altered", relation.clone(), what);
        let Some(definition) = definition else {
            doubts.push(doubt("there is no such schema"));
            continue;
        };
        let Ok(schema) = TableSchema::decode(&definition) else {
            in_doubt = true;
            continue;
        };
        if schema.hash() != hash.as_slice() {
            in_doubt = true;
            continue;
        }
        let name = (schema.schema, schema.table);
        match words.remove(&name).and_then(|word| word.hash) {
            None => doubts.push(doubt("the log does not say that this table is tracked")),
            Some(wanted) if wanted != hash.as_slice() => {
                let what = "the log names another schema for this table";
                doubts.push(doubt(what).differs(short(&wanted), short(&hash)));
            }
            Some(_) if !enrolled => {
                doubts.push(doubt(
                    "this table was never enrolled: another one is tracked",
                ));
            }
            Some(_) => {}
        }
    }
    let forgotten = words.into_iter().filter(|((schema, table), word)| {
        !in_doubt && word.hash.is_some() && !word.refused && was_enrolled(schema, table)
    });
    doubts.extend(forgotten.map(|((schema, table), _)| {
        let what = "the log says that this table is tracked";
        Doubt::new(
            "tracked",
            "tracked_altered",
            format!("{schema}.{table}"),
            what,
        )
    }));
    doubts
}

/// Whether the table is here and has what tracking gave it.
fn was_enrolled(schema: &str, table: &str) -> bool {
    catalog::one(
        "SELECT FROM pg_catalog.pg_class c
           JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
          WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3",
        &[schema.into(), table.into(), META.into()],
        |_| (),
    )
    .is_some()
}

/// Of each table; what is on its way into the log counts as said.
fn last_words() -> BTreeMap<Name, Word> {
    let rows: Vec<(Vec<u8>, bool)> = catalog::query(
        "SELECT x.payload, x.refused FROM (
             SELECT o.payload, o.hlc,
                    EXISTS (SELECT FROM crdt.quarantine q JOIN crdt.node n ON n.node_id = q.origin
                             WHERE n.id = o.origin AND q.seq = o.seq) AS refused
               FROM crdt.op o WHERE o.row_id = 0 AND o.kind = 2
             UNION ALL SELECT payload, hlc, false FROM crdt.outbox_0 WHERE kind = 2
             UNION ALL SELECT payload, hlc, false FROM crdt.outbox_1 WHERE kind = 2) AS x
          ORDER BY x.hlc",
        &[],
        |row| (row.need(1), row.need(2)),
    );
    let mut words = BTreeMap::new();
    for (payload, refused) in rows {
        let Ok(change) = SchemaChange::decode(&payload) else {
            continue;
        };
        let (name, hash) = match change.action {
            SchemaAction::Track(schema) => {
                let hash = schema.hash();
                ((schema.schema, schema.table), Some(hash))
            }
            SchemaAction::Untrack { schema, table } => ((schema, table), None),
            SchemaAction::Alter(_) => continue,
        };
        words.insert(name, Word { hash, refused });
    }
    words
}
