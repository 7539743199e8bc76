//! The end of a chain: whether every op is covered by a segment, and whether the stored members,
//! version vector and tiles are what the ops lead to.

use super::ChainVerifier;
use super::detail::Detail;
use super::finding::{FindingKind, Place, Report};
use super::history::History;
use crate::hash::{ZERO_HASH, short};
use crate::membership::Membership;

impl ChainVerifier {
    /// Ends the verification of a whole chain.
    pub fn finish(mut self) -> Report {
        self.tail();
        self.end_histories();
        self.check_keys();
        self.apply_changes();
        self.check_vector();
        if self.whole {
            self.check_members();
        }
        self.log.finish(&mut self.findings);
        self.closed.finish(&mut self.findings);
        self.report()
    }

    /// Ends the verification at the last block: says nothing about what comes after it, about
    /// members, version vector and the tiles beyond.
    pub fn stop(mut self) -> Report {
        self.close_block();
        self.check_keys();
        if !self.in_tail {
            self.log.stop(&mut self.findings);
        }
        self.closed.finish(&mut self.findings);
        self.report()
    }

    fn report(mut self) -> Report {
        for broken in std::mem::take(&mut self.broken) {
            self.findings.add(broken.into_finding());
        }
        Report {
            height: self.height,
            header_hash: self.last_hash,
            tree_size: self.log.position,
            ops: self.ops,
            tail_ops: self.tail_ops,
            closed_ops: self.closed.ops,
            withheld: self.closed.withheld,
            segments: self.segments,
            members: self.known_members,
            decided: self.decided,
            findings: self.findings.list,
            untold: self.findings.untold,
        }
    }

    /// After the tail: every op must be covered by a segment, and every segment by its ops.
    pub(super) fn end_histories(&mut self) {
        let place = Place::default();
        for (origin, history) in &mut self.histories {
            let in_blocks = self.last_cut.get(origin).seq;
            history.forget_after(history.signed_end(in_blocks));
            history.settle(&self.chain, &mut self.findings);
            let last = history.last();
            match history.covered {
                Some(covered) if covered > last => {
                    history.close(covered, None, place, &mut self.findings);
                }
                Some(covered) if covered < last => {
                    let first = covered + 1;
                    let (kind, what) = if first <= in_blocks {
                        (FindingKind::SegmentMissing, "are in a block but not")
                    } else {
                        (FindingKind::OpExtra, "are not")
                    };
                    let text = format!("ops {first} to {last} {what} covered by a segment");
                    let detail = match kind {
                        FindingKind::SegmentMissing => {
                            Detail::from(text).expected(format_args!("ops {first} to {last}"))
                        }
                        _ => Detail::from(text).found(format_args!("ops {first} to {last}")),
                    };
                    self.findings.add(place.op(*origin, first, kind, detail));
                }
                _ => {}
            }
        }
    }

    /// Signatures that nobody could verify, because the origin's key was not known, or not yet.
    fn check_keys(&mut self) {
        let written = self.histories.values().filter(|h| h.last() > 0);
        let written: Vec<_> = written.map(|h| (h.origin, h.unverified)).collect();
        for (origin, unverified) in written {
            let reported = self.stored_members.contains_key(&origin);
            let joined = self.membership.ever(&origin).is_some();
            if self.key(&origin).is_none() && !reported && !joined {
                let detail = "no key is known for this origin: its signatures were not verified";
                self.member_finding(origin, detail.to_owned());
            } else if let Some(seq) = unverified.filter(|_| !reported) {
                let detail = "the segment came before the origin's key was known".to_owned();
                let kind = FindingKind::SegmentExtra;
                self.findings
                    .add(Place::default().op(origin, seq, kind, detail));
            }
        }
    }

    fn check_vector(&mut self) {
        let place = Place::default();
        let vector = std::mem::take(&mut self.vector);
        if vector.is_empty() {
            return;
        }
        for (node, (seq, head)) in &vector {
            let in_blocks = self.last_cut.get(node).seq;
            let history = self.histories.get(node);
            let last = history.map_or(0, History::last);
            let signed = history.map_or(0, |history| history.signed_end(in_blocks));
            let detail = match history {
                // Of the head before extra ops nothing is kept.
                _ if *seq == signed && signed < last => continue,
                _ if *seq != last => {
                    let text =
                        format!("the version vector says op {seq}, the stored ops end at {last}");
                    Detail::from(text)
                        .expected(format_args!("op {last}"))
                        .found(format_args!("op {seq}"))
                }
                None if head.as_slice() != ZERO_HASH.as_slice() => {
                    Detail::from("the version vector gives a hash of no op")
                        .expected(short(&ZERO_HASH))
                        .found(short(head))
                }
                Some(history) if !history.may_end_with(head) => {
                    let found = short(head);
                    let text = format!("the version vector says head {found}");
                    let expected = history.head().map_or(String::new(), |head| short(&head));
                    Detail::from(text).expected(expected).found(found)
                }
                _ => continue,
            };
            self.findings
                .add(place.op(*node, *seq, FindingKind::VectorAltered, detail));
        }
        for (node, history) in &self.histories {
            if history.last() > 0 && !vector.contains_key(node) {
                let last = history.last();
                let detail = Detail::from(format!(
                    "the version vector does not name this origin, stored is up to op {last}"
                ))
                .expected(format_args!("op {last}"));
                self.findings
                    .add(place.op(*node, last, FindingKind::VectorAltered, detail));
            }
        }
    }

    fn check_members(&mut self) {
        if self.membership == Membership::default() {
            return;
        }
        let in_doubt =
            self.members_in_doubt || self.gaps || self.histories.values().any(|h| h.gaps);
        self.known_members = (!in_doubt).then(|| self.membership.clone());
        let mut faults = Vec::new();
        for (node, stored) in &self.stored_members {
            match self.membership.ever(node) {
                // A row that does not hold together has been reported.
                _ if stored.check().is_err() => {}
                Some(member) if member == stored => {}
                _ if in_doubt => {}
                Some(_) => faults.push((*node, "the stored member differs from its join")),
                None => faults.push((*node, "nobody let this member join")),
            }
        }
        for member in self.membership.iter() {
            if !self.stored_members.contains_key(&member.node_id) {
                faults.push((member.node_id, "the member is not stored"));
            }
        }
        for (node, detail) in faults {
            self.member_finding(node, detail.to_owned());
        }
    }
}
