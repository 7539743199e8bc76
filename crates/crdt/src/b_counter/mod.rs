//! b_counter: a counter that never falls below its floor, without asking anybody (Balegas et
//! al., "Extending Eventually Consistent Cloud Databases for Enforcing Numeric Invariants",
//! 2015).
//!
//! State: slots of (dot, up, down, floor), where floor is what a replica brought in when it
//! created the counter, and transfers of rights, each a sum under (slot of the giver, receiver);
//! join takes the greater of each number. A replica has the *right* to subtract what it added,
//! less its part of the floor, less what it subtracted and gave away, and what it was given. It
//! spends its own rights only, so all rights stay at 0 or more, and so does their sum: the value
//! less the floor.
//!
//! Two nodes that insert the same key at once each bring their value and their floor: both add
//! up.
//!
//! Transfers stand under the giver's slot, not under the giver: a counter that was NULL in
//! between starts with a fresh slot, whose transfers must not be taken for the old ones.
//!
//! What a hostile member can do: an insert brings its part of the floor along, and no rule tells
//! a delta of an insert that was made without knowing of the row from one that only claims so
//! (a rule that looks at the receiver's row would judge one delta differently on two nodes, by
//! the order in which inserts arrive). So a member may bring a *negative* part of the floor to a
//! counter that is there, and with it rights from nothing: it lowers the floor of all. It cannot
//! lower a part that another has brought, and what it does stays in its name, as a slot with that
//! part in the state. A part of 0 or more gives no rights: the value comes up with it.
//!
//! `settle` holds the authoring, `rights` who may subtract how much, `layout` the bytes, `text`
//! the text form.

mod layout;
mod rights;
mod settle;
mod text;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::pn_counter::Step;
use crate::range::in_range;
use crate::slots::{SlotState, Slots};
use crate::{
    Author, Change, Crdt, CrdtError, DecodeError, DeltaFault, Dot, Edit, Hlc, ReplicaId, TextError,
    VersionVector,
};

/// The most transfers of one counter.
pub const MAX_TRANSFERS: usize = u16::MAX as usize;

/// The most transfers of one replica, so that a hostile one does not use them up.
pub const MAX_TRANSFERS_PER_REPLICA: usize = 1_024;

/// What one replica did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot {
    /// Owner, and the tick at which it took the slot.
    pub dot: Dot,
    /// Sum of all additions.
    pub up: u64,
    /// Sum of all subtractions.
    pub down: u64,
    /// What it brought of the floor; it never changes.
    pub floor: i64,
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
            floor: self.floor.max(other.floor),
        }
    }

    fn is_within(&self, held: &Self) -> bool {
        held.up >= self.up && held.down >= self.down && held.floor == self.floor
    }
}

/// A literal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Wanted {
    /// The value to be.
    pub value: i64,
    /// The floor of a counter that is created, not above the value; without it 0.
    pub floor: Option<i64>,
}

/// One use of an operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BoundedEdit {
    /// Adds.
    Add(u64),
    /// Subtracts.
    Sub(u64),
    /// Gives rights of the author away.
    Transfer {
        /// To whom.
        to: ReplicaId,
        /// How many.
        amount: u64,
    },
}

/// A counter of 64 signed bits with a floor.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BCounter {
    slots: Slots<Slot>,
    /// By slot of the giver and receiver; no amount is 0; at most [`MAX_TRANSFERS`].
    transfers: BTreeMap<(Dot, ReplicaId), u64>,
    change: Change<Step, Wanted>,
    /// Transfers asked for; no amount is 0; at most [`MAX_TRANSFERS_PER_REPLICA`].
    gifts: BTreeMap<ReplicaId, u64>,
}

impl BCounter {
    /// The literal of a counter that is created with a floor.
    ///
    /// # Errors
    /// [`CrdtError::BelowFloor`].
    pub fn with_floor(value: i64, floor: i64) -> Result<Self, CrdtError> {
        if value < floor {
            return Err(CrdtError::BelowFloor { value, floor });
        }
        let floor = Some(floor);
        Ok(Self {
            change: Change::Assign(Wanted { value, floor }),
            ..Self::default()
        })
    }

