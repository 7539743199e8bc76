//! A table that is untracked and tracked again begins anew: its rows enter the
//! log as they stand then, and what was said of them before counts no more.
//!
//! Whether an op came before or after is a question of causality, not of time:
//! a member that had not heard of the untracking may still have written. What
//! becomes of such an op depends on when it arrived, so of it nothing is sure.

use super::subject::Subject;
use crate::catalog;
use crdt::{SchemaAction, SchemaChange};
use ledger::NodeId;
use ledger::vector::deps_from_bytes;
use std::collections::HashMap;

/// When an op was written, seen from the last time the table was untracked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Era {
    /// After it, knowing of it.
    Present,
    /// Not knowing of it.
    Unsure,
    /// Before.
    Past,
}

/// An op of kind schema that untracked the table.
pub struct Untracking {
    /// Origin and number; `None` in the outbox.
    pub place: Option<(i32, i64)>,
    /// Its tick.
    pub hlc: u64,
    /// How much of each other origin its author had admitted.
    saw: HashMap<i32, u64>,
    /// The first op of each other origin whose author had admitted it.
    seen_from: HashMap<i32, i64>,
}

/// All times that the table was untracked.
pub struct Eras {
    /// By their ticks.
    pub untrackings: Vec<Untracking>,
    me: Option<i32>,
}

impl Eras {
    /// Reads the times that count: those for which `counts` holds of place and tick.
    pub fn of(subject: &Subject, counts: impl Fn(Option<(i32, i64)>, u64) -> bool) -> Self {
        let schema = subject.schema();
        // Ops that speak of no row are few, and found by that.
        let condition = "kind = 2 AND row_id = 0 AND schema_id = ANY ($1)";
        let ops = catalog::query(
            &format!(
                "SELECT origin, seq, hlc, payload FROM crdt.op WHERE {condition}
                  UNION ALL SELECT NULL, NULL, hlc, payload FROM crdt.outbox_0 WHERE {condition}
                  UNION ALL SELECT NULL, NULL, hlc, payload FROM crdt.outbox_1 WHERE {condition}
                  ORDER BY hlc"
            ),
            &[subject.schema_ids.clone().into()],
            |row| {
                let place = row.get::<i32>(1).zip(row.get::<i64>(2));
                (place, row.need::<i64>(3) as u64, row.need::<Vec<u8>>(4))
            },
        );
        let is_untracking = |payload: &[u8]| match SchemaChange::decode(payload).map(|it| it.action)
        {
            Ok(SchemaAction::Untrack {
                schema: name,
                table,
            }) => name == schema.schema && table == schema.table,
            _ => false,
        };
        let untrackings = ops
            .into_iter()
            .filter(|(place, hlc, payload)| is_untracking(payload) && counts(*place, *hlc))
            .map(|(place, hlc, _)| Untracking::read(place, hlc))
            .collect();
        Self {
            untrackings,
            me: subject.me,
        }
    }

    /// The era of an op.
    pub fn of_op(&self, place: Option<(i32, i64)>, hlc: u64) -> Era {
        let eras = self.untrackings.iter();
        eras.map(|it| it.era(place, hlc, self.me))
            .max()
            .unwrap_or(Era::Present)
    }
}

impl Untracking {
    fn read(place: Option<(i32, i64)>, hlc: u64) -> Self {
        let (mut saw, mut seen_from) = (HashMap::new(), HashMap::new());
        if let Some((origin, seq)) = place {
            let nodes: HashMap<NodeId, (i32, i64)> = nodes();
            let own = nodes.iter().find(|(_, (id, _))| *id == origin);
            for (node, upto) in deps(origin, seq) {
                if let Some((id, _)) = nodes.get(&node) {
                    saw.insert(*id, upto);
                }
            }
            if let Some((own, _)) = own {
                for (id, last) in nodes.values().filter(|(id, _)| *id != origin) {
                    if let Some(first) = first_that_saw(*id, *last, own, seq) {
                        seen_from.insert(*id, first);
                    }
                }
            }
        }
        Self {
            place,
            hlc,
            saw,
            seen_from,
        }
    }

    fn era(&self, op: Option<(i32, i64)>, hlc: u64, me: Option<i32>) -> Era {
        let later = if hlc > self.hlc {
            Era::Present
        } else {
            Era::Past
        };
        match (op, self.place) {
            (None, _) => later,
            // Not sealed yet: nobody else has heard of it.
            (Some(_), None) => Era::Past,
            (Some((origin, seq)), Some((own, at))) if origin == own => {
                if seq > at {
                    Era::Present
                } else {
                    Era::Past
                }
            }
            (Some((origin, seq)), Some(_)) => {
                let before = self
                    .saw
                    .get(&origin)
                    .is_some_and(|upto| seq as u64 <= *upto);
                let after = self.seen_from.get(&origin).is_some_and(|from| seq >= *from);
                if before {
                    Era::Past
                } else if after && later == Era::Present {
                    Era::Present
                } else if Some(origin) == me {
                    // Written here before it was heard of here.
                    Era::Past
                } else {
                    Era::Unsure
                }
            }
        }
    }
}

/// Numbers of the members, and how far each has come.
fn nodes() -> HashMap<NodeId, (i32, i64)> {
    let rows = catalog::query(
        "SELECT n.node_id, n.id, coalesce(p.seq, 0)
           FROM crdt.node n LEFT JOIN crdt.position p ON p.origin = n.id",
        &[],
        |row| {
            let id = row.need::<Vec<u8>>(1).try_into().unwrap_or_default();
            (NodeId(id), (row.need(2), row.need(3)))
        },
    );
    rows.into_iter().collect()
}

/// What the author of an op had admitted when it sealed it.
fn deps(origin: i32, seq: i64) -> Vec<(NodeId, u64)> {
    let stored = catalog::one(
        "SELECT deps FROM crdt.segment WHERE origin = $1 AND last_seq >= $2 ORDER BY last_seq LIMIT 1",
        &[origin.into(), seq.into()],
        |row| deps_from_bytes(&row.need::<Vec<u8>>(1)).ok(),
    );
    stored.flatten().into_iter().flatten().collect()
}

/// The first op of `origin`, up to `last`, whose author had admitted op `seq` of
/// `node`: who has admitted it once has so ever after.
fn first_that_saw(origin: i32, last: i64, node: &NodeId, seq: i64) -> Option<i64> {
    let saw = |at: i64| {
        deps(origin, at)
            .iter()
            .any(|(it, upto)| it == node && *upto >= seq as u64)
    };
    let (mut low, mut high) = (1, last);
    if last < 1 || !saw(last) {
        return None;
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if saw(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(low)
}
