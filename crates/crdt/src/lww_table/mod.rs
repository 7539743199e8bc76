//! What `lww_set` and `lww_map` share: a table of key → JSON value where of each key the last
//! write wins (Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated
//! Data Types", 2011, specification 12).
//!
//! State: of each key the stamp of its last write and what it wrote: a value, or that the key is
//! removed. Join takes, key by key, the greater stamp; at an equal stamp (which only a replica
//! that lies gives twice) a value wins over a removal, and of two values the one with the
//! greater SHA-256. Removals stay until [`crate::Crdt::compact`] folds them into a *floor*: what
//! was written up to that tick and is not here was removed or replaced.
//!
//! The stamps of the first writes (one, unless the row was inserted on several nodes at once),
//! kept for ever as *births*, tell a stale copy of this table from another table.
//!
//! `merge` holds the lattice, `settle` the authoring, `impls` the traits, `layout` the bytes,
//! `text` the texts.

mod impls;
mod layout;
mod merge;
mod settle;
mod text;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use sha2::{Digest, Sha256};

use crate::keyed::Keyed;
use crate::{Change, CrdtError, Edit, MAX_STATE_BYTES, Stamp, TextError, json};

pub(crate) use text::{object, parse_object};

/// What tells one type of table from another.
pub trait TableKind: Clone + Eq + Default + fmt::Debug {
    /// The name of the SQL type.
    const NAME: &'static str;

    /// Whether a key that is there keeps what it has when this value is written over it as part
    /// of a whole.
    fn is_kept_under(_value: &str) -> bool {
        false
    }

    /// The text of a plain literal.
    fn print(values: &BTreeMap<&str, &str>) -> String;

    /// Reads a plain literal: key → canonical JSON text.
    fn parse(text: &str) -> Result<BTreeMap<String, String>, TextError>;
}

/// The last write of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Of the write.
    pub stamp: Stamp,
    /// Canonical JSON text; None: removed.
    pub value: Option<String>,
}

impl Entry {
    /// The order of the lattice; values are hashed only if one stamp was given twice.
    fn rank(&self, other: &Self) -> Ordering {
        self.stamp
            .cmp(&other.stamp)
            .then_with(|| rank_values(&self.value, &other.value))
    }
}

/// A value is over a removal, of two values the one with the greater SHA-256.
fn rank_values(a: &Option<String>, b: &Option<String>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if a != b => Sha256::digest(a).cmp(&Sha256::digest(b)),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// One use of an operator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyEdit {
    /// Writes a canonical JSON text under the key.
    Put(String, String),
    /// Removes the key.
    Remove(String),
}

impl KeyEdit {
    /// An element without a value of its own: JSON's null.
    pub fn add(element: &str) -> Self {
        Self::Put(element.to_owned(), "null".to_owned())
    }

    /// Writes any JSON text; it is brought to its canonical form.
    pub fn put(key: &str, json: &str) -> Result<Self, CrdtError> {
        Ok(Self::Put(key.to_owned(), json::canonical(json)?))
    }
}

/// The last edit of each key: a canonical JSON text, or None for a removal.
pub type Edits = Keyed<Option<String>>;

/// Key → canonical JSON text.
pub type Values = BTreeMap<String, String>;

/// The same as a state holds it.
pub type Wanted = Keyed<String>;

/// A table of key → JSON value.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LwwTable<K> {
    /// No removal at or below the floor.
    entries: Keyed<Entry>,
    /// Ascending.
    births: Vec<Stamp>,
    /// Of what was written up to this tick nothing is missing here; 0 if nothing was folded.
    floor: u64,
    change: Change<Edits, Wanted>,
    /// At least the size of the encoding, in bytes; follows from the rest.
    size: usize,
    kind: PhantomData<K>,
}

/// The longest form of what a key costs beside its bytes and its value's: four numbers and its
/// share of the table of replicas.
const KEY_BYTES: usize = 4 * 10 + 26;

/// All that stands once.
const FIXED_BYTES: usize = 2 + 5 * 10;

