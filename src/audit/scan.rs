//! `verify_chain` and `scan_chain`.

use super::feed;
use crate::catalog::under_one_snapshot;
use pgrx::prelude::*;

/// Whether everything in the ledger is as it was signed: all of it is hashed
/// again, every signature and certificate checked. `scan_chain` says what is
/// wrong. With heights, looks at those blocks only.
#[pg_extern]
fn verify_chain(from: default!(Option<i64>, "NULL"), to: default!(Option<i64>, "NULL")) -> bool {
    under_one_snapshot(|| {
        let sound = feed::verify(from, to).is_none_or(|report| report.is_verified());
        sound && super::ranges::misplaced(from, to).is_empty()
    })
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
        name!(kind, String),
        name!(detail, String),
    ),
> {
    TableIterator::new(under_one_snapshot(|| findings(from, to)))
}

type Finding = (
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<i64>,
    String,
    String,
);

fn findings(from: Option<i64>, to: Option<i64>) -> Vec<Finding> {
    let report = feed::verify(from, to);
    let untold = report.as_ref().map_or(0, |report| report.untold);
    let mut rows: Vec<_> = report
        .map(|report| report.findings)
        .unwrap_or_default()
        .into_iter()
        .map(|finding| {
            (
                finding.height.map(|n| n as i64),
                finding.leaf_index.map(|n| n as i64),
                finding.origin.map(|node| super::log::node_name(&node)),
                finding.seq.map(|n| n as i64),
                finding.kind.as_str().to_owned(),
                finding.detail,
            )
        })
        .collect();
    rows.extend(
        super::ranges::misplaced(from, to)
            .into_iter()
            .map(|(height, detail)| {
                (
                    Some(height),
                    None,
                    None,
                    None,
                    "range_altered".to_owned(),
                    detail,
                )
            }),
    );
    if untold > 0 {
        let detail = format!("{untold} further findings are not listed");
        rows.push((None, None, None, None, "more".to_owned(), detail));
    }
    rows
}
