//! Feeds the stored chain to a sink, `ledger`'s verifier or its bundle writer,
//! block by block, exactly as it stands in the tables: nothing is taken on
//! trust, nothing is repaired.

use crate::catalog;
use crate::error::OrCorrupt;
use crate::worker::origins::Origins;
use ledger::merkle::{Frontier, TileStore, Tree};
use ledger::verify::{
    ChainSink, ChainVerifier, FeedRange, Report, StoredBlock, StoredOp, StoredPart, StoredSegment,
};
use ledger::{ChainId, Header, Member};
use pgrx::check_for_interrupts;

/// Ops that are held in memory at once.
const CHUNK: i64 = 5_000;

/// The genesis as it is stored, and the name that it should hash to.
pub(super) fn stored_chain() -> Option<(ChainId, Vec<u8>)> {
    catalog::one("SELECT chain_id, genesis FROM crdt.chain", &[], |row| {
        // A name of a wrong length cannot be the hash of any genesis.
        let name = row.need::<Vec<u8>>(1).try_into().unwrap_or_default();
        (ChainId(name), row.need(2))
    })
}

/// The name of the chain, as it is stored.
pub fn stored_chain_id() -> Option<ChainId> {
    stored_chain().map(|(chain, _)| chain)
}

/// Verifies the chain, or the blocks `from ..= to` of it.
pub fn verify(from: Option<i64>, to: Option<i64>) -> Option<Report> {
    let (chain, genesis) = stored_chain()?;
    let first = from.unwrap_or(1).max(1);
    let mut verifier = begin(chain, &genesis, first)?;
    let Ok(()) = Feed::new(&mut verifier).blocks(first, to.unwrap_or(i64::MAX));
    if to.is_some() {
        if verifier.awaits_prune() {
            super::prune::explain(&mut verifier);
        }
        return Some(verifier.stop());
    }
    let Ok(()) = Feed::new(&mut verifier).tail();
    Some(verifier.finish())
}

fn begin(chain: ChainId, genesis: &[u8], first: i64) -> Option<ChainVerifier> {
    let members = stored_members();
    if first == 1 {
        return Some(ChainVerifier::begin(chain, genesis, members));
    }
    let before = first - 1;
    let (header, cut, certificate): (Vec<u8>, Vec<u8>, Vec<u8>) = catalog::one(
        "SELECT header, cut, certificate FROM crdt.block WHERE height = $1",
        &[before.into()],
        |row| (row.need(1), row.need(2), row.need(3)),
    )?;
    let previous = StoredBlock {
        height: before as u64,
        header: &header,
        cut: &cut,
        certificate: &certificate,
    };
    let edge = Header::from_bytes(&header)
        .ok()
        .and_then(|header| edge(header.tree_size));
    Some(ChainVerifier::resume(
        chain,
        members,
        &previous,
        edge.unwrap_or_default(),
    ))
}

/// Members as they are stored; a record that cannot be read is missing, which
/// the verifier notices.
pub(super) fn stored_members() -> Vec<Member> {
    let records = catalog::query("SELECT record FROM crdt.node", &[], |row| {
        row.need::<Vec<u8>>(1)
    });
    records
        .iter()
        .filter_map(|record| Member::from_bytes(record).ok())
        .collect()
}

fn edge(tree_size: u64) -> Option<Frontier> {
    Tree::new(ReadTiles, tree_size).frontier(tree_size).ok()
}

/// The stored tiles, read only.
pub struct ReadTiles;

/// A tile cannot be read, or somebody tried to write one.
#[derive(Debug)]
pub struct NoTile;

impl TileStore for ReadTiles {
    type Error = NoTile;

    fn tile(&self, level: u8, index: u64) -> Result<Vec<u8>, NoTile> {
        Ok(catalog::one(
            "SELECT hashes FROM crdt.tile WHERE level = $1 AND index = $2",
            &[i16::from(level).into(), (index as i64).into()],
            |row| row.need(1),
        )
        .unwrap_or_default())
    }

    fn put(&mut self, _level: u8, _index: u64, _hashes: &[u8]) -> Result<(), NoTile> {
        Err(NoTile)
    }
}

/// Reads the tables for a sink.
pub(super) struct Feed<'a, S> {
    sink: &'a mut S,
    origins: Origins,
}