    /// The operator `+`. Negative numbers subtract.
    pub fn add(&self, amount: i64) -> Result<Self, CrdtError> {
        let size = amount.unsigned_abs();
        self.edited(&match amount < 0 {
            true => BoundedEdit::Sub(size),
            false => BoundedEdit::Add(size),
        })
    }

    /// The operator `-`. Negative numbers add.
    pub fn sub(&self, amount: i64) -> Result<Self, CrdtError> {
        let size = amount.unsigned_abs();
        self.edited(&match amount < 0 {
            true => BoundedEdit::Add(size),
            false => BoundedEdit::Sub(size),
        })
    }

    /// Asks to give rights of whoever settles it to another replica; to itself is nothing.
    pub fn transfer(&self, to: ReplicaId, amount: u64) -> Result<Self, CrdtError> {
        self.edited(&BoundedEdit::Transfer { to, amount })
    }

    /// The slots, sorted by dot.
    pub fn slots(&self) -> &[Slot] {
        self.slots.as_slice()
    }

    /// The settled transfers: slot of the giver, receiver, sum.
    pub fn transfers(&self) -> impl Iterator<Item = (Dot, ReplicaId, u64)> + '_ {
        self.transfers
            .iter()
            .map(|((from, to), amount)| (*from, *to, *amount))
    }

    /// The floor: what a literal asks for, else the sum of all parts.
    pub fn floor(&self) -> i128 {
        match self.change {
            Change::Assign(Wanted {
                floor: Some(floor), ..
            }) => i128::from(floor),
            _ => self.slots.iter().map(|slot| i128::from(slot.floor)).sum(),
        }
    }

    fn state_sum(&self) -> i128 {
        self.slots
            .iter()
            .map(|slot| i128::from(slot.up) - i128::from(slot.down))
            .sum()
    }

    /// The value with the change carried out.
    fn sum(&self) -> i128 {
        match self.change {
            Change::None => self.state_sum(),
            Change::Add(step) => self.state_sum() + step.net(),
            Change::Assign(wanted) => i128::from(wanted.value),
        }
    }

    fn step(&mut self, step: Step) -> Result<(), CrdtError> {
        let change = match self.change {
            Change::None => Change::Add(step),
            Change::Add(held) => Change::Add(Step {
                up: held.up.checked_add(step.up).ok_or(CrdtError::Overflow)?,
                down: held
                    .down
                    .checked_add(step.down)
                    .ok_or(CrdtError::Overflow)?,
            }),
            Change::Assign(Wanted { value, floor }) => {
                let value = in_range(i128::from(value) + step.net())?;
                if let Some(floor) = floor.filter(|floor| value < *floor) {
                    return Err(CrdtError::BelowFloor { value, floor });
                }
                Change::Assign(Wanted { value, floor })
            }
        };
        self.change = if change == Change::Add(Step::default()) {
            Change::None
        } else {
            change
        };
        Ok(())
    }
}

const TOO_MANY_OWN: CrdtError = CrdtError::TooLarge {
    what: "a replica's transfers of one counter",
    limit: MAX_TRANSFERS_PER_REPLICA,
};

/// Refuses a counter whose encoding could not be read back.
fn bounded(counter: BCounter) -> Result<BCounter, CrdtError> {
    if counter.transfers.len() > MAX_TRANSFERS {
        return Err(CrdtError::TooLarge {
            what: "counter transfers",
            limit: MAX_TRANSFERS,
        });
    }
    Ok(counter)
}

/// The greater amount of each.
fn greatest<K: Ord + Copy>(a: &BTreeMap<K, u64>, b: &BTreeMap<K, u64>) -> BTreeMap<K, u64> {
    let mut joined = a.clone();
    for (key, amount) in b {
        let held = joined.entry(*key).or_default();
        *held = (*held).max(*amount);
    }
    joined
}

impl Crdt for BCounter {
    const NAME: &'static str = "b_counter";

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

    /// With the floor, unless that is 0.
    fn plain_text(&self) -> Result<String, CrdtError> {
        self.value().map(|_| text::readable(self))
    }

