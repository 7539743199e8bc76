//! `crdt_checkpoint`: the state of the log as a signed note (C2SP
//! tlog-checkpoint), to be kept where this server cannot reach it, with what
//! witnesses have cosigned of it.

use super::cosignature;
use super::feed::ReadTiles;
use crate::catalog;
use crate::error::{OrCorrupt, raise};
use crate::instance::{identity, settings};
use ledger::checkpoint::{log_key, origin_of_chain};
use ledger::merkle::{Tree, verify_consistency};
use ledger::signature::public_key;
use ledger::{Checkpoint, Hash, Signed, SignedCheckpoint};
use pgrx::prelude::*;

/// Cosigned sizes that are tried before there is none to be published: rows of
/// `crdt.cosignature` that do not hold do not count.
const TRIES: i64 = 8;

/// The log's size and root at the last block, signed by this node's checkpoint
/// key, with the cosignatures of exactly this state that witnesses have given
/// so far.
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

/// The newest state of the log that a quorum of the witnesses has cosigned, or
/// the one of `tree_size` leaves; null if there is none.
#[pg_extern]
fn crdt_cosigned_checkpoint(tree_size: default!(Option<i64>, "NULL")) -> Option<String> {
    let note = match tree_size {
        Some(size) => u64::try_from(size).ok().and_then(|size| cosigned(size, 1)),
        None => published(1),
    };
    note.map(|note| note.to_string())
}

/// The log's state at the last block, signed by this node and by those
/// witnesses that have cosigned it already.
pub fn newest() -> Option<SignedCheckpoint> {
    cosigned(catalog::last_header()?.tree_size, 0)
}

/// The checkpoint that the public log shows: the newest that at least the
/// quorum of witnesses, and no fewer than `least`, has cosigned. While the log
/// grows, the newest state of all is hardly ever cosigned yet, and whoever
/// wants cosignatures would never find any under it.
pub fn published(least: usize) -> Option<SignedCheckpoint> {
    let witnesses = catalog::one("SELECT count(*) FROM crdt.witness", &[], |row| {
        row.need::<i64>(1)
    });
    let witnesses = usize::try_from(witnesses.unwrap_or_default()).unwrap_or_default();
    match settings::witness_quorum().min(witnesses).max(least) {
        0 => newest(),
        needed => cosignature::cosigned_sizes(needed, TRIES)
            .into_iter()
            .find_map(|size| cosigned(size, needed)),
    }
}

/// The state of the log at an earlier size, signed by this node, with the
/// cosignatures that hold; none if they are fewer than `needed`, or there is no
/// such state.
fn cosigned(size: u64, needed: usize) -> Option<SignedCheckpoint> {
    let now = catalog::last_header()?;
    let root = match size == now.tree_size {
        true => now.log_root,
        false => Tree::new(ReadTiles, now.tree_size).root_at(size).ok()?,
    };
    let state = Checkpoint::of_chain(&now.chain_id, size, root);
    let lines = cosignature::lines(&state);
    if lines.len() < needed {
        return None;
    }
    let signed = state.sign(&identity::identity().checkpoint);
    let mut note = signed.or_corrupt("the checkpoint");
    for line in lines {
        // More lines than a note holds: those that fit are enough for any quorum.
        if note.add(line).is_err() {
            break;
        }
    }
    Some(note)
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
