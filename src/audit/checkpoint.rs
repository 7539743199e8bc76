//! `crdt_checkpoint`: the state of the log as a signed note (C2SP
//! tlog-checkpoint), to be kept where this server cannot reach it.

use super::feed::ReadTiles;
use crate::catalog;
use crate::error::{OrCorrupt, raise};
use crate::instance::identity;
use ledger::checkpoint::{log_key, origin_of_chain};
use ledger::merkle::{Tree, verify_consistency};
use ledger::signature::public_key;
use ledger::{Checkpoint, Hash, Header, Signed, SignedCheckpoint};
use pgrx::prelude::*;

/// The log's size and root at the last block, signed by this node's checkpoint
/// key.
#[pg_extern]
fn crdt_checkpoint() -> String {
    let Some(newest) = newest() else {
        raise(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            "the log has no block yet",
            "SELECT crdt_commit_block() makes one when a tracked table has been written to.",
        )
    };
    newest.to_string()
}

/// The log's state at the last block, signed by this node.
pub fn newest() -> Option<SignedCheckpoint> {
    let header = last_header()?;
    let state = Checkpoint::of_chain(&header.chain_id, header.tree_size, header.log_root);
    let signed = state.sign(&identity::identity().checkpoint);
    Some(signed.or_corrupt("the checkpoint"))
}

/// The checkpoint that the public log shows.
pub fn published() -> Option<SignedCheckpoint> {
    newest()
}

/// How many leaves the public log shows.
pub fn published_size() -> u64 {
    last_header().map_or(0, |header| header.tree_size)
}

/// The header of the last block.
pub fn last_header() -> Option<Header> {
    catalog::one(
        "SELECT header FROM crdt.block ORDER BY height DESC LIMIT 1",
        &[],
        |row| Header::from_bytes(&row.need::<Vec<u8>>(1)).ok(),
    )
    .flatten()
}

/// Whether a checkpoint is of this chain and a member signed it.
pub fn is_signed_by_a_member(note: &SignedCheckpoint) -> bool {
    let Some(chain) = catalog::chain() else {
        return false;
    };
    note.checkpoint().origin == origin_of_chain(&chain.id)
        && catalog::members().iter().any(|known| {
            public_key(&known.member.checkpoint_key)
                .and_then(|key| log_key(&chain.id, key).ok())
                .is_some_and(|key| matches!(note.signed(&key), Signed::Yes { .. }))
        })
}

/// Whether two states of the log are one history, by the tiles stored here.
pub fn consistent(a: (u64, Hash), b: (u64, Hash)) -> bool {
    let (old, new) = if a.0 <= b.0 { (a, b) } else { (b, a) };
    Tree::new(ReadTiles, new.0)
        .consistency_proof(old.0, new.0)
        .is_ok_and(|path| verify_consistency(old.0, new.0, &path, &old.1, &new.1))
}
