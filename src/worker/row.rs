//! One row of a tracked table joins a peer's change.

use super::unseen;
use crate::catalog::{self, lend};
use crate::error::OrCorrupt;
use crate::track::table::{Column, META, Table, bytes_of};
use crate::track::{key, tombstone};
use crdt::{AnyState, Hlc, Joined, PlainRow, ReplicaId, RowAction, RowChange, RowMeta, RowState};
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;
use pgrx::spi::quote_identifier;
use std::collections::BTreeMap;
use std::fmt::Write;

/// How often a row is read again when sessions here insert its key meanwhile.
const MAX_TRIES: usize = 100;

/// Joins `change`, which `author` signed at the time `until`, into the row it
/// names.
pub fn apply(
    table: &Table,
    change: &RowChange,
    author: ReplicaId,
    until: Hlc,
) -> Result<(), String> {
    // Sessions here may insert and delete the same key meanwhile.
    for _ in 0..MAX_TRIES {
        if join_once(table, change, author, until)? {
            return Ok(());
        }
    }
    Err("sessions here insert and delete a row of this key without end".to_owned())
}

/// Joins the change with the row as it stands. Returns whether that was still
/// how it stood when the change was written.
fn join_once(
    table: &Table,
    change: &RowChange,
    author: ReplicaId,
    until: Hlc,
) -> Result<bool, String> {
    let tombstone_id = key::tombstone_id(&key::hash(
        &table.schema.schema,
        &table.schema.table,
        &change.key,
    ));
    let row = match change.key.len() == table.key.len() {
        true => read(table, &change.key),
        false => None,
    };
    let known = match &row {
        Some(row) => row.state.meta.causal_length,
        None => tombstone::find(&tombstone_id).unwrap_or_default(),
    };
    // A lesser causal length speaks of an earlier life of the row, which is
    // over; a greater one of a later life, with nothing of the earlier in it.
    if change.causal_length < known {
        return Ok(true);
    }
    let nothing = BTreeMap::new();
    let states = row
        .as_ref()
        .filter(|_| change.causal_length == known)
        .map_or(&nothing, |row| &row.state.states);
    let deltas = change
        .check(&table.schema, author, until, states)
        .map_err(|fault| fault.to_string())?;
    match (row, change.action) {
        (Some(row), RowAction::Upsert) => update(table, change, deltas, row).map(|()| true),
        (None, RowAction::Upsert) => Ok(insert(table, change, &deltas)),
        (Some(row), RowAction::Delete) => {
            catalog::run(
                &format!("DELETE FROM ONLY {} WHERE ctid = $1", name(table)),
                &[row.place()],
            );
            tombstone::put(&tombstone_id, change.causal_length);
            Ok(true)
        }
        (None, RowAction::Delete) => {
            tombstone::put(&tombstone_id, change.causal_length);
            // Who inserts the row from now on waits for this tombstone; who was about to is
            // waited for here. So one of the two sees the other.
            Ok(!unseen::is_there(table, &change.key))
        }
    }
}

fn name(table: &Table) -> String {
    format!(
        "{}.{}",
        quote_identifier(&table.schema.schema),
        quote_identifier(&table.schema.table)
    )
}

/// A row as it stands, locked.
struct Current {
    /// Without its plain columns.
    state: RowState,
    place: pg_sys::ItemPointerData,
}

impl Current {
    fn place(&self) -> DatumWithOid<'_> {
        // SAFETY: points to a tid that lives as long as this row.
        unsafe {
            DatumWithOid::new_from_datum(
                Some(lend(pg_sys::Datum::from(std::ptr::from_ref(&self.place)))),
                pg_sys::TIDOID,
            )
        }
    }
}

fn read(table: &Table, row_key: &[Vec<u8>]) -> Option<Current> {
    let mut sql = format!("SELECT ctid, {META}");
    for (_, column) in table.crdt_columns() {
        write!(sql, ", {}", quote_identifier(&column.name)).or_corrupt("a column name");
    }
    write!(sql, " FROM ONLY {} WHERE ", name(table)).or_corrupt("a table name");
    let mut args = Vec::new();
    for (&at, value) in table.key.iter().zip(row_key) {
        let column = &table.columns[at];
        let and = if args.is_empty() { "" } else { " AND " };
        args.push(argument(column, Some(column.receive(value))));
        write!(
            sql,
            "{and}{} = ${}",
            quote_identifier(&column.name),
            args.len()
        )
        .or_corrupt("a column name");
    }
    sql.push_str(" FOR UPDATE");
    catalog::one(&sql, &args, |row| {
        let states = (3..)
            .zip(table.crdt_columns())
            .filter_map(|(place, (at, column))| {
                let bytes = bytes_of(row.datum(place)?);
                Some((
                    at,
                    AnyState::decode_stored(column.kind, &bytes).or_corrupt(&column.name),
                ))
            })
            .collect();
        let place = row.datum(1).or_corrupt("a row's place");
        let meta = row.get::<Vec<u8>>(2);
        Current {
            state: RowState {
                meta: meta.map_or(RowMeta::default(), |bytes| {
                    RowMeta::decode(&bytes).or_corrupt(META)
                }),
                states,
                plain: None,
            },
            // SAFETY: a tid is passed by reference.
            place: unsafe { *place.cast_mut_ptr::<pg_sys::ItemPointerData>() },
        }
    })
}

