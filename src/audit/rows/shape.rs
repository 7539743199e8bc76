//! A table as one of its schemas describes it, for putting what the log says
//! of it into words. The table itself may have other columns by now, or be
//! gone.

use crate::catalog::{self, lend};
use crate::error::OrCorrupt;
use crate::track::table::{self, Column, Table};
use crate::types::{Jsonb, json_of_state};
use crate::worker::{find_table, subtransaction::attempt};
use crdt::{AnyState, RowAction, RowChange, RowState, TableSchema};
use pgrx::datum::DatumWithOid;
use pgrx::spi::quote_identifier;
use pgrx::{IntoDatum, pg_sys};
use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;

/// A schema with its columns' types at hand.
pub struct Shape {
    /// The schema.
    pub schema: TableSchema,
    table: Option<Rc<Table>>,
    resolved: OnceCell<Vec<Option<Column>>>,
}

impl Shape {
    /// Of a schema that some op was written for.
    pub fn of(schema: TableSchema) -> Self {
        let table = find_table(&schema.schema, &schema.table)
            .and_then(table::find)
            .filter(|table| table.schema == schema);
        Self {
            schema,
            table,
            resolved: OnceCell::new(),
        }
    }

    /// By the number of the schema in `crdt.schema`; `None` if it is not known.
    pub fn by_number(schema_id: i32) -> Option<Self> {
        let schema = catalog::one(
            "SELECT definition FROM crdt.schema WHERE id = $1",
            &[schema_id.into()],
            |row| TableSchema::decode(&row.need::<Vec<u8>>(1)).ok(),
        );
        schema.flatten().map(Self::of)
    }

    /// Schema and name of the table, as views have them.
    pub fn table_name(&self) -> String {
        format!("{}.{}", self.schema.schema, self.schema.table)
    }

    /// A column and its functions; `None` where its type is gone.
    pub fn column(&self, at: u16) -> Option<&Column> {
        let at = usize::from(at);
        match &self.table {
            Some(table) => table.columns.get(at),
            None => self.resolved().get(at)?.as_ref(),
        }
    }

    fn resolved(&self) -> &[Option<Column>] {
        self.resolved.get_or_init(|| {
            let column = |column: &crdt::Column| {
                let oid = catalog::one(
                    "SELECT pg_catalog.to_regtype($1)::oid",
                    &[column.type_name.as_str().into()],
                    |row| row.get::<pg_sys::Oid>(1),
                );
                oid.flatten()
                    .map(|oid| Column::of_type(0, &column.name, column.kind, oid, -1))
            };
            self.schema.columns.iter().map(column).collect()
        })
    }

    /// The binary key of a row from the texts of its columns.
    ///
    /// Raises an error if a text is none of its column's type.
    pub fn key_from_text(&self, key: &[Option<String>]) -> Vec<Vec<u8>> {
        let input = |(at, text): (&u16, &Option<String>)| {
            let column = self.column(*at).or_corrupt("the type of a key's column");
            column.send(column.input(text.as_deref().unwrap_or("")))
        };
        self.schema.key.iter().zip(key).map(input).collect()
    }

    /// The key of a row in words.
    pub fn key_text(&self, key: &[Vec<u8>]) -> String {
        let texts = self.schema.key.iter().zip(key);
        let texts: Vec<String> = texts
            .map(|(at, value)| self.text(*at, Some(value)))
            .collect();
        texts.join(", ")
    }

    /// A plain value in its type's text form, or in hex where the type is not
    /// at hand any more.
    pub fn text(&self, at: u16, bytes: Option<&[u8]>) -> String {
        let Some(bytes) = bytes else {
            return "null".to_owned();
        };
        let mut text = None;
        if let Some(column) = self.column(at) {
            // Bytes that the type does not take must not end the whole query;
            // the reason is of no use here.
            let _unreadable = attempt(|| {
                text = Some(column.output(column.receive(bytes)));
                Ok(())
            });
        }
        text.unwrap_or_else(|| hex_text(bytes))
    }

