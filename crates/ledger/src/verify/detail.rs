//! What is wrong in words, beside what was expected and what was found as values that a program
//! can take.

use std::fmt::Display;

use super::finding::{Finding, FindingKind};
use crate::hash::{Hash, short};
use crate::ids::NodeId;

/// The words of a finding, and the values in them: hashes shortened, numbers, lengths.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Detail {
    text: String,
    expected: Option<String>,
    found: Option<String>,
}

impl<T: Into<String>> From<T> for Detail {
    fn from(text: T) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }
}

impl Detail {
    /// `what` is one hash and should be another.
    pub fn hashes(what: impl Display, found: &Hash, expected: &Hash) -> Self {
        Self::values(what, short(found), short(expected))
    }

    /// `what` is one value and should be another.
    pub fn values(what: impl Display, found: impl Display, expected: impl Display) -> Self {
        Self::from(format!("{what} is {found}, expected {expected}"))
            .expected(expected)
            .found(found)
    }

    /// `what` has another length than it must.
    pub fn length(what: impl Display, found: usize, expected: usize) -> Self {
        Self::from(format!("{what} has {found} bytes, expected {expected}"))
            .expected(format_args!("{expected} bytes"))
            .found(format_args!("{found} bytes"))
    }

    /// With what was expected; an empty text stands for what cannot be told.
    pub fn expected(mut self, value: impl Display) -> Self {
        self.expected = Some(value.to_string()).filter(|text| !text.is_empty());
        self
    }

    /// With what was found; an empty text stands for nothing.
    pub fn found(mut self, value: impl Display) -> Self {
        self.found = Some(value.to_string()).filter(|text| !text.is_empty());
        self
    }

    /// The finding about a block, leaf, origin and op, as far as they are concerned.
    pub fn into_finding(
        self,
        place: super::Place,
        origin: Option<NodeId>,
        seq: Option<u64>,
        kind: FindingKind,
    ) -> Finding {
        Finding {
            height: place.height,
            leaf_index: place.leaf_index,
            origin,
            seq,
            kind,
            expected: self.expected,
            found: self.found,
            detail: self.text,
        }
    }
}
