//! What the view `crdt_verify_progress` shows.

use crate::instance::progress::told;
use pgrx::prelude::*;

/// The verifications that run in this server.
#[pg_extern(volatile, parallel_restricted)]
#[allow(clippy::type_complexity)]
fn crdt_verifications() -> TableIterator<
    'static,
    (
        name!(pid, i32),
        name!(database, pg_sys::Oid),
        name!(phase, String),
        name!(blocks_total, i64),
        name!(blocks_done, i64),
        name!(ops_total, i64),
        name!(ops_done, i64),
        name!(workers, i32),
        name!(started_at, TimestampWithTimeZone),
    ),
> {
    let rows = told().into_iter().filter_map(|one| {
        Some((
            one.pid,
            pg_sys::Oid::from(one.database),
            one.phase.to_owned(),
            one.blocks_total as i64,
            one.blocks_done as i64,
            one.ops_total as i64,
            one.ops_done as i64,
            one.workers as i32,
            TimestampWithTimeZone::try_from(one.started).ok()?,
        ))
    });
    TableIterator::new(rows.collect::<Vec<_>>())
}