    /// What a change does to its row, in words.
    pub fn change(&self, change: &RowChange) -> String {
        if change.action == RowAction::Delete {
            return "deleted".to_owned();
        }
        let deltas = change
            .deltas
            .iter()
            .map(|(at, bytes)| self.delta(*at, bytes));
        let plain = change
            .plain
            .iter()
            .flat_map(|plain| &plain.values)
            .map(|(at, value)| {
                format!("{} = {}", self.name(*at), self.text(*at, value.as_deref()))
            });
        deltas.chain(plain).collect::<Vec<_>>().join(", ")
    }

    /// The name of a column.
    pub fn name(&self, at: u16) -> &str {
        self.schema.column(at).map_or("?", |column| &column.name)
    }

    fn delta(&self, at: u16, bytes: &[u8]) -> String {
        let name = self.name(at);
        let state = self
            .schema
            .crdt_kind(at)
            .and_then(|kind| AnyState::decode(kind, bytes).ok());
        match state {
            Some(state) => format!("{name}: {}", state.delta_text()),
            None => format!("{name}: cannot be read"),
        }
    }

    /// A whole row in plain types, as the text of a jsonb.
    pub fn json(&self, key: &[Vec<u8>], row: &RowState) -> String {
        let mut json = None;
        let readable = attempt(|| {
            json = Some(self.jsonb(key, row, true));
            Ok(())
        });
        match json.filter(|_| readable.is_ok()) {
            Some(json) => json,
            // A value that its type does not take: all plain ones by their texts.
            None => self.jsonb(key, row, false),
        }
    }

    fn jsonb(&self, key: &[Vec<u8>], row: &RowState, readable: bool) -> String {
        let plain = row.plain.iter().flat_map(|plain| &plain.values);
        let known = plain.map(|(at, value)| (*at, value.as_deref()));
        let keys = self.schema.key.iter().zip(key);
        let known: HashMap<u16, Option<&[u8]>> = known
            .chain(keys.map(|(at, value)| (*at, Some(value.as_slice()))))
            .collect();
        let (mut items, mut args) = (Vec::new(), Vec::new());
        for (at, declared) in (0u16..).zip(&self.schema.columns) {
            let (value, oid) = match row.states.get(&at) {
                Some(state) => (shown(state, readable), pg_sys::JSONBOID),
                None => match (known.get(&at).copied().flatten(), self.column(at)) {
                    (Some(bytes), Some(column)) if readable => {
                        (Some(column.receive(bytes)), column.type_oid)
                    }
                    (Some(bytes), _) => (self.text(at, Some(bytes)).into_datum(), pg_sys::TEXTOID),
                    (None, column) => (None, column.map_or(pg_sys::TEXTOID, |it| it.type_oid)),
                },
            };
            // SAFETY: the value was made for this type, and lives until the
            // statement has run.
            args.push(unsafe { DatumWithOid::new_from_datum(value.map(|it| lend(it)), oid) });
            items.push(format!(
                "${} AS {}",
                args.len(),
                quote_identifier(&declared.name)
            ));
        }
        // Its plan is kept: there is one such statement for each schema.
        let sql = format!(
            "SELECT pg_catalog.to_jsonb(x) FROM (SELECT {}) AS x",
            items.join(", ")
        );
        let json = catalog::one(&sql, &args, |row| row.need::<Jsonb>(1));
        json.or_corrupt("to_jsonb").0
    }
}

/// What a state shows; a number that is beyond its type's range shows nothing
/// where that must not be an error.
fn shown(state: &AnyState, or_error: bool) -> Option<pg_sys::Datum> {
    let mut json = None;
    let mut show = || {
        json = json_of_state(state).map(|json| Jsonb(json).datum());
        Ok(())
    };
    if or_error {
        show().ok()?;
    } else {
        attempt(show).ok()?;
    }
    json
}

/// Bytes whose type is not at hand.
pub fn hex_text(bytes: &[u8]) -> String {
    format!("\\x{}", hex::encode(bytes))
}
