//! What the stored rows say of the chain up to a block: where a verification
//! that begins behind it starts from. All of it is held against what the
//! verification of the blocks before arrives at.

use super::feed::ReadTiles;
use super::names::Names;
use crate::catalog;
use ledger::merkle::{TileStore, Tree};
use ledger::{Behind, Cut, Ground, Header, MembershipChange, NodeId, SignedChange};
use pgrx::check_for_interrupts;

/// More membership ops than this are not looked up: then one pass verifies.
const MAX_CHANGES: usize = 100_000;

/// The membership ops that are in blocks, with their blocks' heights,
/// ascending. None if there are too many.
pub fn changes(names: &Names) -> Option<Vec<(u64, SignedChange)>> {
    let rows: Vec<_> = catalog::query(
        "SELECT o.origin, o.seq, o.hlc, o.payload, b.height
           FROM crdt.op o
          CROSS JOIN LATERAL (SELECT height FROM crdt.block_range r
                               WHERE r.origin = o.origin AND r.last_seq >= o.seq
                               ORDER BY r.last_seq LIMIT 1) AS b
          WHERE o.row_id = 0 AND o.kind = 3 LIMIT $1",
        &[(MAX_CHANGES as i64 + 1).into()],
        |row| {
            let numbers: [i64; 3] = [row.need(2), row.need(3), row.need(5)];
            (row.need::<i32>(1), numbers, row.need::<Vec<u8>>(4))
        },
    );
    if rows.len() > MAX_CHANGES {
        return None;
    }
    let mut changes: Vec<(u64, SignedChange)> = rows
        .iter()
        .filter_map(|(origin, [seq, hlc, height], payload)| {
            let change = SignedChange {
                hlc: *hlc as u64,
                origin: NodeId(names.node_id(*origin).try_into().ok()?),
                seq: *seq as u64,
                change: MembershipChange::from_bytes(payload).ok()?,
            };
            Some((u64::try_from(*height).ok()?, change))
        })
        .collect();
    changes.sort_by_key(|(height, change)| (*height, change.hlc, change.origin, change.seq));
    Some(changes)
}

/// The ground behind a block; none if the rows do not tell it.
pub fn behind(height: u64, names: &Names, changes: &[(u64, SignedChange)]) -> Option<Ground> {
    check_for_interrupts!();
    let (header, cut, certificate): (Vec<u8>, Vec<u8>, Vec<u8>) = catalog::one(
        "SELECT header, cut, certificate FROM crdt.block WHERE height = $1",
        &[(height as i64).into()],
        |row| (row.need(1), row.need(2), row.need(3)),
    )?;
    let size = Header::from_bytes(&header).ok()?.tree_size;
    let mut origins = std::collections::BTreeMap::new();
    for (origin, at) in Cut::from_bytes(&cut).ok()?.iter() {
        let behind = origin_behind(names.number(origin)?, at.seq, names)?;
        origins.insert(*origin, behind);
    }
    let mut tiles = Vec::new();
    let mut entries = size;
    while entries > 0 {
        let level = u8::try_from(tiles.len()).ok()?;
        tiles.push(ReadTiles.tile(level, entries / 256).ok()?);
        entries /= 256;
    }
    let edge = Tree::new(ReadTiles, size).frontier(size).ok()?;
    let before = changes.partition_point(|(at, _)| *at <= height);
    Some(Ground {
        height,
        header,
        cut,
        certificate,
        edge,
        tiles,
        origins,
        changes: changes.get(..before)?.to_vec(),
    })
}

fn origin_behind(number: i32, seq: u64, names: &Names) -> Option<Behind> {
    let place = [number.into(), (seq as i64).into()];
    let schema = catalog::one(
        "SELECT schema_id FROM crdt.op WHERE origin = $1 AND seq = $2",
        &place,
        |row| row.need::<i32>(1),
    )?;
    let covered = catalog::one(
        "SELECT max(last_seq) FROM crdt.segment WHERE origin = $1 AND last_seq <= $2",
        &place,
        |row| row.get::<i64>(1),
    )?;
    Some(Behind {
        covered: covered.and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
        schema: names.schema_hash(schema).try_into().ok()?,
    })
}
