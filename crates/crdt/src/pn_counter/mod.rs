//! pn_counter: a counter that goes up and down (Shapiro et al., "A comprehensive study of
//! Convergent and Commutative Replicated Data Types", 2011, specification 7).
//!
//! State: slots of (dot, up, down); join takes the greater of each number; the value is the sum
//! of all ups less all downs. A replica writes only its own slot, whose dot it mints when it
//! first writes to this counter. The dot tells a stale copy of this counter (the same slots,
//! lower numbers) from another counter of the same replica, which must be taken by value.
//!
//! `layout` holds the bytes and what is read straight from them, `text` the text form.

mod layout;
mod text;

use std::cmp::Ordering;

pub use layout::value_of_bytes;

pub use crate::slots::{MAX_SLOTS, MAX_SLOTS_PER_REPLICA};

use crate::range::{check_step, in_range};
use crate::slots::{SlotState, Slots};
use crate::{
    Author, Change, Crdt, CrdtError, DecodeError, DeltaFault, Dot, Edit, Hlc, ReplicaId, TextError,
    VersionVector,
};

/// What one replica added and subtracted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot {
    /// Owner, and the tick at which it took the slot.
    pub dot: Dot,
    /// Sum of all additions.
    pub up: u64,
    /// Sum of all subtractions.
    pub down: u64,
}

impl SlotState for Slot {
    fn dot(&self) -> Dot {
        self.dot
    }

    fn joined(self, other: Self) -> Self {
        Self {
            dot: self.dot,
            up: self.up.max(other.up),
            down: self.down.max(other.down),
        }
    }

    fn is_within(&self, held: &Self) -> bool {
        held.up >= self.up && held.down >= self.down
    }
}

impl Slot {
    fn moved(self, step: Step) -> Result<Self, CrdtError> {
        let up = self.up.checked_add(step.up).ok_or(CrdtError::Overflow)?;
        let down = self
            .down
            .checked_add(step.down)
            .ok_or(CrdtError::Overflow)?;
        Ok(Self { up, down, ..self })
    }
}

/// An unsettled addition and subtraction; never both 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Step {
    /// To add.
    pub up: u64,
    /// To subtract.
    pub down: u64,
}

impl Step {
    /// Up by a positive, down by a negative amount.
    pub fn by(amount: i64) -> Self {
        let size = amount.unsigned_abs();
        if amount > 0 {
            Self { up: size, down: 0 }
        } else {
            Self { up: 0, down: size }
        }
    }

    pub(crate) fn joined(&self, other: &Self) -> Self {
        Self {
            up: self.up.max(other.up),
            down: self.down.max(other.down),
        }
    }

    /// The step that leads from one value to another.
    pub(crate) fn between(from: i128, to: i128) -> Result<Self, CrdtError> {
        let difference = to.checked_sub(from).ok_or(CrdtError::Overflow)?;
        let size = u64::try_from(difference.unsigned_abs()).map_err(|_| CrdtError::Overflow)?;
        Ok(if difference > 0 {
            Self { up: size, down: 0 }
        } else {
            Self { up: 0, down: size }
        })
    }

    /// What it adds on balance.
    pub(crate) fn net(self) -> i128 {
        i128::from(self.up) - i128::from(self.down)
    }
}

/// A counter of 64 signed bits.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PnCounter {
    slots: Slots<Slot>,
    change: Change<Step, i64>,
}

impl PnCounter {
    /// The operator `+`. Negative numbers subtract.
    pub fn add(&self, amount: i64) -> Result<Self, CrdtError> {
        self.edited(&Step::by(amount))
    }

    /// The operator `-`. Negative numbers add.
    pub fn sub(&self, amount: i64) -> Result<Self, CrdtError> {
        let Step { up, down } = Step::by(amount);
        self.edited(&Step { up: down, down: up })
    }

    /// The slots, sorted by dot.
    pub fn slots(&self) -> &[Slot] {
        self.slots.as_slice()
    }

    /// The unsettled change.
    pub fn change(&self) -> &Change<Step, i64> {
        &self.change
    }

    fn state_sum(&self) -> i128 {
        self.slots
            .iter()
            .map(|slot| i128::from(slot.up) - i128::from(slot.down))
            .sum()
    }

    /// The value with the change carried out; it cannot overflow: 65,536 numbers of 64 bits.
    fn sum(&self) -> i128 {
        match self.change {
            Change::None => self.state_sum(),
            Change::Add(step) => self.state_sum() + step.net(),
            Change::Assign(value) => i128::from(value),
        }
    }

    /// `self` (settled) moved by `step` in the author's slot.
    fn authored(mut self, step: Step, author: &mut dyn Author) -> Result<Self, CrdtError> {
        check_step(self.state_sum(), step.net())?;
        let fresh = |dot| Slot {
            dot,
            up: 0,
            down: 0,
        };
        self.slots.author(author, fresh, |slot| slot.moved(step))?;
        Ok(self)
    }

    /// A new counter with the value of `new`. It takes a slot even for 0: a counter without a
    /// slot would pass for an old copy of any other.
    fn authored_by_value(new: &Self, author: &mut dyn Author) -> Result<Self, CrdtError> {
        let value = new.value()?;
        Self::default().authored(Step::between(0, i128::from(value))?, author)
    }
}

impl Crdt for PnCounter {
    const NAME: &'static str = "pn_counter";

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
        Ok(Self {
            slots: self.slots.clone(),
            change: Change::Assign(0),
        })
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
        Ok(Self {
            slots: self.slots.join(&other.slots)?,
            change: self.change.join(&other.change, Step::joined, i64::cmp),
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
        let step = match new.change {
            _ if !new.slots.descends_into(&old.slots) => {
                Step::between(base.state_sum(), i128::from(new.value()?))?
            }
            Change::None => return Ok(base),
            Change::Add(step) => match old.change {
                // The base counts already what `old` asked for.
                Change::Add(counted) => Step::between(counted.net(), step.net())?,
                _ => step,
            },
            Change::Assign(value) => Step::between(base.state_sum(), i128::from(value))?,
        };
        if step == Step::default() {
            Ok(base)
        } else {
            base.authored(step, author)
        }
    }

    fn delta(old: Option<&Self>, new: &Self) -> Option<Self> {
        let Some(old) = old else {
            return Some(Self {
                slots: new.slots.clone(),
                change: Change::None,
            });
        };
        let slots = new.slots.beyond(&old.slots);
        (!slots.is_empty()).then_some(Self {
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

impl Edit for PnCounter {
    type Edit = Step;

    fn edit(&mut self, step: &Step) -> Result<(), CrdtError> {
        self.change = layout::stepped(&self.change, *step)?;
        Ok(())
    }

    fn edit_bytes(value: &[u8], step: &Step) -> Result<Vec<u8>, CrdtError> {
        layout::edited(value, *step)
    }
}
