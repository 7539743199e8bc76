//! A value being changed: what has been taken out of the tree, and what is wanted on top.
//!
//! Removing needs no author, so an edit takes what it removes out of the tree at once (the
//! context keeps covering it). Adding needs dots, so additions wait in a tree of wants of the
//! same shape. Whatever the order of the edits was, the two say what came of it.

use std::collections::{BTreeMap, BTreeSet};

use super::MapEdit;
use super::dots::MAX_SHARE;
use super::nested::{Nested, Plain, put_value};
use super::tree::{Entry, Tree};
use crate::{CrdtError, Dot, json};

/// Additions that wait for an author, by key; none is empty.
pub type Wants = BTreeMap<String, Want>;

/// What is to be added at a key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Want {
    /// In the map there.
    pub map: Wants,
    /// Elements for the set there.
    pub set: BTreeSet<String>,
    /// To add to the counter there; 0 to have one at all.
    pub counter: Option<i128>,
    /// What the register there becomes.
    pub register: Option<String>,
}

impl Want {
    pub(super) fn is_empty(&self) -> bool {
        self.map.is_empty()
            && self.set.is_empty()
            && self.counter.is_none()
            && self.register.is_none()
    }
}

/// The least upper bound: all elements, the greater number, the greater text.
pub(super) fn joined(a: &Wants, b: &Wants) -> Wants {
    let mut wants = a.clone();
    for (key, theirs) in b {
        let want = wants.entry(key.clone()).or_default();
        want.map = joined(&want.map, &theirs.map);
        want.set.extend(theirs.set.iter().cloned());
        want.counter = want.counter.max(theirs.counter);
        if want.register < theirs.register {
            want.register = theirs.register.clone();
        }
    }
    wants
}

/// What a map shows. Of several kinds at one key: map, set, counter, register.
pub(super) fn shown_map(tree: &Tree, wants: &Wants) -> Plain<i128> {
    let (no_entry, no_want) = (Entry::default(), Want::default());
    let keys = tree.entries.keys();
    let new = wants.keys().filter(|key| !tree.entries.contains_key(*key));
    keys.chain(new)
        .filter_map(|key| {
            let entry = tree.entries.get(key).unwrap_or(&no_entry);
            let want = wants.get(key).unwrap_or(&no_want);
            Some((key.clone(), shown(entry, want)?))
        })
        .collect()
}

fn shown(entry: &Entry, want: &Want) -> Option<Nested<i128>> {
    let map = shown_map(&entry.map, &want.map);
    if !map.is_empty() {
        return Some(Nested::Map(map));
    }
    if !entry.set.is_empty() || !want.set.is_empty() {
        let elements = entry.set.keys().chain(&want.set).cloned();
        return Some(Nested::Set(elements.collect()));
    }
    if !entry.counter.is_empty() || want.counter.is_some() {
        let sum = entry.counter.sum() + want.counter.unwrap_or_default();
        return Some(Nested::Counter(sum));
    }
    let register = want.register.as_ref().or_else(|| entry.register.latest());
    register.cloned().map(Nested::Register)
}

/// The kinds that a key can hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Map,
    Set,
    Counter,
    Register,
}

/// A write of one kind removes what it saw of the others.
fn keep_only(kind: Kind, entry: &mut Entry, want: &mut Want) {
    if kind != Kind::Map {
        entry.map.entries.clear();
        want.map.clear();
    }
    if kind != Kind::Set {
        entry.set.clear();
        want.set.clear();
    }
    if kind != Kind::Counter {
        entry.counter.clear();
        want.counter = None;
    }
    if kind != Kind::Register {
        entry.register.clear();
        want.register = None;
    }
}

/// Leads a map by difference to show `value`, and removes what it does not have.
///
/// `by_kind`: whether the kinds of `value` count. If not, what shows the same JSON stays, a
/// number over a counter is a counter, and an array of texts over a set is a set.
pub(super) fn lead_map(tree: &mut Tree, wants: &mut Wants, value: &Plain, by_kind: bool) {
    tree.entries.retain(|key, _| value.contains_key(key));
    wants.retain(|key, _| value.contains_key(key));
    for (key, value) in value {
        let entry = tree.entries.entry(key.clone()).or_default();
        let want = wants.entry(key.clone()).or_default();
        lead(entry, want, value, by_kind);
        prune(tree, wants, key);
    }
}

fn prune(tree: &mut Tree, wants: &mut Wants, key: &str) {
    if tree.entries.get(key).is_some_and(Entry::is_empty) {
        tree.entries.remove(key);
    }
    if wants.get(key).is_some_and(Want::is_empty) {
        wants.remove(key);
    }
}

