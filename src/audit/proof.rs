//! `crdt_proof`, `crdt_op_proof` and `verify_proof`: one op, with all that shows offline that it
//! is in the log.

use super::checkpoint;
use super::feed::ReadTiles;
use super::rows::Subject;
use crate::catalog;
use crate::error::{OrCorrupt, raise};
use crate::track::key;
use crate::worker::log;
use crate::worker::origins::Origins;
use crdt::RowChange;
use ledger::merkle::Tree;
use ledger::pins::Pins;
use ledger::proof::{OpProof, ProofOp};
use ledger::{Certificate, Hash, Header, NodeId, SignedCheckpoint, StoredOp, StoredPart};
use pgrx::JsonB;
use pgrx::prelude::*;

/// The proof of an op, named by its origin's node id and its number; both are
/// columns of `crdt_ops`.
#[pg_extern]
fn crdt_op_proof(origin: &[u8], seq: i64) -> JsonB {
    let node = <[u8; 32]>::try_from(origin)
        .map(NodeId)
        .unwrap_or_else(|_| {
            raise(
                PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
                format!("a node id has 32 bytes, this has {}", origin.len()),
                "Take origin_id from the view crdt_ops.",
            )
        });
    let number = Origins::default().number(&node).unwrap_or_else(|| {
        raise(
            PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT,
            format!("no member has the id {}", hex::encode(node.0)),
            "Take origin_id from the view crdt_ops.",
        )
    });
    catalog::under_one_snapshot(|| prove(number, seq))
}

/// The proof of the newest final op of a row, named by its primary key as
/// text, one argument for each column.
#[pg_extern(sql = "
    CREATE FUNCTION crdt_proof(relation regclass, VARIADIC key text[]) RETURNS jsonb
    STRICT STABLE PARALLEL UNSAFE LANGUAGE c AS 'MODULE_PATHNAME', '@FUNCTION_NAME@';
")]
fn crdt_proof(relation: pg_sys::Oid, key: Vec<Option<String>>) -> JsonB {
    let subject = Subject::of(relation);
    let wanted = subject.key(&key);
    let hash = subject.hash(&wanted);
    let candidates: Vec<(i32, i64, Option<Vec<u8>>)> = catalog::query(
        "SELECT o.origin, o.seq, CASE WHEN o.salt <> '' THEN o.payload END FROM crdt.op o
          WHERE o.row_id = $1 AND o.kind = 1
            AND EXISTS (SELECT FROM crdt.block_range b
                         WHERE b.origin = o.origin AND b.last_seq >= o.seq)
          ORDER BY o.hlc DESC",
        &[key::row_id(&hash).into()],
        |row| (row.need(1), row.need(2), row.get(3)),
    );
    // What was pruned has lost its key; the hash of it, by which it was found here, stands for it.
    let newest = candidates.iter().find(|(_, _, payload)| match payload {
        Some(payload) => RowChange::decode(payload).is_ok_and(|c| c.key == wanted),
        None => true,
    });
    match newest {
        Some((origin, seq, _)) => catalog::under_one_snapshot(|| prove(*origin, *seq)),
        None => raise(
            PgSqlErrorCode::ERRCODE_NO_DATA_FOUND,
            "no final op of this row is in the log",
            "SELECT crdt_commit_block() makes committed ops final.",
        ),
    }
}

fn prove(origin: i32, seq: i64) -> JsonB {
    let mut origins = Origins::default();
    let node = origins.node_id(origin);
    let Some((height, leaf_index)) = catalog::one(
        "SELECT height, first_leaf + $2 - first_seq FROM crdt.block_range
          WHERE origin = $1 AND last_seq >= $2 ORDER BY last_seq LIMIT 1",
        &[origin.into(), seq.into()],
        |row| (row.need::<i64>(1), row.need::<i64>(2)),
    ) else {
        raise(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            format!(
                "op {seq} of {} is in no block yet",
                super::log::node_name(&node)
            ),
            "SELECT crdt_commit_block() makes committed ops final.",
        )
    };
    let prev = match seq {
        1 => [0; 32],
        _ => log::op_hash(origin, seq as u64 - 1).or_corrupt("the op before"),
    };
    let op = stored_op(&node, origin, seq, &prev).or_corrupt("the op of a block");
    let (header, certificate) = catalog::one(
        "SELECT header, certificate FROM crdt.block WHERE height = $1",
        &[height.into()],
        |row| {
            let header = Header::from_bytes(&row.need::<Vec<u8>>(1)).or_corrupt("a header");
            let certificate =
                Certificate::from_bytes(&row.need::<Vec<u8>>(2)).or_corrupt("a certificate");
            (header, certificate)
        },
    )
    .or_corrupt("crdt.block");
    let tree = Tree::new(ReadTiles, header.tree_size);
    let inclusion = tree
        .inclusion_proof(leaf_index as u64, header.tree_size)
        .ok()
        .or_corrupt("the tiles of the log");
    let genesis = catalog::chain().or_corrupt("crdt.chain").genesis;
    let proof = OpProof::new(
        &genesis,
        op,
        leaf_index as u64,
        &inclusion,
        &header,
        &certificate,
        &genesis.validators(),
    );
    JsonB(serde_json::to_value(proof).or_corrupt("a proof"))
}

/// The op as it is stored: without its payload if that was pruned.
fn stored_op(node: &NodeId, origin: i32, seq: i64, prev: &Hash) -> Option<ProofOp> {
    catalog::one(
        "SELECT o.hlc, o.kind, s.hash, o.salt, o.payload
           FROM crdt.op o LEFT JOIN crdt.schema s ON s.id = o.schema_id
          WHERE o.origin = $1 AND o.seq = $2",
        &[origin.into(), seq.into()],
        |row| {
            let schema_hash = row.get::<Vec<u8>>(3).unwrap_or_else(|| vec![0; 32]);
            let (salt, payload) = (row.need::<Vec<u8>>(4), row.need::<Vec<u8>>(5));
            let stored = StoredOp {
                origin: &node.0,
                seq: seq as u64,
                hlc: row.need::<i64>(1) as u64,
                kind: u8::try_from(row.need::<i16>(2)).unwrap_or_default(),
                schema_hash: &schema_hash,
                parts: &[StoredPart {
                    salt: &salt,
                    payload: &payload,
                }],
                op_hash: &[],
            };
            ProofOp::of_stored(&stored, prev)
        },
    )
    .flatten()
}

/// Whether a proof holds on this chain, and, if a checkpoint is given, whether
/// a member signed it and the op is in the log that it speaks of.
#[pg_extern]
fn verify_proof(proof: JsonB, checkpoint: default!(Option<&str>, "NULL")) -> bool {
    let Ok(proof) = OpProof::from_json(&proof.0.to_string()) else {
        return false;
    };
    let pins = Pins {
        chain_id: catalog::chain().map(|chain| chain.id),
        ..Pins::default()
    };
    if pins.chain_id.is_none() || proof.verify(&pins).is_err() {
        return false;
    }
    let Some(checkpoint) = checkpoint else {
        return true;
    };
    let Ok(note) = SignedCheckpoint::parse(checkpoint) else {
        return false;
    };
    let state = note.checkpoint();
    proof.leaf_index < state.size
        && checkpoint::is_signed_by_a_member(&note)
        && checkpoint::consistent(
            (proof.header.tree_size, proof.header.log_root.0),
            (state.size, state.root),
        )
}
