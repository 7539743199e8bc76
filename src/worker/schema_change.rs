//! A table enters or leaves tracking because a member said so.

use super::apply::find;
use crate::track::{enrol, table};
use crdt::{SchemaAction, SchemaChange, TableSchema};
use pgrx::Spi;
use pgrx::spi::quote_identifier;

/// Applies a peer's schema op.
pub fn apply(change: &SchemaChange) -> Result<(), String> {
    match &change.action {
        SchemaAction::Track(schema) => track(schema),
        SchemaAction::Untrack { schema, table } => {
            if let Some(oid) = find(schema, table).filter(|oid| table::find(*oid).is_some()) {
                enrol::leave(oid);
            }
            Ok(())
        }
        // The tables of each node are its own.
        SchemaAction::Alter(_) => Ok(()),
    }
}

fn track(schema: &TableSchema) -> Result<(), String> {
    let oid = match find(&schema.schema, &schema.table) {
        Some(oid) => oid,
        None => create(schema)?,
    };
    if table::find(oid).is_none() {
        add_missing_columns(oid, schema)?;
    }
    let local = enrol::describe(oid);
    if local != *schema {
        return Err(difference(&local, schema));
    }
    // Rows that stand here already are taken over by those of the cluster that
    // have their key, and enter the log when they are next written. To enter
    // them now would count a table twice that was untracked and tracked again.
    enrol::enrol(oid, schema);
    Ok(())
}

/// A table that was tracked before, with fewer columns, gets those that the
/// cluster's table has by now.
fn add_missing_columns(oid: pgrx::pg_sys::Oid, schema: &TableSchema) -> Result<(), String> {
    let local = enrol::describe(oid);
    let has = |name: &str| local.columns.iter().any(|column| column.name == name);
    for column in schema.columns.iter().filter(|column| !has(&column.name)) {
        let sql = format!(
            "ALTER TABLE {} ADD COLUMN {}",
            table::name_of(oid),
            declare(column)
        );
        Spi::run(&sql).map_err(|error| format!("{sql}: {error}"))?;
    }
    Ok(())
}

fn declare(column: &crdt::Column) -> String {
    let not_null = if column.not_null { " NOT NULL" } else { "" };
    format!(
        "{} {}{not_null}",
        quote_identifier(&column.name),
        column.type_name
    )
}

/// Creates the table from the inviter's definition.
fn create(schema: &TableSchema) -> Result<pgrx::pg_sys::Oid, String> {
    let name = format!(
        "{}.{}",
        quote_identifier(&schema.schema),
        quote_identifier(&schema.table)
    );
    let key: Vec<String> = schema
        .key
        .iter()
        .filter_map(|&at| schema.columns.get(usize::from(at)))
        .map(|c| quote_identifier(&c.name))
        .collect();
    let columns: Vec<String> = schema.columns.iter().map(declare).collect();
    let run = |sql: &str| Spi::run(sql).map_err(|e| format!("{sql}: {e}"));
    run(&format!(
        "CREATE SCHEMA IF NOT EXISTS {}",
        quote_identifier(&schema.schema)
    ))?;
    run(&format!(
        "CREATE TABLE {name} ({}, PRIMARY KEY ({}))",
        columns.join(", "),
        key.join(", ")
    ))?;
    find(&schema.schema, &schema.table).ok_or_else(|| format!("table {name} was not created"))
}

fn difference(local: &TableSchema, wanted: &TableSchema) -> String {
    let missing = wanted.columns.iter().find(|c| !local.columns.contains(c));
    let surplus = local.columns.iter().find(|c| !wanted.columns.contains(c));
    let detail = match (missing, surplus) {
        (Some(c), _) => format!(
            "column \"{}\" of type {} is missing or differs",
            c.name, c.type_name
        ),
        (None, Some(c)) => format!("column \"{}\" is not in the cluster's table", c.name),
        (None, None) => "the order of columns or the primary key differs".to_owned(),
    };
    format!(
        "table {}.{} differs from the cluster's: {detail}",
        wanted.schema, wanted.table
    )
}
