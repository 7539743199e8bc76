//! The op log in tables: segments and their ops go in whole, and come out as
//! they were signed.

use super::origins::Origins;
use crate::catalog::{self, Appender};
use crate::error::OrCorrupt;
use ledger::op::parts_root;
use ledger::vector::{deps_from_bytes, deps_to_bytes};
use ledger::{Deps, Hash, Kind, Op, OpCore, Part, Position, Segment, StoredPart, VersionVector};
use pgrx::{IntoDatum, pg_sys};
use std::sync::Arc;

/// Where an op's row stands in this database.
#[derive(Clone, Copy)]
pub struct Place {
    /// Number in `crdt.schema`; 0 for none.
    pub schema_id: i32,
    /// Index of the row in the op log; 0 for none.
    pub row_id: i64,
}

fn bytes(slice: &[u8]) -> pg_sys::Datum {
    slice.into_datum().unwrap_or(pg_sys::Datum::null())
}

/// Numbers are stored in PostgreSQL's signed types, bit by bit.
fn number(n: u64) -> pg_sys::Datum {
    pg_sys::Datum::from(n as i64)
}

/// Appends a segment and its ops, and moves the version vector to its end.
pub fn append_segment(origin: i32, segment: &Segment, hashes: &[Hash], places: &[Place]) {
    let ops = Appender::open(c"op");
    for ((op, hash), place) in segment.ops.iter().zip(hashes).zip(places) {
        let [part] = op.parts.as_slice() else {
            crate::error::corrupt("an op with other than one part reached the log");
        };
        ops.append([
            number(op.seq),
            number(op.hlc),
            pg_sys::Datum::from(place.row_id),
            pg_sys::Datum::from(origin),
            pg_sys::Datum::from(place.schema_id),
            pg_sys::Datum::from(i16::from(op.kind as u8)),
            bytes(&part.salt),
            bytes(hash),
            bytes(&part.payload),
        ]);
    }
    drop(ops);
    let end = segment.end();
    Appender::open(c"segment").append([
        pg_sys::Datum::from(origin),
        number(segment.prev.seq + 1),
        number(end.seq),
        number(segment.sealed_ms),
        bytes(&segment.prev.head),
        bytes(&end.head),
        bytes(&deps_to_bytes(&segment.deps)),
        bytes(&segment.signature),
    ]);
    set_position(origin, &end);
}

/// Moves the version vector's entry of one origin.
pub fn set_position(origin: i32, position: &Position) {
    catalog::run(
        "INSERT INTO crdt.position (origin, seq, head) VALUES ($1, $2, $3)
         ON CONFLICT (origin) DO UPDATE SET seq = excluded.seq, head = excluded.head",
        &[
            origin.into(),
            (position.seq as i64).into(),
            position.head.as_slice().into(),
        ],
    );
}

/// The version vector.
pub fn vector(origins: &mut Origins) -> VersionVector {
    let mut vector = VersionVector::default();
    let rows = catalog::query("SELECT origin, seq, head FROM crdt.position", &[], |row| {
        let head: Vec<u8> = row.need(3);
        (row.need::<i32>(1), row.need::<i64>(2) as u64, hash(&head))
    });
    for (origin, seq, head) in rows {
        vector.advance(origins.node_id(origin), Position { seq, head });
    }
    vector
}

/// A hash as stored.
pub fn hash(stored: &[u8]) -> Hash {
    Hash::try_from(stored).or_corrupt("a stored hash")
}

/// Segments of an origin in order, from the one that holds op `after + 1` on, and before the
/// first one of which a payload is no longer here.
pub fn segments_after(
    origins: &mut Origins,
    origin: i32,
    after: u64,
    max_bytes: usize,
) -> Vec<Arc<Segment>> {
    let node = origins.node_id(origin);
    let heads = catalog::query(
        "SELECT first_seq, last_seq, sealed_ms, prev, head, deps, signature
           FROM crdt.segment WHERE origin = $1 AND last_seq > $2 ORDER BY last_seq LIMIT 256",
        &[origin.into(), (after as i64).into()],
        |row| {
            let prev_seq = (row.need::<i64>(1) as u64).saturating_sub(1);
            let deps: Deps =
                deps_from_bytes(&row.need::<Vec<u8>>(6)).or_corrupt("a segment's deps");
            let segment = Segment {
                origin: node,
                prev: Position {
                    seq: prev_seq,
                    head: hash(&row.need::<Vec<u8>>(4)),
                },
                deps,
                sealed_ms: row.need::<i64>(3) as u64,
                ops: Vec::new(),
                head: hash(&row.need::<Vec<u8>>(5)),
                signature: row
                    .need::<Vec<u8>>(7)
                    .try_into()
                    .ok()
                    .or_corrupt("a signature"),
            };
            (segment, row.need::<i64>(2) as u64)
        },
    );
    let mut room = max_bytes;
    let mut segments = Vec::new();
    for (mut segment, last_seq) in heads {
        let Some(ops) = ops(origins, origin, segment.prev.seq, last_seq) else {
            break;
        };
        segment.ops = ops;
        let size = segment.encoded_len();
        if size > room && !segments.is_empty() {
            break;
        }
        room = room.saturating_sub(size);
        segments.push(Arc::new(segment));
    }
    segments
}

