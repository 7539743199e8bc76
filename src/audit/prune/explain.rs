//! The signed ops that say what was pruned, for a verification that ends
//! before it comes to them.

use crate::catalog;
use ledger::{ChainVerifier, StoredOp, StoredPart, StoredSegment};

/// A segment row, and the node id that its origin stands for.
struct Segment {
    origin: i32,
    name: Vec<u8>,
    numbers: [i64; 3],
    bytes: [Vec<u8>; 4],
}

/// An op row of that segment.
struct Op {
    numbers: [i64; 2],
    kind: i16,
    bytes: [Vec<u8>; 4],
}

/// Shows the verifier the prune ops that are stored, the newest first, until
/// nothing is left to be explained.
pub fn explain(verifier: &mut ChainVerifier) {
    let told: Vec<(i32, i64)> = catalog::query(
        "SELECT origin, seq FROM crdt.op WHERE row_id = 0 AND kind = 9 ORDER BY hlc DESC",
        &[],
        |row| (row.need(1), row.need(2)),
    );
    for (origin, seq) in told {
        if !verifier.awaits_prune() {
            break;
        }
        if let Some(segment) = segment(origin, seq) {
            show(verifier, &segment);
        }
    }
}

fn segment(origin: i32, seq: i64) -> Option<Segment> {
    catalog::one(
        "SELECT n.node_id, s.first_seq, s.last_seq, s.sealed_ms, s.prev, s.head, s.deps, s.signature
           FROM crdt.segment s JOIN crdt.node n ON n.id = s.origin
          WHERE s.origin = $1 AND s.last_seq >= $2 ORDER BY s.last_seq LIMIT 1",
        &[origin.into(), seq.into()],
        |row| Segment {
            origin,
            name: row.need(1),
            numbers: [row.need(2), row.need(3), row.need(4)],
            bytes: [row.need(5), row.need(6), row.need(7), row.need(8)],
        },
    )
}

fn show(verifier: &mut ChainVerifier, segment: &Segment) {
    let [first, last, sealed_ms] = segment.numbers;
    let [prev, head, deps, signature] = &segment.bytes;
    let rows = catalog::query(
        "SELECT o.seq, o.hlc, o.kind, coalesce(s.hash, decode(repeat('00', 32), 'hex')),
                o.salt, o.payload, o.hash
           FROM crdt.op o LEFT JOIN crdt.schema s ON s.id = o.schema_id
          WHERE o.origin = $1 AND o.seq >= $2 AND o.seq <= $3 ORDER BY o.seq",
        &[segment.origin.into(), first.into(), last.into()],
        |row| Op {
            numbers: [row.need(1), row.need(2)],
            kind: row.need(3),
            bytes: [row.need(4), row.need(5), row.need(6), row.need(7)],
        },
    );
    let parts: Vec<[StoredPart; 1]> = rows
        .iter()
        .map(|op| {
            [StoredPart {
                salt: &op.bytes[1],
                payload: &op.bytes[2],
            }]
        })
        .collect();
    let ops: Vec<StoredOp> = rows
        .iter()
        .zip(&parts)
        .map(|(op, parts)| StoredOp {
            origin: &segment.name,
            seq: op.numbers[0] as u64,
            hlc: op.numbers[1] as u64,
            kind: u8::try_from(op.kind).unwrap_or_default(),
            schema_hash: &op.bytes[0],
            parts,
            op_hash: &op.bytes[3],
        })
        .collect();
    let row = StoredSegment {
        origin: &segment.name,
        first_seq: first as u64,
        count: last.wrapping_sub(first).wrapping_add(1) as u64,
        prev,
        head,
        deps,
        sealed_ms: sealed_ms as u64,
        signature,
    };
    verifier.pruned_by(&row, &ops);
}
