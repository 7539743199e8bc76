//! The catalog's own tables held against the ledger: what SQL shows of nodes,
//! schemas, tracked tables, evidence and older chains is derived, and proves
//! nothing, but people and proofs go by it.

mod archive;
mod evidence;
mod nodes;
mod schemas;
mod tracked;

use super::verify::Stored;
use crate::catalog;
use ledger::Report;

/// A row of the catalog that is not what the ledger says.
pub struct Doubt {
    /// The node's name, for what belongs to one.
    pub origin: Option<String>,
    /// The table of the catalog.
    pub table: &'static str,
    /// Its row, in words.
    pub row: String,
    /// As in the list in the guide.
    pub kind: &'static str,
    pub expected: Option<String>,
    pub found: Option<String>,
    pub detail: String,
}

impl Doubt {
    pub fn new(table: &'static str, kind: &'static str, row: String, what: &str) -> Doubt {
        Doubt {
            origin: None,
            table,
            detail: format!("{what} (crdt.{table}, {row})"),
            row,
            kind,
            expected: None,
            found: None,
        }
    }

    fn differs(mut self, expected: impl ToString, found: impl ToString) -> Doubt {
        self.expected = Some(expected.to_string());
        self.found = Some(found.to_string());
        self
    }

    fn of(mut self, node: &str) -> Doubt {
        self.origin = Some(node.to_owned());
        self
    }
}

/// What is wrong; `report` is that of the chain, `archives` whether the chains
/// kept from before are hashed again.
pub fn doubts(stored: &Stored, report: &Report, archives: bool) -> Vec<Doubt> {
    let mut doubts = nodes::doubts(report);
    doubts.extend(schemas::doubts());
    doubts.extend(tracked::doubts());
    doubts.extend(evidence::doubts(stored));
    doubts.extend(positions());
    doubts.extend(stray_tiles(report.tree_size));
    if archives {
        doubts.extend(archive::doubts());
    }
    doubts
}

/// A ledger whose chain nobody names any more.
pub fn chainless() -> Option<Doubt> {
    catalog::one(
        "SELECT WHERE EXISTS (SELECT FROM crdt.block) OR EXISTS (SELECT FROM crdt.op) OR EXISTS (SELECT FROM crdt.node)",
        &[],
        |_| (),
    )?;
    let what = "the genesis is not stored, and there is a ledger";
    let doubt = Doubt::new("chain", "genesis_altered", "all rows".to_owned(), what);
    Some(doubt.differs("a genesis", "none"))
}

/// The verifier compares each position that is there; that all of them are gone
/// it takes for a bundle without.
fn positions() -> Option<Doubt> {
    catalog::one(
        "SELECT WHERE NOT EXISTS (SELECT FROM crdt.position) AND EXISTS (SELECT FROM crdt.op)",
        &[],
        |_| (),
    )?;
    let what = "the version vector is empty, and there are ops";
    Some(Doubt::new(
        "position",
        "vector_altered",
        "all rows".to_owned(),
        what,
    ))
}

/// The rows, which are in the order of their numbers, that the next one has the number of.
fn twice<Row>(rows: &[Row], number: impl Fn(&Row) -> i32) -> impl Iterator<Item = &Row> {
    let pairs = rows.iter().zip(rows.iter().skip(1));
    pairs.filter_map(move |(row, next)| (number(row) == number(next)).then_some(row))
}

/// Tiles where no leaf of the log can be; above level 0 the verifier sees them.
fn stray_tiles(size: u64) -> Vec<Doubt> {
    let last = size.div_ceil(ledger::merkle::TILE_WIDTH);
    let strays: Vec<(i16, i64)> = catalog::query(
        "SELECT level, index FROM crdt.tile
          WHERE level < 0 OR (level = 0 AND (index < 0 OR index >= $1)) LIMIT 100",
        &[(last as i64).into()],
        |row| (row.need(1), row.need(2)),
    );
    let doubt = |(level, index)| {
        let row = format!("tile {index} of level {level}");
        Doubt::new("tile", "tile_altered", row, "the tile lies beyond the log")
    };
    strays.into_iter().map(doubt).collect()
}
