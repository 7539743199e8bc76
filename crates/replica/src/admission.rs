//! Which segments become part of this node's log: known signer, signature, chain link, one history an
//! origin, time, dependencies. Nothing is dropped without a reason that the sender is told.

use std::collections::BTreeSet;
use std::sync::Arc;

use ledger::{Hash, NodeId, Segment, ZERO_HASH};

use crate::event::Report;
use crate::evidence::{Evidence, Span, dispute};
use crate::holdback::Wait;
use crate::message::MAX_EVIDENCE;
use crate::node::{BarredFrom, Node};
use crate::store::{Admission, Barred, Store};

/// What became of a segment.
pub(crate) enum Verdict {
    /// In the log now, or before.
    Admitted,
    /// Waits.
    Held(String),
    /// Not taken.
    Refused(String),
}

impl Verdict {
    /// Whether it is held, and why it is not admitted.
    pub(crate) fn into_reason(self) -> Option<(bool, String)> {
        match self {
            Self::Admitted => None,
            Self::Held(reason) => Some((true, reason)),
            Self::Refused(reason) => Some((false, reason)),
        }
    }
}

impl Node {
    /// Judges a segment from anywhere. What waits for it is looked at by [`drain`](Self::drain).
    pub(crate) fn take_in<S: Store>(
        &mut self,
        store: &mut S,
        segment: Arc<Segment>,
    ) -> Result<Verdict, S::Error> {
        let origin = segment.origin;
        let end = segment.end();
        let Some(signer) = self.members.get(&origin) else {
            return Ok(Verdict::Refused(format!("{origin} is not a member")));
        };
        if let Some(last) = signer.left_after.filter(|last| end.seq > *last) {
            return Ok(Verdict::Refused(format!(
                "{origin} left after operation {last}"
            )));
        }
        let have = self.vector.get(&origin);
        if end.seq <= have.seq && self.known_hash(store, &origin, end.seq)? == Some(end.head) {
            return Ok(Verdict::Admitted);
        }
        if let Some(held) = self.holdback.get(&origin, segment.prev.seq)
            && *held.segment == *segment
        {
            return Ok(Verdict::Held(held.wait.to_string()));
        }
        let hashes = match segment.verify_alone(&self.chain, &signer.key) {
            Ok(hashes) => hashes,
            Err(fault) => return Ok(Verdict::Refused(fault.to_string())),
        };
        if segment.prev.seq == 0 && segment.prev.head != ZERO_HASH {
            return Ok(Verdict::Refused(
                "something comes before its first operation".into(),
            ));
        }
        self.judge(store, segment, hashes)
    }

    /// An origin's place in the log has changed, or what may be asked of it: what waits for it is to be
    /// looked at again.
    pub(crate) fn has_moved(&mut self, origin: NodeId) {
        self.changes = self.changes.wrapping_add(1);
        self.moved.push_back(origin);
    }

    /// Looks again at what waits for origins that have moved on.
    pub(crate) fn drain<S: Store>(&mut self, store: &mut S) -> Result<(), S::Error> {
        while let Some(moved) = self.moved.pop_front() {
            self.holdback
                .forget(&moved, Some(self.vector.get(&moved).seq));
            let mut waiting = self.holdback.take_waiting(&moved);
            waiting.insert(moved);
            for origin in waiting {
                let at = self.vector.get(&origin).seq;
                if let Some(held) = self.holdback.remove(&origin, at) {
                    self.judge(store, held.segment, held.hashes)?;
                }
            }
        }
        Ok(())
    }

