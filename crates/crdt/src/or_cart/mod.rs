//! or_cart: how many of each, an [`OrMap`] whose keys all hold counters. Concurrent additions to
//! one key add up; a removal of a key takes what it saw and no more.
//!
//! State, bytes and joins are those of or_map; a state that holds anything but counters is not
//! a canonical one.

mod text;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::or_map::{Entry, Kinds, MapEdit, Nested};
use crate::{
    Author, Change, Crdt, CrdtError, DecodeError, DeltaFault, Edit, Hlc, OrMap, ReplicaId,
    TextError, VersionVector,
};

/// One use of an operator of a cart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CartEdit {
    /// Makes a key count this, by difference.
    Put {
        /// Which.
        key: String,
        /// How many.
        count: i64,
    },
    /// Adds to a key, from 0 if it is not there.
    Add {
        /// Which.
        key: String,
        /// Negative to subtract.
        amount: i64,
    },
    /// Removes a key as far as this value shows it.
    Remove {
        /// Which.
        key: String,
    },
}

impl CartEdit {
    fn of_map(&self) -> MapEdit {
        match self.clone() {
            Self::Put { key, count } => MapEdit::Put {
                path: vec![key],
                value: Nested::Counter(count),
            },
            Self::Add { key, amount } => MapEdit::Add {
                path: vec![key],
                amount,
            },
            Self::Remove { key } => MapEdit::Remove { path: vec![key] },
        }
    }
}

/// How many of each key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OrCart {
    /// All its keys hold counters and nothing else.
    map: OrMap,
}

impl OrCart {
    /// The map that it is.
    pub fn as_map(&self) -> &OrMap {
        &self.map
    }
}

/// Whether a map holds nothing but counters.
fn counts(map: &OrMap) -> bool {
    let is_counter = |entry: &Entry| matches!(entry, Kinds::Counter(_));
    let tree = map.tree().values().all(is_counter);
    tree && match map.change() {
        Change::None => true,
        Change::Add(wants) => wants.values().all(|want| matches!(want, Kinds::Counter(_))),
        Change::Assign(value) => value
            .values()
            .all(|value| matches!(value, Nested::Counter(_))),
    }
}

impl Crdt for OrCart {
    const NAME: &'static str = "or_cart";

    type Plain = BTreeMap<String, i64>;

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let map = OrMap::decode(bytes)?;
        match counts(&map) {
            true => Ok(Self { map }),
            false => Err(DecodeError::NotCanonical("a cart holds only counters")),
        }
    }

    fn encode(&self) -> Vec<u8> {
        self.map.encode()
    }

    /// Fails if concurrent additions have driven a counter beyond bigint.
    fn value(&self) -> Result<BTreeMap<String, i64>, CrdtError> {
        let count = |(key, value): (Box<str>, Nested)| match value {
            Nested::Counter(count) => Some((key.into(), count)),
            Nested::Register(_) | Nested::Set(_) | Nested::Map(_) => None,
        };
        Ok(self.map.value()?.into_iter().filter_map(count).collect())
    }

    fn plain_text(&self) -> Result<String, CrdtError> {
        self.map.plain_text()
    }

    fn keys(&self) -> Vec<String> {
        self.map.keys()
    }

    /// Keys must not contain NUL: `settle` and `decode` refuse them.
    fn assign(plain: BTreeMap<String, i64>) -> Self {
        let counters = plain
            .into_iter()
            .map(|(key, count)| (key, Nested::Counter(count)));
        Self {
            map: OrMap::assign(counters.collect()),
        }
    }

    fn reset(&self) -> Result<Self, CrdtError> {
        self.map.reset().map(|map| Self { map })
    }

    fn latest(&self) -> Hlc {
        self.map.latest()
    }

    fn version(&self) -> VersionVector {
        self.map.version()
    }

    fn is_settled(&self) -> bool {
        self.map.is_settled()
    }

    fn join(&self, other: &Self) -> Result<Self, CrdtError> {
        self.map.join(&other.map).map(|map| Self { map })
    }

    fn settle(old: Option<&Self>, new: &Self, author: &mut dyn Author) -> Result<Self, CrdtError> {
        let map = OrMap::settle(old.map(Self::as_map), &new.map, author)?;
        Ok(Self { map })
    }

    fn delta(old: Option<&Self>, new: &Self) -> Option<Self> {
        OrMap::delta(old.map(Self::as_map), &new.map).map(|map| Self { map })
    }

    /// As of an or_map.
    fn compact(&self, stable: &VersionVector) -> Result<Self, CrdtError> {
        self.map.compact(stable).map(|map| Self { map })
    }

    fn check_delta(delta: &Self, author: ReplicaId, row: Option<&Self>) -> Result<(), DeltaFault> {
        OrMap::check_delta(&delta.map, author, row.map(Self::as_map))
    }

    fn to_text(&self) -> String {
        text::print(self)
    }

    fn from_text(text: &str) -> Result<Self, TextError> {
        text::parse(text)
    }

    fn to_json(&self) -> String {
        self.map.json_as(Self::NAME)
    }

    fn cmp_by_value(&self, other: &Self) -> Ordering {
        self.map.cmp_by_value(&other.map)
    }
}

impl Edit for OrCart {
    type Edit = CartEdit;

    fn edit(&mut self, edit: &CartEdit) -> Result<(), CrdtError> {
        self.map.edit(&edit.of_map())
    }
}