/// The plain columns of a row that was written twice under one stamp, as only
/// a broken or hostile author does: members must agree on who wins even so.
fn read_plain(table: &Table, row: &Current) -> Option<PlainRow> {
    let stamp = row.state.meta.stamp?;
    let places: Vec<u16> = table.schema.plain_columns().collect();
    let columns: Vec<&Column> = places
        .iter()
        .map(|&at| &table.columns[usize::from(at)])
        .collect();
    let names: Vec<String> = columns
        .iter()
        .map(|column| quote_identifier(&column.name))
        .collect();
    let sql = format!(
        "SELECT {} FROM ONLY {} WHERE ctid = $1",
        names.join(", "),
        name(table)
    );
    catalog::one(&sql, &[row.place()], |found| {
        let values = (1..)
            .zip(&columns)
            .map(|(place, column)| found.datum(place).map(|it| column.send(it)));
        PlainRow {
            stamp,
            values: places.iter().copied().zip(values).collect(),
        }
    })
}

/// A value as a parameter of its column's type.
fn argument<'a>(column: &Column, value: Option<pg_sys::Datum>) -> DatumWithOid<'a> {
    // SAFETY: the value was made for this column's type.
    unsafe { DatumWithOid::new_from_datum(value.map(|value| lend(value)), column.type_oid) }
}

fn state_argument<'a>(column: &Column, state: &AnyState) -> DatumWithOid<'a> {
    argument(column, pgrx::IntoDatum::into_datum(state.encode()))
}

/// Columns and parameters of a statement that writes a row.
#[derive(Default)]
struct Writing<'a> {
    names: Vec<String>,
    args: Vec<DatumWithOid<'a>>,
}

impl<'a> Writing<'a> {
    fn set(&mut self, column: &Column, argument: DatumWithOid<'a>) {
        self.names.push(quote_identifier(&column.name));
        self.args.push(argument);
    }

    /// Sets each CRDT column, those without a state to NULL: a default of this
    /// database's table is not what the author wrote.
    fn set_states<'s>(&mut self, table: &Table, state: impl Fn(u16) -> Option<&'s AnyState>) {
        for (at, column) in table.crdt_columns() {
            self.set(
                column,
                match state(at) {
                    Some(state) => state_argument(column, state),
                    None => argument(column, None),
                },
            );
        }
    }

    fn set_plain(&mut self, table: &Table, plain: &PlainRow) {
        for (at, value) in &plain.values {
            let column = &table.columns[usize::from(*at)];
            let value = value.as_ref().map(|bytes| column.receive(bytes));
            self.set(column, argument(column, value));
        }
    }

    fn set_meta(&mut self, meta: &RowMeta) {
        self.names.push(META.to_owned());
        self.args.push(meta.encode().into());
    }
}

/// Inserts the row, unless a session here has just inserted one of this key.
/// Returns whether it did.
fn insert(table: &Table, change: &RowChange, deltas: &[(u16, AnyState)]) -> bool {
    let mut writing = Writing::default();
    for (&at, value) in table.key.iter().zip(&change.key) {
        let column = &table.columns[at];
        writing.set(column, argument(column, Some(column.receive(value))));
    }
    writing.set_states(table, |at| {
        deltas
            .iter()
            .find(|(it, _)| *it == at)
            .map(|(_, state)| state)
    });
    if let Some(plain) = &change.plain {
        writing.set_plain(table, plain);
    }
    writing.set_meta(&RowMeta {
        causal_length: change.causal_length,
        stamp: change.plain.as_ref().map(|plain| plain.stamp),
    });
    let places: Vec<String> = (1..=writing.names.len()).map(|n| format!("${n}")).collect();
    let sql = format!(
        "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({}) ON CONFLICT ({}) DO NOTHING",
        name(table),
        writing.names.join(", "),
        places.join(", "),
        // The key's columns stand first.
        writing.names[..table.key.len()].join(", ")
    );
    catalog::run(&sql, &writing.args) > 0
}

fn update(
    table: &Table,
    change: &RowChange,
    deltas: Vec<(u16, AnyState)>,
    mut row: Current,
) -> Result<(), String> {
    let meta = row.state.meta;
    let tie = meta.stamp.is_some() && change.plain.as_ref().map(|it| it.stamp) == meta.stamp;
    if tie && change.causal_length == meta.causal_length {
        row.state.plain = read_plain(table, &row);
    }
    let mut writing = Writing::default();
    let joined = row
        .state
        .join(change, deltas)
        .map_err(|error| error.to_string())?;
    let plain_is_newer = match joined {
        Joined::Nothing => false,
        Joined::Life => {
            writing.set_states(table, |at| row.state.states.get(&at));
            true
        }
        Joined::Columns { states, plain } => {
            for at in states {
                let column = &table.columns[usize::from(at)];
                let state = row.state.states.get(&at).or_corrupt("a joined column");
                writing.set(column, state_argument(column, state));
            }
            plain
        }
    };
    if let Some(plain) = change.plain.as_ref().filter(|_| plain_is_newer) {
        writing.set_plain(table, plain);
    }
    if row.state.meta != meta {
        writing.set_meta(&row.state.meta);
    }
    if writing.names.is_empty() {
        return Ok(());
    }
    let sets: Vec<String> = (1..)
        .zip(&writing.names)
        .map(|(n, name)| format!("{name} = ${n}"))
        .collect();
    writing.args.push(row.place());
    let sql = format!(
        "UPDATE ONLY {} SET {} WHERE ctid = ${}",
        name(table),
        sets.join(", "),
        writing.args.len()
    );
    catalog::run(&sql, &writing.args);
    Ok(())
}
