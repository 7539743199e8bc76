//! The tree in memory: a map that only grows, with its digest at any time.

use std::sync::OnceLock;

use super::prefix::{DIGITS, digit};
use super::{BUCKET, Entry, Node, hash};
use crate::hash::Hash;

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Insert {
    /// It is in.
    Added,
    /// It was in.
    Known,
    /// Another value stands under this key, and stays.
    Conflict {
        /// That value.
        value: Hash,
    },
}

/// A part of the tree.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) kind: Kind,
    /// Made when asked for, forgotten when something is added beneath.
    node: OnceLock<Node>,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// Places in [`DigestTree::added`], ordered by key.
    Bucket(Vec<usize>),
    Branch(Box<[Option<Part>; 16]>),
}

impl Part {
    fn bucket(places: Vec<usize>) -> Self {
        Self {
            kind: Kind::Bucket(places),
            node: OnceLock::new(),
        }
    }

    /// Count and digest of this part.
    pub(super) fn node(&self, added: &[Entry]) -> Node {
        *self.node.get_or_init(|| match &self.kind {
            Kind::Bucket(places) => {
                let entries: Vec<&Entry> = places.iter().filter_map(|at| added.get(*at)).collect();
                hash::bucket(entries.into_iter())
            }
            Kind::Branch(children) => {
                let (mut count, mut digests) = (0, Vec::new());
                for (digit, child) in (0..).zip(children.iter()) {
                    if let Some(child) = child {
                        let node = child.node(added);
                        count += node.count;
                        digests.push((digit, node.digest));
                    }
                }
                hash::branch(count, &digests)
            }
        })
    }

    /// Whether the entry of the key is new; if so it will stand at place `at`.
    fn insert(&mut self, added: &[Entry], entry: &Entry, at: usize, depth: usize) -> Insert {
        let outcome = match &mut self.kind {
            Kind::Branch(children) => {
                let slot = children.get_mut(usize::from(digit(&entry.key, depth)));
                match slot {
                    Some(Some(child)) => child.insert(added, entry, at, depth + 1),
                    Some(empty) => {
                        *empty = Some(Self::bucket(vec![at]));
                        Insert::Added
                    }
                    None => Insert::Known,
                }
            }
            Kind::Bucket(places) => {
                let known = |at: &usize| added.get(*at).map_or(&entry.key, |known| &known.key);
                match places.binary_search_by(|at| known(at).cmp(&entry.key)) {
                    Err(before) => {
                        places.insert(before, at);
                        if places.len() > BUCKET && depth < DIGITS {
                            let places = std::mem::take(places);
                            self.kind = split(&places, added, entry, depth);
                        }
                        Insert::Added
                    }
                    Ok(found) => {
                        let value = places.get(found).and_then(|at| added.get(*at));
                        match value.map_or(entry.value, |known| known.value) {
                            value if value == entry.value => Insert::Known,
                            value => Insert::Conflict { value },
                        }
                    }
                }
            }
        };
        if outcome == Insert::Added {
            self.node = OnceLock::new();
        }
        outcome
    }

    /// Calls for each entry, in the order of the keys.
    pub(super) fn each<'a>(&self, added: &'a [Entry], call: &mut impl FnMut(&'a Entry)) {
        match &self.kind {
            Kind::Bucket(places) => places
                .iter()
                .filter_map(|at| added.get(*at))
                .for_each(&mut *call),
            Kind::Branch(children) => {
                for child in children.iter().flatten() {
                    child.each(added, call);
                }
            }
        }
    }
}

/// A bucket that has become too large, as a branch; `new` is the entry that `added` lacks yet.
fn split(places: &[usize], added: &[Entry], new: &Entry, depth: usize) -> Kind {
    let digit_of = |at: usize| digit(&added.get(at).unwrap_or(new).key, depth);
    let mut children: Box<[Option<Part>; 16]> = Box::default();
    for group in places.chunk_by(|a, b| digit_of(*a) == digit_of(*b)) {
        let Some(first) = group.first() else { continue };
        let digit = digit_of(*first);
        // All of them may share their next digit too.
        let part = if group.len() > BUCKET && depth + 1 < DIGITS {
            Part {
                kind: split(group, added, new, depth + 1),
                node: OnceLock::new(),
            }
        } else {
            Part::bucket(group.to_vec())
        };
        if let Some(slot) = children.get_mut(usize::from(digit)) {
            *slot = Some(part);
        }
    }
    Kind::Branch(children)
}

/// A map from keys to value hashes that only grows. Two trees of equal content have equal roots,
/// whatever the order of insertion.
#[derive(Debug, Clone)]
pub struct DigestTree {
    pub(super) root: Part,
    /// In the order of insertion.
    pub(super) added: Vec<Entry>,
}

impl Default for DigestTree {
    fn default() -> Self {
        Self {
            root: Part::bucket(Vec::new()),
            added: Vec::new(),
        }
    }
}

impl DigestTree {
    /// Adds an entry. What is there stays: a map that changes is digested anew, by a
    /// [`Builder`](super::Builder).
    pub fn insert(&mut self, entry: Entry) -> Insert {
        let at = self.added.len();
        let outcome = self.root.insert(&self.added, &entry, at, 0);
        if outcome == Insert::Added {
            self.added.push(entry);
        }
        outcome
    }

    /// Count and digest of the whole.
    pub fn root(&self) -> Node {
        self.root.node(&self.added)
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        self.added.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty()
    }

    /// The value under a key.
    pub fn get(&self, key: &Hash) -> Option<Hash> {
        let mut part = &self.root;
        for depth in 0..=DIGITS {
            match &part.kind {
                Kind::Branch(children) => {
                    part = children.get(usize::from(digit(key, depth)))?.as_ref()?;
                }
                Kind::Bucket(places) => {
                    let mut entries = places.iter().filter_map(|at| self.added.get(*at));
                    return entries
                        .find(|entry| entry.key == *key)
                        .map(|entry| entry.value);
                }
            }
        }
        None
    }

    /// All entries in the order of their keys.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::with_capacity(self.added.len());
        self.root
            .each(&self.added, &mut |entry| entries.push(*entry));
        entries
    }
}
