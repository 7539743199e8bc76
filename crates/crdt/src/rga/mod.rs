//! rga: a list of JSON values that many may change at once. [`crate::sequence`] says how.

pub use crate::sequence::Values;
use crate::sequence::{Sequence, SequenceEdit};

/// A list; positions count values.
pub type Rga = Sequence<Values>;

/// One use of an operator of a list.
pub type ListEdit = SequenceEdit<Values>;
