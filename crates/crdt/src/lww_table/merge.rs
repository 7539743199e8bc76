//! The lattice: join, difference, and the floor.
//!
//! A state with a floor has seen all that was ever written up to that tick. So a key that it does
//! not hold is removed as far as the floor goes, and an entry at or below the floor that is
//! newer than its own cannot be: that is an error, in whatever order states are joined, and no
//! reason to let either of them win silently.

use super::{Entry, LwwTable, TableKind, rank_values};
use crate::{CrdtError, VersionVector};

impl<K: TableKind> LwwTable<K> {
    pub(super) fn joined(&self, other: &Self) -> Result<Self, CrdtError> {
        let floor = self.floor.max(other.floor);
        let floors = (self.floor, other.floor);
        let mut entries = (self.entries.clone())
            .try_joined(&other.entries, |key, mine, theirs| {
                joined_entry(key, mine, theirs, floors)
            })?;
        entries.retain(|_, entry| is_needed(entry, floor));
        let mut births = self.births.clone();
        births.extend(&other.births);
        births.sort_unstable();
        births.dedup();
        let change = self.change.join(
            &other.change,
            |a, b| {
                a.clone().joined(b, |mine, theirs| match (mine, theirs) {
                    (Some(mine), Some(theirs)) if rank_values(&mine, theirs).is_lt() => {
                        Some(theirs.clone())
                    }
                    (mine, theirs) => mine.or_else(|| theirs.cloned()),
                })
            },
            |a, b| a.cmp(b),
        );
        Self::of(entries, births, floor, change).bounded()
    }

    /// What is here and not in `base`, settled. A delta that raises the floor is the whole
    /// state: it speaks of all keys that it does not hold.
    pub(super) fn beyond(&self, base: &Self) -> Self {
        let change = Default::default();
        if self.floor > base.floor {
            return Self::of(
                self.entries.clone(),
                self.births.clone(),
                self.floor,
                change,
            );
        }
        let entries = self.entries.iter();
        let entries = entries.filter(|(key, entry)| base.entries.get(key) != Some(*entry));
        let births = self.births.iter().copied();
        let births = births.filter(|birth| base.births.binary_search(birth).is_err());
        Self::of(
            entries.map(|(key, entry)| (key, entry.clone())).collect(),
            births.collect(),
            0,
            change,
        )
    }

    pub(super) fn folded(&self, stable: &VersionVector) -> Self {
        let stable = stable.iter().map(|dot| dot.counter).min().unwrap_or(0);
        let gone = |entry: &&Entry| entry.value.is_none() && entry.stamp.hlc.0 <= stable;
        let ticks = self
            .entries
            .values()
            .filter(gone)
            .map(|entry| entry.stamp.hlc.0);
        let Some(floor) = ticks.max().filter(|tick| *tick > self.floor) else {
            return self.clone();
        };
        let mut entries = self.entries.clone();
        entries.retain(|_, entry| is_needed(entry, floor));
        Self::of(entries, self.births.clone(), floor, self.change.clone())
    }
}

/// What remains of a key, given the floors of both sides.
fn joined_entry(
    key: &str,
    mine: Option<Entry>,
    theirs: Option<&Entry>,
    floors: (u64, u64),
) -> Result<Option<Entry>, CrdtError> {
    match (mine, theirs) {
        (Some(entry), Some(twin)) if entry.rank(twin).is_lt() => {
            check_known(key, twin, floors.0)?;
            Ok(Some(twin.clone()))
        }
        (Some(entry), Some(twin)) => {
            if entry != *twin {
                check_known(key, &entry, floors.1)?;
            }
            Ok(Some(entry))
        }
        (Some(entry), None) => {
            let is_folded = is_folded(key, &entry, floors.0, floors.1)?;
            Ok((!is_folded).then_some(entry))
        }
        (None, Some(entry)) => {
            let is_folded = is_folded(key, entry, floors.1, floors.0)?;
            Ok((!is_folded).then(|| entry.clone()))
        }
        (None, None) => Ok(None),
    }
}

/// Removals at or below the floor are what the floor says.
pub(super) fn is_needed(entry: &Entry, floor: u64) -> bool {
    entry.value.is_some() || entry.stamp.hlc.0 > floor
}

/// An entry newer than what a state holds must be above that state's floor.
fn check_known(key: &str, entry: &Entry, floor: u64) -> Result<(), CrdtError> {
    let tick = entry.stamp.hlc.0;
    if tick > floor {
        return Ok(());
    }
    Err(CrdtError::StaleEntry {
        key: key.to_owned(),
        tick,
        floor,
    })
}

/// Whether a state that does not hold the key, with the floor `theirs`, had it removed. It
/// cannot have known better than one whose floor is as high and that holds the key.
fn is_folded(key: &str, entry: &Entry, mine: u64, theirs: u64) -> Result<bool, CrdtError> {
    if entry.stamp.hlc.0 > theirs {
        return Ok(false);
    }
    if theirs <= mine {
        check_known(key, entry, theirs)?;
    }
    Ok(true)
}
