//! The traits of every CRDT type.

use std::cmp::Ordering;

use super::{
    Edits, KeyEdit, LwwTable, TableKind, Values, Wanted, check_key, check_size, layout, text,
    weight,
};
use crate::elements::merged;
use crate::{
    Author, Change, Crdt, CrdtError, DecodeError, DeltaFault, Dot, Edit, Hlc, ReplicaId, TextError,
    VersionVector, json,
};

impl<K: TableKind> Crdt for LwwTable<K> {
    const NAME: &'static str = K::NAME;

    /// Key → JSON text.
    type Plain = Values;

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        layout::decode(bytes)
    }

    fn encode(&self) -> Vec<u8> {
        layout::encode(self)
    }

    fn value(&self) -> Result<Values, CrdtError> {
        let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        Ok(self.iter().map(owned).collect())
    }

    fn plain_text(&self) -> Result<String, CrdtError> {
        Ok(text::readable(self))
    }

    fn keys(&self) -> Vec<String> {
        self.iter().map(|(key, _)| key.to_owned()).collect()
    }

    /// Each JSON text is brought to its canonical form, any other becomes a JSON string. Keys
    /// must not contain NUL, as no text of PostgreSQL does: `settle` and `decode` refuse them.
    fn assign(plain: Values) -> Self {
        let canonical =
            |text: String| json::canonical(&text).unwrap_or_else(|_| json::quote(&text));
        let values = plain.into_iter();
        let values = values.map(|(key, value)| (key, canonical(value))).collect();
        Self::of(Default::default(), Vec::new(), 0, Change::Assign(values))
    }

    /// Removes the keys that this value shows.
    fn reset(&self) -> Result<Self, CrdtError> {
        let change = match &self.change {
            Change::Assign(_) => Change::Assign(Wanted::default()),
            change => {
                let asked = match change {
                    Change::Add(edits) => Some(edits),
                    _ => None,
                };
                let shown = self
                    .entries
                    .iter()
                    .filter(|(_, entry)| entry.value.is_some());
                let asked = asked.into_iter().flat_map(Edits::keys);
                let keys = merged(shown.map(|(key, _)| key), asked);
                let edits: Edits = keys.map(|key| (key, None)).collect();
                match edits.is_empty() {
                    true => Change::None,
                    false => Change::Add(edits),
                }
            }
        };
        Self::of(
            self.entries.clone(),
            self.births.clone(),
            self.floor,
            change,
        )
        .bounded()
    }

    /// Removals count: they win over writes before them.
    fn latest(&self) -> Hlc {
        let births = self.births.iter().map(|birth| birth.hlc);
        let entries = self.entries.values().map(|entry| entry.stamp.hlc);
        births
            .chain(entries)
            .max()
            .unwrap_or_default()
            .max(Hlc(self.floor))
    }

    fn version(&self) -> VersionVector {
        let entries = self.entries.values().map(|entry| &entry.stamp);
        entries
            .chain(&self.births)
            .map(|stamp| Dot {
                replica: stamp.replica,
                counter: stamp.hlc.0,
            })
            .collect()
    }

    fn is_settled(&self) -> bool {
        self.change.is_none()
    }

    /// # Errors
    /// [`CrdtError::StaleEntry`] if a state was folded too early, see [`Crdt::compact`].
    fn join(&self, other: &Self) -> Result<Self, CrdtError> {
        self.joined(other)
    }

    fn settle(old: Option<&Self>, new: &Self, author: &mut dyn Author) -> Result<Self, CrdtError> {
        Self::settled(old, new, author)
    }

    fn delta(old: Option<&Self>, new: &Self) -> Option<Self> {
        let bottom = Self::default();
        let delta = new.beyond(old.unwrap_or(&bottom));
        (old.is_none() || delta != bottom).then_some(delta)
    }

    /// Drops removals up to the smallest tick in `stable`, which must name *every* replica that
    /// may still write: one that is missing does not hold the floor down. The floor becomes the
    /// greatest tick dropped. A join with a state that had not seen `stable` stays right: what it
    /// holds at or below the floor and this state does not was removed. Only if `stable` claimed
    /// too much can states contradict each other, and their join is
    /// [`CrdtError::StaleEntry`].
    fn compact(&self, stable: &VersionVector) -> Result<Self, CrdtError> {
        Ok(self.folded(stable))
    }

    fn check_delta(delta: &Self, author: ReplicaId, row: Option<&Self>) -> Result<(), DeltaFault> {
        if !delta.change.is_none() {
            return Err(DeltaFault::Unsettled);
        }
        let bottom = Self::default();
        let row = row.unwrap_or(&bottom);
        if delta.floor > row.floor {
            return Err(DeltaFault::ForeignFloor {
                actual: delta.floor,
                limit: row.floor,
            });
        }
        let births = delta.births.iter();
        let births = births.filter(|birth| row.births.binary_search(birth).is_err());
        let stamps = delta.entries.values().map(|entry| &entry.stamp);
        if let Some(stamp) = births.chain(stamps).find(|stamp| stamp.replica != author) {
            return Err(DeltaFault::ForeignStamp(stamp.replica));
        }
        for (key, entry) in delta.entries.iter() {
            let tick = entry.stamp.hlc.0;
            let is_known = |held: &super::Entry| entry.rank(held).is_le();
            if tick <= row.floor && !row.entries.get(key).is_some_and(is_known) {
                return Err(DeltaFault::BelowFloor {
                    tick,
                    floor: row.floor,
                });
            }
        }
        Ok(())
    }

    fn to_text(&self) -> String {
        text::print(self)
    }

    fn from_text(text: &str) -> Result<Self, TextError> {
        text::parse(text)
    }

    fn to_json(&self) -> String {
        text::json(self)
    }

    fn cmp_by_value(&self, other: &Self) -> Ordering {
        let (mine, others) = (self.values(), other.values());
        let compare = |((k, v), (l, w)): ((&&str, &&str), (&&str, &&str))| {
            k.cmp(l).then_with(|| json::compare(v, w))
        };
        let differing = mine
            .iter()
            .zip(&others)
            .map(compare)
            .find(|order| order.is_ne());
        differing.unwrap_or_else(|| mine.len().cmp(&others.len()))
    }

    fn hash_key(&self) -> Vec<u8> {
        let member = |(key, value): (&str, &str)| format!("{key}\0{}\0", json::hash_key(value));
        self.iter().map(member).collect::<String>().into()
    }
}

