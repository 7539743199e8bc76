//! What a sequence is made of: characters, or JSON values.

use std::cmp::Ordering;
use std::fmt::Debug;

use crate::codec::Reader;
use crate::{CrdtError, DecodeError, TextError};

/// Elements side by side.
pub trait Content: Clone + Eq + Ord + Default + Debug {
    /// The name of the SQL type.
    const NAME: &'static str;

    /// A part of it.
    type Slice: ?Sized;

    /// All of it.
    fn slice(&self) -> &Self::Slice;

    /// How many elements.
    fn count(slice: &Self::Slice) -> usize;

    /// The first `count` elements and the rest; fewer if there are fewer.
    fn split(slice: &Self::Slice, count: usize) -> (&Self::Slice, &Self::Slice);

    /// Whether both hold the same.
    fn same(a: &Self::Slice, b: &Self::Slice) -> bool;

    /// Appends elements.
    fn push(&mut self, slice: &Self::Slice);

    /// Replaces `removed` elements from `at` on by `added`; both are in range.
    fn splice(&mut self, at: usize, removed: usize, added: &Self::Slice);

    /// Takes off what comes after `at` elements.
    fn split_off(&mut self, at: usize) -> Self;

    /// About how many bytes its encoding takes, never less.
    fn size(&self) -> usize;

    /// Refuses what PostgreSQL cannot hold.
    fn check(&self) -> Result<(), CrdtError>;

    /// Appends its encoding.
    fn put(&self, out: &mut Vec<u8>);

    /// Reads what [`Content::put`] wrote, and only that.
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Appends the bytes of elements, without their count.
    fn put_elements(slice: &Self::Slice, out: &mut Vec<u8>);

    /// How many bytes [`Content::put_elements`] appends.
    fn byte_length(slice: &Self::Slice) -> usize;

    /// Reads what [`Content::put_elements`] wrote, and only that.
    fn read_elements(bytes: &[u8]) -> Result<Self, DecodeError>;

    /// The readable text of the value.
    fn print(&self) -> String;

    /// Reads a plain literal.
    fn parse(text: &str) -> Result<Self, TextError>;

    /// As JSON, for people.
    fn json(&self) -> String;

    /// The order of values in indexes.
    fn compare(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }

    /// What a hash index hashes: equal for values that are equal in that order.
    fn hash_key(&self) -> Vec<u8> {
        self.print().into_bytes()
    }

    /// Where `new` differs from `old`, ascending.
    fn hunks(old: &Self::Slice, new: &Self::Slice) -> Vec<Hunk>;
}

/// `removed` elements from `at` of the old become those of `added` from `from` of the new.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hunk {
    /// Where in the old.
    pub at: usize,
    /// How many go.
    pub removed: usize,
    /// Where in the new.
    pub from: usize,
    /// How many come.
    pub added: usize,
}
