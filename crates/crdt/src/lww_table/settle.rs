//! Authoring: from an unsettled change to stamped entries.

use std::collections::BTreeMap;

use super::{Edits, Entry, LwwTable, TableKind, check_key};
use crate::keyed::Keyed;
use crate::{Author, Change, CrdtError, Hlc, Stamp};

impl<K: TableKind> LwwTable<K> {
    /// Whether this state is an earlier one of the table `old`: born with it, and all of its
    /// entries known there, be it as they are, replaced, or folded. What it claims beyond its
    /// change is never taken over, so a forged claim gains nothing.
    pub(super) fn descends_into(&self, old: &Self) -> bool {
        if self.knows_nothing() {
            return true;
        }
        let is_known = |(key, entry): (&str, &Entry)| match old.entries.get(key) {
            Some(held) => entry == held || entry.stamp < held.stamp,
            None => entry.stamp.hlc.0 <= old.floor,
        };
        let is_born_here = |birth| old.births.binary_search(birth).is_ok();
        !self.births.is_empty()
            && self.births.iter().all(is_born_here)
            && self.floor <= old.floor
            && self.entries.iter().all(is_known)
    }

    /// This settled state with `edits` carried out, all under one stamp; those that change
    /// nothing are left out, and if none remains no tick is taken.
    fn authored(mut self, edits: Edits, author: &mut dyn Author) -> Result<Self, CrdtError> {
        let held = |key: &str| self.entries.get(key);
        let changes: Edits = edits
            .into_iter()
            .filter(|(key, edit)| held(key).and_then(|entry| entry.value.as_ref()) != edit.as_ref())
            .collect();
        if changes.is_empty() {
            return Ok(self);
        }
        changes.keys().try_for_each(check_key)?;
        let replaced = changes.keys().filter_map(held);
        let last = replaced.map(|entry| entry.stamp.hlc.0).max();
        let last = last.unwrap_or(0).max(self.floor);
        let mut hlc = author.tick();
        if hlc.0 <= last {
            // The author's clock should be past all it has seen. Were it not, the user's write
            // would vanish silently: step over what is there.
            hlc = Hlc(last.checked_add(1).ok_or(CrdtError::ClockExhausted)?);
        }
        let stamp = Stamp {
            hlc,
            replica: author.replica(),
        };
        if self.births.is_empty() {
            self.births.push(stamp);
        }
        let entry = |(key, value)| (key, Entry { stamp, value });
        let written: Keyed<Entry> = changes.into_iter().map(entry).collect();
        let entries = self
            .entries
            .joined(&written, |held, written| written.cloned().or(held));
        Self::of(entries, self.births, self.floor, Change::None).bounded()
    }

    /// This settled state led to hold `values` and no other keys.
    fn assigned(
        self,
        values: &BTreeMap<&str, &str>,
        author: &mut dyn Author,
    ) -> Result<Self, CrdtError> {
        let gone = self.entries.keys();
        let gone = gone.filter(|key| !values.contains_key(key));
        let gone: Edits = gone.map(|key| (key, None)).collect();
        let wanted = values.iter();
        let kept = |key: &str, value: &str| {
            let held = self.entries.get(key)?.value.as_deref();
            held.filter(|_| K::is_kept_under(value))
        };
        let wanted = wanted.map(|(key, value)| {
            let value = kept(key, value).unwrap_or(value);
            (*key, Some(value.to_owned()))
        });
        let edits = gone.joined(&wanted.collect(), |gone, wanted| wanted.cloned().or(gone));
        self.authored(edits, author)
    }

    pub(super) fn settled(
        old: Option<&Self>,
        new: &Self,
        author: &mut dyn Author,
    ) -> Result<Self, CrdtError> {
        let Some(old) = old else {
            return Self::default().assigned(&new.values(), author);
        };
        if !old.change.is_none() {
            let base = Self::default().assigned(&old.values(), author)?;
            let asks_nothing = new == old || new.knows_nothing() && new.change.is_none();
            return match (&new.change, asks_nothing) {
                (_, true) => Ok(base),
                (Change::Add(edits), _) if new.knows_nothing() => {
                    base.authored(edits.clone(), author)
                }
                _ => base.assigned(&new.values(), author),
            };
        }
        let base = old.clone();
        if !new.descends_into(old) {
            return base.assigned(&new.values(), author);
        }
        match &new.change {
            Change::None => Ok(base),
            Change::Add(edits) => base.authored(edits.clone(), author),
            Change::Assign(_) => base.assigned(&new.values(), author),
        }
    }
}
