//! `crdt_as_of_block`, `crdt_as_of_time`: a row, or all rows of a table, as
//! the log had them once.

use super::eras::{Era, Eras};
use super::fold::Fold;
use super::ops::{self, LoggedOp};
use super::subject::Subject;
use crate::catalog;
use crate::error::raise;
use crate::function::{ResultRows, argument, null, v1_function};
use crate::track::key;
use crate::types::Jsonb;
use crdt::RowChange;
use pgrx::{FromDatum, IntoDatum, PgSqlErrorCode, check_for_interrupts, pg_sys};
use std::collections::HashMap;

v1_function!(crdt_as_of_block, pg_finfo_crdt_as_of_block, row_of_block);
v1_function!(crdt_as_of_time, pg_finfo_crdt_as_of_time, row_of_time);
v1_function!(
    crdt_table_as_of_block,
    pg_finfo_crdt_table_as_of_block,
    table_of_block
);
v1_function!(
    crdt_table_as_of_time,
    pg_finfo_crdt_table_as_of_time,
    table_of_time
);

/// Up to where the log is read.
enum Moment {
    /// Ops that the blocks up to a height took in: up to this number of each origin.
    Cut(HashMap<i32, i64>),
    /// Ops with a lesser tick.
    Tick(u64),
}

impl Moment {
    /// Raises an error if there is no such block.
    fn block(height: i64) -> Self {
        let last = catalog::last_height().unwrap_or(0);
        if height < 0 || height > last {
            raise(
                PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
                format!("there is no block {height}, the chain has blocks 1 to {last}"),
                "SELECT height, at FROM crdt_blocks lists the blocks; 0 is before the first.",
            );
        }
        let upto = catalog::query(
            "SELECT origin, max(last_seq) FROM crdt.block_range WHERE height <= $1 GROUP BY origin",
            &[height.into()],
            |row| (row.need(1), row.need(2)),
        );
        Self::Cut(upto.into_iter().collect())
    }

    /// A timestamptz, in microseconds since 2000; all that happened in its
    /// millisecond is in.
    fn time(micros: i64) -> Self {
        const EPOCH_MS: i64 = 946_684_800_000;
        let millis = micros.div_euclid(1_000).saturating_add(EPOCH_MS);
        let next = u64::try_from(millis.saturating_add(1)).unwrap_or_default();
        Self::Tick(next.saturating_mul(1 << 16))
    }

    fn has(&self, place: Option<(i32, i64)>, hlc: u64) -> bool {
        match (self, place) {
            (Self::Tick(before), _) => hlc < *before,
            (Self::Cut(upto), Some((origin, seq))) => {
                upto.get(&origin).is_some_and(|last| seq <= *last)
            }
            (Self::Cut(_), None) => false,
        }
    }
}

/// A table at a moment.
struct Then {
    subject: Subject,
    moment: Moment,
    eras: Eras,
}

impl Then {
    fn of(relation: pg_sys::Oid, moment: Moment) -> Self {
        let subject = Subject::of(relation);
        let eras = Eras::of(&subject, |place, hlc| moment.has(place, hlc));
        Self {
            subject,
            moment,
            eras,
        }
    }

    fn take(&self, fold: &mut Fold, op: &LoggedOp) {
        if !self.moment.has(op.place, op.hlc) {
            return;
        }
        let era = self.eras.of_op(op.place, op.hlc);
        if op.closed && era != Era::Past {
            raise(
                PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                format!(
                    "table {} cannot be told as it was then: payloads of its ops were pruned",
                    self.subject.schema().table
                ),
                "crdt_restore_archive() puts them back from the archive. What is left is told by crdt_history.",
            );
        }
        if let Ok(change) = RowChange::decode(&op.payload) {
            fold.take(&self.subject, op, &change, era);
        }
    }

    fn row(&self, texts: &[Option<String>]) -> Option<String> {
        let row_key = self.subject.key(texts);
        let name = key::tombstone_id(&self.subject.hash(&row_key));
        let mut fold = Fold::default();
        for op in ops::of_row(&self.subject, &name) {
            check_for_interrupts!();
            self.take(&mut fold, &op);
        }
        fold.json()
    }

    fn table(&self, rows: &mut ResultRows) {
        let mut ops = ops::of_table(&self.subject).peekable();
        while let Some(first) = ops.next() {
            check_for_interrupts!();
            let mut fold = Fold::default();
            self.take(&mut fold, &first);
            while let Some(op) = ops.next_if(|op| op.row == first.row) {
                self.take(&mut fold, &op);
            }
            // In words only within the row's own memory, which is freed with it.
            rows.add_if(|| {
                let json = fold.json()?;
                let row_key = self.subject.shape.key_text(&fold.key);
                Some([row_key.into_datum(), Some(Jsonb(json).datum())])
            });
        }
    }
}

/// The arguments of a call: the table, the moment and, if there is one, the key.
///
/// # Safety
/// The function must be declared STRICT with a regclass, an 8-byte value and, or not, a text[].
unsafe fn arguments(fcinfo: pg_sys::FunctionCallInfo) -> (pg_sys::Oid, i64, Vec<Option<String>>) {
    // SAFETY: by the contract; a timestamptz is a bigint inside.
    unsafe {
        let relation = argument(fcinfo, 0).and_then(|it| pg_sys::Oid::from_datum(it, false));
        let moment = argument(fcinfo, 1).and_then(|it| i64::from_datum(it, false));
        let key = argument(fcinfo, 2).and_then(|it| Vec::from_datum(it, false));
        (
            relation.unwrap_or(pg_sys::InvalidOid),
            moment.unwrap_or_default(),
            key.unwrap_or_default(),
        )
    }
}

/// # Safety
/// As for [`arguments`], returning jsonb.
unsafe fn row(fcinfo: pg_sys::FunctionCallInfo, moment: fn(i64) -> Moment) -> pg_sys::Datum {
    // SAFETY: by the contract.
    unsafe {
        let (relation, at, key) = arguments(fcinfo);
        match catalog::at_this_moment(|| Then::of(relation, moment(at)).row(&key)) {
            Some(json) => Jsonb(json).datum(),
            None => null(fcinfo),
        }
    }
}

/// # Safety
/// As for [`arguments`], returning a set of text and jsonb.
unsafe fn table(fcinfo: pg_sys::FunctionCallInfo, moment: fn(i64) -> Moment) -> pg_sys::Datum {
    // SAFETY: by the contract.
    unsafe {
        let (relation, at, _) = arguments(fcinfo);
        let mut rows = ResultRows::begin(fcinfo);
        catalog::at_this_moment(|| Then::of(relation, moment(at)).table(&mut rows));
    }
    pg_sys::Datum::null()
}

unsafe fn row_of_block(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: declared with a bigint and a text[].
    unsafe { row(fcinfo, Moment::block) }
}

unsafe fn row_of_time(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: declared with a timestamptz and a text[].
    unsafe { row(fcinfo, Moment::time) }
}

unsafe fn table_of_block(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: declared with a bigint, returning a set.
    unsafe { table(fcinfo, Moment::block) }
}

unsafe fn table_of_time(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: declared with a timestamptz, returning a set.
    unsafe { table(fcinfo, Moment::time) }
}
