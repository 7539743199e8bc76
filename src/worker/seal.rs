//! Sealing: what the outbox holds becomes the next ops of this origin, in one
//! signed segment.

use super::log::{self, Place};
use super::origins::Origins;
use super::outbox_reader::{self, Taken};
use crate::error::OrCorrupt;
use crate::instance::{clock, identity};
use ledger::{ChainId, Deps, Kind, Op, Part, Segment};
use std::sync::Arc;

/// A sealed run of ops, and whether the outbox holds more.
pub struct Sealed {
    /// The segment, already in the log of this transaction.
    pub segment: Arc<Segment>,
    /// More waits in the outbox.
    pub more: bool,
}

/// Seals the next batch within the current transaction; `None` when the outbox
/// has nothing.
pub fn seal(chain: &ChainId, me: i32, origins: &mut Origins) -> Option<Sealed> {
    let batch = outbox_reader::take();
    if batch.ops.is_empty() {
        return None;
    }
    let identity = identity::identity();
    let vector = log::vector(origins);
    let node = identity.node_id();
    let prev = vector.get(&node);
    let deps: Deps = vector
        .iter()
        .filter(|(origin, position)| **origin != node && position.seq > 0)
        .map(|(origin, position)| (*origin, position.seq))
        .collect();
    let places: Vec<Place> = batch
        .ops
        .iter()
        .map(|op| Place {
            schema_id: op.schema_id,
            row_id: op.row_id,
        })
        .collect();
    let ops = number(batch.ops, prev.seq, origins);
    let (segment, hashes) = Segment::seal_hashed(
        chain,
        node,
        prev,
        deps,
        clock::now_ms(),
        ops,
        &identity.signing,
    )
    .or_corrupt("the outbox");
    log::append_segment(me, &segment, &hashes, &places);
    Some(Sealed {
        segment: Arc::new(segment),
        more: batch.more,
    })
}

/// Gives the ops their sequence numbers and salts.
fn number(taken: Vec<Taken>, after: u64, origins: &mut Origins) -> Vec<Op> {
    let mut salts = vec![0; 32 * taken.len()];
    identity::fill_random(&mut salts).or_corrupt("the random source");
    let (salts, _) = salts.as_chunks::<32>();
    (after + 1..)
        .zip(taken)
        .zip(salts)
        .map(|((seq, taken), salt)| Op {
            seq,
            hlc: taken.hlc,
            kind: Kind::from_u8(taken.kind).or_corrupt("an outbox row's kind"),
            schema_hash: origins.schema_hash(taken.schema_id),
            parts: vec![Part {
                salt: *salt,
                payload: taken.payload,
            }],
        })
        .collect()
}
