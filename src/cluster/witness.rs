//! Who cosigns this node's checkpoints: `crdt_add_witness`,
//! `crdt_remove_witness`. The worker asks them.

use crate::catalog;
use crate::error::raise;
use ledger::note::{KeyKind, VerifierKey};
use pgrx::prelude::*;

/// Witnesses of one node.
const MAX_WITNESSES: i64 = 32;

/// Has the witness with this verifier key, at this URL, cosign the node's
/// checkpoints from now on. The witness must know this node's key, which
/// `crdt_node()` tells.
#[pg_extern]
fn crdt_add_witness(vkey: &str, url: &str) {
    crate::require_preload();
    let key: VerifierKey = vkey.parse().unwrap_or_else(|fault| {
        raise(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            format!("\"{vkey}\" is not the key of a witness: {fault}"),
            "Its operator tells it; bcrdt witness-key prints it.",
        )
    });
    if let Err(fault) = key.need(KeyKind::Cosignature) {
        raise(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            format!("\"{vkey}\" is not the key of a witness: {fault}"),
            "The key of a log looks alike; ask the witness's operator for the one that cosigns.",
        );
    }
    let url = url.trim_end_matches('/');
    if !transport::is_web_url(url) {
        raise(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            format!("\"{url}\" is not the URL of a witness"),
            "Write http://host:port or https://host, below which /add-checkpoint is.",
        );
    }
    catalog::run("LOCK TABLE crdt.witness IN SHARE ROW EXCLUSIVE MODE", &[]);
    let (count, known) = catalog::one(
        "SELECT count(*), count(*) FILTER (WHERE name = $1) FROM crdt.witness",
        &[key.name().into()],
        |row| (row.need::<i64>(1), row.need::<i64>(2)),
    )
    .unwrap_or_default();
    if known > 0 {
        raise(
            PgSqlErrorCode::ERRCODE_DUPLICATE_OBJECT,
            format!("the witness {} is there already", key.name()),
            "crdt_remove_witness() takes it away, for another key or URL.",
        );
    }
    if count >= MAX_WITNESSES {
        raise(
            PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
            format!("a node has at most {MAX_WITNESSES} witnesses"),
            "crdt_remove_witness() takes one away.",
        );
    }
    catalog::run(
        "INSERT INTO crdt.witness (vkey, name, url) VALUES ($1, $2, $3)",
        &[key.to_string().into(), key.name().into(), url.into()],
    );
}

/// Asks the witness of this name no more; what it cosigned stays.
#[pg_extern]
fn crdt_remove_witness(name: &str) {
    let removed = catalog::run("DELETE FROM crdt.witness WHERE name = $1", &[name.into()]);
    if removed == 0 {
        raise(
            PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT,
            format!("there is no witness {name}"),
            "The view crdt_witnesses lists them.",
        );
    }
}
