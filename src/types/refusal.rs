//! Errors of the types as SQL users meet them: SQLSTATE, message, hint.

use crate::error::{corrupt, raise};
use crdt::{CrdtError, DecodeError, TextError};
use pgrx::PgSqlErrorCode;

/// Text that is no value of its type. `example` is a plain literal of it.
pub fn text(error: &TextError, example: &str) -> ! {
    let (code, hint) = match error {
        TextError::Syntax { .. } => (
            PgSqlErrorCode::ERRCODE_INVALID_TEXT_REPRESENTATION,
            format!("Write a plain value such as {example}."),
        ),
        TextError::OutOfRange { .. } => (
            PgSqlErrorCode::ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
            "A counter holds what a bigint holds.".to_owned(),
        ),
        TextError::NoCount { .. } => (
            PgSqlErrorCode::ERRCODE_INVALID_TEXT_REPRESENTATION,
            "A cart holds whole numbers; for other values use an or_map.".to_owned(),
        ),
        TextError::TooLarge { .. } => (
            PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
            "Keep large values in a column of their own that is not synced.".to_owned(),
        ),
        TextError::Disagrees { .. } => (
            PgSqlErrorCode::ERRCODE_INVALID_TEXT_REPRESENTATION,
            format!(
                "To write a new value leave out \" @v1:\" and what follows it, as in {example}."
            ),
        ),
        TextError::Armour(_) | TextError::Checksum { .. } | TextError::State { .. } => (
            PgSqlErrorCode::ERRCODE_INVALID_TEXT_REPRESENTATION,
            format!(
                "Copy the value whole, as it was printed, or write a plain value such as {example}."
            ),
        ),
        TextError::PlainColumn => corrupt(error),
    };
    raise(code, error.to_string(), hint)
}

/// Bytes that a client sent and that are no value of their type.
pub fn binary(error: &DecodeError, type_name: &str) -> ! {
    raise(
        PgSqlErrorCode::ERRCODE_INVALID_BINARY_REPRESENTATION,
        format!("invalid binary value of type {type_name}: {error}"),
        "Send the bytes as they were received, or the text of a plain value.",
    )
}

/// A change that its type cannot carry out.
pub fn change(error: &CrdtError) -> ! {
    let (code, hint) = verdict(error);
    raise(code, error.to_string(), hint)
}

/// A change of a tracked row that its column's type cannot carry out.
pub fn change_of_column(column: &str, table: &str, error: &CrdtError) -> ! {
    let (code, hint) = verdict(error);
    let message = format!("column \"{column}\" of tracked table {table}: {error}");
    raise(code, message, hint)
}

fn verdict(error: &CrdtError) -> (PgSqlErrorCode, &'static str) {
    match error {
        CrdtError::Overflow => (
            PgSqlErrorCode::ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
            "A counter holds what a bigint holds.",
        ),
        CrdtError::TooLarge { .. } => (
            PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
            "Keep large values in a column of their own that is not synced.",
        ),
        CrdtError::InvalidElement | CrdtError::InvalidKey => (
            PgSqlErrorCode::ERRCODE_CHARACTER_NOT_IN_REPERTOIRE,
            "Remove the NUL character.",
        ),
        CrdtError::InvalidJson(_) => (
            PgSqlErrorCode::ERRCODE_INVALID_TEXT_REPRESENTATION,
            "Write JSON of the kind that the type holds, nested no deeper than 512 levels.",
        ),
        CrdtError::ClockExhausted => (
            PgSqlErrorCode::ERRCODE_DATETIME_FIELD_OVERFLOW,
            "Assign the value to a new row.",
        ),
        CrdtError::Shrinks { .. } => (
            PgSqlErrorCode::ERRCODE_CHECK_VIOLATION,
            "Use a pn_counter for what also goes down.",
        ),
        CrdtError::FutureTick { .. } => (
            PgSqlErrorCode::ERRCODE_DATETIME_FIELD_OVERFLOW,
            "Write a time that has come, and check the clocks of the machines involved.",
        ),
        CrdtError::BelowFloor { .. } => (
            PgSqlErrorCode::ERRCODE_CHECK_VIOLATION,
            "Write a value that is not below the floor.",
        ),
        CrdtError::FloorIsFixed { .. } => (
            PgSqlErrorCode::ERRCODE_CHECK_VIOLATION,
            "Write the value without a floor.",
        ),
        CrdtError::NoRights { .. } => (
            PgSqlErrorCode::ERRCODE_CHECK_VIOLATION,
            "Write there, or have a holder transfer rights to this node; crdt_rights(column) shows who holds them.",
        ),
        CrdtError::NeedsRow(_) => (
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            "Write the change to the row instead.",
        ),
        CrdtError::ForeignEntry { .. } => (
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            "A vector_clock column counts what its own nodes did: copy vectors into a jsonb column.",
        ),
        CrdtError::OnlyGrows(_) => (
            PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
            "Write the row anew, or use a type that can be emptied.",
        ),
        CrdtError::EmptyPath => (
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            "Name the key, from the outermost map inwards.",
        ),
        CrdtError::OutOfRange { .. } => (
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            "Positions count from 0, to the length.",
        ),
        CrdtError::InvalidText => (
            PgSqlErrorCode::ERRCODE_CHARACTER_NOT_IN_REPERTOIRE,
            "Remove the NUL character.",
        ),
        CrdtError::MissingOrigin(_) => (
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            "Merge what the difference was taken from first.",
        ),
        CrdtError::Forked(_) | CrdtError::Malformed(_) => (
            PgSqlErrorCode::ERRCODE_DATA_EXCEPTION,
            "The two values do not come from one another: assign one of them by its plain value.",
        ),
        CrdtError::StaleState(_) | CrdtError::StaleEntry { .. } => (
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            "Merge with a state that has seen all writes before the compaction.",
        ),
        CrdtError::KindMismatch(..)
        | CrdtError::KeyMismatch
        | CrdtError::NoCrdtColumn(_)
        | CrdtError::Decode(_) => corrupt(error),
    }
}
