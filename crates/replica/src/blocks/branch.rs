//! When an origin has signed two histories and the chain has finalised one, every member comes to hold
//! that one: a certified cut names its head, and segments lead back from it, hash by hash, to what this
//! node holds already.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::{Hash, NodeId, Position, Segment};

use super::Blocks;
use crate::event::Report;
use crate::node::Node;
use crate::store::{Admission, Store};

type Verified = (Arc<Segment>, Vec<Hash>);

/// Verified segments of barred origins, by the hash of their last operation.
#[derive(Default)]
pub(super) struct Branches {
    origins: BTreeMap<NodeId, BTreeMap<Hash, Verified>>,
    bytes: usize,
}

impl Branches {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The segment that holds operation `at`.
    fn holding(&self, origin: &NodeId, at: &Position) -> Option<&Verified> {
        let segments = self.origins.get(origin)?;
        segments.get(&at.head).or_else(|| {
            let within = |(segment, hashes): &&Verified| {
                let offset = at.seq.checked_sub(segment.prev.seq.saturating_add(1));
                let index = offset.and_then(|offset| usize::try_from(offset).ok());
                index.and_then(|index| hashes.get(index)) == Some(&at.head)
            };
            segments.values().find(within)
        })
    }
}

impl Blocks {
    /// Keeps a segment of a barred origin if the next block wants that origin. What does not fit any
    /// more starts the collection anew: the next pull brings it again.
    pub(crate) fn keep_branch(
        &mut self,
        segment: &Arc<Segment>,
        hashes: Vec<Hash>,
        max_bytes: usize,
    ) {
        if !self.wanted.contains_key(&segment.origin) {
            return;
        }
        let bytes = segment.encoded_len();
        if self.branches.bytes.saturating_add(bytes) > max_bytes {
            self.branches.clear();
        }
        self.branches.bytes = self.branches.bytes.saturating_add(bytes);
        let origin = self.branches.origins.entry(segment.origin).or_default();
        origin.insert(segment.head, (segment.clone(), hashes));
    }
}

impl Node {
    /// Puts the finalised history of `origin` in place of the one that is here, if all of it has
    /// arrived.
    pub(super) fn adopt_branch<S: Store>(
        &mut self,
        store: &mut S,
        origin: &NodeId,
        target: Position,
    ) -> Result<(), S::Error> {
        let have = self.vector.get(origin);
        let mut chain: Vec<Verified> = Vec::new();
        let mut at = target;
        let keep = loop {
            let Some((segment, hashes)) = self.blocks.branches.holding(origin, &at) else {
                return Ok(());
            };
            at = segment.prev;
            chain.push((segment.clone(), hashes.clone()));
            if at.seq <= have.seq && self.known_hash(store, origin, at.seq)? == Some(at.head) {
                break at;
            }
        };
        if keep.seq < self.blocks.tip.cut.get(origin).seq {
            return Ok(());
        }
        if keep.seq < have.seq {
            store.discard_branch(origin, keep)?;
            if keep.seq == 0 {
                self.vector.0.remove(origin);
            } else {
                self.vector.0.insert(*origin, keep);
            }
            self.report(Report::BranchReplaced {
                origin: *origin,
                seq: keep.seq,
            });
        }
        for (segment, hashes) in chain.iter().rev() {
            match store.admit(segment, hashes)? {
                Admission::Admitted { membership_changed } => {
                    self.vector.advance(*origin, segment.end());
                    self.has_moved(*origin);
                    self.sync.membership_changed |= membership_changed;
                }
                Admission::Held { .. } => break,
            }
        }
        if std::mem::take(&mut self.sync.membership_changed) {
            self.read_members(store)?;
        }
        self.drain(store)
    }
}
