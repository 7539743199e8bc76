//! Applying a verified segment to this database: rows join, tables are
//! enrolled, members come and go.
//!
//! The deltas that a segment holds for one row are joined in memory first, so
//! that a row is written once. If anything is wrong, the segment is tried
//! again op by op, and what cannot be applied is named for quarantine: one bad
//! op must not hold up the others.

use super::content::Content;
use super::subtransaction::attempt;
use super::{row, schema_change};
use crate::catalog;
use crate::track::table::{self, Table};
use crdt::{Hlc, ReplicaId, RowChange, TableSchema};
use ledger::{MembershipChange, NodeId, Segment};
use std::collections::HashMap;
use std::ffi::CString;
use std::rc::Rc;

/// An op that is in the log but not in the tables, and why.
pub struct Refusal {
    /// Its number.
    pub seq: u64,
    /// Why, for people.
    pub reason: String,
}

/// What applying a segment did.
#[derive(Default)]
pub struct Outcome {
    /// Ops that were not applied.
    pub refused: Vec<Refusal>,
    /// Members or roles changed.
    pub membership_changed: bool,
}

/// Applies the ops of `segment`, whose contents have been decoded in order.
pub fn apply(segment: &Segment, author: ReplicaId, contents: &[Content]) -> Outcome {
    let membership_changed = contents.iter().any(|c| matches!(c, Content::Membership(_)));
    let mut outcome = Outcome {
        refused: Vec::new(),
        membership_changed,
    };
    let together = attempt(|| {
        let mut pending = Pending::default();
        for (op, content) in segment.ops.iter().zip(contents) {
            pending.take(&segment.origin, author, Hlc(op.hlc), content)?;
        }
        pending.flush(author)
    });
    if together.is_ok() {
        return outcome;
    }
    for (op, content) in segment.ops.iter().zip(contents) {
        let alone = attempt(|| {
            let mut pending = Pending::default();
            pending.take(&segment.origin, author, Hlc(op.hlc), content)?;
            pending.flush(author)
        });
        if let Err(reason) = alone {
            outcome.refused.push(Refusal {
                seq: op.seq,
                reason,
            });
        }
    }
    outcome
}

/// What a segment does to one row.
struct PendingRow {
    table: Rc<Table>,
    change: RowChange,
    /// Tick of the newest op in it: no stamp may be later.
    until: Hlc,
}

/// Rows of one segment that wait to be written, in the order they were first
/// named.
#[derive(Default)]
struct Pending {
    rows: Vec<PendingRow>,
    places: HashMap<(i32, Vec<Vec<u8>>), usize>,
}

impl Pending {
    fn take(
        &mut self,
        origin: &NodeId,
        author: ReplicaId,
        hlc: Hlc,
        content: &Content,
    ) -> Result<(), String> {
        match content {
            Content::Row {
                schema_id,
                schema,
                change,
                ..
            } => self.join(*schema_id, schema, change, hlc),
            Content::Schema(change) => {
                // What came before was written for the table as it was.
                self.flush(author)?;
                schema_change::apply(change)
            }
            Content::Membership(change) => change_membership(origin, change),
            Content::Opaque => Ok(()),
            Content::Bad(reason) => Err(reason.clone()),
        }
    }

    fn join(
        &mut self,
        schema_id: i32,
        schema: &TableSchema,
        change: &RowChange,
        hlc: Hlc,
    ) -> Result<(), String> {
        let table = tracked_as(schema)?;
        match self.places.get(&(schema_id, change.key.clone())) {
            Some(&at) => {
                let row = &mut self.rows[at];
                row.change = row.change.join(change, schema).map_err(|e| e.to_string())?;
                row.until = row.until.max(hlc);
            }
            None => {
                self.places
                    .insert((schema_id, change.key.clone()), self.rows.len());
                self.rows.push(PendingRow {
                    table,
                    change: change.clone(),
                    until: hlc,
                });
            }
        }
        Ok(())
    }

    fn flush(&mut self, author: ReplicaId) -> Result<(), String> {
        self.places.clear();
        self.rows
            .drain(..)
            .try_for_each(|row| row::apply(&row.table, &row.change, author, row.until))
    }
}

/// The local table that is tracked under this schema.
fn tracked_as(schema: &TableSchema) -> Result<Rc<Table>, String> {
    let name = format!("table {}.{}", schema.schema, schema.table);
    let table = find(&schema.schema, &schema.table)
        .and_then(table::find)
        .ok_or_else(|| format!("{name} is not tracked here"))?;
    if table.schema != *schema {
        return Err(format!("{name} is tracked here with other columns"));
    }
    Ok(table)
}

/// OID of a table by its names.
pub fn find(schema: &str, name: &str) -> Option<pgrx::pg_sys::Oid> {
    let (schema, name) = (CString::new(schema).ok()?, CString::new(name).ok()?);
    // SAFETY: look-ups in the system caches.
    let oid = unsafe {
        let namespace = pgrx::pg_sys::get_namespace_oid(schema.as_ptr(), true);
        pgrx::pg_sys::get_relname_relid(name.as_ptr(), namespace)
    };
    (oid != pgrx::pg_sys::InvalidOid).then_some(oid)
}

/// The ledger's rules say who may change the membership; what they do not
/// allow is refused.
fn change_membership(origin: &NodeId, change: &MembershipChange) -> Result<(), String> {
    let mut membership = catalog::membership();
    // A guest has its own record from the grant before it sees the op.
    if let MembershipChange::Join(member) = change
        && membership.get(&member.node_id) == Some(member)
    {
        return Ok(());
    }
    if !membership.apply(origin, change) {
        return Err("this member may not make this change of membership".to_owned());
    }
    match change {
        MembershipChange::Join(member) => {
            catalog::store_member(member);
        }
        MembershipChange::Leave(node) => {
            catalog::run(
                "UPDATE crdt.node n SET left_after = coalesce(
                        (SELECT seq FROM crdt.position p WHERE p.origin = n.id), 0)
                  WHERE node_id = $1",
                &[node.0.as_slice().into()],
            );
        }
    }
    Ok(())
}
