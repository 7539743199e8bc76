//! g_counter: a counter that only grows (Shapiro et al., "A comprehensive study of Convergent
//! and Commutative Replicated Data Types", 2011, specification 6).
//!
//! State: slots of (dot, total); join takes the greater total; the value is the sum of all.
//! Slots are as in `pn_counter`. What would make it smaller is refused: a negative amount at the
//! operator, a lower value when it is written over a higher one. A negative literal is the wish
//! for a lower value and refused there too.
//!
//! Several replicas together can drive the sum beyond bigint; there is no way back, as nothing
//! is ever subtracted.
//!
//! `layout` holds the bytes and what is read straight from them, `text` the text form.

mod layout;
mod text;

use std::cmp::Ordering;

pub use layout::value_of_bytes;

use crate::range::in_range;
use crate::slots::{SlotState, Slots};
use crate::{
    Author, Change, Crdt, CrdtError, DecodeError, DeltaFault, Dot, Edit, Hlc, ReplicaId, TextError,
    VersionVector,
};

/// What one replica added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot {
    /// Owner, and the tick at which it took the slot.
    pub dot: Dot,
    /// Sum of all additions.
    pub total: u64,
}

impl SlotState for Slot {
    fn dot(&self) -> Dot {
        self.dot
    }

    fn joined(self, other: Self) -> Self {
        Self {
            dot: self.dot,
            total: self.total.max(other.total),
        }
    }

    fn is_within(&self, held: &Self) -> bool {
        held.total >= self.total
    }
}

/// A counter from 0 to the greatest bigint.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GCounter {
    slots: Slots<Slot>,
    /// An addition is never 0.
    change: Change<u64, i64>,
}

impl GCounter {
    /// The operator `+`.
    ///
    /// # Errors
    /// [`CrdtError::Shrinks`] for a negative amount; [`CrdtError::Overflow`].
    pub fn add(&self, amount: i64) -> Result<Self, CrdtError> {
        self.edited(&growth(i128::from(amount))?)
    }

    /// The slots, sorted by dot.
    pub fn slots(&self) -> &[Slot] {
        self.slots.as_slice()
    }

    /// The unsettled change.
    pub fn change(&self) -> &Change<u64, i64> {
        &self.change
    }

    fn state_sum(&self) -> i128 {
        self.slots.iter().map(|slot| i128::from(slot.total)).sum()
    }

    /// The value with the change carried out; it cannot overflow: 65,536 numbers of 64 bits.
    fn sum(&self) -> i128 {
        match self.change {
            Change::None => self.state_sum(),
            Change::Add(amount) => self.state_sum() + i128::from(amount),
            Change::Assign(value) => i128::from(value),
        }
    }

    /// `self` (settled) and `amount` more in the author's slot.
    fn authored(mut self, amount: u64, author: &mut dyn Author) -> Result<Self, CrdtError> {
        in_range(self.state_sum() + i128::from(amount))?;
        let add = |slot: Slot| {
            let total = slot.total.checked_add(amount).ok_or(CrdtError::Overflow)?;
            Ok(Slot { total, ..slot })
        };
        self.slots
            .author(author, |dot| Slot { dot, total: 0 }, add)?;
        Ok(self)
    }

    /// A new counter with the value of `new`. It takes a slot even for 0: a counter without a
    /// slot would pass for an old copy of any other.
    fn authored_by_value(new: &Self, author: &mut dyn Author) -> Result<Self, CrdtError> {
        Self::default().authored(growth(new.sum())?, author)
    }
}

/// The amount by which to grow.
fn growth(amount: i128) -> Result<u64, CrdtError> {
    if amount < 0 {
        return Err(CrdtError::Shrinks { amount });
    }
    u64::try_from(amount).map_err(|_| CrdtError::Overflow)
}

impl Crdt for GCounter {
    const NAME: &'static str = "g_counter";

    type Plain = i64;

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        layout::decode(bytes)
    }

    fn encode(&self) -> Vec<u8> {
        layout::encode(self)
    }

    fn value(&self) -> Result<i64, CrdtError> {
        in_range(self.sum())
    }

    fn plain_text(&self) -> Result<String, CrdtError> {
        self.value().map(|value| value.to_string())
    }

    fn assign(plain: i64) -> Self {
        Self {
            slots: Slots::default(),
            change: Change::Assign(plain),
        }
    }

    fn reset(&self) -> Result<Self, CrdtError> {
        Err(CrdtError::OnlyGrows(Self::NAME))
    }

    fn version(&self) -> VersionVector {
        self.slots.version()
    }

    fn latest(&self) -> Hlc {
        self.slots.latest()
    }

    fn is_settled(&self) -> bool {
        self.change.is_none()
    }

    fn join(&self, other: &Self) -> Result<Self, CrdtError> {
        let additions = |a: &u64, b: &u64| *a.max(b);
        Ok(Self {
            slots: self.slots.join(&other.slots)?,
            change: self.change.join(&other.change, additions, i64::cmp),
        })
    }

    fn settle(old: Option<&Self>, new: &Self, author: &mut dyn Author) -> Result<Self, CrdtError> {
        let Some(old) = old else {
            return Self::authored_by_value(new, author);
        };
        let base = match old.is_settled() {
            true => old.clone(),
            false => Self::authored_by_value(old, author)?,
        };
        let amount = match new.change {
            _ if !new.slots.descends_into(&old.slots) => growth(new.sum() - base.state_sum())?,
            Change::None => return Ok(base),
            Change::Add(amount) => match old.change {
                // The base counts already what `old` asked for.
                Change::Add(counted) if counted <= amount => amount - counted,
                _ => amount,
            },
            Change::Assign(value) => growth(i128::from(value) - base.state_sum())?,
        };
        if amount == 0 {
            Ok(base)
        } else {
            base.authored(amount, author)
        }
    }

    fn delta(old: Option<&Self>, new: &Self) -> Option<Self> {
        let slots = match old {
            None => new.slots.clone(),
            Some(old) => new.slots.beyond(&old.slots),
        };
        (old.is_none() || !slots.is_empty()).then_some(Self {
            slots,
            change: Change::None,
        })
    }

    /// A counter keeps one slot a replica, and nothing tells when the last addition in a slot
    /// has been seen by all: there is nothing to fold.
    fn compact(&self, _stable: &VersionVector) -> Result<Self, CrdtError> {
        Ok(self.clone())
    }

    fn check_delta(delta: &Self, author: ReplicaId, row: Option<&Self>) -> Result<(), DeltaFault> {
        if !delta.is_settled() {
            return Err(DeltaFault::Unsettled);
        }
        delta.slots.check(author, row.map(|row| &row.slots))
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
        self.sum().cmp(&other.sum())
    }
}

impl Edit for GCounter {
    /// The amount to add.
    type Edit = u64;

    fn edit(&mut self, amount: &u64) -> Result<(), CrdtError> {
        self.change = match self.change {
            Change::None if *amount == 0 => Change::None,
            Change::None => Change::Add(*amount),
            Change::Add(held) => Change::Add(held.checked_add(*amount).ok_or(CrdtError::Overflow)?),
            Change::Assign(value) => {
                Change::Assign(in_range(i128::from(value) + i128::from(*amount))?)
            }
        };
        Ok(())
    }
}