    /// Judges a segment whose signature and hashes are right.
    fn judge<S: Store>(
        &mut self,
        store: &mut S,
        segment: Arc<Segment>,
        hashes: Vec<Hash>,
    ) -> Result<Verdict, S::Error> {
        let origin = segment.origin;
        self.look_for_dispute(store, &segment, &hashes)?;
        let have = self.vector.get(&origin);
        if let Some(barred) = self.barred.get(&origin)
            && (segment.end().seq > barred.after || segment.prev.seq < have.seq)
        {
            self.changes = self.changes.wrapping_add(1);
            self.blocks
                .keep_branch(&segment, hashes, self.options.holdback_bytes / 4);
            return Ok(Verdict::Refused(format!(
                "{origin} has signed two histories"
            )));
        }
        if segment.prev.seq < have.seq {
            return Ok(Verdict::Admitted);
        }
        if origin == self.id {
            return Ok(self.refuse(
                &segment,
                "this node has lost it: it needs a new incarnation",
            ));
        }
        let wait = self.wait_of(&segment);
        if wait.is_none() {
            match store.admit(&segment, &hashes)? {
                Admission::Admitted { membership_changed } => {
                    self.vector.advance(origin, segment.end());
                    self.has_moved(origin);
                    if membership_changed {
                        self.sync.membership_changed = true;
                        self.read_members(store)?;
                    }
                    return Ok(Verdict::Admitted);
                }
                Admission::Held { reason } => {
                    return Ok(self.hold(segment, hashes, Wait::Host { reason }));
                }
            }
        }
        Ok(match wait {
            Some(wait) => self.hold(segment, hashes, wait),
            None => Verdict::Admitted,
        })
    }

    fn hold(&mut self, segment: Arc<Segment>, hashes: Vec<Hash>, wait: Wait) -> Verdict {
        let (origin, first_seq) = (segment.origin, segment.prev.seq.saturating_add(1));
        let reason = wait.to_string();
        // The order of arrival explains the other waits; a person need not hear of them.
        let telling = matches!(wait, Wait::Time { .. } | Wait::Host { .. });
        if telling && self.sync.told_held.insert((origin, first_seq)) {
            self.report(Report::Held {
                origin,
                first_seq,
                reason: reason.clone(),
            });
        }
        if self.holdback.insert(segment, hashes, wait) {
            Verdict::Held(reason)
        } else {
            Verdict::Refused(format!("{reason}, and too much waits already"))
        }
    }

    fn refuse(&mut self, segment: &Segment, reason: &str) -> Verdict {
        let reason = reason.to_owned();
        self.report(Report::Refused {
            origin: segment.origin,
            first_seq: segment.prev.seq.saturating_add(1),
            reason: reason.clone(),
        });
        Verdict::Refused(reason)
    }

    /// What a segment of one history still waits for.
    fn wait_of(&self, segment: &Segment) -> Option<Wait> {
        let have = self.vector.get(&segment.origin).seq;
        if segment.prev.seq > have {
            return Some(Wait::Predecessor { have });
        }
        for (origin, seq) in &segment.deps {
            // Of a barred origin only what is beyond dispute can be waited for, and not for ever: what
            // it has signed may not exist.
            let needed = match self.barred.get(origin) {
                Some(barred) if self.grace_is_over(barred) => 0,
                Some(barred) => barred.after.min(*seq),
                None => *seq,
            };
            if self.vector.get(origin).seq < needed {
                return Some(Wait::Dependency {
                    origin: *origin,
                    seq: needed,
                });
            }
        }
        let newest_ms = segment.ops.iter().map(|op| op.hlc >> 16).max().unwrap_or(0);
        let until_ms = newest_ms.saturating_sub(self.options.max_clock_skew_ms);
        (until_ms > self.now_ms).then_some(Wait::Time { until_ms })
    }

    /// Whether a barred origin's operations are no longer waited for.
    pub(crate) fn grace_is_over(&self, barred: &BarredFrom) -> bool {
        self.now_ms.saturating_sub(barred.since_ms) >= self.options.barred_grace_ms
    }

    /// Compares a segment with what is here of its origin. Two histories bar the origin.
    fn look_for_dispute<S: Store>(
        &mut self,
        store: &mut S,
        segment: &Arc<Segment>,
        hashes: &[Hash],
    ) -> Result<(), S::Error> {
        let origin = segment.origin;
        let span = Span::of(segment);
        let mut other = self
            .holdback
            .of(&origin)
            .find(|held| dispute(&Span::of(&held.segment), &span).is_some())
            .map(|held| held.segment.clone());
        if other.is_none() && self.disagrees_with_log(store, segment, hashes)? {
            other = self.disputed_in_log(store, segment)?;
        }
        let evidence = other.and_then(|other| Evidence::of_segments(&self.chain, &other, segment));
        match evidence {
            Some(evidence) => self.bar(store, evidence),
            None => Ok(()),
        }
    }

