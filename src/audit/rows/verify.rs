//! `verify_table`: whether each row of a tracked table is what the log leads
//! to. The ops, the live rows and the tombstones come sorted by the names of
//! rows, each in a stream of its own, and are merged: what is held in memory is
//! one row.

use super::compare::{self, Difference, LiveRow, Verdict};
use super::eras::{Era, Eras};
use super::fold::Fold;
use super::ops::{self, LoggedOp};
use super::subject::Subject;
use crate::catalog::{self, Cursor, Row};
use crate::function::{ResultRows, argument, v1_function};
use crate::track::table::{self, META, Table, bytes_of};
use crdt::{ColumnKind, RowChange};
use pgrx::spi::quote_identifier;
use pgrx::{FromDatum, IntoDatum, check_for_interrupts, pg_sys};
use std::iter::Peekable;
use std::rc::Rc;

v1_function!(crdt_verify_table, pg_finfo_crdt_verify_table, verify_table);

/// What in a tracked table is not as the log has it: no row if all is well.
unsafe fn verify_table(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: declared STRICT with a regclass, returning a set.
    unsafe {
        let relation = argument(fcinfo, 0).and_then(|it| pg_sys::Oid::from_datum(it, false));
        let relation = relation.unwrap_or(pg_sys::InvalidOid);
        let mut findings = Findings {
            rows: ResultRows::begin(fcinfo),
        };
        // Locked before the snapshot is taken: no DDL comes between.
        pg_sys::LockRelationOid(relation, pg_sys::AccessShareLock as pg_sys::LOCKMODE);
        let table = table::tracked(relation);
        catalog::at_this_moment(|| verify(relation, &table, &mut findings));
    }
    pg_sys::Datum::null()
}

struct Findings {
    rows: ResultRows,
}

impl Findings {
    fn add(&mut self, row_key: Option<&str>, difference: Difference) {
        self.rows.add(|| {
            [
                row_key.into_datum(),
                difference.kind.into_datum(),
                difference.column.into_datum(),
                difference.expected.into_datum(),
                difference.found.into_datum(),
                difference.detail.into_datum(),
            ]
        });
    }
}

fn verify(relation: pg_sys::Oid, table: &Rc<Table>, findings: &mut Findings) {
    let subject = Subject::of(relation);
    let eras = Eras::of(&subject, |_, _| true);
    let mut merge = Merge {
        ops: ops::of_table(&subject).peekable(),
        live: live_rows(relation, table).peekable(),
        tombstones: tombstones().peekable(),
        closed: None,
        subject: &subject,
        eras: &eras,
        findings,
        uncheckable: 0,
    };
    while merge.next_row() {
        check_for_interrupts!();
    }
    let uncheckable = merge.uncheckable;
    if uncheckable > 0 {
        let detail = format!(
            "{uncheckable} rows have ops whose payload was pruned: nothing that is left contradicts these rows, but it does not say all of them either"
        );
        findings.add(None, told("not_checkable", detail));
    }
    orphans(findings);
    misplaced_schema_ops(&subject, findings);
}

fn told(kind: &'static str, detail: String) -> Difference {
    Difference {
        kind,
        detail,
        ..Difference::default()
    }
}

/// Closed ops whose rows begin with these bytes: whose exactly, nobody can say.
struct Closed {
    prefix: Vec<u8>,
    /// Of those, ops that count for the row as it is now.
    count: u64,
    met: bool,
}

struct Merge<'a, O: Iterator, L: Iterator, T: Iterator> {
    ops: Peekable<O>,
    live: Peekable<L>,
    tombstones: Peekable<T>,
    closed: Option<Closed>,
    subject: &'a Subject,
    eras: &'a Eras,
    findings: &'a mut Findings,
    uncheckable: u64,
}

