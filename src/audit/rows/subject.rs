//! The table that is asked about.

use super::shape::Shape;
use crate::catalog;
use crate::error::raise;
use crate::track::{key, table};
use crdt::TableSchema;
use pgrx::{PgSqlErrorCode, pg_sys};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// A table that is tracked, or was once.
pub struct Subject {
    /// Number of the schema that counts: the one it is tracked under, or the
    /// newest it was.
    pub schema_id: i32,
    /// That schema.
    pub shape: Rc<Shape>,
    /// Numbers of all schemas that tables of this name were tracked under.
    pub schema_ids: Vec<i32>,
    /// This node's number, if it is a member.
    pub me: Option<i32>,
    others: RefCell<HashMap<i32, Option<Rc<Shape>>>>,
}

impl Subject {
    /// Raises an error if the log knows nothing of the table.
    pub fn of(relation: pg_sys::Oid) -> Self {
        let (schema_id, schema) = catalog::tracked_schema(relation)
            .or_else(|| newest_schema(relation))
            .unwrap_or_else(|| {
                raise(
                    PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                    format!(
                        "table {} is not tracked and never was",
                        table::name_of(relation)
                    ),
                    "SELECT * FROM crdt_tracked lists the tracked tables.",
                )
            });
        let schema_ids = catalog::query(
            "SELECT id FROM crdt.schema WHERE schema_name = $1 AND table_name = $2",
            &[schema.schema.as_str().into(), schema.table.as_str().into()],
            |row| row.need(1),
        );
        Self {
            schema_id,
            shape: Rc::new(Shape::of(schema)),
            schema_ids,
            me: catalog::local_node().map(|known| known.id),
            others: RefCell::default(),
        }
    }

    /// The schema by which the table is known to all.
    pub fn schema(&self) -> &TableSchema {
        &self.shape.schema
    }

    /// The shape that an op was written for; `None` if nobody here knows it.
    pub fn shape_of(&self, schema_id: i32) -> Option<Rc<Shape>> {
        if schema_id == self.schema_id {
            return Some(Rc::clone(&self.shape));
        }
        let mut others = self.others.borrow_mut();
        let other = others
            .entry(schema_id)
            .or_insert_with(|| Shape::by_number(schema_id).map(Rc::new));
        other.clone()
    }

    /// The binary key from its texts, one for each column.
    ///
    /// Raises an error if their number is another than that of the key's
    /// columns, or a text is no value of its column.
    pub fn key(&self, texts: &[Option<String>]) -> Vec<Vec<u8>> {
        let schema = self.schema();
        if texts.len() != schema.key.len() {
            raise(
                PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
                format!(
                    "the primary key of {} has {} columns, {} were given",
                    schema.table,
                    schema.key.len(),
                    texts.len()
                ),
                "Give one text for each column of the key, in its order.",
            );
        }
        self.shape.key_from_text(texts)
    }

    /// The hash by which the log knows a row of this key.
    pub fn hash(&self, row_key: &[Vec<u8>]) -> [u8; 32] {
        key::hash(&self.schema().schema, &self.schema().table, row_key)
    }
}

fn newest_schema(relation: pg_sys::Oid) -> Option<(i32, TableSchema)> {
    let found = catalog::one(
        "SELECT s.id, s.definition
           FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
           JOIN crdt.schema s ON s.schema_name = n.nspname AND s.table_name = c.relname
          WHERE c.oid = $1 ORDER BY s.id DESC LIMIT 1",
        &[relation.into()],
        |row| {
            let schema = TableSchema::decode(&row.need::<Vec<u8>>(2)).ok()?;
            Some((row.need(1), schema))
        },
    );
    found.flatten()
}
