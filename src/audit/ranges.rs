//! `crdt.block_range` is an index of the blocks' cuts: it proves nothing, but
//! proofs and views are found through it, so it is held against the cuts.

use crate::catalog;
use crate::worker::origins::Origins;
use ledger::{Cut, Header};
use std::collections::BTreeSet;

/// One range: origin, first and last op, first leaf.
type Range = (i32, i64, i64, i64);

/// Blocks whose ranges are not what their headers and cuts say.
pub fn misplaced(from: Option<i64>, to: Option<i64>) -> Vec<(i64, String)> {
    let (first, last) = (from.unwrap_or(1).max(1), to.unwrap_or(i64::MAX));
    let mut origins = Origins::default();
    let mut before = cut_of(first - 1).unwrap_or_default();
    let blocks = catalog::query(
        "SELECT height, header, cut FROM crdt.block WHERE height >= $1 AND height <= $2 ORDER BY height",
        &[first.into(), last.into()],
        |row| {
            (
                row.need::<i64>(1),
                row.need::<Vec<u8>>(2),
                row.need::<Vec<u8>>(3),
            )
        },
    );
    let mut found = Vec::new();
    for (height, header, cut) in blocks {
        // What cannot be read is the chain verifier's finding.
        let (Ok(header), Ok(cut)) = (Header::from_bytes(&header), Cut::from_bytes(&cut)) else {
            continue;
        };
        let expected = expected(&header, &before, &cut, &mut origins);
        let stored: BTreeSet<Range> = catalog::query(
            "SELECT origin, first_seq, last_seq, first_leaf FROM crdt.block_range WHERE height = $1",
            &[height.into()],
            |row| (row.need(1), row.need(2), row.need(3), row.need(4)),
        )
        .into_iter()
        .collect();
        if stored != expected {
            let detail = format!("expected {expected:?}, found {stored:?}");
            found.push((height, detail));
        }
        before = cut;
    }
    found
}

fn cut_of(height: i64) -> Option<Cut> {
    let cut: Vec<u8> = catalog::one(
        "SELECT cut FROM crdt.block WHERE height = $1",
        &[height.into()],
        |row| row.need(1),
    )?;
    Cut::from_bytes(&cut).ok()
}

fn expected(header: &Header, before: &Cut, cut: &Cut, origins: &mut Origins) -> BTreeSet<Range> {
    let mut leaf = header.first_leaf.saturating_add(1) as i64;
    let mut ranges = BTreeSet::new();
    for (origin, upto) in cut.iter() {
        let after = before.get(origin).seq;
        if upto.seq > after
            && let Some(number) = origins.number(origin)
        {
            ranges.insert((number, after as i64 + 1, upto.seq as i64, leaf));
            leaf = leaf.saturating_add((upto.seq - after) as i64);
        }
    }
    ranges
}
