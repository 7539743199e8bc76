//! Authoring: from an unsettled change to slots and transfers.

use std::collections::BTreeMap;

use super::{BCounter, MAX_TRANSFERS_PER_REPLICA, Slot, TOO_MANY_OWN, Wanted, bounded, greatest};
use crate::pn_counter::Step;
use crate::range::{check_step, in_range};
use crate::{Author, Change, Crdt, CrdtError, Dot, ReplicaId};

impl BCounter {
    pub(super) fn settled(
        old: Option<&Self>,
        new: &Self,
        author: &mut dyn Author,
    ) -> Result<Self, CrdtError> {
        let Some(old) = old else {
            let created = Self::created(new, author)?;
            return created.authored(Step::default(), new.gifts.clone(), author);
        };
        let base = match old.is_settled() {
            true => old.clone(),
            false => Self::created(old, author)?,
        };
        let step = Self::asked(old, new, &base)?;
        base.authored(step, greatest(&old.gifts, &new.gifts), author)
    }

    /// A new counter with the value and floor of `new`, its transfers not yet carried out.
    fn created(new: &Self, author: &mut dyn Author) -> Result<Self, CrdtError> {
        let value = new.value()?;
        let floor = match new.change {
            Change::Assign(Wanted {
                floor: Some(floor), ..
            }) => floor,
            _ => in_range(new.floor())?,
        };
        if value < floor {
            return Err(CrdtError::BelowFloor { value, floor });
        }
        let Step { up, down } = Step::between(0, i128::from(value))?;
        let mut counter = Self::default();
        let slot = |dot| Slot {
            dot,
            up,
            down,
            floor,
        };
        counter.slots.author(author, slot, Ok)?;
        Ok(counter)
    }

    /// What `new`, written over `old` with its value now `base`, asks for.
    fn asked(old: &Self, new: &Self, base: &Self) -> Result<Step, CrdtError> {
        let by_value = |value: i128| Step::between(base.state_sum(), value);
        if let Change::Assign(Wanted {
            floor: Some(wanted),
            ..
        }) = new.change
            && i128::from(wanted) != base.floor()
        {
            let held = base.floor();
            return Err(CrdtError::FloorIsFixed { held, wanted });
        }
        match new.change {
            _ if !new.descends_into(old) => by_value(i128::from(new.value()?)),
            Change::None => Ok(Step::default()),
            Change::Assign(wanted) => by_value(i128::from(wanted.value)),
            Change::Add(step) => Ok(match old.change {
                // The base counts already what `old` asked for.
                Change::Add(counted) if counted.up <= step.up && counted.down <= step.down => {
                    Step {
                        up: step.up - counted.up,
                        down: step.down - counted.down,
                    }
                }
                _ => step,
            }),
        }
    }

    fn descends_into(&self, old: &Self) -> bool {
        let is_held = |(key, amount): (&(Dot, ReplicaId), &u64)| {
            old.transfers.get(key).is_some_and(|held| held >= amount)
        };
        self.slots.descends_into(&old.slots) && self.transfers.iter().all(is_held)
    }

    /// `self` (settled) moved by `step`, and rights given away, as far as the author may.
    fn authored(
        mut self,
        step: Step,
        mut gifts: BTreeMap<ReplicaId, u64>,
        author: &mut dyn Author,
    ) -> Result<Self, CrdtError> {
        let replica = author.replica();
        gifts.remove(&replica);
        if step == Step::default() && gifts.is_empty() {
            return Ok(self);
        }
        check_step(self.state_sum(), step.net())?;
        let given: i128 = gifts.values().map(|amount| i128::from(*amount)).sum();
        self.check_rights(step, given, author)?;
        let fresh = |dot| Slot {
            dot,
            up: 0,
            down: 0,
            floor: 0,
        };
        let dot = self.slots.author(author, fresh, |slot| {
            Ok(Slot {
                up: slot.up.checked_add(step.up).ok_or(CrdtError::Overflow)?,
                down: slot
                    .down
                    .checked_add(step.down)
                    .ok_or(CrdtError::Overflow)?,
                ..slot
            })
        })?;
        for (to, amount) in gifts {
            let sum = self.transfers.entry((dot, to)).or_default();
            *sum = sum.checked_add(amount).ok_or(CrdtError::Overflow)?;
        }
        let own = |((from, _), _): &(&(Dot, ReplicaId), &u64)| from.replica == replica;
        if self.transfers.iter().filter(own).count() > MAX_TRANSFERS_PER_REPLICA {
            return Err(TOO_MANY_OWN);
        }
        bounded(self)
    }
}
