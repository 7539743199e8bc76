//! vector_clock: which of two values came first (Mattern, "Virtual Time and Global States of
//! Distributed Systems", 1989; Fidge, "Timestamps in message-passing systems that preserve the
//! partial ordering", 1988).
//!
//! State: of each replica its latest tick here; join takes the greater of each. The operator
//! `crdt_tick` sets the author's own entry to a fresh tick when it is settled, so that entries
//! rise with gaps. In a tracked row a replica's entry rises by its own ticks only: a written
//! value that is ahead in another replica's entry is refused, one that is behind changes
//! nothing. A written value that is ahead in the author's own entry asks for a tick: the row's
//! entry is then later than the written one.
//!
//! `layout` holds the bytes, `text` the text form.

mod layout;
mod text;

use std::cmp::Ordering;

use crate::{
    Author, Crdt, CrdtError, DecodeError, DeltaFault, Dot, Edit, Hlc, ReplicaId, TextError,
    VersionVector,
};

/// The most entries of one clock.
pub const MAX_ENTRIES: usize = u16::MAX as usize;

/// The operator `crdt_tick`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tick;

/// A vector of ticks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct VectorClock {
    state: VersionVector,
    /// What a literal asks for.
    wanted: VersionVector,
    /// Whether a tick of the author is asked for.
    ticks: bool,
}

impl VectorClock {
    /// Asks for a fresh tick in the entry of whoever settles it.
    pub fn ticked(&self) -> Self {
        Self {
            ticks: true,
            ..self.clone()
        }
    }

    /// The entries as far as they are known: a tick that waits to be settled is not in them.
    pub fn vector(&self) -> VersionVector {
        self.state.join(&self.wanted)
    }

    /// The settled entries.
    pub fn state(&self) -> &VersionVector {
        &self.state
    }

    /// Whether this came before (less) or after (greater) `other`; None if they are concurrent.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        self.vector().partial_cmp(&other.vector())
    }
}

/// The order of indexes: by the first replica whose entries differ; a missing entry is 0. It
/// agrees with before and after, and puts concurrent ones in some order.
fn compare_entries(a: &VersionVector, b: &VersionVector) -> Ordering {
    let (mut a, mut b) = (a.iter(), b.iter());
    loop {
        let (x, y) = match (a.next(), b.next()) {
            (Some(x), Some(y)) => (x, y),
            (x, y) => return x.is_some().cmp(&y.is_some()),
        };
        // Of two replicas the lesser one stands in only one of the vectors.
        let order = y.replica.cmp(&x.replica).then(x.counter.cmp(&y.counter));
        if order.is_ne() {
            return order;
        }
    }
}

impl Crdt for VectorClock {
    const NAME: &'static str = "vector_clock";

    type Plain = VersionVector;

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        layout::decode(bytes)
    }

    fn encode(&self) -> Vec<u8> {
        layout::encode(self)
    }

    fn value(&self) -> Result<VersionVector, CrdtError> {
        Ok(self.vector())
    }

    fn plain_text(&self) -> Result<String, CrdtError> {
        Ok(text::readable(self))
    }

    /// The empty vector asks for nothing.
    fn assign(plain: VersionVector) -> Self {
        Self {
            wanted: plain,
            ..Self::default()
        }
    }

    fn reset(&self) -> Result<Self, CrdtError> {
        Err(CrdtError::OnlyGrows(Self::NAME))
    }

    fn latest(&self) -> Hlc {
        let ticks = self.state.iter().map(|entry| entry.counter);
        Hlc(ticks.max().unwrap_or_default())
    }

    fn version(&self) -> VersionVector {
        self.state.clone()
    }

    fn is_settled(&self) -> bool {
        !self.ticks && self.wanted.is_empty()
    }

    fn join(&self, other: &Self) -> Result<Self, CrdtError> {
        let state = self.state.join(&other.state);
        let wanted = self.wanted.join(&other.wanted);
        if state.len().max(wanted.len()) > MAX_ENTRIES {
            return Err(CrdtError::TooLarge {
                what: "vector clock entries",
                limit: MAX_ENTRIES,
            });
        }
        Ok(Self {
            state,
            wanted,
            ticks: self.ticks || other.ticks,
        })
    }

    fn settle(old: Option<&Self>, new: &Self, author: &mut dyn Author) -> Result<Self, CrdtError> {
        let replica = author.replica();
        let bottom = Self::default();
        let old = old.unwrap_or(&bottom);
        let mut ticks = old.ticks || new.ticks;
        let mut own = 0;
        for entry in old.wanted.iter().chain(new.vector().iter()) {
            let held = old.state.get(&entry.replica);
            if entry.counter <= held {
                continue;
            }
            if entry.replica != replica {
                return Err(CrdtError::ForeignEntry {
                    replica: entry.replica,
                    wanted: entry.counter,
                    held,
                });
            }
            ticks = true;
            own = own.max(entry.counter);
        }
        let mut state = old.state.clone();
        if ticks {
            let (wanted, now) = (Hlc(own), author.tick());
            if wanted > now {
                return Err(CrdtError::FutureTick { wanted, now });
            }
            let counter = now.0;
            state.observe(Dot { replica, counter });
            if state.len() > MAX_ENTRIES {
                return Err(CrdtError::TooLarge {
                    what: "vector clock entries",
                    limit: MAX_ENTRIES,
                });
            }
        }
        Ok(Self { state, ..bottom })
    }

    fn delta(old: Option<&Self>, new: &Self) -> Option<Self> {
        let beyond = |entry: &Dot| old.is_none_or(|old| !old.state.covers(entry));
        let state: VersionVector = new.state.iter().filter(beyond).collect();
        (old.is_none() || !state.is_empty()).then_some(Self {
            state,
            ..Self::default()
        })
    }

    /// An entry is all that is left of its replica: dropping it would make what it did seem
    /// undone.
    fn compact(&self, _stable: &VersionVector) -> Result<Self, CrdtError> {
        Ok(self.clone())
    }

    fn check_delta(delta: &Self, author: ReplicaId, _row: Option<&Self>) -> Result<(), DeltaFault> {
        if !delta.is_settled() {
            return Err(DeltaFault::Unsettled);
        }
        match delta.state.iter().find(|entry| entry.replica != author) {
            Some(entry) => Err(DeltaFault::ForeignEntry(entry.replica)),
            None => Ok(()),
        }
    }

    fn to_text(&self) -> String {
        text::print(self)
    }

    fn from_text(text: &str) -> Result<Self, TextError> {
        text::parse(text)
    }

    fn to_json(&self) -> String {
        text::json(self)
    }

    fn cmp_by_value(&self, other: &Self) -> Ordering {
        compare_entries(&self.vector(), &other.vector())
    }
}

impl Edit for VectorClock {
    type Edit = Tick;

    fn edit(&mut self, _tick: &Tick) -> Result<(), CrdtError> {
        self.ticks = true;
        Ok(())
    }
}
