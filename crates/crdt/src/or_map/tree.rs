//! The settled tree: a DotMap of keys, each with what it holds of each kind.

use std::collections::BTreeMap;

use super::dots::{DotFun, Share};
use crate::{CausalContext, Dot};

/// A map: what each key holds; no entry is empty.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tree {
    pub(super) entries: BTreeMap<String, Entry>,
}

/// What a key holds. After concurrent writes of different kinds it holds several.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Entry {
    /// A map inside.
    pub map: Tree,
    /// A set: the dots of the additions of each element, never none.
    pub set: BTreeMap<String, DotFun<()>>,
    /// A counter: what each addition added.
    pub counter: DotFun<Share>,
    /// A register: canonical JSON, several after concurrent writes.
    pub register: DotFun<String>,
}

impl Tree {
    /// Keys with what they hold, ascending by bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries
            .iter()
            .map(|(key, entry)| (key.as_str(), entry))
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn join(
        &mut self,
        context: &CausalContext,
        other: &Self,
        other_context: &CausalContext,
    ) {
        let nothing = Entry::default();
        for (key, entry) in &mut self.entries {
            let theirs = other.entries.get(key).unwrap_or(&nothing);
            entry.join(context, theirs, other_context);
        }
        for (key, theirs) in &other.entries {
            if !self.entries.contains_key(key) {
                let mut entry = Entry::default();
                entry.join(context, theirs, other_context);
                self.entries.insert(key.clone(), entry);
            }
        }
        self.entries.retain(|_, entry| !entry.is_empty());
    }

    /// The leaves that do not stand in `old` as they stand here.
    pub(super) fn beyond(&self, old: &Self) -> Self {
        let nothing = Entry::default();
        let beyond = |(key, entry): (&String, &Entry)| {
            let held = old.entries.get(key).unwrap_or(&nothing);
            let beyond = entry.beyond(held);
            (!beyond.is_empty()).then(|| (key.clone(), beyond))
        };
        Self {
            entries: self.entries.iter().filter_map(beyond).collect(),
        }
    }

    /// Whether no dot has another content here than at the same place in `other`.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        self.entries.iter().all(|(key, entry)| {
            let held = other.entries.get(key);
            held.is_none_or(|held| {
                entry.map.agrees(&held.map)
                    && entry.counter.agrees(&held.counter)
                    && entry.register.agrees(&held.register)
            })
        })
    }

    /// All dots, in no order.
    pub(super) fn dots(&self) -> Vec<Dot> {
        let mut dots = Vec::new();
        self.visit(&mut |entry| {
            dots.extend(
                entry
                    .set
                    .values()
                    .flat_map(|of| of.iter().map(|(dot, ())| dot)),
            );
            dots.extend(entry.counter.iter().map(|(dot, _)| dot));
            dots.extend(entry.register.iter().map(|(dot, _)| dot));
        });
        dots
    }

    pub(super) fn visit(&self, act: &mut dyn FnMut(&Entry)) {
        for entry in self.entries.values() {
            act(entry);
            entry.map.visit(act);
        }
    }

    /// About the bytes of all this in an encoding.
    pub(super) fn bytes(&self) -> usize {
        let of_entry = |(key, entry): (&String, &Entry)| {
            let set = entry.set.iter();
            let set: usize = set.map(|(text, dots)| text.len() + 10 * dots.len()).sum();
            let register = entry.register.iter();
            let register: usize = register.map(|(_, json)| json.len() + 10).sum();
            key.len() + entry.map.bytes() + set + register + 12 * entry.counter.len()
        };
        self.entries.iter().map(of_entry).sum()
    }

    /// Whether [`Tree::fold`] would change anything.
    pub(super) fn folds(&self, floor: &CausalContext) -> bool {
        let mut folds = false;
        self.visit(&mut |entry| folds |= entry.counter.folds(floor));
        folds
    }

    /// Folds the shares of all counters below the floor.
    pub(super) fn fold(&mut self, floor: &CausalContext) {
        for entry in self.entries.values_mut() {
            entry.counter.fold(floor);
            entry.map.fold(floor);
        }
    }
}

impl Entry {
    /// Whether nothing is left of any kind.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
            && self.set.is_empty()
            && self.counter.is_empty()
            && self.register.is_empty()
    }

    fn join(&mut self, context: &CausalContext, other: &Self, other_context: &CausalContext) {
        self.map.join(context, &other.map, other_context);
        self.counter.join(context, &other.counter, other_context);
        self.register.join(context, &other.register, other_context);
        let nothing = DotFun::default();
        for (element, dots) in &mut self.set {
            let theirs = other.set.get(element).unwrap_or(&nothing);
            dots.join(context, theirs, other_context);
        }
        for (element, theirs) in &other.set {
            if !self.set.contains_key(element) {
                let mut dots = DotFun::default();
                dots.join(context, theirs, other_context);
                self.set.insert(element.clone(), dots);
            }
        }
        self.set.retain(|_, dots| !dots.is_empty());
    }

    fn beyond(&self, old: &Self) -> Self {
        let nothing = DotFun::default();
        let beyond = |(element, dots): (&String, &DotFun<()>)| {
            let beyond = dots.beyond(old.set.get(element).unwrap_or(&nothing));
            (!beyond.is_empty()).then(|| (element.clone(), beyond))
        };
        Self {
            map: self.map.beyond(&old.map),
            set: self.set.iter().filter_map(beyond).collect(),
            counter: self.counter.beyond(&old.counter),
            register: self.register.beyond(&old.register),
        }
    }
}
