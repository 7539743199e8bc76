//! The causal context: which events a state has seen (Almeida, Shoker, Baquero, "Delta state
//! replicated data types", 2018, section 7).
//!
//! A context must tell "not seen yet" from "seen and removed", also of a delta that arrives
//! early. There, events are numbered without gaps, and a context is a vector and a cloud of
//! single dots beyond it. Here a dot is a tick of its author's clock, unique for ever but with
//! gaps, so a context holds *spans*: (after, upto] says that of all that the replica did in
//! this state between the two ticks nothing is unseen. Only the author knows which of its
//! ticks went elsewhere, so only it makes spans longer than one tick. A state that has missed
//! nothing has one span a replica: the vector; what came early is a span of its own: the cloud.

use crate::codec::{Reader, put_varint};
use crate::{DecodeError, Dot, Hlc, ReplicaId, VersionVector};

/// The ticks in (`after`, `upto`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// Not in it.
    pub after: u64,
    /// In it, greater than `after`.
    pub upto: u64,
}

/// Which events were seen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CausalContext {
    /// Ascending by replica; of each at least one span; spans ascend and do not touch.
    runs: Vec<(ReplicaId, Vec<Span>)>,
}

impl CausalContext {
    /// Whether the event was seen.
    pub fn contains(&self, dot: &Dot) -> bool {
        let spans = self.spans(&dot.replica);
        let at = spans.partition_point(|span| span.upto < dot.counter);
        spans.get(at).is_some_and(|span| span.after < dot.counter)
    }

    /// The spans of a replica, ascending.
    pub fn spans(&self, replica: &ReplicaId) -> &[Span] {
        self.find(replica)
            .ok()
            .and_then(|index| self.runs.get(index))
            .map_or(&[], |(_, spans)| spans)
    }

