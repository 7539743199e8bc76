//! The entries between two keys, and their digest, which parts of the tree that lie between them
//! as a whole need not be walked for.

use super::prefix::{DIGITS, Prefix};
use super::tree::{DigestTree, Kind, Part};
use super::{BUCKET, Entry, Node, hash};
use crate::hash::Hash;

/// Both ends belong to it.
struct Bounds<'a> {
    from: &'a Hash,
    to: &'a Hash,
}

impl Bounds<'_> {
    fn touch(&self, prefix: &Prefix) -> bool {
        prefix.first_key() <= self.to && prefix.last_key() >= *self.from
    }

    fn enclose(&self, prefix: &Prefix) -> bool {
        prefix.first_key() >= self.from && prefix.last_key() <= *self.to
    }

    fn contain(&self, entry: &Entry) -> bool {
        (self.from..=self.to).contains(&&entry.key)
    }
}

impl DigestTree {
    /// The entries from one key to another, both included, in their order.
    pub fn range(&self, from: &Hash, to: &Hash) -> Vec<Entry> {
        let mut found = Vec::new();
        self.list(&self.root, Prefix::ROOT, &Bounds { from, to }, &mut found);
        found
    }

    /// Count and digest of the map of these entries alone.
    pub fn range_node(&self, from: &Hash, to: &Hash) -> Node {
        self.restricted(&self.root, Prefix::ROOT, &Bounds { from, to })
            .unwrap_or_else(|| hash::bucket([].iter()))
    }

    fn list(&self, part: &Part, prefix: Prefix, bounds: &Bounds<'_>, found: &mut Vec<Entry>) {
        match &part.kind {
            Kind::Bucket(places) => {
                let entries = places.iter().filter_map(|at| self.added.get(*at));
                found.extend(entries.filter(|entry| bounds.contain(entry)));
            }
            Kind::Branch(children) => {
                for (digit, child) in (0..).zip(children.iter()) {
                    let under = prefix.child(digit).filter(|under| bounds.touch(under));
                    if let (Some(child), Some(under)) = (child, under) {
                        self.list(child, under, bounds, found);
                    }
                }
            }
        }
    }

    /// The node that the entries of a part within the bounds make; `None` if there are none.
    fn restricted(&self, part: &Part, prefix: Prefix, bounds: &Bounds<'_>) -> Option<Node> {
        if bounds.enclose(&prefix) {
            return Some(part.node(&self.added)).filter(|node| node.count > 0);
        }
        let Kind::Branch(children) = &part.kind else {
            return self.bucket_within(part, prefix, bounds);
        };
        let (mut count, mut digests) = (0, Vec::new());
        for (digit, child) in (0..).zip(children.iter()) {
            let under = prefix.child(digit).filter(|under| bounds.touch(under));
            if let (Some(child), Some(under)) = (child, under)
                && let Some(node) = self.restricted(child, under, bounds)
            {
                count += node.count;
                digests.push((digit, node.digest));
            }
        }
        if count as usize <= BUCKET {
            return self.bucket_within(part, prefix, bounds);
        }
        Some(hash::branch(count, &digests))
    }

    /// A bucket of the at most [`BUCKET`] entries of a part that are within the bounds.
    fn bucket_within(&self, part: &Part, prefix: Prefix, bounds: &Bounds<'_>) -> Option<Node> {
        debug_assert!(prefix.digits() <= DIGITS);
        let mut found = Vec::new();
        self.list(part, prefix, bounds, &mut found);
        (!found.is_empty()).then(|| hash::bucket(found.iter()))
    }
}