    /// Whether the log can hold the segment's origin at its place, judged by the last operation that
    /// both have: equal hashes mean equal histories.
    fn disagrees_with_log<S: Store>(
        &mut self,
        store: &mut S,
        segment: &Segment,
        hashes: &[Hash],
    ) -> Result<bool, S::Error> {
        let have = self.vector.get(&segment.origin);
        let last_common = have.seq.min(segment.end().seq);
        let Some(offset) = last_common.checked_sub(segment.prev.seq) else {
            return Ok(false);
        };
        let here = self.known_hash(store, &segment.origin, last_common)?;
        let there = match usize::try_from(offset)
            .ok()
            .and_then(|offset| offset.checked_sub(1))
        {
            None => Some(segment.prev.head),
            Some(index) => hashes.get(index).copied(),
        };
        // Runs that overlap without being one another are a dispute too.
        Ok(last_common > 0 && (here != there || offset > 0))
    }

    /// The first segment in the log that disputes this one.
    fn disputed_in_log<S: Store>(
        &mut self,
        store: &mut S,
        segment: &Segment,
    ) -> Result<Option<Arc<Segment>>, S::Error> {
        let span = Span::of(segment);
        let mut after = segment.prev.seq.saturating_sub(1);
        while after < segment.end().seq {
            let page = store.segments_after(&segment.origin, after, 1 << 20)?;
            let Some(last) = page.last() else {
                break;
            };
            after = last.end().seq;
            let disputed = page
                .into_iter()
                .find(|stored| dispute(&Span::of(stored), &span).is_some());
            if disputed.is_some() {
                return Ok(disputed);
            }
        }
        Ok(None)
    }

    /// Proofs against origins that someone who bars `known` does not know of.
    pub(crate) fn evidence_beside(&self, known: &[NodeId]) -> Vec<Evidence> {
        let known: BTreeSet<&NodeId> = known.iter().collect();
        let news = self
            .barred
            .iter()
            .filter(|(origin, _)| !known.contains(origin));
        news.filter_map(|(_, barred)| barred.proof.clone())
            .take(MAX_EVIDENCE)
            .collect()
    }

    /// Takes evidence that a peer sends; what proves nothing is passed over.
    pub(crate) fn take_evidence<S: Store>(
        &mut self,
        store: &mut S,
        evidence: Evidence,
    ) -> Result<(), S::Error> {
        let signer = evidence
            .barred()
            .and_then(|barred| self.members.get(&barred.origin));
        let proven = signer.is_some_and(|s| evidence.proves_against_origin(&self.chain, &s.key));
        if proven {
            self.bar(store, evidence)
        } else {
            Ok(())
        }
    }

    /// Records evidence against an origin and takes nothing more from it. Peers learn of it by their
    /// pulls.
    fn bar<S: Store>(&mut self, store: &mut S, evidence: Evidence) -> Result<(), S::Error> {
        let Some(Barred { origin, after }) = evidence.barred() else {
            return Ok(());
        };
        let known = self
            .barred
            .get(&origin)
            .map(|known| (known.after, known.since_ms));
        if known.is_some_and(|(known_after, _)| known_after <= after) {
            return Ok(());
        }
        store.record_evidence(&evidence)?;
        let since_ms = known.map_or(self.now_ms, |(_, since_ms)| since_ms);
        let proof = Some(evidence);
        self.barred.insert(
            origin,
            BarredFrom {
                after,
                since_ms,
                proof,
            },
        );
        self.holdback.forget(&origin, None);
        self.sync.pull_again = true;
        // What waits for this origin may now wait for less.
        self.has_moved(origin);
        if known.is_none() {
            self.report(Report::Equivocation {
                origin,
                seq: after.saturating_add(1),
            });
        }
        Ok(())
    }

    /// The hash of an admitted operation, from memory where possible.
    pub(crate) fn known_hash<S: Store>(
        &self,
        store: &mut S,
        origin: &NodeId,
        seq: u64,
    ) -> Result<Option<Hash>, S::Error> {
        let have = self.vector.get(origin);
        match seq {
            0 => Ok(Some(ZERO_HASH)),
            seq if seq == have.seq => Ok(Some(have.head)),
            seq if seq > have.seq => Ok(None),
            _ => store.op_hash(origin, seq),
        }
    }
}
