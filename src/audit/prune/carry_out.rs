//! `crdt_prune`.

use super::archive::{self, Archive};
use crate::catalog::{self, under_one_snapshot};
use crate::error::raise;
use crate::instance::mailbox::{self, Request};
use crate::track::{capture, enrol};
use crate::worker::origins::Origins;
use ledger::hash::LABEL_PART;
use ledger::{Cut, FindingKind, Prune, Report};
use pgrx::prelude::*;
use std::time::Duration;

/// Longest time that a session waits for what the node worker knows.
const ASK_LIMIT: Duration = Duration::from_secs(30);

/// Archives the blocks up to a height in a new file on the server, says so to
/// all members in a signed op, and takes the payloads of the row changes in
/// these blocks out of this database. With `force` also if members are not known to have
/// them all. Returns the number of ops that lost their payload.
#[pg_extern]
fn crdt_prune(upto_height: i64, path: &str, force: default!(bool, false)) -> i64 {
    crate::require_preload();
    catalog::require_member();
    // One after another: the second one finds nothing left.
    catalog::one(
        "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('blockchain_crdt prune', 0))",
        &[],
        |_| (),
    );
    let cut = cut_at(upto_height);
    let ranges = ranges(&cut);
    require_something(&ranges, upto_height);
    require_earlier_statement(&ranges, upto_height);
    if !force
        && let Err(reason) = mailbox::ask(Request::Admitted, &upto_height.to_string(), ASK_LIMIT)
    {
        raise(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            format!("the blocks up to {upto_height} are not pruned: {reason}"),
            "Wait until all members have them, or prune with force => true: then who lacks them must get them elsewhere, or from the archive by crdt_restore_archive().",
        );
    }
    let (report, archive) = under_one_snapshot(|| archive::write(path, upto_height));
    let Some(archive) = archive else {
        refuse(&report)
    };
    announce(&report, upto_height, archive);
    close(&ranges)
}

/// The cut of a final block.
fn cut_at(height: i64) -> Cut {
    catalog::cut(height).unwrap_or_else(|| {
        let hint = match catalog::last_height() {
            Some(last) => format!("Final are the blocks 1 to {last}."),
            None => "SELECT crdt_commit_block() makes one.".to_owned(),
        };
        raise(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            format!("there is no final block {height} that can be read"),
            hint,
        )
    })
}

/// The last op of each origin that the cut takes in.
fn ranges(cut: &Cut) -> Vec<(i32, i64)> {
    let mut origins = Origins::default();
    cut.iter()
        .filter_map(|(node, at)| Some((origins.number(node)?, at.seq as i64)))
        .collect()
}

fn require_something(ranges: &[(i32, i64)], height: i64) {
    let open = ranges.iter().any(|(origin, last)| {
        catalog::one(
            "SELECT 1 FROM crdt.op WHERE origin = $1 AND seq <= $2 AND kind = 1 AND salt <> '' LIMIT 1",
            &[(*origin).into(), (*last).into()],
            |_| (),
        )
        .is_some()
    });
    if !open {
        raise(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            format!("there is nothing to prune in the blocks up to {height}"),
            "Their row changes were pruned before, or they have none.",
        );
    }
}

/// An archive must verify by itself, so where payloads are gone already it
/// must take in the op that says so.
fn require_earlier_statement(ranges: &[(i32, i64)], height: i64) {
    let closed = ranges.iter().any(|(origin, last)| {
        catalog::one(
            "SELECT 1 FROM crdt.op WHERE origin = $1 AND seq <= $2 AND salt = '' LIMIT 1",
            &[(*origin).into(), (*last).into()],
            |_| (),
        )
        .is_some()
    });
    if !closed {
        return;
    }
    // The newest one: it reaches furthest.
    let told = catalog::one(
        "SELECT (SELECT b.height FROM crdt.block_range b
                  WHERE b.origin = o.origin AND b.last_seq >= o.seq ORDER BY b.last_seq LIMIT 1)
           FROM crdt.op o WHERE o.row_id = 0 AND o.kind = 9 ORDER BY o.hlc DESC LIMIT 1",
        &[],
        |row| row.get::<i64>(1),
    )
    .flatten();
    let hint = match told {
        Some(told) if told <= height => return,
        Some(told) => format!("Prune up to block {told} or a later one."),
        None => "SELECT crdt_commit_block() puts it into a block; prune up to that one.".to_owned(),
    };
    raise(
        PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!(
            "the blocks up to {height} were pruned before, and the operation that says so is in none of them: their archive would not verify"
        ),
        hint,
    )
}

/// Raises an error: what is not sound is not pruned.
fn refuse(report: &Report) -> ! {
    let first = report.findings.first();
    let what = first.map_or("findings that are not listed".to_owned(), |finding| {
        format!("{}: {}", finding.kind, finding.detail)
    });
    let hint = match first.map(|finding| finding.kind) {
        Some(FindingKind::PayloadMissing) => {
            "SELECT * FROM scan_chain(); a payload may be put back from an archive by crdt_restore_archive()."
        }
        _ => "SELECT * FROM scan_chain() says what was altered.",
    };
    raise(
        PgSqlErrorCode::ERRCODE_DATA_CORRUPTED,
        format!("the ledger does not verify, so nothing of it is pruned: {what}"),
        hint,
    )
}

/// Has the worker seal the op that says it. It stays in the log even if this
/// transaction is rolled back; then it speaks of an archive that exists, and
/// of payloads that are still here.
fn announce(report: &Report, height: i64, archive: Archive) {
    let prune = Prune {
        height: height as u64,
        tree_size: report.tree_size,
        archive_sha256: archive.sha256,
        archive_bytes: archive.bytes,
        file_name: archive.file_name,
        actor: capture::actor(),
        application: capture::application(),
    };
    let payload = hex::encode(prune.to_bytes());
    if let Err(reason) = mailbox::ask(Request::Prune, &payload, ASK_LIMIT) {
        mailbox::raise("the archive is written, but nothing is pruned", reason);
    }
}

/// Leaves only the commitments of the row changes up to there.
fn close(ranges: &[(i32, i64)]) -> i64 {
    enrol::with_triggers(false, || {
        ranges
            .iter()
            .map(|(origin, last)| {
                catalog::run(
                    "UPDATE crdt.op
                        SET salt = '',
                            payload = pg_catalog.sha256($3 || salt || pg_catalog.int8send(pg_catalog.octet_length(payload)::bigint) || payload)
                      WHERE origin = $1 AND seq <= $2 AND kind = 1 AND salt <> ''",
                    &[(*origin).into(), (*last).into(), LABEL_PART.into()],
                ) as i64
            })
            .sum()
    })
}
