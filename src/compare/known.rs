//! Which changes each side knows: a row that differs because of a change under
//! way is no fault of anybody's.

use crate::catalog;
use crate::track::key;
use crate::worker::log;
use crate::worker::origins::Origins;
use ledger::{Hash, VersionVector};
use std::collections::HashSet;

/// What this node has admitted, as of the calling statement's snapshot.
pub fn vector() -> VersionVector {
    log::vector(&mut Origins::default())
}

/// For each row, named by the hash of its key, whether there are changes of it
/// here that the other side has not admitted: in the log, or committed and not
/// sealed yet.
pub fn in_flight(keys: &[Hash], other: &VersionVector) -> Vec<bool> {
    if keys.is_empty() {
        return Vec::new();
    }
    let row_ids: Vec<i64> = keys.iter().map(key::row_id).collect();
    let (mut origins, mut seqs) = (Vec::new(), Vec::new());
    for known in catalog::members() {
        origins.push(known.id);
        seqs.push(other.get(&known.member.node_id).seq as i64);
    }
    let found: HashSet<i64> = catalog::query(
        "SELECT r.id FROM unnest($1::bigint[]) AS r (id)
          WHERE EXISTS (SELECT FROM crdt.op o
                          JOIN unnest($2::integer[], $3::bigint[]) AS v (origin, seq) USING (origin)
                         WHERE o.row_id = r.id AND o.seq > v.seq)
             OR r.id IN (SELECT row_id FROM crdt.outbox_0)
             OR r.id IN (SELECT row_id FROM crdt.outbox_1)",
        &[row_ids.clone().into(), origins.into(), seqs.into()],
        |row| row.need(1),
    )
    .into_iter()
    .collect();
    row_ids.iter().map(|id| found.contains(id)).collect()
}
