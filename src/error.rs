//! Errors as PostgreSQL users know them: SQLSTATE, message, hint.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode};

/// Raises an error with a hint and ends the statement.
pub fn raise(code: PgSqlErrorCode, message: impl Into<String>, hint: impl Into<String>) -> ! {
    ErrorReport::new(code, message.into(), "blockchain_crdt")
        .set_hint(hint)
        .report(PgLogLevel::ERROR);
    unreachable!("an error report does not return")
}

/// Raises an internal error: stored data or a catalog is not what this
/// extension wrote.
pub fn corrupt(what: impl std::fmt::Display) -> ! {
    raise(
        PgSqlErrorCode::ERRCODE_DATA_CORRUPTED,
        format!("blockchain_crdt cannot read its own data: {what}"),
        "Run SELECT * FROM scan_chain() to learn what was altered.",
    )
}

/// `Result` whose error becomes a `data_corrupted` error.
pub trait OrCorrupt<T> {
    /// The value, or an error that says what cannot be read.
    fn or_corrupt(self, what: &str) -> T;
}

impl<T, E: std::fmt::Display> OrCorrupt<T> for Result<T, E> {
    fn or_corrupt(self, what: &str) -> T {
        self.unwrap_or_else(|error| corrupt(format_args!("{what}: {error}")))
    }
}

impl<T> OrCorrupt<T> for Option<T> {
    fn or_corrupt(self, what: &str) -> T {
        self.unwrap_or_else(|| corrupt(what))
    }
}
