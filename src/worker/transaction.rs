//! A transaction of the worker: it commits, or nothing of it happened and the
//! reason is in the log.

use pgrx::pg_sys;
use pgrx::pg_sys::panic::CaughtError;
use pgrx::{PgSqlErrorCode, PgTryBuilder};
use std::panic::AssertUnwindSafe;

/// Runs `work` in a transaction of its own, with the extension held in place:
/// DROP EXTENSION locks the extension before its tables, so taking that lock
/// first keeps the two from waiting for each other.
///
/// # Errors
/// The reason when the transaction was lost; the extension may be gone.
pub fn with_extension<R>(work: impl FnOnce() -> R) -> Result<R, String> {
    run(|| extension().map(|_| work()))?.ok_or_else(|| "the extension was dropped".to_owned())
}

/// OID of the extension in this database, locked until the transaction ends.
pub fn extension() -> Option<pg_sys::Oid> {
    let oid = find_extension()?;
    // SAFETY: the lock is released when the transaction ends.
    unsafe {
        pg_sys::LockDatabaseObject(
            pg_sys::ExtensionRelationId,
            oid,
            0,
            pg_sys::AccessShareLock as pg_sys::LOCKMODE,
        );
    }
    // It may have been dropped while the lock was waited for.
    find_extension().filter(|found| *found == oid)
}

fn find_extension() -> Option<pg_sys::Oid> {
    // SAFETY: a catalog look-up.
    let oid = unsafe { pg_sys::get_extension_oid(c"blockchain_crdt".as_ptr(), true) };
    (oid != pg_sys::InvalidOid).then_some(oid)
}

/// Runs `work` in a transaction of its own.
///
/// # Errors
/// The reason when the transaction was lost.
pub fn run<R>(work: impl FnOnce() -> R) -> Result<R, String> {
    let mut work = Some(work);
    let outcome = PgTryBuilder::new(AssertUnwindSafe(|| {
        // SAFETY: start and commit are paired; on an error the transaction is
        // aborted below.
        unsafe {
            pg_sys::SetCurrentStatementStartTimestamp();
            pg_sys::StartTransactionCommand();
            pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
        }
        let result = work.take().map(|work| work());
        // SAFETY: as above.
        unsafe {
            if pg_sys::ActiveSnapshotSet() {
                pg_sys::PopActiveSnapshot();
            }
            pg_sys::CommitTransactionCommand();
        }
        Ok(result)
    }))
    .catch_others(|error| Err(explain(error)))
    .execute();
    match outcome {
        Ok(Some(result)) => Ok(result),
        Ok(None) => Err("the work was already done".to_owned()),
        Err(reason) => {
            // SAFETY: aborts whatever is left of the transaction, with the
            // subtransactions that the error left open; the idle state is what
            // the next StartTransactionCommand expects.
            unsafe {
                pg_sys::AbortOutOfAnyTransaction();
            }
            Err(reason)
        }
    }
}

/// Whether the commit of this transaction waits for the disk.
pub fn flush_at_commit(flush: bool) {
    let level = if flush {
        pg_sys::SyncCommitLevel::SYNCHRONOUS_COMMIT_LOCAL_FLUSH
    } else {
        pg_sys::SyncCommitLevel::SYNCHRONOUS_COMMIT_OFF
    };
    // SAFETY: the variable behind the setting, as SET LOCAL would change it;
    // each transaction of this worker sets it anew.
    unsafe { pg_sys::synchronous_commit = level as i32 }
}

fn explain(error: CaughtError) -> String {
    let report = match &error {
        CaughtError::PostgresError(report) | CaughtError::ErrorReport(report) => report,
        CaughtError::RustPanic { ereport, .. } => ereport,
    };
    if report.sql_error_code() == PgSqlErrorCode::ERRCODE_ADMIN_SHUTDOWN {
        error.rethrow();
    }
    let detail = report
        .detail()
        .map(|d| format!(" ({d})"))
        .unwrap_or_default();
    format!("{}{detail}", report.message())
}
