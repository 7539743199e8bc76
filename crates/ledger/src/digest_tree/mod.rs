//! A digest over a map from 32-byte keys to 32-byte value hashes, by which two holders of large
//! maps find out in few words where they differ: a radix tree over the keys, hashed with BLAKE3.
//!
//! The tree of a map is a function of its content alone. The entries whose keys begin with a
//! prefix (of 0 to 64 hexadecimal digits) make a *node*: up to [`BUCKET`] of them a *bucket*, more
//! a *branch* with a child for each next digit that occurs.
//!
//! ```text
//! bucket = BLAKE3("bcrdt/digest-bucket/v1\0" ‖ u8 count ‖ count × (key32 ‖ value32), ascending)
//! branch = BLAKE3("bcrdt/digest-branch/v1\0" ‖ u64 count ‖ u16 which digits ‖ a child32 for each)
//! tag    = BLAKE3("bcrdt/digest-entry/v1\0" ‖ key32 ‖ value32), its first 16 bytes
//! ```
//!
//! The digits of a branch are a bit mask, digit 0 the lowest bit; its children stand in the order
//! of their digits. An empty map is a bucket of none. Keys have to be digests themselves: who may
//! choose keys freely can make the tree as deep as keys are long (nothing worse).
//!
//! `builder` makes the digest of sorted entries as they stream by, `tree` holds a map in memory and
//! grows, `parcel` is its bytes, `difference` compares two of them, `compare` two that are apart,
//! with the questions and answers of `message`.

mod builder;
mod compare;
mod difference;
mod hash;
mod message;
mod parcel;
mod prefix;
mod range;
mod tree;

pub use builder::{Branch, BuildError, Builder, Summary};
pub use compare::{CompareFault, Comparison, Sorted, Theirs, named, respond};
pub use difference::Difference;
pub use hash::{Tag, tag};
pub use message::{
    Answer, MAX_ANSWER_BYTES, MAX_PREFIXES, MAX_QUESTION_BYTES, NodeAnswer, Question,
};
pub use parcel::ParcelError;
pub use prefix::Prefix;
pub use tree::{DigestTree, Insert};

use crate::hash::Hash;

/// Entries of a bucket at most.
pub const BUCKET: usize = 16;

/// A key and the hash of what stands under it. Ordered by key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Where; a digest.
    pub key: Hash,
    /// What.
    pub value: Hash,
}

/// All entries under one prefix, as others see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// How many entries.
    pub count: u64,
    /// Digest of bucket or branch.
    pub digest: Hash,
}
