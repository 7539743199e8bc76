//! Ops whose payload is no longer stored, only its commitment. That is in order for row changes
//! in blocks that a member said it pruned; elsewhere somebody took a payload away.

use std::collections::VecDeque;

use super::detail::Detail;
use super::finding::{FindingKind, Findings, Place};
use crate::ids::NodeId;
use crate::op::Kind;

/// How many runs of closed ops are held until a prune op explains them; of what is beyond, the
/// oldest are only counted.
const MAX_RUNS: usize = 10_000;

/// A run of closed ops of one origin in one block.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    place: Place,
    origin: NodeId,
    first: u64,
    last: u64,
}

/// Closed ops that no prune op has explained so far, and how far those seen reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Closed {
    runs: VecDeque<Run>,
    /// The greatest block of the runs that were let go, and how many ops they had.
    dropped: Option<(u64, u64)>,
    /// Blocks up to this height were pruned, a member says.
    pruned: u64,
    /// Closed ops seen.
    pub ops: u64,
    /// Whether whoever hands the rows over says that it keeps the payloads back.
    pub withheld: bool,
}

impl Closed {
    /// Takes note of a sound op whose payload is not here.
    pub fn op(
        &mut self,
        place: Place,
        origin: NodeId,
        seq: u64,
        kind: u8,
        findings: &mut Findings,
    ) {
        self.ops = self.ops.saturating_add(1);
        if kind != Kind::Delta as u8 {
            let name = Kind::from_u8(kind).map_or("unknown", Kind::as_str);
            let detail =
                format!("the payload is gone, and an op of kind {name} must always have its");
            return findings.add(place.op(origin, seq, FindingKind::PayloadMissing, gone(detail)));
        }
        if self.withheld || place.height.is_some_and(|height| height <= self.pruned) {
            return;
        }
        if let Some(run) = self.runs.back_mut()
            && run.origin == origin
            && run.place.height == place.height
            && run.last.checked_add(1) == Some(seq)
        {
            run.last = seq;
            return;
        }
        self.runs.push_back(Run {
            place,
            origin,
            first: seq,
            last: seq,
        });
        if self.runs.len() > MAX_RUNS
            && let Some(run) = self.runs.pop_front()
        {
            let (height, ops) = self.dropped.unwrap_or_default();
            // What is in no block is covered by nothing.
            let of_run = run.place.height.unwrap_or(u64::MAX);
            let more = ops.saturating_add(run.last - run.first + 1);
            self.dropped = Some((height.max(of_run), more));
        }
    }

    /// Takes note that a member pruned the blocks up to `height`, said after block `last`: a
    /// statement covers nothing that came after it.
    pub fn prune(&mut self, height: u64, last: u64) {
        self.pruned = self.pruned.max(height.min(last));
        self.runs.retain(|run| !covers(self.pruned, run.place));
        self.dropped = self.dropped.filter(|(height, _)| *height > self.pruned);
    }

    /// Whether closed ops wait for the prune op that explains them.
    pub fn is_open(&self) -> bool {
        !self.runs.is_empty() || self.dropped.is_some()
    }

    /// The greatest block with closed ops that nothing explains so far, and how many they are.
    pub fn unexplained(&self) -> Option<(u64, u64)> {
        let of_run = |run: &Run| {
            let ops = run.last - run.first + 1;
            (run.place.height.unwrap_or(u64::MAX), ops)
        };
        let open = self.runs.iter().map(of_run).chain(self.dropped);
        open.reduce(|a, b| (a.0.max(b.0), a.1.saturating_add(b.1)))
    }

    /// How far blocks were pruned, a member says.
    pub fn pruned(&self) -> u64 {
        self.pruned
    }

    /// Takes over what another verification, of later blocks, saw.
    pub fn take_over(&mut self, ops: u64, unexplained: Option<(u64, u64)>, pruned: u64) {
        self.ops = self.ops.saturating_add(ops);
        if let Some((height, more)) = unexplained {
            let (known, ops) = self.dropped.unwrap_or_default();
            self.dropped = Some((known.max(height), ops.saturating_add(more)));
        }
        if pruned > 0 {
            self.prune(pruned, pruned);
        }
    }

    /// Nothing more comes: what was not explained is missing.
    pub fn finish(&mut self, findings: &mut Findings) {
        if let Some((height, ops)) = self.dropped.take() {
            let place = match height {
                u64::MAX => Place::default(),
                height => Place::block(height),
            };
            let detail = format!(
                "up to {ops} payloads in blocks up to here are gone, and no member says that it pruned them all"
            );
            findings.add(place.finding(FindingKind::PayloadMissing, gone(detail)));
        }
        for run in std::mem::take(&mut self.runs) {
            let what = match run.last - run.first {
                0 => "the payload is gone".to_owned(),
                _ => format!("the payloads of ops {} to {} are gone", run.first, run.last),
            };
            let detail = format!("{what}, and no member says that it pruned this block");
            findings.add(run.place.op(
                run.origin,
                run.first,
                FindingKind::PayloadMissing,
                gone(detail),
            ));
        }
    }
}

fn gone(detail: String) -> Detail {
    Detail::from(detail)
        .expected("a payload")
        .found("its commitment")
}

fn covers(pruned: u64, place: Place) -> bool {
    place.height.is_some_and(|height| height <= pruned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNS: u64 = MAX_RUNS as u64 + 10;

    fn destroyed() -> Closed {
        let mut closed = Closed::default();
        for height in 1..=RUNS {
            let (place, origin) = (Place::block(height), NodeId([1; 32]));
            let kind = Kind::Delta as u8;
            closed.op(place, origin, 2 * height, kind, &mut Findings::default());
            closed.op(
                place,
                origin,
                2 * height + 1,
                kind,
                &mut Findings::default(),
            );
        }
        closed
    }

    /// A ledger destroyed as a whole is told within bounds, and never as sound.
    #[test]
    fn what_is_not_held_is_counted() {
        let mut closed = destroyed();
        assert_eq!(closed.runs.len(), MAX_RUNS);
        let mut findings = Findings::default();
        closed.finish(&mut findings);
        assert_eq!(findings.list.len(), MAX_RUNS);
        assert_eq!(findings.untold, 1);
        assert_eq!(findings.list[0].height, Some(10));
        assert!(findings.list[0].detail.contains("up to 20 payloads"));
        // A statement that explains some of those let go does not clear the others.
        closed = destroyed();
        closed.prune(9, RUNS);
        assert_eq!(closed.dropped, Some((10, 20)));
        closed.prune(10, RUNS);
        assert_eq!(closed.dropped, None);
        closed.prune(u64::MAX, RUNS - 1);
        assert_eq!(closed.runs.len(), 1);
        closed.prune(u64::MAX, RUNS);
        assert!(!closed.is_open());
    }
}