/// Ops `after + 1 ..= upto`, as they were signed; none if a payload of them was pruned.
fn ops(origins: &mut Origins, origin: i32, after: u64, upto: u64) -> Option<Vec<Op>> {
    let rows = catalog::query(
        "SELECT seq, hlc, kind, schema_id, salt, payload FROM crdt.op
          WHERE origin = $1 AND seq > $2 AND seq <= $3 ORDER BY seq",
        &[origin.into(), (after as i64).into(), (upto as i64).into()],
        |row| {
            let salt: Vec<u8> = row.need(5);
            let part = (!salt.is_empty()).then(|| Part {
                salt: hash(&salt),
                payload: row.need(6),
            });
            (
                row.need::<i64>(1),
                row.need::<i64>(2),
                row.need::<i16>(3),
                row.need::<i32>(4),
                part,
            )
        },
    );
    rows.into_iter()
        .map(|(seq, hlc, kind, schema_id, part)| {
            Some(Op {
                seq: seq as u64,
                hlc: hlc as u64,
                kind: kind_of(kind),
                schema_hash: origins.schema_hash(schema_id),
                parts: vec![part?],
            })
        })
        .collect()
}

fn kind_of(stored: i16) -> Kind {
    u8::try_from(stored)
        .ok()
        .and_then(Kind::from_u8)
        .or_corrupt("an op's kind")
}

/// What the leaves of ops `after + 1 ..= upto` are made of.
pub fn op_cores(origins: &mut Origins, origin: i32, after: u64, upto: u64) -> Vec<(OpCore, Hash)> {
    let rows = catalog::query(
        "SELECT seq, hlc, kind, schema_id, salt, payload, hash FROM crdt.op
          WHERE origin = $1 AND seq > $2 AND seq <= $3 ORDER BY seq",
        &[origin.into(), (after as i64).into(), (upto as i64).into()],
        |row| {
            let (salt, payload) = (row.need::<Vec<u8>>(5), row.need::<Vec<u8>>(6));
            let part = StoredPart {
                salt: &salt,
                payload: &payload,
            };
            let commitment = part.commitment().or_corrupt("an op's salt");
            let core = OpCore {
                seq: row.need::<i64>(1) as u64,
                hlc: row.need::<i64>(2) as u64,
                kind: row.need::<i16>(3) as u8,
                schema_hash: [0; 32],
                part_count: 1,
                parts_root: parts_root(&[commitment]),
            };
            (row.need::<i32>(4), core, hash(&row.need::<Vec<u8>>(7)))
        },
    );
    rows.into_iter()
        .map(|(schema_id, core, hash)| {
            (
                OpCore {
                    schema_hash: origins.schema_hash(schema_id),
                    ..core
                },
                hash,
            )
        })
        .collect()
}

/// The hash of one op.
pub fn op_hash(origin: i32, seq: u64) -> Option<Hash> {
    catalog::one(
        "SELECT hash FROM crdt.op WHERE origin = $1 AND seq = $2",
        &[origin.into(), (seq as i64).into()],
        |row| hash(&row.need::<Vec<u8>>(1)),
    )
}

/// The block that has the op in it; the last block if there is no such op.
pub fn height_of(origin: i32, seq: u64) -> Option<i64> {
    catalog::one(
        "SELECT CASE WHEN $2 = 0 THEN (SELECT coalesce(max(height), 0) FROM crdt.block)
                ELSE (SELECT height FROM crdt.block_range WHERE origin = $1 AND last_seq >= $2
                       ORDER BY last_seq LIMIT 1) END",
        &[origin.into(), (seq as i64).into()],
        |row| row.get(1),
    )
    .flatten()
}
