//! Lineage: recording that data was derived from data, and reading the record.
//! The walk over the graph is SQL (`sql/lineage.sql`).

use crate::catalog;
use crate::error::raise;
use crate::track::capture;
use crate::track::outbox::{self, Entry};
use crate::types::json::Jsonb;
use ledger::{Kind, Lineage};
use pgrx::extension_sql_file;
use pgrx::prelude::*;

extension_sql_file!(
    "../../sql/lineage.sql",
    name = "lineage",
    requires = ["catalog"]
);

/// Puts an edge of the graph into the log, with the caller's role and
/// application.
#[pg_extern(sql = false)]
fn crdt_record_lineage(source: String, target: String, transform: String, detail: Jsonb) {
    let lineage = Lineage {
        source,
        target,
        transform,
        detail: detail.0,
        actor: capture::actor(),
        application: capture::application(),
    };
    let payload = lineage.to_bytes().unwrap_or_else(|error| {
        raise(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            format!("this lineage cannot be recorded: {error}"),
            "Source and target are names of 1 to 1,024 bytes; the transform may have 4,096 bytes, the detail 65,536.",
        )
    });
    catalog::require_member();
    outbox::append(&Entry {
        kind: Kind::Lineage,
        schema_id: 0,
        row_id: 0,
        payload: &payload,
    });
}

/// One field of a lineage record by its name; NULL where the payload cannot be
/// read or has no such field.
#[pg_extern(sql = false)]
fn lineage_field(payload: &[u8], field: &str) -> Option<String> {
    let lineage = Lineage::from_bytes(payload).ok()?;
    match field {
        "source" => Some(lineage.source),
        "target" => Some(lineage.target),
        "transform" => Some(lineage.transform),
        "detail" => Some(lineage.detail),
        "actor" => Some(lineage.actor),
        "application" => Some(lineage.application),
        _ => None,
    }
}