    /// Replicas with their spans, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (ReplicaId, &[Span])> {
        self.runs
            .iter()
            .map(|(replica, spans)| (*replica, spans.as_slice()))
    }

    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// How many replicas.
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// The replica at a place in the order of [`CausalContext::iter`], with its spans.
    pub fn at(&self, index: usize) -> Option<(ReplicaId, &[Span])> {
        self.runs
            .get(index)
            .map(|(replica, spans)| (*replica, spans.as_slice()))
    }

    /// The place of a replica in the order of [`CausalContext::iter`].
    pub fn index(&self, replica: &ReplicaId) -> Option<usize> {
        self.find(replica).ok()
    }

    /// Notes one event; tick 0 is none.
    pub fn insert(&mut self, dot: Dot) {
        if let Some(after) = dot.counter.checked_sub(1) {
            let upto = dot.counter;
            self.cover(dot.replica, Span { after, upto });
        }
    }

    /// Notes a new event of one's own. `is_exclusive` (see [`crate::Author`]) says that this
    /// context knows all that the replica did in this state, so that nothing lies between.
    pub fn author(&mut self, dot: Dot, is_exclusive: bool) {
        match self.spans(&dot.replica).last() {
            Some(last) if is_exclusive && last.upto < dot.counter => {
                let (after, upto) = (last.upto, dot.counter);
                self.cover(dot.replica, Span { after, upto });
            }
            _ => self.insert(dot),
        }
    }

    /// What either saw.
    pub fn join(&self, other: &Self) -> Self {
        let mut joined = self.clone();
        joined.join_assign(other);
        joined
    }

    /// [`CausalContext::join`] in place.
    pub fn join_assign(&mut self, other: &Self) {
        for (replica, spans) in other.iter() {
            for span in spans {
                self.cover(replica, *span);
            }
        }
    }

    /// What this saw and `other` did not.
    pub fn beyond(&self, other: &Self) -> Self {
        let mut beyond = Self::default();
        for (replica, spans) in self.iter() {
            let mut seen = other.spans(&replica).iter().copied().peekable();
            for span in spans {
                let mut after = span.after;
                while seen.next_if(|seen| seen.upto <= after).is_some() {}
                while let Some(next) = seen.peek().filter(|next| next.after < span.upto) {
                    if next.after > after {
                        let upto = next.after;
                        beyond.cover(replica, Span { after, upto });
                    }
                    after = next.upto;
                    if after >= span.upto {
                        break;
                    }
                    seen.next();
                }
                if after < span.upto {
                    let upto = span.upto;
                    beyond.cover(replica, Span { after, upto });
                }
            }
        }
        beyond
    }

    /// Whether this saw all that `other` did.
    pub fn includes(&self, other: &Self) -> bool {
        other.iter().all(|(replica, spans)| {
            let held = self.spans(&replica);
            spans.iter().all(|span| is_within(span, held))
        })
    }

    /// An event that this saw and `known` did not, of another than `author`: a delta of that
    /// author has no right to speak of it.
    pub fn foreign_beyond(&self, known: &Self, author: ReplicaId) -> Option<Dot> {
        let mut foreign = self.iter().filter(|(replica, _)| *replica != author);
        foreign.find_map(|(replica, spans)| {
            let held = known.spans(&replica);
            let span = spans.iter().find(|span| !is_within(span, held))?;
            let counter = span.upto;
            Some(Dot { replica, counter })
        })
    }

    /// Whether a value with this context may be an earlier state of one with the context `later`.
    ///
    /// That `later` has seen all of this does not show it: spans also cover ticks that their
    /// author used in other values. But of each replica the first span starts right before the
    /// first dot that it used in this value, which no other value has.
    pub fn is_earlier(&self, later: &Self) -> bool {
        let begin = |spans: &[Span]| spans.first().map(|span| span.after);
        let begins_alike =
            |(replica, spans): (ReplicaId, &[Span])| begin(spans) == begin(later.spans(&replica));
        later.includes(self) && self.iter().all(begins_alike)
    }

    /// The greatest tick seen.
    pub fn latest(&self) -> Hlc {
        Hlc(self
            .version()
            .iter()
            .map(|dot| dot.counter)
            .max()
            .unwrap_or_default())
    }

    /// Of each replica the greatest tick seen.
    pub fn version(&self) -> VersionVector {
        let last = |(replica, spans): (ReplicaId, &[Span])| {
            let counter = spans.last()?.upto;
            Some(Dot { replica, counter })
        };
        self.iter().filter_map(last).collect()
    }

    /// Fills the gaps below what all replicas are known to have seen: of the replicas in
    /// `stable` this has seen to there.
    pub fn filled(&self, stable: &VersionVector) -> Self {
        let mut filled = self.clone();
        for (replica, spans) in self.iter() {
            let upto = stable
                .get(&replica)
                .min(spans.last().map_or(0, |last| last.upto));
            let after = spans.first().map_or(0, |first| first.after);
            if after < upto {
                filled.cover(replica, Span { after, upto });
            }
        }
        filled
    }

    /// What was seen up to the ticks of `version`.
    pub fn upto(&self, version: &VersionVector) -> Self {
        let mut seen = Self::default();
        for (replica, spans) in self.iter() {
            let limit = version.get(&replica);
            for span in spans.iter().filter(|span| span.after < limit) {
                let upto = span.upto.min(limit);
                seen.cover(replica, Span { upto, ..*span });
            }
        }
        seen
    }

    fn find(&self, replica: &ReplicaId) -> Result<usize, usize> {
        self.runs
            .binary_search_by_key(replica, |(replica, _)| *replica)
    }

    fn cover(&mut self, replica: ReplicaId, span: Span) {
        let index = match self.find(&replica) {
            Ok(index) => index,
            Err(index) => {
                self.runs.insert(index, (replica, Vec::new()));
                index
            }
        };
        let Some((_, spans)) = self.runs.get_mut(index) else {
            return;
        };
        // All spans that the new one overlaps or touches become one with it.
        let from = spans.partition_point(|held| held.upto < span.after);
        let to = spans.partition_point(|held| held.after <= span.upto);
        let touched = spans.get(from..to).unwrap_or_default();
        let joined = Span {
            after: touched
                .first()
                .map_or(span.after, |first| first.after.min(span.after)),
            upto: touched
                .last()
                .map_or(span.upto, |last| last.upto.max(span.upto)),
        };
        spans.splice(from..to.max(from), [joined]);
    }

    /// Appends replicas: count, then (replica16 ‖ spans: count ≥ 1, then (distance ‖ length)),
    /// ascending, in LEB128: the distance of `after` from the `upto` before it, of the first
    /// from 0; the length less one.
    pub fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, self.runs.len() as u64);
        for (replica, spans) in self.iter() {
            out.extend_from_slice(&replica.0);
            put_varint(out, spans.len() as u64);
            let mut before = 0;
            for span in spans {
                put_varint(out, span.after - before);
                put_varint(out, span.upto - span.after - 1);
                before = span.upto;
            }
        }
    }

    /// Reads what [`CausalContext::put`] wrote, and only that.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.count(19)?;
        let mut runs: Vec<(ReplicaId, Vec<Span>)> = Vec::with_capacity(count);
        for _ in 0..count {
            let replica = reader.replica()?;
            if runs.last().is_some_and(|(last, _)| *last >= replica) {
                return Err(DecodeError::NotCanonical("replicas must ascend"));
            }
            runs.push((replica, read_spans(reader)?));
        }
        Ok(Self { runs })
    }
}

