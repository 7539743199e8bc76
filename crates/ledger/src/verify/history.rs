//! One origin's ops: re-hashed one by one, linked to the op before, and held against the heads
//! that segments and cuts sign. A fault at one op does not spread: the stored hash, the hash
//! that the row gives and the signed heads are all tried before the next op is called wrong.

use std::collections::BTreeMap;

use super::detail::Detail;
use super::finding::{Finding, FindingKind, Findings, Place};
use super::stored::{Malformed, StoredOp};
use super::suspect::{self, Suspect};
use crate::hash::{Hash, ZERO_HASH, short};
use crate::ids::{ChainId, NodeId};
use crate::op::OpCore;
use crate::vector::Position;

/// How many signed hashes of ops that have not come are kept. A segment of a single op has two, and
/// segments come with some thousands of ops.
const MAX_AHEAD: usize = 1 << 16;

/// What is known of an op after it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judged {
    /// It hashes to its stored hash after the op before it.
    Sound {
        core: OpCore,
        prev: Hash,
        this: Hash,
    },
    /// It does not, or the op before it is unknown.
    Unsure,
    /// It is not part of the history at all.
    Extra,
}

/// An origin whose ops do not lead to a head that was signed.
#[derive(Debug, Clone)]
pub(super) struct Broken {
    pub place: Place,
    pub origin: NodeId,
    pub seq: u64,
    pub detail: Detail,
}

/// The state of one origin's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct History {
    pub origin: NodeId,
    /// The op that comes next.
    pub next: u64,
    /// What the hash of the op before may be, the most trusted first; empty if unknown.
    link: Vec<Hash>,
    /// Signed heads that lie ahead: op → hash.
    anchors: BTreeMap<u64, Hash>,
    /// The last op that a segment row covers; none after a row that cannot be trusted.
    pub covered: Option<u64>,
    suspects: Vec<Suspect>,
    /// The first op of a segment that came when no key was known.
    pub unverified: Option<u64>,
    /// Ops were missing.
    pub gaps: bool,
    /// The schema of the last sound op: the likeliest value of a schema hash that was changed.
    schema: Hash,
}

impl History {
    /// From the first op on.
    pub fn from_start(origin: NodeId) -> Self {
        Self::after(origin, Position::START, Some(0))
    }

    /// From the op after `position` on.
    pub fn after(origin: NodeId, position: Position, covered: Option<u64>) -> Self {
        Self {
            origin,
            next: position.seq.saturating_add(1),
            link: vec![position.head],
            anchors: BTreeMap::new(),
            covered,
            suspects: Vec::new(),
            unverified: None,
            gaps: false,
            schema: ZERO_HASH,
        }
    }

    /// With the schema of the op before.
    pub fn of_schema(mut self, schema: Hash) -> Self {
        self.schema = schema;
        self
    }

    /// The last op seen, 0 if none.
    pub fn last(&self) -> u64 {
        self.next - 1
    }

    /// Whether `head` can be the hash of the last op.
    pub fn may_end_with(&self, head: &[u8]) -> bool {
        self.link.is_empty() || self.link.iter().any(|known| known == head)
    }

    /// The hash of the last op, if it is known.
    pub fn head(&self) -> Option<Hash> {
        self.link.first().copied()
    }

    /// Whether another head than this one was signed for an op that lies ahead.
    pub fn contradicts(&self, seq: u64, head: &Hash) -> bool {
        self.anchors.get(&seq).is_some_and(|known| known != head)
    }

