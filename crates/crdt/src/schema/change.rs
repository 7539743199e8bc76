//! What happened to a tracked table, as it travels between nodes.

use super::{Column, TableSchema, put_columns, read_columns, read_name};
use crate::codec::{Reader, put_bytes};
use crate::row::{MAX_COLUMNS, name_fits};
use crate::{DecodeError, EncodeError};

/// What happened to a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SchemaAction {
    /// It is tracked, or tracked in a new shape.
    Track(TableSchema),
    /// It is no longer tracked.
    Untrack {
        /// Its schema, unquoted.
        schema: String,
        /// Its name, unquoted.
        table: String,
    },
    /// A statement of DDL changed or dropped it on the node that says so. Nothing follows from
    /// that elsewhere: each node's tables are its own.
    Alter(Alteration),
}

/// What a statement of DDL did to a tracked table, or to something that acts on its rows. The
/// statement's text is not in it: it may hold data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alteration {
    /// The table's schema as it was tracked, unquoted.
    pub schema: String,
    /// The table's name as it was tracked, unquoted.
    pub table: String,
    /// The command's tag, e.g. ALTER TABLE.
    pub command: String,
    /// What it was done to, as PostgreSQL names it, e.g. `public.page` or `audit on public.page`.
    pub object: String,
    /// The table's columns afterwards, at most [`MAX_COLUMNS`]; none once it is dropped.
    pub columns: Vec<Column>,
}

impl Alteration {
    fn names(&self) -> [&String; 4] {
        [&self.schema, &self.table, &self.command, &self.object]
    }

    fn put(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        for name in self.names() {
            name_fits(name)?;
            put_bytes(out, name.as_bytes());
        }
        if self.columns.len() > MAX_COLUMNS {
            return Err(EncodeError::Malformed("the table's columns"));
        }
        for column in &self.columns {
            name_fits(&column.name)?;
            name_fits(&column.type_name)?;
        }
        put_columns(out, &self.columns);
        Ok(())
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            schema: read_name(reader)?,
            table: read_name(reader)?,
            command: read_name(reader)?,
            object: read_name(reader)?,
            columns: read_columns(reader)?,
        })
    }
}

/// A change to a tracked table or to the set of them; the payload of an op of kind schema.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SchemaChange {
    /// What happened.
    pub action: SchemaAction,
    /// Who did it: the database role.
    pub actor: String,
    /// From which application: application_name.
    pub application: String,
}

impl SchemaChange {
    /// Version byte, u8 action (1 track, 2 untrack, 3 alter), the table or the alteration, actor
    /// and application.
    ///
    /// # Errors
    /// A table or name beyond the limits: it could not be read back.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut out = vec![1];
        match &self.action {
            SchemaAction::Track(table) => {
                TableSchema::decode(&table.encode())
                    .map_err(|_| EncodeError::Malformed("the table's schema"))?;
                out.push(1);
                table.put(&mut out);
            }
            SchemaAction::Untrack { schema, table } => {
                out.push(2);
                for name in [schema, table] {
                    name_fits(name)?;
                    put_bytes(&mut out, name.as_bytes());
                }
            }
            SchemaAction::Alter(alteration) => {
                out.push(3);
                alteration.put(&mut out)?;
            }
        }
        for name in [&self.actor, &self.application] {
            name_fits(name)?;
            put_bytes(&mut out, name.as_bytes());
        }
        Ok(out)
    }

    /// From [`SchemaChange::encode`]; anything else, or beyond the limits, is an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version()?;
        let action = match reader.u8()? {
            1 => SchemaAction::Track(TableSchema::read(&mut reader)?),
            2 => SchemaAction::Untrack {
                schema: read_name(&mut reader)?,
                table: read_name(&mut reader)?,
            },
            3 => SchemaAction::Alter(Alteration::read(&mut reader)?),
            code => {
                return Err(DecodeError::UnknownCode {
                    what: "action",
                    code,
                });
            }
        };
        let actor = read_name(&mut reader)?;
        let application = read_name(&mut reader)?;
        reader.finish()?;
        Ok(Self {
            action,
            actor,
            application,
        })
    }
}
