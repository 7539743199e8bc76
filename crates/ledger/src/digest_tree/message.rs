//! What two sides that compare their trees say to each other.
//!
//! ```text
//! question = u8 1 ‖ u16 count ‖ count × (u8 digits ‖ the bytes that hold them), ascending
//! answer   = u8 1 ‖ u16 count ‖ count × node, in the order of the question
//! node     = u8 0                                        no entry
//!          | u8 1 ‖ u8 count (1 to 16) ‖ tags of 16      a bucket
//!          | u8 2 ‖ u16 which digits (not 0) ‖ the first 16 bytes of a child's digest for each
//! ```

use super::BUCKET;
use super::hash::Tag;
use super::prefix::Prefix;
use crate::codec::{DecodeError, Reader, Write, bound};

/// Prefixes of one question.
pub const MAX_PREFIXES: usize = 4_096;
/// Bytes of a question.
pub const MAX_QUESTION_BYTES: usize = 3 + MAX_PREFIXES * 33;
/// Bytes of an answer.
pub const MAX_ANSWER_BYTES: usize = 3 + MAX_PREFIXES * (3 + 16 * 16);

const VERSION: u8 = 1;
const EMPTY: u8 = 0;
const BUCKET_OF_TAGS: u8 = 1;
const BRANCH: u8 = 2;

/// "What have you got under these prefixes?"
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Ascending, at most [`MAX_PREFIXES`].
    pub prefixes: Vec<Prefix>,
}

/// What is under one prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeAnswer {
    /// Nothing.
    Empty,
    /// These few entries, in the order of their keys.
    Bucket(Vec<Tag>),
    /// More: the first half of each child's digest, by digit, ascending.
    Branch(Vec<(u8, Tag)>),
}

/// The answer to a [`Question`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// One for each prefix, in their order.
    pub nodes: Vec<NodeAnswer>,
}

impl Question {
    /// At most [`MAX_QUESTION_BYTES`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.put_u16(self.prefixes.len() as u16);
        self.prefixes.iter().for_each(|prefix| prefix.put(&mut out));
        out
    }

    /// From [`Question::to_bytes`].
    ///
    /// # Errors
    /// Anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        const WHAT: &str = "a question about a digest tree";
        let mut reader = Reader::new(bytes);
        reader.version(VERSION, WHAT)?;
        let count = usize::from(reader.u16(WHAT)?);
        bound(count, MAX_PREFIXES, WHAT)?;
        let mut prefixes: Vec<Prefix> = Vec::new();
        for _ in 0..count {
            let prefix = Prefix::read(&mut reader)?;
            if prefixes.last().is_some_and(|last| *last >= prefix) {
                return Err(DecodeError::Value { what: WHAT });
            }
            prefixes.push(prefix);
        }
        reader.finish(WHAT)?;
        Ok(Self { prefixes })
    }
}

impl Answer {
    /// At most [`MAX_ANSWER_BYTES`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.put_u16(self.nodes.len() as u16);
        for node in &self.nodes {
            match node {
                NodeAnswer::Empty => out.put_u8(EMPTY),
                NodeAnswer::Bucket(tags) => {
                    out.put_u8(BUCKET_OF_TAGS);
                    out.put_u8(tags.len() as u8);
                    tags.iter().for_each(|tag| out.put(tag));
                }
                NodeAnswer::Branch(children) => {
                    out.put_u8(BRANCH);
                    let mask = |mask, (digit, _): &(u8, Tag)| mask | 1u16 << digit;
                    out.put_u16(children.iter().fold(0, mask));
                    children.iter().for_each(|(_, digest)| out.put(digest));
                }
            }
        }
        out
    }

    /// From [`Answer::to_bytes`].
    ///
    /// # Errors
    /// Anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        const WHAT: &str = "an answer about a digest tree";
        let mut reader = Reader::new(bytes);
        reader.version(VERSION, WHAT)?;
        let count = usize::from(reader.u16(WHAT)?);
        bound(count, MAX_PREFIXES, WHAT)?;
        let mut nodes = Vec::new();
        for _ in 0..count {
            nodes.push(match reader.u8(WHAT)? {
                EMPTY => NodeAnswer::Empty,
                BUCKET_OF_TAGS => {
                    let count = usize::from(reader.u8(WHAT)?);
                    bound(count, BUCKET, WHAT)?;
                    if count == 0 {
                        return Err(DecodeError::Value { what: WHAT });
                    }
                    let tags = (0..count).map(|_| reader.array(WHAT));
                    NodeAnswer::Bucket(tags.collect::<Result<_, _>>()?)
                }
                BRANCH => {
                    let mask = reader.u16(WHAT)?;
                    if mask == 0 {
                        return Err(DecodeError::Value { what: WHAT });
                    }
                    let digits = (0..16u8).filter(|digit| mask >> digit & 1 == 1);
                    let children = digits.map(|digit| Ok((digit, reader.array(WHAT)?)));
                    NodeAnswer::Branch(children.collect::<Result<_, DecodeError>>()?)
                }
                _ => return Err(DecodeError::Value { what: WHAT }),
            });
        }
        reader.finish(WHAT)?;
        Ok(Self { nodes })
    }
}
