//! Payloads that are not here, and the signed prune ops that explain it.

use super::ChainVerifier;
use super::finding::Place;
use super::history::Judged;
use super::segments::judge;
use super::stored::{StoredOp, StoredSegment};
use crate::ids::NodeId;
use crate::op::Kind;
use crate::prune::Prune;

impl ChainVerifier {
    /// Says that whoever hands the rows over keeps the payloads of row changes back: that they
    /// are not here is no finding then. The payloads of all other ops must be here all the same.
    pub fn expect_withheld(&mut self) {
        self.closed.withheld = true;
    }

    /// Whether payloads are missing so far that only a prune op which is still to come explains.
    pub fn awaits_prune(&self) -> bool {
        self.closed.is_open()
    }

    /// Takes a prune op from behind the blocks that are verified: a segment row with all of its
    /// ops, one of which is the prune op. What it says counts if a member signed the segment and
    /// the ops hash to it. To be called after the last block, before [`Self::stop`].
    ///
    /// Says whether there was one that counts.
    pub fn pruned_by(&mut self, segment: &StoredSegment<'_>, ops: &[StoredOp<'_>]) -> bool {
        self.close_block();
        match self.signed_prune(segment, ops) {
            Some(height) => {
                self.closed.prune(height, self.height);
                true
            }
            None => false,
        }
    }

    /// The greatest height that a prune op among `ops` names, if the segment is sound.
    fn signed_prune(&self, segment: &StoredSegment<'_>, ops: &[StoredOp<'_>]) -> Option<u64> {
        let origin = NodeId(segment.origin.try_into().ok()?);
        let key = self.key(&origin)?;
        let row = judge(&self.chain, origin, segment, Some(&key)).ok()?;
        let mut pruned = None;
        let (mut next, mut head) = (row.first_seq, row.prev);
        for op in ops {
            let core = op.core().ok()?;
            if op.origin != origin.0 || op.seq != next {
                return None;
            }
            head = core.hash(&self.chain, &origin, &head);
            next = next.checked_add(1)?;
            pruned = pruned.max(prune_of(op, core.kind).map(|prune| prune.height));
        }
        (row.last_seq.checked_add(1) == Some(next) && head == row.head)
            .then_some(pruned)
            .flatten()
    }

    /// Looks whether an op has its payload, and whether it explains that others have not.
    pub(super) fn payload_of(
        &mut self,
        origin: NodeId,
        place: Place,
        row: &StoredOp<'_>,
        judged: Judged,
    ) {
        // Of an op that is not sound there is a finding already.
        let Judged::Sound { core, .. } = judged else {
            return;
        };
        if row.is_closed() {
            let findings = &mut self.findings;
            self.closed.op(place, origin, row.seq, core.kind, findings);
        } else if let Some(prune) = prune_of(row, core.kind) {
            self.closed.prune(prune.height, self.height);
        }
    }
}

/// What a prune op says. One whose payload cannot be read says nothing.
fn prune_of(row: &StoredOp<'_>, kind: u8) -> Option<Prune> {
    match row.parts {
        [part] if kind == Kind::Prune as u8 && !part.is_closed() => {
            Prune::from_bytes(part.payload).ok()
        }
        _ => None,
    }
}
