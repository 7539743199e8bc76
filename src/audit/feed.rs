//! Feeds the stored chain to a sink, `ledger`'s verifier or its bundle writer,
//! block by block, exactly as it stands in the tables: nothing is taken on
//! trust, nothing is repaired.

use super::names::Names;
use super::ops::Ops;
use crate::catalog;
use crate::instance::progress::Progress;
use ledger::merkle::TileStore;
use ledger::verify::{ChainSink, FeedRange, StoredBlock, StoredOp, StoredPart, StoredSegment};
use ledger::{ChainId, Member};
use pgrx::check_for_interrupts;

/// Ops between two looks at whether the query was cancelled.
const STRIDE: u64 = 256;
/// Ops whose segments are held in memory at once.
const CHUNK: i64 = 5_000;

/// The genesis as it is stored, and the name that it should hash to.
pub fn stored_chain() -> Option<(ChainId, Vec<u8>)> {
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

/// Members as they are stored; a record that cannot be read is missing, which
/// the verifier notices.
pub fn stored_members() -> Vec<Member> {
    let records = catalog::query("SELECT record FROM crdt.node", &[], |row| {
        row.need::<Vec<u8>>(1)
    });
    records
        .iter()
        .filter_map(|record| Member::from_bytes(record).ok())
        .collect()
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

/// The stored rows, and whom to tell how far they have been read.
pub struct Source {
    /// Which local number stands for which node and schema.
    pub names: Names,
    ops: Ops,
    progress: Progress,
}

impl Source {
    /// Opens the tables.
    pub fn open(progress: Progress) -> Source {
        Source {
            names: Names::read(),
            ops: Ops::open(),
            progress,
        }
    }
}

/// Hands the stored rows to a sink.
pub struct Feed<'a, S> {
    sink: &'a mut S,
    source: &'a Source,
}

impl<'a, S: ChainSink> Feed<'a, S> {
    /// Feeds `sink` from `source`.
    pub fn new(sink: &'a mut S, source: &'a Source) -> Self {
        Feed { sink, source }
    }

    /// Feeds the stored blocks of these heights.
    pub fn blocks(&mut self, first: i64, last: i64) -> Result<(), S::Error> {
        // A row before the first block is no block: it is fed too, so that it
        // is found.
        let mut after = if first <= 1 { i64::MIN } else { first - 1 };
        while let Some(height) = self.block(after, last)? {
            check_for_interrupts!();
            self.source.progress.blocks_done(1);
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
        match self.source.names.number(&range.origin) {
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
            let end = self.chunk(origin, name, low, upto)?;
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

    fn chunk(
        &mut self,
        origin: i32,
        name: &[u8],
        low: i64,
        upto: i64,
    ) -> Result<Option<i64>, S::Error> {
        let (sink, source) = (&mut *self.sink, self.source);
        let mut fed = Ok(());
        let mut count = 0;
        let end = source.ops.each(origin, low, upto, |op| {
            if fed.is_err() {
                return;
            }
            fed = sink.op(&StoredOp {
                origin: name,
                seq: u64::try_from(op.seq).unwrap_or_default(),
                hlc: op.hlc as u64,
                kind: u8::try_from(op.kind).unwrap_or_default(),
                schema_hash: source.names.schema_hash(op.schema_id),
                parts: &[StoredPart {
                    salt: op.salt,
                    payload: op.payload,
                }],
                op_hash: op.hash,
            });
            count += 1;
            if count % STRIDE == 0 {
                check_for_interrupts!();
                source.progress.ops_done(STRIDE);
            }
        });
        source.progress.ops_done(count % STRIDE);
        fed.map(|()| end)
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
    /// to no origin, tiles and the version vector. Upper tiles that were
    /// complete when the log had `known` leaves are left out.
    pub fn tail(&mut self, known: u64) -> Result<(), S::Error> {
        self.sink.tail()?;
        let covered: Vec<(i32, i64)> = catalog::query(
            "WITH RECURSIVE writer (origin) AS (
                 (SELECT min(origin) FROM crdt.op)
                 UNION ALL
                 SELECT (SELECT min(o.origin) FROM crdt.op o WHERE o.origin > w.origin)
                   FROM writer w WHERE w.origin IS NOT NULL
             )
             SELECT o.origin, coalesce((SELECT max(last_seq) FROM crdt.block_range b
                                         WHERE b.origin = o.origin
                                           AND b.height <= (SELECT max(height) FROM crdt.block)), 0)
               FROM (SELECT id FROM crdt.node UNION SELECT origin FROM writer
                     UNION SELECT origin FROM crdt.segment) AS o (origin)
              WHERE o.origin IS NOT NULL",
            &[],
            |row| (row.need(1), row.need(2)),
        );
        for (origin, seq) in covered {
            let name = self.source.names.node_id(origin).to_vec();
            self.ops(origin, &name, seq + 1, i64::MAX)?;
        }
        self.upper_tiles(known)?;
        let positions: Vec<(i32, i64, Vec<u8>)> =
            catalog::query("SELECT origin, seq, head FROM crdt.position", &[], |row| {
                (row.need(1), row.need(2), row.need(3))
            });
        for (origin, seq, head) in positions {
            let name = self.source.names.node_id(origin);
            self.sink.vector(name, seq as u64, &head)?;
        }
        Ok(())
    }

    fn upper_tiles(&mut self, known: u64) -> Result<(), S::Error> {
        for level in 1..8u8 {
            let complete = known.checked_shr(8 * (u32::from(level) + 1)).unwrap_or(0);
            let level = i16::from(level);
            self.tiles(level, level, complete as i64, i64::MAX)?;
            self.tiles(level, level, i64::MIN, 0)?;
        }
        self.tiles(8, i16::MAX, i64::MIN, i64::MAX)
    }
}
