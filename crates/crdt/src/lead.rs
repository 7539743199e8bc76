//! Whole values written over a state that was read: what leads from the one to the other, asked
//! for as operators would ask for it.
//!
//! A literal says what the row shall show, so what its writer did not see is undone. A value
//! that was led to it says what its writer changed: written over a later state of the same
//! value, it undoes nothing of what came in between.

use std::collections::{BTreeMap, BTreeSet};

use crate::elements::SetEdit;
use crate::lww_table::{KeyEdit, TableKind};
use crate::or_cart::CartEdit;
use crate::sequence::{Content, Sequence, SequenceEdit};
use crate::{
    AnyState, Author, AwSet, BCounter, Crdt, CrdtError, Edit, GCounter, Hlc, HlcRegister,
    LwwRegister, LwwTable, MvRegister, OrCart, OrMap, OrSet, PnCounter, ReplicaId, VectorClock,
    VersionVector,
};

/// A type whose value can be led to another by its operators.
pub trait Lead: Edit {
    /// This value with the wish to be `plain`, as the difference between the two.
    ///
    /// # Errors
    /// What the operators refuse.
    fn led_to(&self, plain: Self::Plain) -> Result<Self, CrdtError>;
}

fn edited<T: Edit>(value: &T, edits: impl Iterator<Item = T::Edit>) -> Result<T, CrdtError> {
    let mut value = value.clone();
    for edit in edits {
        value.edit(&edit)?;
    }
    Ok(value)
}

fn difference<T: Crdt<Plain = i64>>(counter: &T, plain: i64) -> Result<i64, CrdtError> {
    plain
        .checked_sub(counter.value()?)
        .ok_or(CrdtError::Overflow)
}

/// Authors states that nobody keeps.
struct Scratch(u8, u64);

impl Author for Scratch {
    fn replica(&self) -> ReplicaId {
        ReplicaId([self.0; 16])
    }

    fn tick(&mut self) -> Hlc {
        self.1 += 1;
        Hlc(self.1)
    }

    fn is_exclusive(&self) -> bool {
        true
    }
}

impl AnyState {
    /// This value with what leads from `read` to `wanted`, both plain values, asked for on top:
    /// the merge of two who changed the plain value `read` at once. Where both changed the same,
    /// `wanted` has its way.
    ///
    /// # Errors
    /// What the operators refuse.
    pub fn led_from(&self, read: &Self, wanted: &Self) -> Result<Self, CrdtError> {
        if self.cmp_by_value(read).is_eq() {
            return self.led_to(wanted);
        }
        let literal = |state: &Self| {
            let text = state.plain_text()?;
            let literal = Self::from_text(self.kind(), &text);
            literal.map_err(|_| CrdtError::Malformed("a plain value"))
        };
        let base = Self::settle(None, &literal(read)?, &mut Scratch(1, 0))?;
        let led = |plain: &Self| base.led_to(&literal(plain)?);
        let theirs = Self::settle(Some(&base), &led(self)?, &mut Scratch(2, 1 << 20))?;
        let mine = Self::settle(Some(&base), &led(wanted)?, &mut Scratch(3, 1 << 40))?;
        self.led_to(&literal(&theirs.join(&mine)?)?)
    }
}

impl Lead for GCounter {
    fn led_to(&self, plain: i64) -> Result<Self, CrdtError> {
        self.add(difference(self, plain)?)
    }
}

impl Lead for PnCounter {
    fn led_to(&self, plain: i64) -> Result<Self, CrdtError> {
        self.add(difference(self, plain)?)
    }
}

impl Lead for BCounter {
    fn led_to(&self, plain: i64) -> Result<Self, CrdtError> {
        self.add(difference(self, plain)?)
    }
}

impl Lead for LwwRegister {
    /// Of None nothing is asked: what was once set cannot be unset.
    fn led_to(&self, plain: Option<String>) -> Result<Self, CrdtError> {
        match plain {
            Some(json) if self.get() != Some(&json) => self.set(&json),
            _ => Ok(self.clone()),
        }
    }
}