impl<'a, S: ChainSink> Feed<'a, S> {
    /// Feeds this sink.
    pub fn new(sink: &'a mut S) -> Self {
        Feed {
            sink,
            origins: Origins::default(),
        }
    }

    /// Feeds the stored blocks of these heights.
    pub fn blocks(&mut self, first: i64, last: i64) -> Result<(), S::Error> {
        // A row before the first block is no block: it is fed too, so that it
        // is found.
        let mut after = if first <= 1 { i64::MIN } else { first - 1 };
        while let Some(height) = self.block(after, last)? {
            check_for_interrupts!();
            after = height;
        }
        Ok(())
    }

    /// Feeds the next height that is stored after `after`: one row, or more if
    /// somebody put more there. Returns the height.
    pub fn block(&mut self, after: i64, last: i64) -> Result<Option<i64>, S::Error> {
        let rows: Vec<(i64, [Vec<u8>; 3])> = catalog::query(
            "SELECT height, header, cut, certificate FROM crdt.block
              WHERE height = (SELECT min(height) FROM crdt.block WHERE height > $1 AND height <= $2)",
            &[after.into(), last.into()],
            |row| (row.need(1), [row.need(2), row.need(3), row.need(4)]),
        );
        let found = rows.first().map(|(height, _)| *height);
        for (height, [header, cut, certificate]) in rows {
            let plan = self.sink.block(&StoredBlock {
                height: u64::try_from(height).unwrap_or_default(),
                header: &header,
                cut: &cut,
                certificate: &certificate,
            })?;
            let tiles = plan.tiles;
            self.tiles(
                0,
                0,
                tiles.start as i64,
                i64::try_from(tiles.end).unwrap_or(i64::MAX),
            )?;
            for range in plan.ranges {
                self.range(&range)?;
            }
        }
        Ok(found)
    }

    /// Feeds the stored tiles of these levels and indexes; `end` is beyond the
    /// last index.
    fn tiles(&mut self, low: i16, high: i16, start: i64, end: i64) -> Result<(), S::Error> {
        let tiles: Vec<(i16, i64, Vec<u8>)> = catalog::query(
            "SELECT level, index, hashes FROM crdt.tile
              WHERE level >= $1 AND level <= $2 AND index >= $3 AND index < $4",
            &[low.into(), high.into(), start.into(), end.into()],
            |row| (row.need(1), row.need(2), row.need(3)),
        );
        for (level, index, hashes) in tiles {
            let level = u8::try_from(level).unwrap_or(u8::MAX);
            self.sink.tile(level, index as u64, &hashes)?;
        }
        Ok(())
    }

    fn range(&mut self, range: &FeedRange) -> Result<(), S::Error> {
        match self.origins.number(&range.origin) {
            Some(origin) => {
                let (first, last) = (range.first_seq as i64, range.last_seq as i64);
                self.ops(origin, &range.origin.0, first, last)
            }
            None => Ok(()),
        }
    }

