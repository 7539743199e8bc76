//! Pruning: `carry_out` archives the blocks up to a height and takes the
//! payloads of the row changes in them out of the database, `restore` puts
//! them back, `explain` shows a verifier the signed op that says so.

mod archive;
mod carry_out;
mod explain;
mod restore;

pub use explain::explain;

use crate::catalog;

/// The height up to which payloads were pruned here and not put back; `None`
/// if all are here. What is pruned begins or ends with the first op of an
/// origin or the last one that a prune op speaks of, so only these are looked
/// at.
pub fn pruned_up_to() -> Option<i64> {
    catalog::one(
        "SELECT t.height
           FROM (SELECT ('x' || encode(substr(payload, 2, 8), 'hex'))::bit(64)::bigint AS height
                   FROM crdt.op WHERE row_id = 0 AND kind = 9) AS t
          WHERE EXISTS (
                SELECT FROM crdt.node n
                 CROSS JOIN LATERAL (
                       SELECT max(b.last_seq) AS last FROM crdt.block_range b
                        WHERE b.origin = n.id AND b.height <= t.height) AS r
                 WHERE (SELECT o.salt FROM crdt.op o
                         WHERE o.origin = n.id AND o.seq <= r.last AND o.kind = 1
                         ORDER BY o.seq LIMIT 1) = ''
                    OR (SELECT o.salt FROM crdt.op o
                         WHERE o.origin = n.id AND o.seq <= r.last AND o.kind = 1
                         ORDER BY o.seq DESC LIMIT 1) = '')
          ORDER BY t.height DESC LIMIT 1",
        &[],
        |row| row.need(1),
    )
}

/// What a guest is told that cannot get the whole history from here.
///
/// # Errors
/// That history was pruned here.
pub fn require_whole_history() -> Result<(), String> {
    match pruned_up_to() {
        None => Ok(()),
        Some(height) => Err(format!(
            "the history up to block {height} was pruned here, and a new member needs all of it: invite it from a member that has it, or put it back with crdt_restore_archive() first"
        )),
    }
}
