//! The digest of entries that stream by in the order of their keys, in memory of the depth.

use std::collections::BTreeMap;

use super::prefix::{Prefix, common, digit};
use super::{BUCKET, Entry, Node, hash};
use crate::hash::Hash;

/// Why entries are not a sorted map.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// An entry does not come after the one before.
    #[error("key {} does not come after the key before it", hex::encode(.0))]
    Order(Hash),
    /// An entry does not begin with the builder's prefix.
    #[error("key {} does not begin with the prefix", hex::encode(.0))]
    Elsewhere(Hash),
}

/// The children of a branch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Branch {
    /// Digit and digest, ascending.
    pub children: Vec<(u8, Hash)>,
}

/// What is known of a map after its entries went by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The node of the builder's prefix.
    pub node: Node,
    /// The branches whose prefixes have at most as many digits as the builder was told.
    pub branches: BTreeMap<Prefix, Branch>,
}

/// What is complete under one prefix.
enum Part {
    /// At most [`BUCKET`] entries; they may join others in a bucket nearer to the root.
    Few(Vec<Entry>),
    Branch(Node),
}

/// A node that entries may still be added to.
#[derive(Default)]
struct Frame {
    count: u64,
    /// All entries, while they are few.
    few: Vec<Entry>,
    /// The complete children, once they are more.
    children: Vec<(u8, Hash)>,
}

impl Frame {
    /// Adds all there is under one digit of this frame, which has `depth` digits.
    fn add(&mut self, depth: usize, key: &Hash, part: Part) {
        match part {
            Part::Few(entries) if self.count as usize + entries.len() <= BUCKET => {
                self.count += entries.len() as u64;
                self.few.extend(entries);
            }
            Part::Few(entries) => {
                self.spill(depth);
                let node = hash::bucket(entries.iter());
                self.count += node.count;
                self.children.push((digit(key, depth), node.digest));
            }
            Part::Branch(node) => {
                self.spill(depth);
                self.count += node.count;
                self.children.push((digit(key, depth), node.digest));
            }
        }
    }

    /// From here on this is a branch.
    fn spill(&mut self, depth: usize) {
        self.children.extend(children_of(&self.few, depth));
        self.few.clear();
    }
}

/// The children that at most [`BUCKET`] entries make of a branch at `depth`.
pub(super) fn children_of(few: &[Entry], depth: usize) -> impl Iterator<Item = (u8, Hash)> {
    few.chunk_by(move |a, b| digit(&a.key, depth) == digit(&b.key, depth))
        .filter_map(move |entries| {
            let first = entries.first()?;
            Some((
                digit(&first.key, depth),
                hash::bucket(entries.iter()).digest,
            ))
        })
}

/// Takes entries in the order of their keys. Holds at most 65 frames of 16 entries, and the
/// branches that it is to keep.
pub struct Builder {
    base: Prefix,
    keep: usize,
    kept: BTreeMap<Prefix, Branch>,
    /// From the base downwards, each a digit deeper than the one before.
    frames: Vec<Frame>,
    /// The last entry; its place depends on the next one.
    last: Option<Entry>,
}

impl Builder {
    /// Of the entries under `base`; keeps the branches of up to `keep` digits.
    pub fn new(base: Prefix, keep: usize) -> Self {
        Self {
            base,
            keep,
            kept: BTreeMap::new(),
            frames: vec![Frame::default()],
            last: None,
        }
    }

    /// The next entry.
    ///
    /// # Errors
    /// It is out of order, or not under the builder's prefix. It does not count then.
    pub fn push(&mut self, entry: Entry) -> Result<(), BuildError> {
        if !self.base.contains(&entry.key) {
            return Err(BuildError::Elsewhere(entry.key));
        }
        if let Some(last) = self.last {
            if entry.key <= last.key {
                return Err(BuildError::Order(entry.key));
            }
            self.place(last, common(&last.key, &entry.key));
        }
        self.last = Some(entry);
        Ok(())
    }

    /// Digits of the deepest frame.
    fn depth(&self) -> usize {
        self.base.digits() + self.frames.len() - 1
    }

    /// Puts an entry into the frame of the digits that it shares with one of its neighbours, the
    /// deeper one; then leaves the frames that the next entry is not under.
    fn place(&mut self, entry: Entry, shared: usize) {
        while self.depth() < shared {
            self.frames.push(Frame::default());
        }
        let depth = self.depth();
        if let Some(frame) = self.frames.last_mut() {
            frame.add(depth, &entry.key, Part::Few(vec![entry]));
        }
        while self.depth() > shared {
            let depth = self.depth();
            let Some(frame) = self.frames.pop() else {
                return;
            };
            let part = self.close(depth, &entry.key, frame);
            if let Some(parent) = self.frames.last_mut() {
                parent.add(depth - 1, &entry.key, part);
            }
        }
    }

    fn close(&mut self, depth: usize, key: &Hash, frame: Frame) -> Part {
        if frame.count as usize <= BUCKET {
            return Part::Few(frame.few);
        }
        let node = hash::branch(frame.count, &frame.children);
        if depth <= self.keep {
            let children = frame.children;
            self.kept
                .insert(Prefix::of(key, depth), Branch { children });
        }
        Part::Branch(node)
    }

    /// When all entries went by.
    pub fn finish(mut self) -> Summary {
        let base = self.base.digits();
        if let Some(last) = self.last.take() {
            self.place(last, base);
        }
        let key = *self.base.first_key();
        let node = match self.frames.pop() {
            Some(frame) => match self.close(base, &key, frame) {
                Part::Few(entries) => hash::bucket(entries.iter()),
                Part::Branch(node) => node,
            },
            None => hash::bucket([].iter()),
        };
        Summary {
            node,
            branches: self.kept,
        }
    }
}
