//! A tree as bytes: whole, or what was added to it since.
//!
//! ```text
//! whole    = "bcrdt/digest-tree/v1\0" ‖ u64 count ‖ count × (key32 ‖ value32), ascending by key
//! addition = "bcrdt/digest-add/v1\0" ‖ u64 count before ‖ root32 before
//!            ‖ u64 count ‖ count × (key32 ‖ value32), ascending by key
//! ```
//!
//! Neither tells in which order the entries came: equal maps have equal bytes.

use super::tree::{DigestTree, Insert};
use super::{Entry, Node};
use crate::codec::{DecodeError, Reader, Write};
use crate::hash::Hash;

const LABEL_WHOLE: &[u8] = b"bcrdt/digest-tree/v1\0";
const LABEL_ADDITION: &[u8] = b"bcrdt/digest-add/v1\0";
const ENTRY_BYTES: usize = 64;

/// Why bytes cannot be added to a tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParcelError {
    /// The bytes are not an addition.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// It continues another tree, or another state of this one.
    #[error("it continues a tree of {expected} entries with another root than this one of {found}")]
    Elsewhere {
        /// Entries of the tree that it continues.
        expected: u64,
        /// Entries of this tree.
        found: u64,
    },
    /// It adds what is there.
    #[error("it adds key {}, which is there already", hex::encode(.0))]
    Known(Hash),
}

fn put_entries(out: &mut Vec<u8>, entries: &[Entry]) {
    out.put_u64(entries.len() as u64);
    for entry in entries {
        out.put(&entry.key);
        out.put(&entry.value);
    }
}

/// Reads entries up to the end of the bytes: their count must be what is there.
fn read_entries(mut reader: Reader<'_>, what: &'static str) -> Result<Vec<Entry>, DecodeError> {
    let count = reader.u64(what)?;
    if count != (reader.remaining() / ENTRY_BYTES) as u64 {
        return Err(DecodeError::Value { what });
    }
    let mut entries: Vec<Entry> = Vec::with_capacity(reader.remaining() / ENTRY_BYTES);
    for _ in 0..count {
        let (key, value) = (reader.array(what)?, reader.array(what)?);
        if entries.last().is_some_and(|last| last.key >= key) {
            return Err(DecodeError::Value { what });
        }
        entries.push(Entry { key, value });
    }
    reader.finish(what)?;
    Ok(entries)
}

impl DigestTree {
    /// The whole map.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(LABEL_WHOLE.len() + 8 + self.len() * ENTRY_BYTES);
        out.put(LABEL_WHOLE);
        put_entries(&mut out, &self.entries());
        out
    }

    /// From [`DigestTree::to_bytes`]. Takes memory of a few times the input.
    ///
    /// # Errors
    /// Anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        const WHAT: &str = "a digest tree";
        let mut reader = Reader::new(bytes);
        reader.label(LABEL_WHOLE, WHAT)?;
        let mut tree = Self::default();
        for entry in read_entries(reader, WHAT)? {
            tree.insert(entry);
        }
        Ok(tree)
    }

    /// What was added since [`DigestTree::root`] was `mark`; `None` if the tree never had so many
    /// entries.
    pub fn since(&self, mark: &Node) -> Option<Vec<u8>> {
        let (_, new) = self
            .added
            .split_at_checked(usize::try_from(mark.count).ok()?)?;
        let mut new = new.to_vec();
        new.sort_unstable();
        let mut out = Vec::with_capacity(LABEL_ADDITION.len() + 48 + new.len() * ENTRY_BYTES);
        out.put(LABEL_ADDITION);
        out.put_u64(mark.count);
        out.put(&mark.digest);
        put_entries(&mut out, &new);
        Some(out)
    }

    /// Adds what [`DigestTree::since`] of another tree gave. Returns how many entries that were.
    ///
    /// # Errors
    /// The bytes are none, or do not continue this very tree, which is then as it was.
    pub fn extend(&mut self, bytes: &[u8]) -> Result<usize, ParcelError> {
        const WHAT: &str = "an addition to a digest tree";
        let mut reader = Reader::new(bytes);
        reader.label(LABEL_ADDITION, WHAT)?;
        let before = Node {
            count: reader.u64(WHAT)?,
            digest: reader.array(WHAT)?,
        };
        let entries = read_entries(reader, WHAT)?;
        if before != self.root() {
            return Err(ParcelError::Elsewhere {
                expected: before.count,
                found: self.root().count,
            });
        }
        if let Some(known) = entries.iter().find(|entry| self.get(&entry.key).is_some()) {
            return Err(ParcelError::Known(known.key));
        }
        let added = entries
            .into_iter()
            .filter(|entry| self.insert(*entry) == Insert::Added);
        Ok(added.count())
    }
}
