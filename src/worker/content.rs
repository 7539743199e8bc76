//! What the payload of a peer's op says, decoded and checked before anything
//! of the segment touches this database.

use super::log::Place;
use crate::catalog;
use crate::track::key;
use crdt::{RowChange, SchemaAction, SchemaChange, TableSchema};
use ledger::{Kind, Lineage, MembershipChange, Op};
use std::collections::HashMap;
use std::rc::Rc;

/// The content of one op.
pub enum Content {
    /// A row's change.
    Row {
        /// Number in `crdt.schema`.
        schema_id: i32,
        /// The table's schema at that time.
        schema: Rc<TableSchema>,
        /// Index of the row in the op log.
        row_id: i64,
        /// What happened to the row.
        change: RowChange,
    },
    /// A table enters or leaves tracking.
    Schema(SchemaChange),
    /// A member comes, changes or goes.
    Membership(MembershipChange),
    /// Kept in the log, nothing to apply.
    Opaque,
    /// Not what its kind promises.
    Bad(String),
}

/// Schemas met in one segment, by hash.
#[derive(Default)]
pub struct Reader {
    schemas: HashMap<[u8; 32], Option<(i32, Rc<TableSchema>)>>,
}

impl Reader {
    /// Decodes an op's payload; schemas that it brings are kept at once, so
    /// that later ops of the segment can refer to them.
    pub fn read(&mut self, op: &Op) -> (Content, Place) {
        let payload = op
            .parts
            .first()
            .map(|part| part.payload.as_slice())
            .unwrap_or_default();
        let content = match op.kind {
            Kind::Delta => self.row(op, payload),
            Kind::Schema => self.schema_change(payload),
            Kind::ValidatorSet => match MembershipChange::from_bytes(payload) {
                Ok(change) => Content::Membership(change),
                Err(error) => Content::Bad(error.to_string()),
            },
            Kind::Lineage => match Lineage::from_bytes(payload) {
                Ok(_) => Content::Opaque,
                Err(error) => Content::Bad(error.to_string()),
            },
            Kind::Header => Content::Bad("headers are not operations".to_owned()),
            Kind::Redaction | Kind::KeyShred | Kind::Consent | Kind::Access | Kind::Prune => {
                Content::Opaque
            }
        };
        let place = match &content {
            Content::Row {
                schema_id, row_id, ..
            } => Place {
                schema_id: *schema_id,
                row_id: *row_id,
            },
            _ => Place {
                schema_id: self.number(&op.schema_hash),
                row_id: 0,
            },
        };
        (content, place)
    }

    fn row(&mut self, op: &Op, payload: &[u8]) -> Content {
        let Some((schema_id, schema)) = self.find(&op.schema_hash) else {
            return Content::Bad("the operation's table schema is not known here".to_owned());
        };
        match RowChange::decode(payload) {
            Ok(change) => {
                let hash = key::hash(&schema.schema, &schema.table, &change.key);
                Content::Row {
                    schema_id,
                    schema,
                    row_id: key::row_id(&hash),
                    change,
                }
            }
            Err(error) => Content::Bad(error.to_string()),
        }
    }

    fn schema_change(&mut self, payload: &[u8]) -> Content {
        match SchemaChange::decode(payload) {
            Ok(change) => {
                if let SchemaAction::Track(schema) = &change.action {
                    catalog::store_schema(schema);
                    self.schemas.remove(&schema.hash());
                }
                Content::Schema(change)
            }
            Err(error) => Content::Bad(error.to_string()),
        }
    }

    fn find(&mut self, hash: &[u8; 32]) -> Option<(i32, Rc<TableSchema>)> {
        self.schemas
            .entry(*hash)
            .or_insert_with(|| {
                catalog::schema_by_hash(hash).map(|(id, schema)| (id, Rc::new(schema)))
            })
            .clone()
    }

    /// The schema's number in this database. A hash that nothing here belongs
    /// to is kept as well: the log must give back what was signed.
    fn number(&mut self, hash: &[u8; 32]) -> i32 {
        if *hash == [0; 32] {
            return 0;
        }
        match self.find(hash) {
            Some((id, _)) => id,
            None => catalog::store_unknown_schema(hash),
        }
    }
}