    /// Feeds an origin's segments and ops from `first` to `last`.
    fn ops(&mut self, origin: i32, name: &[u8], first: i64, last: i64) -> Result<(), S::Error> {
        let mut from = first;
        while from <= last {
            check_for_interrupts!();
            let upto = last.min(from.saturating_add(CHUNK - 1));
            // What stands before the first op is fed too, so that it is found.
            let low = if from == 1 { i64::MIN } else { from };
            self.segments(origin, name, low, upto)?;
            let rows = catalog::query(
                "SELECT o.seq, o.hlc, o.kind, coalesce(s.hash, CASE o.schema_id WHEN 0
                           THEN decode(repeat('00', 32), 'hex') ELSE '' END),
                        o.salt, o.payload, o.hash
                   FROM crdt.op o LEFT JOIN crdt.schema s ON s.id = o.schema_id
                  WHERE o.origin = $1 AND o.seq >= $2 AND o.seq <= $3 ORDER BY o.seq",
                &[origin.into(), low.into(), upto.into()],
                |row| Op {
                    seq: row.need::<i64>(1),
                    hlc: row.need::<i64>(2),
                    kind: row.need::<i16>(3),
                    schema_hash: row.need(4),
                    salt: row.need(5),
                    payload: row.need(6),
                    hash: row.need(7),
                },
            );
            let end = rows.last().map(|op| op.seq);
            for op in rows {
                self.sink.op(&StoredOp {
                    origin: name,
                    seq: u64::try_from(op.seq).unwrap_or_default(),
                    hlc: op.hlc as u64,
                    kind: u8::try_from(op.kind).unwrap_or_default(),
                    schema_hash: &op.schema_hash,
                    parts: &[StoredPart {
                        salt: &op.salt,
                        payload: &op.payload,
                    }],
                    op_hash: &op.hash,
                })?;
            }
            // Behind the last block the end is open: stop where nothing is.
            if last == i64::MAX && end.is_none() && !self.more(origin, upto) {
                break;
            }
            from = match upto.checked_add(1) {
                Some(next) => next,
                None => break,
            };
        }
        Ok(())
    }

    fn more(&self, origin: i32, after: i64) -> bool {
        catalog::one(
            "SELECT 1 FROM (SELECT seq FROM crdt.op WHERE origin = $1 AND seq > $2
                            UNION ALL
                            SELECT last_seq FROM crdt.segment WHERE origin = $1 AND last_seq > $2) x
              LIMIT 1",
            &[origin.into(), after.into()],
            |_| (),
        )
        .is_some()
    }

    /// Feeds the segments that end between `first` and `last`.
    fn segments(
        &mut self,
        origin: i32,
        name: &[u8],
        first: i64,
        last: i64,
    ) -> Result<(), S::Error> {
        let rows = catalog::query(
            "SELECT first_seq, last_seq, sealed_ms, prev, head, deps, signature
               FROM crdt.segment WHERE origin = $1 AND last_seq >= $2 AND last_seq <= $3
              ORDER BY last_seq",
            &[origin.into(), first.into(), last.into()],
            |row| {
                let numbers: [i64; 3] = [row.need(1), row.need(2), row.need(3)];
                let bytes: [Vec<u8>; 4] = [row.need(4), row.need(5), row.need(6), row.need(7)];
                (numbers, bytes)
            },
        );
        for ([first_seq, last_seq, sealed_ms], [prev, head, deps, signature]) in &rows {
            self.sink.segment(&StoredSegment {
                origin: name,
                first_seq: u64::try_from(*first_seq).unwrap_or_default(),
                count: last_seq.wrapping_sub(*first_seq).wrapping_add(1) as u64,
                prev,
                head,
                deps,
                sealed_ms: *sealed_ms as u64,
                signature,
            })?;
        }
        Ok(())
    }

    /// Feeds what is in no block: later ops of each origin, rows that belong
    /// to no origin, the upper tiles and the version vector.
    pub fn tail(&mut self) -> Result<(), S::Error> {
        self.sink.tail()?;
        let covered: Vec<(i32, i64)> = catalog::query(
            "SELECT DISTINCT o.origin, coalesce((SELECT max(last_seq) FROM crdt.block_range b
                                                  WHERE b.origin = o.origin
                                                    AND b.height <= (SELECT max(height) FROM crdt.block)), 0)
               FROM (SELECT id FROM crdt.node
                     UNION SELECT origin FROM crdt.op UNION SELECT origin FROM crdt.segment)
                 AS o (origin)",
            &[],
            |row| (row.need(1), row.need(2)),
        );
        for (origin, seq) in covered {
            let name = self.name(origin);
            self.ops(origin, &name, seq + 1, i64::MAX)?;
        }
        self.tiles(1, i16::MAX, i64::MIN, i64::MAX)?;
        let positions: Vec<(i32, i64, Vec<u8>)> =
            catalog::query("SELECT origin, seq, head FROM crdt.position", &[], |row| {
                (row.need(1), row.need(2), row.need(3))
            });
        for (origin, seq, head) in positions {
            let name = self.name(origin);
            self.sink.vector(&name, seq as u64, &head)?;
        }
        Ok(())
    }

    /// The node id that a local number stands for, as it is stored.
    fn name(&self, origin: i32) -> Vec<u8> {
        catalog::one(
            "SELECT node_id FROM crdt.node WHERE id = $1",
            &[origin.into()],
            |row| row.get(1).or_corrupt("crdt.node"),
        )
        .unwrap_or_default()
    }
}

/// One stored op.
struct Op {
    seq: i64,
    hlc: i64,
    kind: i16,
    schema_hash: Vec<u8>,
    salt: Vec<u8>,
    payload: Vec<u8>,
    hash: Vec<u8>,
}
