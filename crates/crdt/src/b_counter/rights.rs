//! Who may subtract how much: Σ up − floor − down of its slots, what it was given less what it
//! gave.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{BCounter, MAX_TRANSFERS_PER_REPLICA};
use crate::pn_counter::Step;
use crate::slots::SlotState;
use crate::{Author, Crdt, CrdtError, DeltaFault, Dot, ReplicaId};

impl BCounter {
    /// Of each replica the rights that the settled state shows. They add up to the value less
    /// the floor.
    pub fn rights(&self) -> BTreeMap<ReplicaId, i128> {
        let mut rights = BTreeMap::new();
        let mut count = |replica, amount: i128| *rights.entry(replica).or_default() += amount;
        for slot in self.slots.iter() {
            let own = i128::from(slot.up) - i128::from(slot.floor) - i128::from(slot.down);
            count(slot.dot.replica, own);
        }
        for ((from, to), amount) in &self.transfers {
            count(from.replica, -i128::from(*amount));
            count(*to, i128::from(*amount));
        }
        rights
    }

    /// The rights of one replica.
    pub fn rights_of(&self, replica: &ReplicaId) -> i128 {
        self.rights().get(replica).copied().unwrap_or_default()
    }

    /// Whether the author may move the counter by `step` and give `given` rights away.
    pub(super) fn check_rights(
        &self,
        step: Step,
        given: i128,
        author: &dyn Author,
    ) -> Result<(), CrdtError> {
        let wanted = i128::from(step.down) + given;
        if wanted <= i128::from(step.up) {
            return Ok(());
        }
        if !author.is_exclusive() {
            return Err(CrdtError::NeedsRow(Self::NAME));
        }
        let mut rights = self.rights();
        let own = rights.remove(&author.replica()).unwrap_or_default();
        let held = own + i128::from(step.up);
        if wanted <= held {
            return Ok(());
        }
        let mut elsewhere: Vec<(ReplicaId, u64)> = rights
            .into_iter()
            .filter(|(_, rights)| *rights > 0)
            .map(|(replica, rights)| (replica, u64::try_from(rights).unwrap_or(u64::MAX)))
            .collect();
        elsewhere.sort_by_key(|(replica, rights)| (Reverse(*rights), *replica));
        Err(CrdtError::NoRights {
            wanted,
            held,
            elsewhere,
        })
    }
}

/// What a counter's delta must fulfil beyond its slots being the author's.
pub(super) fn check_delta(
    delta: &BCounter,
    author: ReplicaId,
    row: &BCounter,
) -> Result<(), DeltaFault> {
    for slot in delta.slots.iter() {
        let held = row.slots.find(slot.dot);
        if held.is_some_and(|held| !held.is_within(slot)) {
            return Err(DeltaFault::Shrunk(slot.dot));
        }
    }
    for ((from, to), amount) in &delta.transfers {
        if from.replica != author {
            return Err(DeltaFault::ForeignSlot(from.replica));
        }
        let held = row.transfers.get(&(*from, *to));
        if held.is_some_and(|held| held > amount) {
            return Err(DeltaFault::Shrunk(*from));
        }
    }
    let is_kept =
        |key: &&(Dot, ReplicaId)| key.0.replica == author && !delta.transfers.contains_key(*key);
    let actual = row.transfers.keys().filter(is_kept).count() + delta.transfers.len();
    if actual > MAX_TRANSFERS_PER_REPLICA {
        return Err(DeltaFault::TooManyTransfers {
            actual,
            limit: MAX_TRANSFERS_PER_REPLICA,
        });
    }
    // Where the join is over a limit it fails itself.
    let rights = row
        .join(delta)
        .map_or(0, |joined| joined.rights_of(&author));
    if rights < 0 {
        return Err(DeltaFault::Overdrawn {
            replica: author,
            by: -rights,
        });
    }
    Ok(())
}
