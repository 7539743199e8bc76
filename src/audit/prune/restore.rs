//! `crdt_restore_archive`.

use crate::audit::new_file::require_role;
use crate::catalog;
use crate::error::raise;
use crate::track::enrol;
use crate::worker::origins::Origins;
use ledger::bundle::{Frame, Frames, Tag, read_op};
use ledger::{BundleError, NodeId, StoredOp, StoredPart};
use pgrx::check_for_interrupts;
use pgrx::prelude::*;
use std::fs::File;

/// Puts the payloads of an archive, or of any other bundle of this chain, back
/// where they were pruned. Each is held against the commitment that stands in
/// the log. May be repeated. Returns the number of ops that have their payload
/// again.
#[pg_extern]
fn crdt_restore_archive(path: &str) -> i64 {
    require_role("pg_read_server_files", "read");
    if !path.starts_with('/') {
        refuse(path, "the path is not absolute");
    }
    let file = File::open(path).unwrap_or_else(|error| refuse(path, error));
    enrol::with_triggers(false, || {
        read(file).unwrap_or_else(|error| refuse(path, error))
    })
}

fn refuse(path: &str, reason: impl std::fmt::Display) -> ! {
    raise(
        PgSqlErrorCode::ERRCODE_IO_ERROR,
        format!("cannot restore \"{path}\": {reason}"),
        "Name an archive that crdt_prune() wrote, or an export of this chain, by an absolute path.",
    )
}

fn read(file: File) -> Result<i64, BundleError> {
    let mut frames = Frames::begin(file)?;
    let mut origins = Origins::default();
    let mut restored = 0;
    loop {
        let Frame { tag, body } = frames.next_frame()?;
        match tag {
            Tag::End => return Ok(restored),
            Tag::Chain => require_chain(&body),
            Tag::Op => {
                check_for_interrupts!();
                restored += read_op(&body, |op| put_back(&mut origins, op))
                    .map_err(|error| BundleError::Frame { frame: 0, error })?;
            }
            _ => {}
        }
    }
}

fn require_chain(body: &[u8]) {
    let own = catalog::chain().map(|chain| chain.id.0);
    if own.as_ref().map(|id| id.as_slice()) != body.get(..32) {
        raise(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            "the archive is of another chain",
            "crdt_node() tells the chain of this database.",
        );
    }
}

/// Puts an op's payload back if it is gone here; says how many.
fn put_back(origins: &mut Origins, op: &StoredOp<'_>) -> i64 {
    let (Ok(node), [part @ StoredPart { salt, payload }]) =
        (op.origin.try_into().map(NodeId), op.parts)
    else {
        return 0;
    };
    let open = part.commitment().filter(|_| !part.is_closed());
    let (Some(commitment), Some(origin)) = (open, origins.number(&node)) else {
        return 0;
    };
    let key = [origin.into(), (op.seq as i64).into()];
    let closed = catalog::one(
        "SELECT payload FROM crdt.op WHERE origin = $1 AND seq = $2 AND salt = ''",
        &key,
        |row| row.need::<Vec<u8>>(1),
    );
    match closed {
        None => 0,
        Some(stored) if stored == commitment => {
            let [origin, seq] = key;
            catalog::run(
                "UPDATE crdt.op SET salt = $3, payload = $4 WHERE origin = $1 AND seq = $2",
                &[origin, seq, (*salt).into(), (*payload).into()],
            ) as i64
        }
        Some(_) => raise(
            PgSqlErrorCode::ERRCODE_DATA_CORRUPTED,
            format!(
                "op {} of {} in the archive is not the one whose commitment is in the ledger",
                op.seq,
                crate::audit::log::node_name(&node)
            ),
            "Verify both: bcrdt verify on the archive, SELECT * FROM scan_chain() here.",
        ),
    }
}