fn lead(entry: &mut Entry, want: &mut Want, value: &Nested, by_kind: bool) {
    let shown = shown(entry, want);
    let wide = value.widened();
    if shown.as_ref() == Some(&wide) {
        return;
    }
    let adapted = shown.filter(|_| !by_kind).and_then(|shown| {
        if json_of(&shown) == json_of(&wide) {
            return Some(None);
        }
        adapted(&shown, value).map(Some)
    });
    match adapted {
        Some(None) => (),
        Some(Some(value)) => lead_kind(entry, want, &value, by_kind),
        None => lead_kind(entry, want, value, by_kind),
    }
}

fn json_of(value: &Nested<i128>) -> String {
    let mut out = String::new();
    put_value(&mut out, value);
    out
}

/// A register of a literal as the kind that the key shows, if it can be that.
fn adapted(shown: &Nested<i128>, value: &Nested) -> Option<Nested> {
    let Nested::Register(text) = value else {
        return None;
    };
    match shown {
        Nested::Counter(_) => text.parse().ok().map(Nested::Counter),
        Nested::Set(_) => json::strings(text)
            .filter(|elements| !elements.is_empty())
            .map(|elements| Nested::Set(elements.into_iter().collect())),
        Nested::Map(_) | Nested::Register(_) => None,
    }
}

fn lead_kind(entry: &mut Entry, want: &mut Want, value: &Nested, by_kind: bool) {
    match value {
        Nested::Counter(value) => {
            keep_only(Kind::Counter, entry, want);
            let sum = entry.counter.sum();
            let step = i128::from(*value) - sum;
            if step.unsigned_abs() > MAX_SHARE {
                // Beyond what honest authors add: start anew.
                entry.counter.clear();
                want.counter = Some(i128::from(*value));
            } else {
                want.counter = (step != 0 || entry.counter.is_empty()).then_some(step);
            }
        }
        Nested::Register(json) => {
            keep_only(Kind::Register, entry, want);
            entry.register.clear();
            want.register = Some(json.clone());
        }
        Nested::Set(elements) => {
            keep_only(Kind::Set, entry, want);
            entry.set.retain(|element, _| elements.contains(element));
            let missing = elements
                .iter()
                .filter(|element| !entry.set.contains_key(*element) || want.set.contains(*element));
            want.set = missing.cloned().collect();
        }
        Nested::Map(value) => {
            keep_only(Kind::Map, entry, want);
            lead_map(&mut entry.map, &mut want.map, value, by_kind);
        }
    }
}

/// Carries out an edit, checked before; after an error nothing has changed.
pub(super) fn edit(tree: &mut Tree, wants: &mut Wants, edit: &MapEdit) -> Result<(), CrdtError> {
    match edit {
        MapEdit::Put { path, value } => at(tree, wants, path, true, &mut |entry, want| {
            lead(entry, want, value, true);
            Ok(())
        }),
        MapEdit::PutJson { path, json } => {
            let value = Nested::literal(json, path.len())?;
            at(tree, wants, path, true, &mut |entry, want| {
                lead(entry, want, &value, false);
                Ok(())
            })
        }
        MapEdit::Add { path, amount } => at(tree, wants, path, true, &mut |entry, want| {
            let step = want.counter.unwrap_or_default() + i128::from(*amount);
            if step.unsigned_abs() > MAX_SHARE {
                return Err(CrdtError::Overflow);
            }
            keep_only(Kind::Counter, entry, want);
            want.counter = (step != 0 || entry.counter.is_empty()).then_some(step);
            Ok(())
        }),
        MapEdit::SetAdd { path, element } => at(tree, wants, path, true, &mut |entry, want| {
            keep_only(Kind::Set, entry, want);
            // The fresh dot will say all that the dots seen here say.
            entry.set.remove(element);
            want.set.insert(element.clone());
            Ok(())
        }),
        MapEdit::SetRemove { path, element } => at(tree, wants, path, false, &mut |entry, want| {
            entry.set.remove(element);
            want.set.remove(element);
            Ok(())
        }),
        MapEdit::Remove { path } => at(tree, wants, path, false, &mut |entry, want| {
            *entry = Entry::default();
            *want = Want::default();
            Ok(())
        }),
    }
}

type Act<'a> = dyn FnMut(&mut Entry, &mut Want) -> Result<(), CrdtError> + 'a;

