//! Verified segments that wait: for the one before them, for what they depend on, for their time, or
//! for the host. Bounded, so that no origin can fill it at another's expense.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use ledger::{Hash, NodeId, Segment};

/// What a segment waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The segments of its origin that come before it.
    Predecessor {
        /// The last operation of the origin that is here.
        have: u64,
    },
    /// Operations of another origin that its origin had seen.
    Dependency {
        /// Whose operations.
        origin: NodeId,
        /// The last one needed.
        seq: u64,
    },
    /// This node's clock: the segment is from too far in the future.
    Time {
        /// Unix milliseconds at which it is taken.
        until_ms: u64,
    },
    /// The host.
    Host {
        /// Why, for people.
        reason: String,
    },
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Predecessor { have } => write!(f, "only operations up to {have} are here"),
            Self::Dependency { origin, seq } => {
                write!(f, "it depends on operation {seq} of {origin}")
            }
            Self::Time { until_ms } => {
                write!(
                    f,
                    "it is ahead of this node's clock; it is taken at {until_ms} (unix ms)"
                )
            }
            Self::Host { reason } => f.write_str(reason),
        }
    }
}

/// A waiting segment, as a view shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldSegment {
    /// Whose.
    pub origin: NodeId,
    /// Its first operation.
    pub first_seq: u64,
    /// How many operations it has.
    pub operations: usize,
    /// What it waits for.
    pub wait: Wait,
}

pub(crate) struct Held {
    pub(crate) segment: Arc<Segment>,
    pub(crate) hashes: Vec<Hash>,
    pub(crate) wait: Wait,
    bytes: usize,
}

#[derive(Default)]
struct Queue {
    segments: BTreeMap<u64, Held>,
    bytes: usize,
}

pub(crate) struct Holdback {
    /// Per origin, by the operation that the segment follows.
    origins: BTreeMap<NodeId, Queue>,
    /// For an origin that others wait for: who waits.
    waiting: BTreeMap<NodeId, BTreeSet<NodeId>>,
    bytes: usize,
    max_bytes: usize,
    max_segments: usize,
}

impl Holdback {
    pub(crate) fn new(max_bytes: usize, max_segments: usize) -> Self {
        Self {
            origins: BTreeMap::new(),
            waiting: BTreeMap::new(),
            bytes: 0,
            max_bytes,
            max_segments,
        }
    }

    /// Keeps a segment. When the origin's share is full, what is furthest from being admitted gives
    /// way; the sender's next answer to a pull brings it again. False if this segment did.
    pub(crate) fn insert(&mut self, segment: Arc<Segment>, hashes: Vec<Hash>, wait: Wait) -> bool {
        let bytes = segment.encoded_len().saturating_add(hashes.len() * 32);
        let (origin, prev) = (segment.origin, segment.prev.seq);
        self.remove(&origin, prev);
        // An origin alone takes no more than a quarter, but always room for one segment.
        let share = self.max_bytes / 4;
        loop {
            let queue = self.origins.get(&origin);
            let (count, used) = queue.map_or((0, 0), |queue| (queue.segments.len(), queue.bytes));
            let fits = count < self.max_segments
                && (count == 0 || used.saturating_add(bytes) <= share)
                && self.bytes.saturating_add(bytes) <= self.max_bytes;
            if fits {
                break;
            }
            match queue
                .and_then(|queue| queue.segments.last_key_value())
                .map(|(last, _)| *last)
            {
                Some(last) if last > prev => {
                    self.remove(&origin, last);
                }
                _ => return false,
            }
        }
        if let Wait::Dependency {
            origin: dependency, ..
        } = &wait
        {
            self.waiting.entry(*dependency).or_default().insert(origin);
        }
        self.bytes = self.bytes.saturating_add(bytes);
        let held = Held {
            segment,
            hashes,
            wait,
            bytes,
        };
        let queue = self.origins.entry(origin).or_default();
        queue.bytes = queue.bytes.saturating_add(bytes);
        queue.segments.insert(prev, held);
        true
    }

    /// The segment of `origin` that follows operation `seq`.
    pub(crate) fn get(&self, origin: &NodeId, seq: u64) -> Option<&Held> {
        self.origins.get(origin)?.segments.get(&seq)
    }

    pub(crate) fn remove(&mut self, origin: &NodeId, seq: u64) -> Option<Held> {
        let queue = self.origins.get_mut(origin)?;
        let removed = queue.segments.remove(&seq);
        let bytes = removed.as_ref().map_or(0, |held| held.bytes);
        queue.bytes = queue.bytes.saturating_sub(bytes);
        self.bytes = self.bytes.saturating_sub(bytes);
        if queue.segments.is_empty() {
            self.origins.remove(origin);
        }
        removed
    }

    /// Forgets everything of `origin` that begins before operation `seq`, or all.
    pub(crate) fn forget(&mut self, origin: &NodeId, before: Option<u64>) {
        let Some(queue) = self.origins.get(origin) else {
            return;
        };
        let end = before.unwrap_or(u64::MAX);
        let stale: Vec<u64> = queue.segments.range(..end).map(|(seq, _)| *seq).collect();
        for seq in stale {
            self.remove(origin, seq);
        }
    }

    /// Who waits for `origin`; asked once, told once.
    pub(crate) fn take_waiting(&mut self, origin: &NodeId) -> BTreeSet<NodeId> {
        self.waiting.remove(origin).unwrap_or_default()
    }

    /// Held segments of one origin.
    pub(crate) fn of(&self, origin: &NodeId) -> impl Iterator<Item = &Held> {
        self.origins
            .get(origin)
            .into_iter()
            .flat_map(|queue| queue.segments.values())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Held> {
        self.origins
            .values()
            .flat_map(|queue| queue.segments.values())
    }

    /// Origins that have segments here.
    pub(crate) fn origins(&self) -> Vec<NodeId> {
        self.origins.keys().copied().collect()
    }
}
