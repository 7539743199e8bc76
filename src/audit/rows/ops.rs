//! What the log and the outbox say of a table's rows.

use super::subject::Subject;
use crate::catalog::{self, Cursor, Row};
use pgrx::datum::DatumWithOid;

/// One op of kind delta, sealed or not yet.
pub struct LoggedOp {
    /// The row's name, 16 bytes, from the payload; 8 bytes from `row_id` where
    /// the payload does not say.
    pub row: Vec<u8>,
    /// Origin and number; `None` in the outbox.
    pub place: Option<(i32, i64)>,
    /// Its tick.
    pub hlc: u64,
    /// Number in `crdt.schema`.
    pub schema_id: i32,
    /// The index that it is found by.
    pub row_id: i64,
    /// The payload is no longer here: `payload` is its commitment.
    pub closed: bool,
    /// A row change.
    pub payload: Vec<u8>,
    /// Why it was not applied here, if so.
    pub refused: Option<String>,
}

impl LoggedOp {
    fn read(row: &Row) -> Self {
        let place = row.get::<i32>(2).zip(row.get::<i64>(3));
        Self {
            row: row.need(1),
            place,
            hlc: row.need::<i64>(4) as u64,
            schema_id: row.need(5),
            row_id: row.need(6),
            closed: row.need(7),
            payload: row.need(8),
            refused: row.get(9),
        }
    }

    /// Whether it stands under this name.
    pub fn is_of(&self, name: &[u8; 16]) -> bool {
        self.row == name
    }

    /// The op in words, for findings.
    pub fn name(&self) -> String {
        match self.place {
            Some((origin, seq)) => format!("op {seq} of {}", node_name(origin)),
            None => "an op that is not sealed yet".to_owned(),
        }
    }
}

/// A member's name by its number.
pub fn node_name(origin: i32) -> String {
    let name = catalog::one(
        "SELECT name FROM crdt.node WHERE id = $1",
        &[origin.into()],
        |row| row.need(1),
    );
    name.unwrap_or_else(|| format!("node {origin}"))
}

/// All ops for which `condition` holds, in the log and in the outbox.
fn everywhere(condition: &str) -> String {
    format!(
        "SELECT origin, seq, hlc, schema_id, row_id, octet_length(salt) = 0 AS closed, payload
           FROM crdt.op WHERE {condition}
          UNION ALL SELECT NULL, NULL, hlc, schema_id, row_id, false, payload FROM crdt.outbox_0 WHERE {condition}
          UNION ALL SELECT NULL, NULL, hlc, schema_id, row_id, false, payload FROM crdt.outbox_1 WHERE {condition}"
    )
}

/// $1 and $2 name the table.
fn select(condition: &str, order: &str) -> String {
    format!(
        "SELECT crdt.row_of_op($1, $2, o.row_id, o.closed, o.payload) AS name,
                o.origin, o.seq, o.hlc, o.schema_id, o.row_id, o.closed, o.payload, q.reason
           FROM ({}) AS o
           LEFT JOIN (SELECT n.id, r.seq, min(r.reason) AS reason
                        FROM crdt.quarantine r JOIN crdt.node n ON n.node_id = r.origin
                       WHERE r.seq IS NOT NULL GROUP BY n.id, r.seq) AS q
             ON q.id = o.origin AND q.seq = o.seq
          ORDER BY {order}",
        everywhere(condition)
    )
}

/// All ops of the table by the names of rows, those of a row by their ticks:
/// causally, as their states can be joined. The order does not rest on `row_id`,
/// which is an index that anybody may have altered.
pub fn of_table(subject: &Subject) -> impl Iterator<Item = LoggedOp> + use<> {
    let schema = subject.schema();
    Cursor::open(
        &select("kind = 1 AND schema_id = ANY ($3)", "name, o.hlc"),
        &[
            schema.schema.as_str().into(),
            schema.table.as_str().into(),
            subject.schema_ids.clone().into(),
        ],
        LoggedOp::read,
    )
}

/// The ops of the row with this index, by their ticks; `table` false: those
/// whose schema is another table's.
fn of_row_id(subject: &Subject, row_id: i64, table: bool) -> Vec<LoggedOp> {
    let schema = subject.schema();
    let not = if table { "" } else { "NOT " };
    let args: [DatumWithOid; 4] = [
        schema.schema.as_str().into(),
        schema.table.as_str().into(),
        subject.schema_ids.clone().into(),
        row_id.into(),
    ];
    let condition = format!("row_id = $4 AND kind = 1 AND {not}schema_id = ANY ($3)");
    catalog::query(&select(&condition, "o.hlc"), &args, LoggedOp::read)
}

/// The ops of one row, found by `row_id`, by their ticks; those that were
/// closed stand for any row with this index.
pub fn of_row(subject: &Subject, name: &[u8; 16]) -> Vec<LoggedOp> {
    let mut ops = of_row_id(subject, row_id(name), true);
    ops.retain(|op| op.closed || op.is_of(name));
    ops
}

/// Ops that speak of this row, but stand under another table's schema.
pub fn strays(subject: &Subject, name: &[u8; 16]) -> Vec<LoggedOp> {
    let mut ops = of_row_id(subject, row_id(name), false);
    ops.retain(|op| op.is_of(name));
    ops
}

/// The index of a row in the op log.
pub fn row_id(name: &[u8]) -> i64 {
    let mut id = [0; 8];
    id.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
    i64::from_be_bytes(id)
}
