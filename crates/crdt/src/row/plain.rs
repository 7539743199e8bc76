//! The plain columns of a row: the last writer wins, for all of them together.

use std::cmp::Ordering;

use sha2::{Digest, Sha256};

use super::layout;
use crate::Stamp;

/// The values of all plain columns outside the key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlainRow {
    /// Who wrote them, and when.
    pub stamp: Stamp,
    /// Column and binary value (None = NULL), columns ascending.
    pub values: Vec<(u16, Option<Vec<u8>>)>,
}

impl PlainRow {
    /// SHA-256 of the encoded values; settles a tie of stamps.
    pub fn digest(&self) -> [u8; 32] {
        let mut bytes = Vec::new();
        layout::put_values(&mut bytes, &self.values);
        Sha256::digest(bytes).into()
    }

    /// Which of two wins: the greater stamp, then the greater digest. The values are hashed
    /// only if one stamp was given twice.
    pub fn rank(&self, other: &Self) -> Ordering {
        self.stamp.cmp(&other.stamp).then_with(|| {
            if self.values == other.values {
                Ordering::Equal
            } else {
                self.digest().cmp(&other.digest())
            }
        })
    }
}
