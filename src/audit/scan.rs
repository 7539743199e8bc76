//! `verify_chain` and `scan_chain`.

use super::check::Check;
use crate::catalog::under_one_snapshot;
use ledger::Finding;
use pgrx::check_for_interrupts;
use pgrx::prelude::*;

/// Whether everything in the ledger is as it was signed. Without heights it
/// relies on what it verified before, as far as no row of it was written since;
/// with `full`, and with heights, all of it is hashed again, every signature
/// and certificate checked. `scan_chain` says what is wrong.
#[pg_extern]
fn verify_chain(
    from: default!(Option<i64>, "NULL"),
    to: default!(Option<i64>, "NULL"),
    full: default!(bool, "false"),
) -> bool {
    let whole = from.is_none() && to.is_none();
    let (sound, remembered) = under_one_snapshot(|| {
        let mut check = Check::begin(from, to);
        if whole && !full {
            check.rely_on_memory();
        }
        let sound = check.is_sound();
        let remembered = match sound && whole {
            true => check.memorable(),
            false => None,
        };
        (sound, remembered)
    });
    if let Some(remembered) = remembered {
        remembered.keep();
    }
    sound
}

/// What is wrong in the ledger, and where: no row if all is well.
#[pg_extern]
#[allow(clippy::type_complexity)]
fn scan_chain(
    from: default!(Option<i64>, "NULL"),
    to: default!(Option<i64>, "NULL"),
) -> TableIterator<
    'static,
    (
        name!(height, Option<i64>),
        name!(leaf_index, Option<i64>),
        name!(origin, Option<String>),
        name!(seq, Option<i64>),
        name!(table_name, Option<String>),
        name!(row_key, Option<String>),
        name!(kind, String),
        name!(expected, Option<String>),
        name!(found, Option<String>),
        name!(detail, String),
    ),
> {
    TableIterator::new(under_one_snapshot(|| findings(from, to)))
}

type Row = (
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<i64>,
    Option<String>,
    Option<String>,
    String,
    Option<String>,
    Option<String>,
    String,
);

fn findings(from: Option<i64>, to: Option<i64>) -> Vec<Row> {
    let mut check = Check::begin(from, to);
    let report = check.report();
    let untold = report.map_or(0, |report| report.untold);
    let told = report.map(|report| report.findings.clone());
    let mut rows: Vec<Row> = told.unwrap_or_default().into_iter().map(row).collect();
    for range in check.misplaced() {
        rows.push((
            Some(range.height),
            None,
            None,
            None,
            None,
            None,
            "range_altered".to_owned(),
            range.expected,
            range.found,
            range.detail,
        ));
    }
    for doubt in check.catalog().into_iter().chain(check.memory()) {
        rows.push((
            None,
            None,
            doubt.origin,
            None,
            Some(format!("crdt.{}", doubt.table)),
            Some(doubt.row),
            doubt.kind.to_owned(),
            doubt.expected,
            doubt.found,
            doubt.detail,
        ));
    }
    for fault in check.cosignatures() {
        rows.push((
            None,
            None,
            None,
            None,
            None,
            None,
            fault.kind.to_owned(),
            Some(fault.expected),
            Some(fault.found),
            fault.detail,
        ));
    }
    if untold > 0 {
        let detail = format!("{untold} further findings are not listed");
        let kind = "more".to_owned();
        rows.push((None, None, None, None, None, None, kind, None, None, detail));
    }
    rows
}

fn row(finding: Finding) -> Row {
    check_for_interrupts!();
    let (table_name, row_key) = match (finding.origin, finding.seq) {
        (Some(origin), Some(seq)) if finding.kind.is_of_an_op() => {
            super::log::named_row(&origin, seq)
        }
        _ => (None, None),
    };
    (
        finding.height.map(|n| n as i64),
        finding.leaf_index.map(|n| n as i64),
        finding.origin.map(|node| super::log::node_name(&node)),
        finding.seq.map(|n| n as i64),
        table_name,
        row_key,
        finding.kind.as_str().to_owned(),
        finding.expected,
        finding.found,
        finding.detail,
    )
}