/// Whether one of these spans holds all of a span.
fn is_within(span: &Span, held: &[Span]) -> bool {
    let at = held.partition_point(|held| held.upto < span.upto);
    held.get(at).is_some_and(|held| held.after <= span.after)
}

fn read_spans(reader: &mut Reader<'_>) -> Result<Vec<Span>, DecodeError> {
    const OVER: DecodeError = DecodeError::NotCanonical("counter over 64 bits");
    let count = reader.count(2)?;
    if count == 0 {
        return Err(DecodeError::NotCanonical("a replica without a span"));
    }
    let mut spans: Vec<Span> = Vec::with_capacity(count);
    for _ in 0..count {
        let distance = reader.varint()?;
        let before = spans.last().map(|last| last.upto);
        if before.is_some() && distance == 0 {
            return Err(DecodeError::NotCanonical("spans that touch"));
        }
        let after = before.unwrap_or(0).checked_add(distance).ok_or(OVER)?;
        let length = reader.varint()?.checked_add(1).ok_or(OVER)?;
        let upto = after.checked_add(length).ok_or(OVER)?;
        spans.push(Span { after, upto });
    }
    Ok(spans)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use std::collections::BTreeSet;

    fn dot(replica: u8, counter: u64) -> Dot {
        Dot {
            replica: ReplicaId([replica; 16]),
            counter,
        }
    }

    /// Small contexts, with the set of dots that they mean.
    fn contexts() -> impl Strategy<Value = (CausalContext, BTreeSet<Dot>)> {
        let span = (1..3u8, 0..20u64, 1..5u64);
        prop::collection::vec(span, 0..8).prop_map(|spans| {
            let (mut context, mut dots) = (CausalContext::default(), BTreeSet::new());
            for (replica, after, length) in spans {
                let upto = after + length;
                context.cover(ReplicaId([replica; 16]), Span { after, upto });
                dots.extend((after + 1..=upto).map(|counter| dot(replica, counter)));
            }
            (context, dots)
        })
    }

    fn dots_of(context: &CausalContext) -> BTreeSet<Dot> {
        (1..3u8)
            .flat_map(|replica| (1..40).map(move |counter| dot(replica, counter)))
            .filter(|dot| context.contains(dot))
            .collect()
    }

    proptest! {
        /// A context that is off by one event drops or revives an element.
        #[test]
        fn spans_are_sets_of_dots((a, dots_a) in contexts(), (b, dots_b) in contexts()) {
            prop_assert_eq!(&dots_of(&a), &dots_a);
            prop_assert_eq!(dots_of(&a.join(&b)), &dots_a | &dots_b);
            prop_assert_eq!(dots_of(&a.beyond(&b)), &dots_a - &dots_b);
            prop_assert_eq!(a.includes(&b), dots_b.is_subset(&dots_a));
            prop_assert_eq!(a.join(&b), b.join(&a));
            prop_assert_eq!(b.join(&a.beyond(&b)), a.join(&b));
            let mut bytes = Vec::new();
            a.put(&mut bytes);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(CausalContext::read(&mut reader), Ok(a));
            prop_assert!(reader.finish().is_ok());
        }

        #[test]
        fn hostile_bytes_are_refused_or_canonical(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let mut reader = Reader::new(&bytes);
            if let Ok(context) = CausalContext::read(&mut reader) {
                let mut back = Vec::new();
                context.put(&mut back);
                prop_assert_eq!(&back[..], &bytes[..bytes.len() - reader.remaining()]);
            }
        }
    }

    /// Another row's value, whose ticks fall into the row's span, must not pass for a stale copy.
    #[test]
    fn a_value_that_begins_elsewhere_is_another() {
        let (mut row, mut other) = (CausalContext::default(), CausalContext::default());
        row.author(dot(1, 10), true);
        let early = row.clone();
        row.author(dot(1, 30), true);
        other.author(dot(1, 20), true);
        assert!(early.is_earlier(&row) && !row.is_earlier(&early));
        assert!(row.includes(&other) && !other.is_earlier(&row));
    }

    /// An early event leaves a gap, which is not a removal.
    #[test]
    fn only_an_exclusive_author_closes_gaps() {
        let mut context = CausalContext::default();
        context.author(dot(1, 10), true);
        context.author(dot(1, 20), true);
        assert!(context.contains(&dot(1, 15)) && !context.contains(&dot(1, 9)));
        context.author(dot(1, 30), false);
        assert!(context.contains(&dot(1, 30)) && !context.contains(&dot(1, 25)));
        let filled = context.filled(&[dot(1, 40), dot(2, 40)].into_iter().collect());
        assert!(filled.contains(&dot(1, 25)) && !filled.contains(&dot(1, 31)));
        assert!(!filled.contains(&dot(2, 1)));
    }
}