fn weight(key: &str, value: Option<&String>) -> usize {
    KEY_BYTES + key.len() + value.map_or(0, String::len)
}

impl<K: TableKind> LwwTable<K> {
    fn of(
        entries: Keyed<Entry>,
        births: Vec<Stamp>,
        floor: u64,
        change: Change<Edits, Wanted>,
    ) -> Self {
        let held = entries
            .iter()
            .map(|(key, entry)| weight(key, entry.value.as_ref()));
        let asked: usize = match &change {
            Change::None => 0,
            Change::Add(edits) => edits.iter().map(|(k, v)| weight(k, v.as_ref())).sum(),
            Change::Assign(values) => values.iter().map(|(k, v)| weight(k, Some(v))).sum(),
        };
        let size = held.sum::<usize>() + asked + births.len() * KEY_BYTES;
        Self {
            entries,
            births,
            floor,
            change,
            size,
            kind: PhantomData,
        }
    }

    /// The value under a key, canonical JSON text; None if the key is not there.
    pub fn get(&self, key: &str) -> Option<&str> {
        match &self.change {
            Change::Assign(values) => return values.get(key).map(String::as_str),
            Change::Add(edits) => {
                if let Some(edit) = edits.get(key) {
                    return edit.as_deref();
                }
            }
            Change::None => (),
        }
        self.entries.get(key)?.value.as_deref()
    }

    /// Whether the key is there.
    pub fn contains(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Keys and values, canonical JSON texts, ascending by the bytes of the key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values().into_iter()
    }

    /// How many keys.
    pub fn cardinality(&self) -> usize {
        self.values().len()
    }

    fn values(&self) -> BTreeMap<&str, &str> {
        let held = || {
            self.entries
                .iter()
                .filter_map(|(key, entry)| Some((key, entry.value.as_deref()?)))
        };
        match &self.change {
            Change::None => held().collect(),
            Change::Assign(values) => values
                .iter()
                .map(|(key, value)| (key, value.as_str()))
                .collect(),
            Change::Add(edits) => {
                let mut values: BTreeMap<&str, &str> = held().collect();
                for (key, edit) in edits.iter() {
                    match edit {
                        Some(value) => values.insert(key, value),
                        None => values.remove(key),
                    };
                }
                values
            }
        }
    }

    /// The last write of each key, with the removals.
    pub fn entries(&self) -> &Keyed<Entry> {
        &self.entries
    }

    /// The stamps of the first writes.
    pub fn births(&self) -> &[Stamp] {
        &self.births
    }

    /// The tick up to which removals were folded, 0 if none were.
    pub fn floor(&self) -> u64 {
        self.floor
    }

    /// The unsettled change.
    pub fn change(&self) -> &Change<Edits, Wanted> {
        &self.change
    }

    /// Writes a JSON value under a key: any JSON text, it is brought to its canonical form.
    pub fn put(&self, key: &str, json: &str) -> Result<Self, CrdtError> {
        self.edited(&KeyEdit::put(key, json)?)
    }

    /// Removes a key.
    pub fn remove(&self, key: &str) -> Result<Self, CrdtError> {
        self.edited(&KeyEdit::Remove(key.to_owned()))
    }

    /// Whether this is the empty state, perhaps with a change: a literal.
    fn knows_nothing(&self) -> bool {
        self.entries.is_empty() && self.births.is_empty() && self.floor == 0
    }

    /// Refuses a table whose encoding could not be read back.
    fn bounded(self) -> Result<Self, CrdtError> {
        check_size(self.size)?;
        Ok(self)
    }
}

fn check_size(size: usize) -> Result<(), CrdtError> {
    if size.saturating_add(FIXED_BYTES) > MAX_STATE_BYTES {
        return Err(CrdtError::TooLarge {
            what: "the table",
            limit: MAX_STATE_BYTES,
        });
    }
    Ok(())
}

fn check_key(key: &str) -> Result<(), CrdtError> {
    if key.contains('\0') {
        return Err(CrdtError::InvalidKey);
    }
    Ok(())
}