impl Lead for MvRegister {
    fn led_to(&self, plain: Vec<String>) -> Result<Self, CrdtError> {
        match self.values() == plain {
            true => Ok(self.clone()),
            false => Ok(self.asking(plain)),
        }
    }
}

fn set_edits(held: Vec<String>, plain: BTreeSet<String>) -> impl Iterator<Item = SetEdit> {
    let held = BTreeSet::from_iter(held);
    let gone: Vec<String> = held.difference(&plain).cloned().collect();
    let new = plain.into_iter().filter(move |it| !held.contains(it));
    let removals = gone.into_iter().map(SetEdit::Remove);
    removals.chain(new.map(SetEdit::Add))
}

impl Lead for OrSet {
    fn led_to(&self, plain: BTreeSet<String>) -> Result<Self, CrdtError> {
        edited(self, set_edits(self.keys(), plain))
    }
}

impl Lead for AwSet {
    fn led_to(&self, plain: BTreeSet<String>) -> Result<Self, CrdtError> {
        edited(self, set_edits(self.keys(), plain))
    }
}

impl<K: TableKind> Lead for LwwTable<K> {
    fn led_to(&self, plain: BTreeMap<String, String>) -> Result<Self, CrdtError> {
        let held = self.keys().into_iter();
        let gone: Vec<String> = held.filter(|key| !plain.contains_key(key)).collect();
        let removals = gone.into_iter().map(KeyEdit::Remove);
        let is_there = |key: &str, value: &str| {
            let held = self.get(key);
            held.is_some_and(|held| held == value || K::is_kept_under(value))
        };
        let written = plain
            .into_iter()
            .filter(|(key, value)| !is_there(key, value));
        let writes = written.map(|(key, value)| KeyEdit::Put(key, value));
        edited(self, removals.chain(writes))
    }
}

impl Lead for OrMap {
    fn led_to(&self, plain: Self::Plain) -> Result<Self, CrdtError> {
        self.led(plain)
    }
}

impl Lead for OrCart {
    fn led_to(&self, plain: BTreeMap<String, i64>) -> Result<Self, CrdtError> {
        let held = self.value()?;
        let gone = held.keys().filter(|key| !plain.contains_key(*key));
        let removals = gone.map(|key| CartEdit::Remove { key: key.clone() });
        let written = plain
            .iter()
            .filter(|(key, count)| held.get(*key) != Some(count));
        let writes = written.map(|(key, count)| CartEdit::Put {
            key: key.clone(),
            count: *count,
        });
        edited(self, removals.chain(writes))
    }
}

impl<C: Content> Lead for Sequence<C> {
    fn led_to(&self, plain: C) -> Result<Self, CrdtError> {
        let hunks = C::hunks(self.value()?.slice(), plain.slice());
        // From the end, so that the places before it stay.
        let edits = hunks.iter().rev().flat_map(|hunk| {
            let (_, rest) = C::split(plain.slice(), hunk.from);
            let (added, _) = C::split(rest, hunk.added);
            let mut content = C::default();
            content.push(added);
            let (at, count) = (hunk.at, hunk.removed);
            [
                SequenceEdit::Delete { at, count },
                SequenceEdit::Insert { at, content },
            ]
        });
        edited(self, edits)
    }
}

impl Lead for VectorClock {
    fn led_to(&self, plain: VersionVector) -> Result<Self, CrdtError> {
        match plain <= self.vector() {
            true => Ok(self.clone()),
            false => self.join(&Self::assign(plain)),
        }
    }
}

impl Lead for HlcRegister {
    fn led_to(&self, plain: Option<Hlc>) -> Result<Self, CrdtError> {
        match plain <= self.get() {
            true => Ok(*self),
            false => self.join(&Self::assign(plain)),
        }
    }
}
