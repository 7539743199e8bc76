//! The three hashes of the tree.

use super::{Entry, Node};
use crate::hash::Hash;

const LABEL_BUCKET: &[u8] = b"bcrdt/digest-bucket/v1\0";
const LABEL_BRANCH: &[u8] = b"bcrdt/digest-branch/v1\0";
const LABEL_ENTRY: &[u8] = b"bcrdt/digest-entry/v1\0";

/// What stands for an entry in an answer: 128 bits, since who is to be fooled compares it with
/// entries of one bucket only.
pub type Tag = [u8; 16];

/// The tag of an entry.
pub fn tag(entry: &Entry) -> Tag {
    let mut hasher = blake3::Hasher::new();
    hasher.update(LABEL_ENTRY);
    hasher.update(&entry.key);
    hasher.update(&entry.value);
    short(hasher.finalize().as_bytes())
}

/// The first half of a digest.
pub(super) fn short(digest: &Hash) -> Tag {
    let (head, _) = digest.split_first_chunk().unwrap_or((&[0; 16], &[]));
    *head
}

/// At most [`BUCKET`](super::BUCKET) entries, ascending.
pub(super) fn bucket<'a>(entries: impl ExactSizeIterator<Item = &'a Entry>) -> Node {
    let count = entries.len();
    let mut hasher = blake3::Hasher::new();
    hasher.update(LABEL_BUCKET);
    hasher.update(&[count as u8]);
    for entry in entries {
        hasher.update(&entry.key);
        hasher.update(&entry.value);
    }
    Node {
        count: count as u64,
        digest: *hasher.finalize().as_bytes(),
    }
}

/// Children by their digits, ascending.
pub(super) fn branch(count: u64, children: &[(u8, Hash)]) -> Node {
    let mask = children
        .iter()
        .fold(0u16, |mask, (digit, _)| mask | 1 << digit);
    let mut hasher = blake3::Hasher::new();
    hasher.update(LABEL_BRANCH);
    hasher.update(&count.to_be_bytes());
    hasher.update(&mask.to_be_bytes());
    for (_, child) in children {
        hasher.update(child);
    }
    Node {
        count,
        digest: *hasher.finalize().as_bytes(),
    }
}
