//! A value being changed: what has been taken out of the tree, and what is wanted on top.
//!
//! Removing needs no author, so an edit takes what it removes out of the tree at once (the
//! context keeps covering it). Adding needs dots, so additions wait in a tree of wants of the
//! same shape. Whatever the order of the edits was, the two say what came of it.

use super::MapEdit;
use super::kinds::{Kinds, Part, Parts};
use super::nested::{Nested, Plain, json_of};
use super::shares::MAX_SHARE;
use super::tree::{Entry, EntryParts, Tree};
use crate::dot_fun::DotFun;
use crate::keyed::Keyed;
use crate::range::check_step;
use crate::{CrdtError, Dot, json};

/// Additions that wait for an author, by key; none is empty.
pub type Wants = Keyed<Want>;

/// What is to be added at a key: elements for the set there, to add to the counter there (0 to
/// have one at all), what the register there becomes.
pub type Want = Kinds<Keyed<()>, Option<Step>, Option<String>>;

pub(super) type WantParts = Parts<Keyed<()>, Option<Step>, Option<String>>;

/// What is to be added to a counter: a number of up to 65 bits in 16 bytes that may stand where
/// eight may, so that a want takes no more room than its other kinds need.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Step {
    high: i64,
    low: u64,
}

impl From<i128> for Step {
    fn from(step: i128) -> Self {
        Self {
            high: (step >> 64) as i64,
            low: step as u64,
        }
    }
}

impl From<Step> for i128 {
    fn from(step: Step) -> Self {
        Self::from(step.high) << 64 | Self::from(step.low)
    }
}

/// The least upper bound: all elements, the greater number, the greater text.
pub(super) fn joined(a: &Wants, b: &Wants) -> Wants {
    a.clone().joined(b, |mine, theirs| {
        let (mut want, mut theirs) = (
            mine.unwrap_or_default(),
            theirs.cloned().unwrap_or_default(),
        );
        let theirs = theirs.take();
        want.edit(|want| {
            want.map = joined(&want.map, &theirs.map);
            want.set = std::mem::take(&mut want.set).joined(&theirs.set, |_, _| Some(()));
            want.counter = want.counter.max(theirs.counter);
            want.register = want.register.take().max(theirs.register);
        });
        Some(want)
    })
}

/// What a map shows. Of several kinds at one key: map, set, counter, register.
pub(super) fn shown_map(tree: &Tree, wants: &Wants) -> Plain<i128> {
    let (no_entry, no_want) = (Entry::default(), Want::default());
    let keys = crate::elements::merged(tree.keys(), wants.keys());
    keys.filter_map(|key| {
        let entry = tree.get(key).unwrap_or(&no_entry);
        let want = wants.get(key).unwrap_or(&no_want);
        Some((key.to_owned(), shown(entry, want)?))
    })
    .collect()
}

