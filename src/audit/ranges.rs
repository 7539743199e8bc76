//! `crdt.block_range` is an index of the blocks' cuts: it proves nothing, but
//! proofs and views are found through it, so it is held against the cuts.

use crate::catalog;
use crate::worker::origins::Origins;
use ledger::{ChainId, Cut, Header};
use std::collections::BTreeSet;

/// One range: origin, first and last op, first leaf.
type Range = (i32, i64, i64, i64);

/// A block whose header and cut agree with each other and with its place.
struct Extent {
    height: i64,
    first_leaf: u64,
    tree_size: u64,
    cut: Cut,
}

/// A block whose ranges are not what its header and cut say.
pub struct Misplaced {
    pub height: i64,
    pub expected: Option<String>,
    pub found: Option<String>,
    pub detail: String,
}

/// Blocks whose ranges are not what their headers and cuts say.
pub fn misplaced(from: Option<i64>, to: Option<i64>) -> Vec<Misplaced> {
    let Some(chain) = super::feed::stored_chain_id() else {
        return Vec::new();
    };
    let (first, last) = (from.unwrap_or(1).max(1), to.unwrap_or(i64::MAX));
    let mut origins = Origins::default();
    let mut before = match first {
        1 => Some(Extent {
            height: 0,
            first_leaf: 0,
            tree_size: 0,
            cut: Cut::default(),
        }),
        _ => extents(&chain, first - 1, first - 1).pop(),
    };
    let mut found = Vec::new();
    for block in extents(&chain, first, last) {
        // Behind a block that is missing or altered, which is the chain
        // verifier's finding, it is not known where the ranges begin.
        if let Some(before) = &before
            && (before.height + 1, before.tree_size) == (block.height, block.first_leaf)
        {
            let expected = expected(before, &block, &mut origins);
            let stored = stored(block.height);
            if stored != expected {
                let without = |only_in: &BTreeSet<Range>, other: &BTreeSet<Range>| {
                    let ranges: Vec<String> = only_in.difference(other).map(words).collect();
                    ranges.join(", ")
                };
                let (expected, found_here) =
                    (without(&expected, &stored), without(&stored, &expected));
                found.push(Misplaced {
                    height: block.height,
                    detail: format!("ranges of the block: expected {expected}, found {found_here}"),
                    expected: Some(expected).filter(|text| !text.is_empty()),
                    found: Some(found_here).filter(|text| !text.is_empty()),
                });
            }
        }
        before = Some(block);
    }
    if to.is_none() {
        found.extend(beyond().map(|height| Misplaced {
            height,
            expected: None,
            found: Some(format!("ranges of block {height}")),
            detail: "ranges are stored for a block that is not there".to_owned(),
        }));
    }
    found
}

fn words(&(origin, first, last, leaf): &Range) -> String {
    format!("ops {first} to {last} of node {origin} from leaf {leaf}")
}

/// The blocks of these heights that hold together, ascending.
fn extents(chain: &ChainId, first: i64, last: i64) -> Vec<Extent> {
    let blocks = catalog::query(
        "SELECT height, header, cut FROM crdt.block WHERE height >= $1 AND height <= $2 ORDER BY height",
        &[first.into(), last.into()],
        |row| {
            let (height, header, cut) = (row.need::<i64>(1), row.need(2), row.need(3));
            extent(chain, height, header, cut)
        },
    );
    blocks.into_iter().flatten().collect()
}

fn extent(chain: &ChainId, height: i64, header: Vec<u8>, cut: Vec<u8>) -> Option<Extent> {
    let header = Header::from_bytes(&header).ok()?;
    let cut = Cut::from_bytes(&cut).ok()?;
    let agree = header.height as i64 == height && cut.hash(chain) == header.state_root;
    agree.then_some(Extent {
        height,
        first_leaf: header.first_leaf,
        tree_size: header.tree_size,
        cut,
    })
}

fn stored(height: i64) -> BTreeSet<Range> {
    let rows = catalog::query(
        "SELECT origin, first_seq, last_seq, first_leaf FROM crdt.block_range WHERE height = $1",
        &[height.into()],
        |row| (row.need(1), row.need(2), row.need(3), row.need(4)),
    );
    rows.into_iter().collect()
}

/// A height outside the chain that ranges are stored for.
fn beyond() -> Option<i64> {
    catalog::one(
        "SELECT height FROM crdt.block_range
          WHERE height < 1 OR height > (SELECT coalesce(max(height), 0) FROM crdt.block) LIMIT 1",
        &[],
        |row| row.need(1),
    )
}

fn expected(before: &Extent, block: &Extent, origins: &mut Origins) -> BTreeSet<Range> {
    let mut leaf = block.first_leaf.saturating_add(1) as i64;
    let mut ranges = BTreeSet::new();
    for (origin, upto) in block.cut.iter() {
        let after = before.cut.get(origin).seq;
        if upto.seq > after
            && let Some(number) = origins.number(origin)
        {
            ranges.insert((number, after as i64 + 1, upto.seq as i64, leaf));
            leaf = leaf.saturating_add((upto.seq - after) as i64);
        }
    }
    ranges
}