    /// Without a floor: 0 if it creates a counter, else the one that is there.
    fn assign(plain: i64) -> Self {
        Self {
            change: Change::Assign(Wanted {
                value: plain,
                floor: None,
            }),
            ..Self::default()
        }
    }

    /// To the floor. Settling fails if the author's rights do not reach that far.
    fn reset(&self) -> Result<Self, CrdtError> {
        let value = match self.change {
            Change::Assign(Wanted {
                floor: Some(floor), ..
            }) => floor,
            _ => in_range(self.floor())?,
        };
        let floor = match self.change {
            Change::Assign(wanted) => wanted.floor,
            _ => None,
        };
        Ok(Self {
            change: Change::Assign(Wanted { value, floor }),
            ..self.clone()
        })
    }

    fn version(&self) -> VersionVector {
        self.slots.version()
    }

    fn latest(&self) -> Hlc {
        self.slots.latest()
    }

    fn is_settled(&self) -> bool {
        self.change.is_none() && self.gifts.is_empty()
    }

    fn join(&self, other: &Self) -> Result<Self, CrdtError> {
        let gifts = greatest(&self.gifts, &other.gifts);
        if gifts.len() > MAX_TRANSFERS_PER_REPLICA {
            return Err(TOO_MANY_OWN);
        }
        bounded(Self {
            slots: self.slots.join(&other.slots)?,
            transfers: greatest(&self.transfers, &other.transfers),
            change: self.change.join(&other.change, Step::joined, Wanted::cmp),
            gifts,
        })
    }

    /// Ups and downs of one change are balanced before rights are asked for.
    fn settle(old: Option<&Self>, new: &Self, author: &mut dyn Author) -> Result<Self, CrdtError> {
        Self::settled(old, new, author)
    }

    fn delta(old: Option<&Self>, new: &Self) -> Option<Self> {
        let bottom = Self::default();
        let held = old.unwrap_or(&bottom);
        let is_new = |(key, amount): &(&(Dot, ReplicaId), &u64)| {
            held.transfers.get(key).is_none_or(|held| held < amount)
        };
        let delta = Self {
            slots: new.slots.beyond(&held.slots),
            transfers: new
                .transfers
                .iter()
                .filter(is_new)
                .map(|(key, amount)| (*key, *amount))
                .collect(),
            ..Self::default()
        };
        (old.is_none() || delta != bottom).then_some(delta)
    }

    /// As in `pn_counter` there is nothing to fold.
    fn compact(&self, _stable: &VersionVector) -> Result<Self, CrdtError> {
        Ok(self.clone())
    }

    /// Only the author's slots and transfers, whose numbers only grow, and no more spent than
    /// it had. What a delta that creates a counter brings as its part of the floor is up to its
    /// author: the value stays above the sum of all parts.
    fn check_delta(delta: &Self, author: ReplicaId, row: Option<&Self>) -> Result<(), DeltaFault> {
        if !delta.is_settled() {
            return Err(DeltaFault::Unsettled);
        }
        delta.slots.check(author, row.map(|row| &row.slots))?;
        rights::check_delta(delta, author, row.unwrap_or(&Self::default()))
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

    fn hash_key(&self) -> Vec<u8> {
        self.sum().to_string().into()
    }
}

impl Edit for BCounter {
    type Edit = BoundedEdit;

    fn edit(&mut self, edit: &BoundedEdit) -> Result<(), CrdtError> {
        match *edit {
            BoundedEdit::Add(up) => self.step(Step { up, down: 0 }),
            BoundedEdit::Sub(down) => self.step(Step { up: 0, down }),
            BoundedEdit::Transfer { amount: 0, .. } => Ok(()),
            BoundedEdit::Transfer { to, amount } => {
                let held = self.gifts.get(&to).copied();
                if held.is_none() && self.gifts.len() >= MAX_TRANSFERS_PER_REPLICA {
                    return Err(TOO_MANY_OWN);
                }
                let sum = held.unwrap_or_default().checked_add(amount);
                self.gifts.insert(to, sum.ok_or(CrdtError::Overflow)?);
                Ok(())
            }
        }
    }
}
