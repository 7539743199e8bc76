//! Slots: what each replica did to a counter, under a dot that it minted when it first wrote.
//!
//! Shared by the counters. A replica writes only its own slots, and their numbers only grow; a
//! slot's dot tells a stale copy of a counter from another counter of the same replica.

use crate::{
    Author, CrdtError, DecodeError, DeltaFault, Dot, Hlc, ReplicaId, TextError, VersionVector,
    text_form,
};

/// The most slots of one counter.
pub const MAX_SLOTS: usize = u16::MAX as usize;

/// The most slots that one replica may take of one counter. An honest one takes a single slot
/// and another whenever the counter was NULL in between; a hostile one must not use them up.
pub const MAX_SLOTS_PER_REPLICA: usize = 256;

/// The numbers of one slot.
pub(crate) trait SlotState: Copy + PartialEq {
    /// Owner, and the tick at which it took the slot.
    fn dot(&self) -> Dot;

    /// The join with the same slot of another copy.
    fn joined(self, other: Self) -> Self;

    /// Whether `held`, the same slot of another copy, is as far or further.
    fn is_within(&self, held: &Self) -> bool;
}

/// The slots of a counter: sorted by dot, each dot once, at most [`MAX_SLOTS`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Slots<S>(Vec<S>);

impl<S> Default for Slots<S> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<S: SlotState> Slots<S> {
    pub(crate) fn as_slice(&self) -> &[S] {
        &self.0
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, S> {
        self.0.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// For decoders: the bytes must list the slots in order.
    pub(crate) fn push(&mut self, slot: S) -> Result<(), DecodeError> {
        if self.0.last().is_some_and(|last| last.dot() >= slot.dot()) {
            return Err(DecodeError::NotCanonical("counter slots must ascend"));
        }
        self.0.push(slot);
        Ok(())
    }

    pub(crate) fn find(&self, dot: Dot) -> Option<S> {
        let index = self.0.binary_search_by_key(&dot, S::dot).ok()?;
        self.0.get(index).copied()
    }

    /// Whether every slot of this stands in `other`, as far or further.
    pub(crate) fn descends_into(&self, other: &Self) -> bool {
        self.iter().all(|slot| {
            other
                .find(slot.dot())
                .is_some_and(|held| slot.is_within(&held))
        })
    }

    pub(crate) fn join(&self, other: &Self) -> Result<Self, CrdtError> {
        let mut slots = Vec::with_capacity(self.len().max(other.len()));
        let (mut left, mut right) = (self.iter().peekable(), other.iter().peekable());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            let order = a.dot().cmp(&b.dot());
            let first = if order.is_le() { left.next() } else { None };
            let second = if order.is_ge() { right.next() } else { None };
            slots.extend(match (first, second) {
                (Some(a), Some(b)) => Some(a.joined(*b)),
                (one, other) => one.or(other).copied(),
            });
        }
        slots.extend(left.chain(right));
        if slots.len() > MAX_SLOTS {
            return Err(TOO_MANY);
        }
        Ok(Self(slots))
    }

    /// The slots that are not in `old` as they are here.
    pub(crate) fn beyond(&self, old: &Self) -> Self {
        let changed = |slot: &&S| old.find(slot.dot()) != Some(**slot);
        Self(self.iter().filter(changed).copied().collect())
    }

    /// Changes the slot that the author may extend, or one that `fresh` makes of a new dot.
    /// Gives the slot's dot.
    pub(crate) fn author(
        &mut self,
        author: &mut dyn Author,
        fresh: impl FnOnce(Dot) -> S,
        change: impl FnOnce(S) -> Result<S, CrdtError>,
    ) -> Result<Dot, CrdtError> {
        let replica = author.replica();
        if author.is_exclusive()
            && let Some(slot) = self.0.iter_mut().find(|slot| slot.dot().replica == replica)
        {
            *slot = change(*slot)?;
            return Ok(slot.dot());
        }
        if self.len() >= MAX_SLOTS {
            return Err(TOO_MANY);
        }
        let counter = author.tick().0;
        let dot = Dot { replica, counter };
        let slot = change(fresh(dot))?;
        let at = self.0.partition_point(|slot| slot.dot() < dot);
        self.0.insert(at, slot);
        Ok(dot)
    }

    pub(crate) fn version(&self) -> VersionVector {
        self.iter().map(S::dot).collect()
    }

    pub(crate) fn latest(&self) -> Hlc {
        let ticks = self.iter().map(|slot| slot.dot().counter);
        Hlc(ticks.max().unwrap_or_default())
    }

    /// [`crate::Crdt::check_delta`]: only the author's slots, and not too many of them.
    pub(crate) fn check(&self, author: ReplicaId, row: Option<&Self>) -> Result<(), DeltaFault> {
        if let Some(slot) = self.iter().find(|slot| slot.dot().replica != author) {
            return Err(DeltaFault::ForeignSlot(slot.dot().replica));
        }
        let held = row.map_or(0, |row| {
            row.iter()
                .filter(|slot| slot.dot().replica == author)
                .filter(|slot| self.find(slot.dot()).is_none())
                .count()
        });
        let actual = held + self.len();
        if actual > MAX_SLOTS_PER_REPLICA {
            return Err(DeltaFault::TooManySlots {
                actual,
                limit: MAX_SLOTS_PER_REPLICA,
            });
        }
        Ok(())
    }
}

const TOO_MANY: CrdtError = CrdtError::TooLarge {
    what: "counter slots",
    limit: MAX_SLOTS,
};

/// A plain literal that is one whole number.
pub(crate) fn whole_number(type_name: &'static str, text: &str) -> Result<i64, TextError> {
    let digits = text.trim();
    if let Ok(value) = digits.parse::<i64>() {
        return Ok(value);
    }
    let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(TextError::OutOfRange {
            type_name,
            text: text_form::shorten(digits),
        });
    }
    Err(TextError::Syntax {
        type_name,
        text: text_form::shorten(text),
        why: "a whole number is expected",
    })
}