    /// Takes note of a signed head. Says whether it can still be held against its op.
    pub fn anchor(
        &mut self,
        seq: u64,
        head: Hash,
        place: Place,
        broken: &mut Vec<Broken>,
        findings: &mut Findings,
    ) -> bool {
        if seq >= self.next {
            if self.anchors.len() >= MAX_AHEAD && !self.anchors.contains_key(&seq) {
                let detail = format!("{MAX_AHEAD} signed hashes wait for ops that have not come");
                findings.add(place.op(self.origin, seq, FindingKind::SegmentExtra, detail));
                return true;
            }
            if let Some(other) = self.anchors.insert(seq, head)
                && other != head
            {
                // Of two signed heads neither says what the ops should be.
                self.anchors.remove(&seq);
                let (first, second) = (short(&other), short(&head));
                let detail = Detail::from(format!("op {seq} is signed as {first} and as {second}"))
                    .expected("one history")
                    .found(format_args!("{first} and {second}"));
                findings.add(place.op(self.origin, seq, FindingKind::HistoryForked, detail));
            }
            return true;
        }
        if seq != self.last() {
            return false;
        }
        if !self.may_end_with(&head) {
            broken.push(self.broken(place, seq, &head));
        }
        self.link.retain(|known| *known != head);
        self.link.insert(0, head);
        true
    }

    /// Looks at the next op.
    pub fn op(
        &mut self,
        chain: &ChainId,
        row: &StoredOp<'_>,
        place: Place,
        broken: &mut Vec<Broken>,
        findings: &mut Findings,
    ) -> Judged {
        if row.seq < self.next || row.seq == u64::MAX {
            let detail = match row.seq {
                0 | u64::MAX => "no op has this number".to_owned(),
                _ => "there is an op with this number already".to_owned(),
            };
            findings.add(place.op(self.origin, row.seq, FindingKind::OpExtra, detail));
            return Judged::Extra;
        }
        if row.seq > self.next {
            let gap = Place {
                leaf_index: None,
                ..place
            };
            self.skip_to(row.seq, gap, findings);
        }
        let anchor = self.take_anchor(row.seq);
        self.next = row.seq.saturating_add(1);
        let stored: Option<Hash> = row.op_hash.try_into().ok();
        let core = row.core();
        let sound = match (&core, stored) {
            (Ok(core), Some(this)) => self
                .link
                .iter()
                .find(|prev| core.hash(chain, &self.origin, prev) == this)
                .map(|prev| (*core, *prev, this)),
            _ => None,
        };
        if let Some((core, prev, this)) = sound {
            self.vindicate(row.seq - 1, prev);
            self.schema = core.schema_hash;
            self.link.clear();
            self.link.push(this);
            if let Some(head) = anchor
                && head != this
            {
                broken.push(self.broken(place, row.seq, &head));
                self.link.insert(0, head);
            }
            return Judged::Sound { core, prev, this };
        }
        self.doubt(chain, row, core, stored, anchor, place, findings);
        Judged::Unsure
    }

    /// Ends a run: the op `position` was the last one, signed with that head if it is known.
    pub fn close(&mut self, seq: u64, head: Option<Hash>, place: Place, findings: &mut Findings) {
        if self.next > seq {
            return;
        }
        if let Some(head) = head {
            self.anchors.insert(seq, head);
        }
        self.skip_to(seq.saturating_add(1), place, findings);
    }

    /// Decides what is wrong with the ops in doubt.
    pub fn settle(&mut self, chain: &ChainId, findings: &mut Findings) {
        let suspects = std::mem::take(&mut self.suspects);
        for finding in suspect::settle(chain, &self.origin, suspects) {
            findings.add(finding);
        }
    }

    /// Drops the doubts about ops after `seq`: whoever put them there signed nothing, so that
    /// they are there is all there is to say.
    pub fn forget_after(&mut self, seq: u64) {
        self.suspects.retain(|suspect| suspect.seq <= seq);
    }

    /// The last op that counts: what lies in no block and under no segment is extra.
    pub fn signed_end(&self, in_blocks: u64) -> u64 {
        match self.covered {
            Some(covered) if covered >= in_blocks => covered.min(self.last()),
            _ => self.last(),
        }
    }

