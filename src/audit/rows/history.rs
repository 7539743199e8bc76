//! `crdt_history`: what was done to one row, and how it stood after each time.

use super::super::log::crdt_op_time;
use super::eras::{Era, Eras};
use super::fold::Fold;
use super::ops::{self, LoggedOp};
use super::subject::Subject;
use crate::catalog;
use crate::function::{ResultRows, argument, v1_function};
use crate::track::key;
use crate::types::Jsonb;
use crate::worker::origins::Origins;
use crdt::RowChange;
use pgrx::{FromDatum, IntoDatum, check_for_interrupts, pg_sys};

v1_function!(crdt_history, pg_finfo_crdt_history, history);

/// The ops of one row in causal order, those included that are in no block yet.
unsafe fn history(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: declared STRICT with a regclass and a text[], returning a set.
    unsafe {
        let relation = argument(fcinfo, 0).and_then(|it| pg_sys::Oid::from_datum(it, false));
        let relation = relation.unwrap_or(pg_sys::InvalidOid);
        let texts = argument(fcinfo, 1).and_then(|it| Vec::from_datum(it, false));
        let mut rows = ResultRows::begin(fcinfo);
        catalog::at_this_moment(|| {
            let subject = Subject::of(relation);
            let key = subject.key(&texts.unwrap_or_default());
            tell(&subject, &key, &mut rows);
        });
    }
    pg_sys::Datum::null()
}

/// The row after the ops so far; `None` once one of them is closed.
type Known = Option<Fold>;

fn tell(subject: &Subject, row_key: &[Vec<u8>], rows: &mut ResultRows) {
    let name = key::tombstone_id(&subject.hash(row_key));
    let mut origins = Origins::default();
    let mut ops = ops::of_row(subject, &name);
    // Ticks of two members may be equal: their ids decide, the same on all.
    ops.sort_by_cached_key(|op| {
        let origin = op.place.map(|(origin, seq)| (origins.node_id(origin), seq));
        (op.hlc, origin.is_none(), origin)
    });
    let eras = Eras::of(subject, |_, _| true);
    let mut untrackings = eras.untrackings.iter().map(|it| it.hlc).peekable();
    let mut known: Known = Some(Fold::default());
    for op in &ops {
        check_for_interrupts!();
        while untrackings.next_if(|hlc| *hlc < op.hlc).is_some() {
            known = Some(Fold::default());
        }
        let told = Told::of(subject, op, &mut known);
        let value = known.as_ref().and_then(Fold::json);
        let at = op.place.and_then(block_of);
        let origin = op.place.map(|(origin, _)| origin).or(subject.me);
        let origin = origin.map(|origin| origins.member(origin).name.clone());
        rows.add(|| {
            [
                origin.into_datum(),
                op.place.map(|(_, seq)| seq).into_datum(),
                crdt_op_time(op.hlc as i64).into_datum(),
                told.actor.into_datum(),
                told.application.into_datum(),
                told.transaction.into_datum(),
                at.map(|(height, _)| height).into_datum(),
                at.map(|(_, leaf)| leaf).into_datum(),
                told.change.into_datum(),
                value.map(|json| Jsonb(json).datum()),
            ]
        });
    }
}

/// An op in words.
#[derive(Default)]
struct Told {
    actor: Option<String>,
    application: Option<String>,
    transaction: Option<i64>,
    change: String,
}

impl Told {
    /// Puts the op into words and joins it to the row.
    fn of(subject: &Subject, op: &LoggedOp, known: &mut Known) -> Self {
        if op.closed {
            *known = None;
            return Self {
                change: "pruned".to_owned(),
                ..Self::default()
            };
        }
        let Ok(change) = RowChange::decode(&op.payload) else {
            return Self {
                change: "cannot be read".to_owned(),
                ..Self::default()
            };
        };
        let shape = subject.shape_of(op.schema_id);
        let mut words = shape.map_or_else(String::new, |shape| shape.change(&change));
        if let Some(fold) = known {
            fold.take(subject, op, &change, Era::Present);
        }
        if let Some(reason) = &op.refused {
            words = format!("refused ({reason}): {words}");
        }
        Self {
            actor: Some(change.actor),
            application: Some(change.application),
            transaction: Some(change.transaction as i64),
            change: words,
        }
    }
}

/// The block that an op is in, and its leaf.
fn block_of((origin, seq): (i32, i64)) -> Option<(i64, i64)> {
    catalog::one(
        "SELECT height, first_leaf + $2 - first_seq FROM crdt.block_range
          WHERE origin = $1 AND last_seq >= $2 ORDER BY last_seq LIMIT 1",
        &[origin.into(), seq.into()],
        |row| (row.need(1), row.need(2)),
    )
}
