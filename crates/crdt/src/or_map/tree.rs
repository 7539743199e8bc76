//! The settled tree: a DotMap of keys, each with what it holds of each kind.

use super::kinds::{Kinds, Parts};
use super::shares::Share;
use crate::dot_fun::DotFun;
use crate::keyed::Keyed;
use crate::{CausalContext, Dot};

/// A map: what each key holds; no entry is empty.
pub type Tree = Keyed<Entry>;

/// What a key holds. After concurrent writes of different kinds it holds several.
///
/// A set: the dots of the additions of each element, never none. A counter: what each addition
/// added. A register: canonical JSON, several after concurrent writes.
pub type Entry = Kinds<Elements, DotFun<Share>, DotFun<String>>;

/// The elements of a set with the dots of their additions.
pub type Elements = Keyed<DotFun<()>>;

pub(super) type EntryParts = Parts<Elements, DotFun<Share>, DotFun<String>>;

impl Tree {
    pub(super) fn join(
        &mut self,
        context: &CausalContext,
        other: &Self,
        other_context: &CausalContext,
    ) {
        let nothing = Entry::default();
        *self = std::mem::take(self).joined(other, |mine, theirs| {
            let mut entry = mine.unwrap_or_default();
            entry.join(context, theirs.unwrap_or(&nothing), other_context);
            Some(entry).filter(|entry| !entry.is_empty())
        });
    }

    /// The leaves that do not stand in `old` as they stand here.
    pub(super) fn beyond(&self, old: &Self) -> Self {
        let nothing = Entry::default();
        let beyond = |(key, entry): (&str, &Entry)| {
            let held = old.get(key).unwrap_or(&nothing);
            let beyond = entry.beyond(held);
            (!beyond.is_empty()).then(|| (key.to_owned(), beyond))
        };
        self.iter().filter_map(beyond).collect()
    }

    /// Whether no dot has another content here than at the same place in `other`.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        fn both<T>(a: Option<T>, b: Option<T>, agree: impl FnOnce(T, T) -> bool) -> bool {
            a.zip(b).is_none_or(|(a, b)| agree(a, b))
        }
        self.iter().all(|(key, entry)| {
            other.get(key).is_none_or(|held| {
                both(entry.map(), held.map(), Self::agrees)
                    && both(entry.counter(), held.counter(), DotFun::agrees)
                    && both(entry.register(), held.register(), DotFun::agrees)
            })
        })
    }

    /// All dots, in no order.
    pub(super) fn dots(&self) -> Vec<Dot> {
        let mut dots = Vec::new();
        self.visit(&mut |entry| {
            let elements = entry.set().into_iter().flat_map(Keyed::values);
            dots.extend(elements.flat_map(|of| of.iter().map(|(dot, ())| dot)));
            let shares = entry.counter().into_iter();
            dots.extend(shares.flat_map(|shares| shares.iter().map(|(dot, _)| dot)));
            let values = entry.register().into_iter();
            dots.extend(values.flat_map(|values| values.iter().map(|(dot, _)| dot)));
        });
        dots
    }

    pub(super) fn visit(&self, act: &mut dyn FnMut(&Entry)) {
        for entry in self.values() {
            act(entry);
            if let Some(map) = entry.map() {
                map.visit(act);
            }
        }
    }

    /// About the bytes of all this in an encoding.
    pub(super) fn bytes(&self) -> usize {
        let of_entry = |(key, entry): (&str, &Entry)| {
            let set = entry.set().into_iter().flat_map(Keyed::iter);
            let set: usize = set.map(|(text, dots)| text.len() + 10 * dots.len()).sum();
            let register = entry.register().into_iter().flat_map(DotFun::iter);
            let register: usize = register.map(|(_, json)| json.len() + 10).sum();
            let counter = entry.counter().map_or(0, DotFun::len);
            key.len() + entry.map().map_or(0, Self::bytes) + set + register + 12 * counter
        };
        self.iter().map(of_entry).sum()
    }

    /// Whether [`Tree::fold`] would change anything.
    pub(super) fn folds(&self, floor: &CausalContext) -> bool {
        let mut folds = false;
        self.visit(&mut |entry| folds |= entry.counter().is_some_and(|of| of.folds(floor)));
        folds
    }

    /// Folds the shares of all counters below the floor.
    pub(super) fn fold(&mut self, floor: &CausalContext) {
        for entry in self.values_mut() {
            entry.edit(|parts| {
                parts.counter.fold(floor);
                parts.map.fold(floor);
            });
        }
    }
}

/// Of two values under one dot the greater one stays.
fn less<V: Ord>(held: &V, twin: &V) -> bool {
    held < twin
}

impl Entry {
    fn join(&mut self, context: &CausalContext, other: &Self, other_context: &CausalContext) {
        let nothing = EntryParts::default();
        self.edit(|parts| {
            let map = other.map().unwrap_or(&nothing.map);
            parts.map.join(context, map, other_context);
            let counter = other.counter().unwrap_or(&nothing.counter);
            parts.counter.join(context, counter, other_context, less);
            let register = other.register().unwrap_or(&nothing.register);
            parts.register.join(context, register, other_context, less);
            let set = other.set().unwrap_or(&nothing.set);
            let none = DotFun::default();
            parts.set = std::mem::take(&mut parts.set).joined(set, |mine, theirs| {
                let mut dots = mine.unwrap_or_default();
                dots.join(context, theirs.unwrap_or(&none), other_context, less);
                Some(dots).filter(|dots| !dots.is_empty())
            });
        });
    }

    fn beyond(&self, old: &Self) -> Self {
        let nothing = EntryParts::default();
        let held = old.set().unwrap_or(&nothing.set);
        let none = DotFun::default();
        let beyond = |(element, dots): (&str, &DotFun<()>)| {
            let beyond = dots.beyond(held.get(element).unwrap_or(&none));
            (!beyond.is_empty()).then(|| (element.to_owned(), beyond))
        };
        let elements = self.set().into_iter().flat_map(Keyed::iter);
        let map = old.map().unwrap_or(&nothing.map);
        let counter = old.counter().unwrap_or(&nothing.counter);
        let register = old.register().unwrap_or(&nothing.register);
        EntryParts {
            map: self.map().map(|of| of.beyond(map)).unwrap_or_default(),
            set: elements.filter_map(beyond).collect(),
            counter: self
                .counter()
                .map(|of| of.beyond(counter))
                .unwrap_or_default(),
            register: self
                .register()
                .map(|of| of.beyond(register))
                .unwrap_or_default(),
        }
        .into()
    }
}
