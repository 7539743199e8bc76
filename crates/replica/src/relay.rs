//! The answer to a pull: what the other lacks, of every origin, in an order in which it can admit it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use ledger::{NodeId, Segment, VersionVector};

use crate::message::MAX_SEGMENTS;
use crate::store::Store;

/// Bytes read ahead of one origin.
const READ_AHEAD: usize = 256 << 10;

/// What a node is sent that asks for what it lacks.
pub(crate) struct Answered {
    /// In an order in which it can admit them.
    pub(crate) segments: Vec<Arc<Segment>>,
    /// There is more than fitted.
    pub(crate) more: bool,
    /// Origins of which the store cannot give what comes after the operation named.
    pub(crate) pruned: Vec<(NodeId, u64)>,
}

/// Segments that a node at `theirs` lacks of what the store has at `mine`, at most `max_bytes` (but
/// one segment always).
///
/// A segment comes after those it depends on, so that the other can admit each as it comes: what had to
/// wait there would take memory, and be thrown away if there is too much of it. Nor is a segment sent
/// that depends on what was pruned here. Where the other has another history of an origin, the segment
/// that shows it is sent.
pub(crate) fn answer_pull<S: Store>(
    store: &mut S,
    mine: &VersionVector,
    theirs: &VersionVector,
    max_bytes: usize,
    turn: usize,
) -> Result<Answered, S::Error> {
    let mut answer = Answer {
        store,
        mine,
        sources: BTreeMap::new(),
        stuck: BTreeSet::new(),
        loaded: 0,
    };
    for (origin, at) in mine.iter() {
        let known = theirs.get(origin);
        if known.seq < at.seq || (known.seq == at.seq && known.head != at.head) {
            answer.sources.insert(
                *origin,
                Source {
                    queue: VecDeque::new(),
                    at: known.seq,
                },
            );
        }
    }
    answer.start_at_forks(theirs)?;
    answer.collect(max_bytes, turn)
}

struct Source {
    queue: VecDeque<Arc<Segment>>,
    /// The other has, or is being sent, everything up to here.
    at: u64,
}

struct Answer<'a, S> {
    store: &'a mut S,
    mine: &'a VersionVector,
    sources: BTreeMap<NodeId, Source>,
    /// Origins of which the next segment, or one that it depends on, cannot be given.
    stuck: BTreeSet<NodeId>,
    loaded: usize,
}

/// What stands between a segment and its being sent.
enum Lacking {
    Nothing,
    /// Segments of this origin go first.
    Origin(NodeId),
    /// Something that was pruned here.
    Pruned,
}

impl<S: Store> Answer<'_, S> {
    /// Steps back to the segment that holds the other's last operation where the hashes differ.
    fn start_at_forks(&mut self, theirs: &VersionVector) -> Result<(), S::Error> {
        for (origin, source) in &mut self.sources {
            let known = theirs.get(origin);
            if known.seq > 0 && self.store.op_hash(origin, known.seq)? != Some(known.head) {
                source.at = known.seq.saturating_sub(1);
            }
        }
        Ok(())
    }

    fn collect(mut self, max_bytes: usize, turn: usize) -> Result<Answered, S::Error> {
        let mut segments = Vec::new();
        let mut bytes = 0_usize;
        // Each answer starts with another origin: what the other cannot use of one must not keep it
        // from the rest for ever.
        let mut origins: Vec<NodeId> = self.sources.keys().copied().collect();
        let first = turn.checked_rem(origins.len()).unwrap_or(0);
        origins.rotate_left(first);
        for origin in origins {
            let mut path = vec![origin];
            while let Some(&top) = path.last() {
                let Some(segment) = self.next(&top)? else {
                    path.pop();
                    continue;
                };
                match self.first_lacking(&segment, &path)? {
                    Lacking::Nothing => {}
                    Lacking::Origin(needed) => {
                        path.push(needed);
                        continue;
                    }
                    Lacking::Pruned => {
                        self.stuck.insert(top);
                        path.pop();
                        continue;
                    }
                }
                let total = bytes.saturating_add(segment.encoded_len());
                let full = total > max_bytes
                    || segments.len() == MAX_SEGMENTS
                    || self.loaded > max_bytes.saturating_mul(4);
                if full && !segments.is_empty() {
                    return Ok(self.answered(segments, true));
                }
                bytes = total;
                self.advance(&top, &segment);
                segments.push(segment);
                if path.len() > 1 {
                    path.pop();
                }
            }
        }
        Ok(self.answered(segments, false))
    }

    fn answered(&self, segments: Vec<Arc<Segment>>, more: bool) -> Answered {
        let after = |origin: &NodeId| Some((*origin, self.sources.get(origin)?.at));
        Answered {
            segments,
            more,
            pruned: self.stuck.iter().filter_map(after).collect(),
        }
    }

    /// The next segment of `origin` that the other lacks and that can be given.
    fn next(&mut self, origin: &NodeId) -> Result<Option<Arc<Segment>>, S::Error> {
        if self.stuck.contains(origin) {
            return Ok(None);
        }
        let Some(source) = self.sources.get_mut(origin) else {
            return Ok(None);
        };
        if source.queue.is_empty() && source.at < self.mine.get(origin).seq {
            source.queue = self
                .store
                .segments_after(origin, source.at, READ_AHEAD)?
                .into();
            let bytes = source
                .queue
                .iter()
                .map(|segment| segment.encoded_len())
                .sum();
            self.loaded = self.loaded.saturating_add(bytes);
            if source.queue.is_empty() {
                self.stuck.insert(*origin);
            }
        }
        Ok(source.queue.front().cloned())
    }

    fn advance(&mut self, origin: &NodeId, segment: &Segment) {
        if let Some(source) = self.sources.get_mut(origin) {
            source.queue.pop_front();
            source.at = segment.end().seq;
        }
    }

    /// Whether `segment` needs more of an origin than the other has and this node can send.
    fn first_lacking(&mut self, segment: &Segment, path: &[NodeId]) -> Result<Lacking, S::Error> {
        for (origin, seq) in &segment.deps {
            let lacking = self
                .sources
                .get(origin)
                .is_some_and(|source| source.at < *seq);
            // On the way already: dependencies of a dishonest origin may go in circles.
            if !lacking || path.contains(origin) {
                continue;
            }
            if self.next(origin)?.is_some() {
                return Ok(Lacking::Origin(*origin));
            }
            if self.stuck.contains(origin) {
                return Ok(Lacking::Pruned);
            }
        }
        Ok(Lacking::Nothing)
    }
}