impl<O, L, T> Merge<'_, O, L, T>
where
    O: Iterator<Item = LoggedOp>,
    L: Iterator<Item = LiveRow>,
    T: Iterator<Item = (Vec<u8>, u32)>,
{
    /// Looks at the row whose name comes next. Returns whether there was one.
    fn next_row(&mut self) -> bool {
        let names = [
            self.ops.peek().map(|op| &op.row),
            self.live.peek().map(|row| &row.name),
            self.tombstones.peek().map(|(name, _)| name),
        ];
        let Some(name) = names.into_iter().flatten().min().cloned() else {
            self.leave_closed(&[]);
            return false;
        };
        self.leave_closed(&name);
        let Ok(full) = <[u8; 16]>::try_from(name.as_slice()) else {
            self.nameless(&name);
            return true;
        };
        let mut fold = Fold::as_now(self.subject);
        let mut indexes = Vec::new();
        if let Some(closed) = &mut self.closed {
            fold.closed = closed.count;
            fold.any_closed = true;
            closed.met = true;
        }
        while let Some(op) = self.ops.next_if(|op| op.row == name) {
            if op.row_id != ops::row_id(&name) {
                indexes.push(altered_index(&op, &name));
            }
            self.take(&mut fold, &op);
        }
        let live = self.live.next_if(|row| row.name == name);
        let tombstone = self.tombstones.next_if(|(it, _)| *it == name);
        let tombstone = tombstone.map(|(_, causal_length)| causal_length);
        if fold.spoken_of || live.is_some() || fold.closed > 0 {
            self.judge(&full, fold, live.as_ref(), tombstone, indexes);
        }
        true
    }

    fn take(&mut self, fold: &mut Fold, op: &LoggedOp) {
        // An op stands under a full name because its payload was read.
        if let Ok(change) = RowChange::decode(&op.payload) {
            let era = self.eras.of_op(op.place, op.hlc);
            fold.take(self.subject, op, &change, era);
        }
    }

    fn judge(
        &mut self,
        name: &[u8; 16],
        mut fold: Fold,
        live: Option<&LiveRow>,
        tombstone: Option<u32>,
        mut differences: Vec<Difference>,
    ) {
        let subject = self.subject;
        let mut verdict = compare::compare(subject, &fold, live, tombstone);
        if !verdict.differences.is_empty() {
            // An op may have been put under another table's schema.
            let strays = ops::strays(subject, name);
            for op in &strays {
                differences.push(altered_schema(op, subject));
                let own = LoggedOp {
                    schema_id: subject.schema_id,
                    payload: op.payload.clone(),
                    row: op.row.clone(),
                    refused: op.refused.clone(),
                    ..*op
                };
                self.take(&mut fold, &own);
            }
            if !strays.is_empty() {
                verdict = compare::compare(subject, &fold, live, tombstone);
            }
        }
        let Verdict {
            differences: of_row,
            uncheckable,
        } = verdict;
        self.uncheckable += u64::from(uncheckable);
        differences.extend(of_row);
        differences.extend(compare::refusal(subject, &fold));
        if differences.is_empty() {
            return;
        }
        let key = match live {
            Some(live) if fold.key.is_empty() => live.key(subject),
            _ => fold.key,
        };
        let key = (!key.is_empty()).then(|| subject.shape.key_text(&key));
        for difference in differences {
            self.findings.add(key.as_deref(), difference);
        }
    }

    /// An op whose payload does not say which row it is of.
    fn nameless(&mut self, name: &[u8]) {
        while let Some(op) = self.ops.next_if(|op| op.row == name) {
            if op.closed {
                let closed = self.closed.get_or_insert_with(|| Closed {
                    prefix: name.to_vec(),
                    count: 0,
                    met: false,
                });
                let era = self.eras.of_op(op.place, op.hlc);
                closed.count += u64::from(era != Era::Past);
            } else if op.refused.is_none() {
                let detail = format!("{} has a payload that cannot be read", op.name());
                self.findings.add(None, told("op_unreadable", detail));
            }
        }
    }

    /// Closed ops are of a row that is in the table or left a tombstone.
    fn leave_closed(&mut self, next: &[u8]) {
        let over = self
            .closed
            .take_if(|closed| !next.starts_with(&closed.prefix));
        if let Some(closed) = over.filter(|closed| !closed.met && closed.count > 0) {
            let detail = format!(
                "{} ops whose payload was pruned speak of a row that is neither in the table nor among the deleted ones",
                closed.count
            );
            self.findings.add(None, told("row_missing", detail));
        }
    }
}

