//! Where two trees differ.

use super::tree::{DigestTree, Kind, Part};
use super::{BUCKET, Entry};
use crate::hash::Hash;

/// A key under which two maps do not hold the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// The key.
    pub key: Hash,
    /// What the first map holds.
    pub ours: Option<Hash>,
    /// What the second holds.
    pub theirs: Option<Hash>,
}

impl DigestTree {
    /// The keys under which the two differ, ascending, at most `limit` of them. Parts of equal
    /// digest are not looked into, so the time goes with the number of differences.
    pub fn diff(&self, other: &Self, limit: usize) -> Vec<Difference> {
        let mut walk = Walk {
            ours: &self.added,
            theirs: &other.added,
            limit,
            found: Vec::new(),
        };
        walk.compare(Some(&self.root), Some(&other.root));
        walk.found.truncate(limit);
        walk.found
    }
}

struct Walk<'a> {
    ours: &'a [Entry],
    theirs: &'a [Entry],
    limit: usize,
    found: Vec<Difference>,
}

impl Walk<'_> {
    fn compare(&mut self, ours: Option<&Part>, theirs: Option<&Part>) {
        if self.found.len() >= self.limit {
            return;
        }
        if let (Some(a), Some(b)) = (ours, theirs) {
            if a.node(self.ours) == b.node(self.theirs) {
                return;
            }
            if let (Kind::Branch(a), Kind::Branch(b)) = (&a.kind, &b.kind) {
                for (a, b) in a.iter().zip(b.iter()) {
                    self.compare(a.as_ref(), b.as_ref());
                }
                return;
            }
        }
        let list = |part: Option<&Part>, added| {
            let mut entries: Vec<Entry> = Vec::with_capacity(BUCKET);
            if let Some(part) = part {
                part.each(added, &mut |entry| entries.push(*entry));
            }
            entries
        };
        merge(
            &list(ours, self.ours),
            &list(theirs, self.theirs),
            |difference| self.found.push(difference),
        );
    }
}

/// Calls for each key of two sorted lists under which they differ.
fn merge(mut ours: &[Entry], mut theirs: &[Entry], mut call: impl FnMut(Difference)) {
    loop {
        let (a, b) = (ours.first(), theirs.first());
        let key = match (a, b) {
            (Some(a), Some(b)) => a.key.min(b.key),
            (Some(one), None) | (None, Some(one)) => one.key,
            (None, None) => return,
        };
        let value = |entry: Option<&Entry>| entry.filter(|e| e.key == key).map(|e| e.value);
        let difference = Difference {
            key,
            ours: value(a),
            theirs: value(b),
        };
        if difference.ours != difference.theirs {
            call(difference);
        }
        ours = ours
            .split_at(usize::from(difference.ours.is_some()).min(ours.len()))
            .1;
        theirs = theirs
            .split_at(usize::from(difference.theirs.is_some()).min(theirs.len()))
            .1;
    }
}
