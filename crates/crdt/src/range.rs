//! The range of a counter: that of bigint.

use crate::CrdtError;

/// The sum as a bigint.
///
/// # Errors
/// [`CrdtError::Overflow`].
pub(crate) fn in_range(sum: i128) -> Result<i64, CrdtError> {
    i64::try_from(sum).map_err(|_| CrdtError::Overflow)
}

/// Refuses a step out of the range. Others may together have driven the sum beyond it: the way
/// back is open.
pub(crate) fn check_step(before: i128, step: i128) -> Result<(), CrdtError> {
    let after = before + step;
    match in_range(after).is_err() && after.unsigned_abs() >= before.unsigned_abs() {
        true => Err(CrdtError::Overflow),
        false => Ok(()),
    }
}