fn altered_index(op: &LoggedOp, name: &[u8]) -> Difference {
    Difference {
        kind: "index_altered",
        column: None,
        expected: Some(ops::row_id(name).to_string()),
        found: Some(op.row_id.to_string()),
        detail: format!("row_id of {} is not the hash of its row's key", op.name()),
    }
}

fn altered_schema(op: &LoggedOp, subject: &Subject) -> Difference {
    Difference {
        kind: "index_altered",
        column: None,
        expected: Some(subject.schema_id.to_string()),
        found: Some(op.schema_id.to_string()),
        detail: format!("schema_id of {} is that of another table", op.name()),
    }
}

/// The rows of the table by their names.
fn live_rows(relation: pg_sys::Oid, table: &Rc<Table>) -> impl Iterator<Item = LiveRow> + use<> {
    let quoted: Vec<String> = table
        .columns
        .iter()
        .map(|column| quote_identifier(&column.name))
        .collect();
    let key: Vec<&str> = table.key.iter().map(|&at| quoted[at].as_str()).collect();
    let sql = format!(
        "SELECT crdt.row_name({}, {}) AS crdt_row_name, {META}, {} FROM ONLY {} ORDER BY 1",
        relation.to_u32(),
        key.join(", "),
        quoted.join(", "),
        table::name_of(relation)
    );
    let table = Rc::clone(table);
    let read = move |row: &Row| LiveRow {
        name: row.need(1),
        meta: row.get(2),
        values: (3..)
            .zip(&table.columns)
            .map(|(place, column)| {
                let value = row.datum(place)?;
                Some(match column.kind {
                    ColumnKind::Plain => column.send(value),
                    _ => bytes_of(value),
                })
            })
            .collect(),
    };
    Cursor::open(&sql, &[], read)
}

/// What all deleted rows left behind, by their names.
fn tombstones() -> impl Iterator<Item = (Vec<u8>, u32)> + use<> {
    let read = |row: &Row| (row.need(1), row.need::<i32>(2).unsigned_abs());
    Cursor::open(
        "SELECT id, causal_length FROM crdt.tombstone WHERE octet_length(id) = 16 ORDER BY id",
        &[],
        read,
    )
}

/// Tombstones of rows that no op of any table speaks of.
fn orphans(findings: &mut Findings) {
    let sql = "SELECT encode(t.id, 'hex'), t.causal_length
                 FROM (SELECT id, causal_length,
                              ('x' || encode(substring(id FROM 1 FOR 8), 'hex'))::bit(64)::bigint AS row_id
                         FROM crdt.tombstone) AS t
                WHERE NOT EXISTS (SELECT FROM crdt.op o WHERE o.row_id = t.row_id AND o.kind = 1)
                  AND NOT EXISTS (SELECT FROM crdt.outbox_0 o WHERE o.row_id = t.row_id AND o.kind = 1)
                  AND NOT EXISTS (SELECT FROM crdt.outbox_1 o WHERE o.row_id = t.row_id AND o.kind = 1)";
    let read = |row: &Row| (row.need::<String>(1), row.need::<i32>(2));
    for (id, causal_length) in Cursor::open(sql, &[], read) {
        let found = Difference {
            kind: "tombstone_extra",
            found: Some(causal_length.to_string()),
            detail: format!("no op of any table speaks of the deleted row {id}"),
            ..Difference::default()
        };
        findings.add(None, found);
    }
}

/// Ops of kind schema speak of no row; they are found by that.
fn misplaced_schema_ops(subject: &Subject, findings: &mut Findings) {
    let sql = "SELECT origin, seq, row_id FROM crdt.op
                WHERE kind = 2 AND row_id <> 0 AND schema_id = ANY ($1)";
    let read = |row: &Row| (row.need::<i32>(1), row.need::<i64>(2), row.need::<i64>(3));
    for (origin, seq, row_id) in Cursor::open(sql, &[subject.schema_ids.clone().into()], read) {
        let found = Difference {
            kind: "index_altered",
            expected: Some("0".to_owned()),
            found: Some(row_id.to_string()),
            detail: format!(
                "row_id of op {seq} of {} is not that of an op of no row",
                ops::node_name(origin)
            ),
            ..Difference::default()
        };
        findings.add(None, found);
    }
}
