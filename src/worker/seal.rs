//! Sealing: what the outbox holds becomes the next ops of this origin, in one
//! signed segment.

use super::log::{self, Place};
use super::main_loop::Worker;
use super::origins::Origins;
use super::outbox::{Outbox, Taken};
use super::store::Tables;
use super::transaction::{self, flush_at_commit};
use crate::error::OrCorrupt;
use crate::instance::{clock, identity, settings};
use ledger::{ChainId, Deps, Kind, Op, Part, Segment};
use replica::Input;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// While many write, how long after one segment the next is sealed.
const CROWD_PAUSE: Duration = Duration::from_millis(4);

/// A sealed run of ops, and whether the outbox holds more.
struct Sealed {
    /// The segment, already in the log of this transaction.
    segment: Arc<Segment>,
    /// More waits in the outbox.
    more: bool,
}

impl Worker {
    /// Seals, unless so many are writing that it pays to wait a little for
    /// more: each segment costs a signature and a flush, however many ops are
    /// in it. Returns whether more waits.
    pub(super) fn seal_in_time(&mut self) -> Result<bool, String> {
        let pause = match self.pace.is_crowded() {
            false => Duration::ZERO,
            true => CROWD_PAUSE,
        }
        .max(Duration::from_millis(settings::seal_delay_ms()));
        self.seal_due = self
            .last_seal
            .checked_add(pause)
            .filter(|due| *due > Instant::now());
        if self.seal_due.is_some() {
            return Ok(false);
        }
        self.seal()
    }

    /// Seals a batch of the outbox. Returns whether more waits.
    pub(super) fn seal(&mut self) -> Result<bool, String> {
        let (Some(chain), Some(me), Some(node)) = (self.chain, self.me, &mut self.node) else {
            return Ok(false);
        };
        let (origins, outbox) = (&mut self.origins, &mut self.outbox);
        let sealed = transaction::with_extension(|| {
            let sealed = seal(&chain, me, origins, outbox);
            // Sealed ops leave this server, so they must outlive a crash; a
            // turn without any has nothing to flush.
            flush_at_commit(sealed.is_some());
            let Some(sealed) = sealed else {
                return (Vec::new(), 0, false);
            };
            let batch = sealed.segment.ops.len();
            let tick = Input::Tick {
                now_ms: clock::now_ms(),
            };
            let mut tables = Tables { origins };
            let Ok(mut effects) = node.handle(tick, &mut tables);
            let Ok(more) = node.handle(Input::Sealed(sealed.segment), &mut tables);
            effects.extend(more);
            (effects, batch, sealed.more)
        })?;
        let (effects, batch, more) = sealed;
        self.pace.count(batch);
        if batch > 0 {
            self.last_seal = Instant::now();
        }
        self.carry_out(effects);
        Ok(more)
    }
}

/// Seals the next batch within the current transaction; `None` when the outbox
/// has nothing.
fn seal(chain: &ChainId, me: i32, origins: &mut Origins, outbox: &mut Outbox) -> Option<Sealed> {
    let batch = outbox.take();
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
