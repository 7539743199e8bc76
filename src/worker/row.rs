//! One row of a tracked table joins a peer's change.

use crate::catalog;
use crate::error::OrCorrupt;
use crate::track::table::{Column, META, Table, bytes_of};
use crate::track::{key, tombstone};
use crdt::{AnyState, Hlc, PlainRow, ReplicaId, RowAction, RowChange, RowMeta};
use pgrx::datum::{Datum, DatumWithOid};
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
        Some(row) => row.meta.causal_length,
        None => tombstone::find(&tombstone_id).unwrap_or_default(),
    };
    // A lesser causal length speaks of an earlier life of the row, which is
    // over; a greater one of a later life, with nothing of the earlier in it.
    if change.causal_length < known {
        return Ok(true);
    }
    let later_life = change.causal_length > known;
    let nothing = BTreeMap::new();
    let states = row
        .as_ref()
        .filter(|_| !later_life)
        .map_or(&nothing, |row| &row.states);
    let deltas = change
        .check(&table.schema, author, until, states)
        .map_err(|fault| fault.to_string())?;
    match (row, change.action) {
        (Some(row), RowAction::Upsert) => {
            update(table, change, &deltas, &row, later_life).map(|()| true)
        }
        (None, RowAction::Upsert) => Ok(insert(table, change, &deltas)),
        (row, RowAction::Delete) => {
            if let Some(row) = row {
                catalog::run(
                    &format!("DELETE FROM ONLY {} WHERE ctid = $1", name(table)),
                    &[row.place()],
                );
            }
            tombstone::put(&tombstone_id, change.causal_length);
            Ok(true)
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
    /// By position in the table's schema; nulls are left out.
    states: BTreeMap<u16, AnyState>,
    meta: RowMeta,
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

/// A raw value as a parameter.
///
/// # Safety
/// The value must stay valid for `'a`.
unsafe fn lend<'a>(value: pg_sys::Datum) -> Datum<'a> {
    // SAFETY: the two types have one layout; the lifetime is the caller's word.
    unsafe { std::mem::transmute(value) }
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
        Current {
            states,
            meta: row.get::<Vec<u8>>(2).map_or(
                RowMeta {
                    causal_length: 0,
                    stamp: None,
                },
                |bytes| RowMeta::decode(&bytes).or_corrupt(META),
            ),
            // SAFETY: a tid is passed by reference.
            place: unsafe { *place.cast_mut_ptr::<pg_sys::ItemPointerData>() },
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
    for (at, state) in deltas {
        let column = &table.columns[usize::from(*at)];
        writing.set(column, state_argument(column, state));
    }
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
    deltas: &[(u16, AnyState)],
    row: &Current,
    later_life: bool,
) -> Result<(), String> {
    let mut writing = Writing::default();
    for (at, delta) in deltas {
        let column = &table.columns[usize::from(*at)];
        match row.states.get(at).filter(|_| !later_life) {
            None => writing.set(column, state_argument(column, delta)),
            Some(before) => {
                let state = before.join(delta).map_err(|error| error.to_string())?;
                if state != *before {
                    writing.set(column, state_argument(column, &state));
                }
            }
        }
    }
    if later_life {
        let named = |at: u16| deltas.iter().any(|(named, _)| *named == at);
        for (_, column) in table.crdt_columns().filter(|(at, _)| !named(*at)) {
            writing.set(column, argument(column, None));
        }
    }
    let stamp = row.meta.stamp.filter(|_| !later_life);
    let newer = change
        .plain
        .as_ref()
        .filter(|plain| stamp.is_none_or(|old| plain.stamp > old));
    if let Some(plain) = newer {
        writing.set_plain(table, plain);
    }
    let meta = RowMeta {
        causal_length: change.causal_length,
        stamp: newer.map(|plain| plain.stamp).or(stamp),
    };
    if meta != row.meta {
        writing.set_meta(&meta);
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