fn shown(entry: &Entry, want: &Want) -> Option<Nested<i128>> {
    if entry.map().is_some() || want.map().is_some() {
        let (no_map, no_wants) = (Tree::default(), Wants::default());
        let map = entry.map().unwrap_or(&no_map);
        let map = shown_map(map, want.map().unwrap_or(&no_wants));
        if !map.is_empty() {
            return Some(Nested::Map(map));
        }
    }
    if entry.set().is_some() || want.set().is_some() {
        let held = entry.set().into_iter().flat_map(Keyed::keys);
        let asked = want.set().into_iter().flat_map(Keyed::keys);
        let elements = crate::elements::merged(held, asked);
        return Some(Nested::Set(elements.map(str::to_owned).collect()));
    }
    if entry.counter().is_some() || want.counter().is_some() {
        let step = want.counter().copied().flatten().map_or(0, i128::from);
        return Some(Nested::Counter(
            entry.counter().map_or(0, DotFun::sum) + step,
        ));
    }
    let asked = want.register().and_then(Option::as_ref);
    let register = asked.or_else(|| entry.register()?.latest());
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
fn keep_only(kind: Kind, entry: &mut EntryParts, want: &mut WantParts) {
    if kind != Kind::Map {
        entry.map.clear();
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
    tree.retain(|key, _| value.contains_key(key));
    wants.retain(|key, _| value.contains_key(key));
    for (key, value) in value.iter() {
        at_key(tree, wants, key, |entry, want| {
            lead(entry, want, value, by_kind);
        });
    }
}

/// Changes what a key holds and what is wanted there.
fn at_key<T>(
    tree: &mut Tree,
    wants: &mut Wants,
    key: &str,
    act: impl FnOnce(&mut EntryParts, &mut WantParts) -> T,
) -> T {
    let mut entry = tree.get_mut(key).map(Entry::take).unwrap_or_default();
    let mut want = wants.get_mut(key).map(Want::take).unwrap_or_default();
    let result = act(&mut entry, &mut want);
    put_back(tree, key, entry.into());
    put_back(wants, key, want.into());
    result
}

fn put_back<S: Part, C: Part, R: Part>(
    held: &mut Keyed<Kinds<S, C, R>>,
    key: &str,
    kinds: Kinds<S, C, R>,
) {
    match kinds.is_empty() {
        true => drop(held.remove(key)),
        false => drop(held.insert(key, kinds)),
    }
}

/// [`shown`] of what is being changed: looked at as kinds, changed as parts.
fn shown_parts(entry: &mut EntryParts, want: &mut WantParts) -> Option<Nested<i128>> {
    let mut held = Entry::from(std::mem::take(entry));
    let mut asked = Want::from(std::mem::take(want));
    let shown = shown(&held, &asked);
    (*entry, *want) = (held.take(), asked.take());
    shown
}

fn lead(entry: &mut EntryParts, want: &mut WantParts, value: &Nested, by_kind: bool) {
    let shown = shown_parts(entry, want);
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

fn lead_kind(entry: &mut EntryParts, want: &mut WantParts, value: &Nested, by_kind: bool) {
    match value {
        Nested::Counter(value) => {
            keep_only(Kind::Counter, entry, want);
            let sum = entry.counter.sum();
            let step = i128::from(*value) - sum;
            if step.unsigned_abs() > MAX_SHARE {
                // Beyond what honest authors add: start anew.
                entry.counter.clear();
                want.counter = Some(i128::from(*value).into());
            } else {
                want.counter = (step != 0 || entry.counter.is_empty()).then(|| step.into());
            }
        }
        Nested::Register(json) => {
            keep_only(Kind::Register, entry, want);
            entry.register.clear();
            want.register = Some(json.clone());
        }
        Nested::Set(elements) => {
            keep_only(Kind::Set, entry, want);
            entry
                .set
                .retain(|element, _| elements.contains_key(element));
            let is_missing =
                |element: &&str| !entry.set.contains_key(element) || want.set.contains_key(element);
            let missing = elements.keys().filter(is_missing);
            want.set = missing.map(str::to_owned).collect();
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
            // A number that a literal wrote is a register until it is added to.
            let held = match shown_parts(entry, want) {
                Some(Nested::Register(text)) => text.parse::<i64>().unwrap_or_default(),
                _ => 0,
            };
            let step = want.counter.map_or(0, i128::from) + i128::from(*amount) + i128::from(held);
            if step.unsigned_abs() > MAX_SHARE {
                return Err(CrdtError::Overflow);
            }
            keep_only(Kind::Counter, entry, want);
            want.counter = (step != 0 || entry.counter.is_empty()).then(|| step.into());
            Ok(())
        }),
        MapEdit::SetAdd { path, element } => at(tree, wants, path, true, &mut |entry, want| {
            // So is an array of texts.
            if let Some(Nested::Register(text)) = shown_parts(entry, want) {
                for held in json::strings(&text).unwrap_or_default() {
                    want.set.insert(held, ());
                }
            }
            keep_only(Kind::Set, entry, want);
            // The fresh dot will say all that the dots seen here say.
            entry.set.remove(element);
            want.set.insert(element.as_str(), ());
            Ok(())
        }),
        MapEdit::SetRemove { path, element } => at(tree, wants, path, false, &mut |entry, want| {
            entry.set.remove(element);
            want.set.remove(element);
            Ok(())
        }),
        MapEdit::Remove { path } => at(tree, wants, path, false, &mut |entry, want| {
            *entry = EntryParts::default();
            *want = WantParts::default();
            Ok(())
        }),
    }
}

type Act<'a> = dyn FnMut(&mut EntryParts, &mut WantParts) -> Result<(), CrdtError> + 'a;

fn at(
    tree: &mut Tree,
    wants: &mut Wants,
    path: &[String],
    creates: bool,
    act: &mut Act<'_>,
) -> Result<(), CrdtError> {
    let (key, rest) = path.split_first().ok_or(CrdtError::EmptyPath)?;
    if !creates && !tree.contains_key(key) && !wants.contains_key(key) {
        return Ok(());
    }
    at_key(tree, wants, key, |entry, want| {
        if rest.is_empty() {
            return act(entry, want);
        }
        at(&mut entry.map, &mut want.map, rest, creates, act)?;
        if creates {
            keep_only(Kind::Map, entry, want);
        }
        Ok(())
    })
}

/// Gives all that is wanted a fresh dot each.
pub(super) fn author(
    tree: &mut Tree,
    wants: &Wants,
    mint: &mut dyn FnMut() -> Dot,
) -> Result<(), CrdtError> {
    for (key, want) in wants.iter() {
        let mut entry = tree.get_mut(key).map(Entry::take).unwrap_or_default();
        author_at(&mut entry, want, mint)?;
        put_back(tree, key, entry.into());
    }
    Ok(())
}

fn author_at(
    entry: &mut EntryParts,
    want: &Want,
    mint: &mut dyn FnMut() -> Dot,
) -> Result<(), CrdtError> {
    if let Some(map) = want.map() {
        author(&mut entry.map, map, mint)?;
    }
    for element in want.set().into_iter().flat_map(Keyed::keys) {
        let dot = mint();
        if let Some(dots) = entry.set.get_mut(element) {
            dots.insert(dot, ());
        } else {
            let mut dots = DotFun::default();
            dots.insert(dot, ());
            entry.set.insert(element, dots);
        }
    }
    if let Some(step) = want.counter().copied().flatten().map(i128::from) {
        check_step(entry.counter.sum(), step)?;
        if step != 0 || entry.counter.is_empty() {
            entry.counter.insert(mint(), step);
        }
    }
    if let Some(json) = want.register().and_then(Option::as_ref) {
        entry.register.insert(mint(), json.clone());
    }
    Ok(())
}

/// Carries out an edit on a literal; after an error nothing has changed. A number that is
/// added to is a counter, an array of texts a set.
pub(super) fn edit_plain(map: &mut Plain, edit: &MapEdit) -> Result<(), CrdtError> {
    match edit {
        MapEdit::Put { path, value } => at_plain(map, path, true, &mut |map, key| {
            map.insert(key, value.clone());
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
            map.insert(key, Nested::Counter(value));
            Ok(())
        }),
        MapEdit::SetAdd { path, element } => at_plain(map, path, true, &mut |map, key| {
            let mut elements = elements_of(map.get(key)).unwrap_or_default();
            elements.insert(element.as_str(), ());
            map.insert(key, Nested::Set(elements));
            Ok(())
        }),
        MapEdit::SetRemove { path, element } => at_plain(map, path, false, &mut |map, key| {
            if let Some(mut elements) = elements_of(map.get(key))
                && elements.remove(element).is_some()
            {
                if elements.is_empty() {
                    map.remove(key);
                } else {
                    map.insert(key, Nested::Set(elements));
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

fn elements_of(value: Option<&Nested>) -> Option<Keyed<()>> {
    match value? {
        Nested::Set(elements) => Some(elements.clone()),
        Nested::Register(text) => json::strings(text).map(Keyed::from_iter),
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
        let mut inside = Plain::default();
        at_plain(&mut inside, rest, creates, act)?;
        map.insert(key.as_str(), Nested::Map(inside));
    }
    Ok(())
}