impl<K: TableKind> Edit for LwwTable<K> {
    type Edit = KeyEdit;

    fn edit(&mut self, edit: &KeyEdit) -> Result<(), CrdtError> {
        let (key, value) = match edit {
            KeyEdit::Put(key, value) => (key, Some(value)),
            KeyEdit::Remove(key) => (key, None),
        };
        check_key(key)?;
        let replaced = match &self.change {
            Change::None => 0,
            Change::Add(edits) => edits.get(key).map_or(0, |v| weight(key, v.as_ref())),
            Change::Assign(values) => values.get(key).map_or(0, |v| weight(key, Some(v))),
        };
        let added = match (&self.change, value) {
            (Change::Assign(_), None) => 0,
            _ => weight(key, value),
        };
        let size = self.size - replaced + added;
        check_size(size)?;
        self.size = size;
        match (&mut self.change, value) {
            (Change::Assign(values), Some(value)) => {
                drop(values.insert(key.as_str(), value.clone()))
            }
            (Change::Assign(values), None) => drop(values.remove(key)),
            (Change::Add(edits), _) => drop(edits.insert(key.as_str(), value.cloned())),
            (none @ Change::None, _) => {
                *none = Change::Add([(key.as_str(), value.cloned())].into());
            }
        }
        Ok(())
    }
}