    fn take_anchor(&mut self, seq: u64) -> Option<Hash> {
        if self.anchors.first_key_value()?.0 > &seq {
            return None;
        }
        let later = self.anchors.split_off(&seq.saturating_add(1));
        let passed = std::mem::replace(&mut self.anchors, later);
        passed.get(&seq).copied()
    }

    /// Reports the ops before `seq` as missing and goes on there.
    fn skip_to(&mut self, seq: u64, place: Place, findings: &mut Findings) {
        let (first, last) = (self.next, seq - 1);
        let detail = match last - first {
            0 => Detail::from(format!("op {first} is not stored"))
                .expected(format_args!("op {first}")),
            more => Detail::from(format!(
                "ops {first} to {last} ({} ops) are not stored",
                more + 1
            ))
            .expected(format_args!("ops {first} to {last}")),
        };
        findings.add(place.op(self.origin, first, FindingKind::OpMissing, detail));
        self.link = self.take_anchor(last).into_iter().collect();
        self.next = seq;
        self.gaps = true;
    }

    /// The op after a suspect tells which hash of the suspect it was made for.
    fn vindicate(&mut self, seq: u64, prev: Hash) {
        if let Some(suspect) = self.suspects.last_mut()
            && suspect.seq == seq
        {
            suspect.true_hash.get_or_insert(prev);
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one row with all that is known of it"
    )]
    fn doubt(
        &mut self,
        chain: &ChainId,
        row: &StoredOp<'_>,
        core: Result<OpCore, Malformed>,
        stored: Option<Hash>,
        anchor: Option<Hash>,
        place: Place,
        findings: &mut Findings,
    ) {
        let prevs = std::mem::take(&mut self.link);
        self.link.extend(anchor);
        self.link.extend(stored);
        if let Ok(core) = &core {
            self.link.extend(
                prevs
                    .iter()
                    .map(|prev| core.hash(chain, &self.origin, prev)),
            );
        }
        // After a gap the op before is unknown: nothing can be said about this op but that its
        // stored hash is not the one that was signed.
        let unknown = prevs.is_empty() && core.is_ok();
        if unknown && stored.is_some() && (anchor.is_none() || anchor == stored) {
            return;
        }
        self.suspects.push(Suspect {
            place,
            seq: row.seq,
            core,
            stored,
            stored_len: row.op_hash.len(),
            prevs,
            true_hash: anchor,
            schema: self.schema,
        });
        if self.suspects.len() >= suspect::MAX_SUSPECTS {
            self.settle(chain, findings);
        }
    }

    fn broken(&self, place: Place, seq: u64, head: &Hash) -> Broken {
        let found = self.link.first().map_or(String::new(), |hash| short(hash));
        let signed = short(head);
        let text =
            format!("the ops up to here lead to {found}, signed is {signed}: they were rewritten");
        Broken {
            place,
            origin: self.origin,
            seq,
            detail: Detail::from(text).expected(signed).found(found),
        }
    }
}

impl Broken {
    /// The finding, unless a more exact one was made.
    pub fn into_finding(self) -> Finding {
        self.place
            .op(self.origin, self.seq, FindingKind::OpAltered, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever signs segments without end and gives no ops fills no memory, and is found.
    #[test]
    fn signed_hashes_ahead_are_bounded() {
        let mut history = History::from_start(NodeId([1; 32]));
        let (mut broken, mut findings) = (Vec::new(), Findings::default());
        let mut anchor = |seq| {
            let hash = [seq as u8; 32];
            history.anchor(seq, hash, Place::default(), &mut broken, &mut findings);
        };
        (1..=MAX_AHEAD as u64 + 9).for_each(&mut anchor);
        anchor(1);
        assert_eq!(history.anchors.len(), MAX_AHEAD);
        assert_eq!(findings.list.len(), 9);
        assert_eq!(findings.list[0].kind, FindingKind::SegmentExtra);
        assert_eq!(findings.list[0].seq, Some(MAX_AHEAD as u64 + 1));
    }
}