fn at(
    tree: &mut Tree,
    wants: &mut Wants,
    path: &[String],
    creates: bool,
    act: &mut Act<'_>,
) -> Result<(), CrdtError> {
    let (key, rest) = path.split_first().ok_or(CrdtError::EmptyPath)?;
    if !creates && !tree.entries.contains_key(key) && !wants.contains_key(key) {
        return Ok(());
    }
    let entry = tree.entries.entry(key.clone()).or_default();
    let want = wants.entry(key.clone()).or_default();
    let done = if rest.is_empty() {
        act(entry, want)
    } else {
        at(&mut entry.map, &mut want.map, rest, creates, act)
    };
    if done.is_ok() && creates && !rest.is_empty() {
        keep_only(Kind::Map, entry, want);
    }
    prune(tree, wants, key);
    done
}

/// Gives all that is wanted a fresh dot each.
pub(super) fn author(
    tree: &mut Tree,
    wants: &Wants,
    mint: &mut dyn FnMut() -> Dot,
) -> Result<(), CrdtError> {
    for (key, want) in wants {
        let entry = tree.entries.entry(key.clone()).or_default();
        author(&mut entry.map, &want.map, mint)?;
        for element in &want.set {
            let dots = entry.set.entry(element.clone()).or_default();
            dots.insert(mint(), ());
        }
        if let Some(step) = want.counter {
            let before = entry.counter.sum();
            let after = before + step;
            // Others may have driven the sum beyond bigint: leave the way back open.
            if i64::try_from(after).is_err() && after.unsigned_abs() >= before.unsigned_abs() {
                return Err(CrdtError::Overflow);
            }
            if step != 0 || entry.counter.is_empty() {
                entry.counter.insert(mint(), step);
            }
        }
        if let Some(json) = &want.register {
            entry.register.insert(mint(), json.clone());
        }
        if entry.is_empty() {
            tree.entries.remove(key);
        }
    }
    Ok(())
}

/// Carries out an edit on a literal; after an error nothing has changed. A number that is
/// added to is a counter, an array of texts a set.
pub(super) fn edit_plain(map: &mut Plain, edit: &MapEdit) -> Result<(), CrdtError> {
    match edit {
        MapEdit::Put { path, value } => at_plain(map, path, true, &mut |map, key| {
            map.insert(key.to_owned(), value.clone());
            Ok(())
        }),
        MapEdit::PutJson { path, json } => {
            let value = Nested::literal(json, path.len())?;
            at_plain(map, path, true, &mut |map, key| {
                map.insert(key.to_owned(), value.clone());
                Ok(())
            })
        }
        MapEdit::Add { path, amount } => at_plain(map, path, true, &mut |map, key| {
            let held = match map.get(key) {
                Some(Nested::Counter(value)) => *value,
                Some(Nested::Register(text)) => text.parse().unwrap_or_default(),
                _ => 0,
            };
            let value = held.checked_add(*amount).ok_or(CrdtError::Overflow)?;
            map.insert(key.to_owned(), Nested::Counter(value));
            Ok(())
        }),
        MapEdit::SetAdd { path, element } => at_plain(map, path, true, &mut |map, key| {
            let mut elements = elements_of(map.get(key)).unwrap_or_default();
            elements.insert(element.clone());
            map.insert(key.to_owned(), Nested::Set(elements));
            Ok(())
        }),
        MapEdit::SetRemove { path, element } => at_plain(map, path, false, &mut |map, key| {
            if let Some(mut elements) = elements_of(map.get(key))
                && elements.remove(element)
            {
                if elements.is_empty() {
                    map.remove(key);
                } else {
                    map.insert(key.to_owned(), Nested::Set(elements));
                }
            }
            Ok(())
        }),
        MapEdit::Remove { path } => at_plain(map, path, false, &mut |map, key| {
            map.remove(key);
            Ok(())
        }),
    }
}

fn elements_of(value: Option<&Nested>) -> Option<BTreeSet<String>> {
    match value? {
        Nested::Set(elements) => Some(elements.clone()),
        Nested::Register(text) => json::strings(text).map(BTreeSet::from_iter),
        Nested::Counter(_) | Nested::Map(_) => None,
    }
}

type ActPlain<'a> = dyn FnMut(&mut Plain, &str) -> Result<(), CrdtError> + 'a;

fn at_plain(
    map: &mut Plain,
    path: &[String],
    creates: bool,
    act: &mut ActPlain<'_>,
) -> Result<(), CrdtError> {
    let (key, rest) = path.split_first().ok_or(CrdtError::EmptyPath)?;
    if rest.is_empty() {
        return act(map, key);
    }
    if let Some(Nested::Map(inside)) = map.get_mut(key) {
        at_plain(inside, rest, creates, act)?;
        if inside.is_empty() {
            map.remove(key);
        }
    } else if creates {
        let mut inside = Plain::new();
        at_plain(&mut inside, rest, creates, act)?;
        map.insert(key.clone(), Nested::Map(inside));
    }
    Ok(())
}
