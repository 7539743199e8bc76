//! This node: who it is, what it is called, blocks made now.

use crate::catalog;
use crate::error::{OrCorrupt, raise};
use crate::instance::identity;
use crate::instance::mailbox::{self, Request};
use crate::track::outbox;
use ledger::MembershipChange;
use ledger::checkpoint::log_key;
use pgrx::JsonB;
use pgrx::prelude::*;
use serde_json::json;
use std::time::Duration;

/// Longest time that a session waits for a block to become final.
const BLOCK_LIMIT: Duration = Duration::from_secs(60);

/// This node's name, address, keys and role.
#[pg_extern(volatile)]
fn crdt_node() -> JsonB {
    crate::require_preload();
    let identity = identity::identity();
    let chain = catalog::chain();
    let known = catalog::local_node().filter(|known| known.left_after.is_none());
    let (name, url) = match &known {
        Some(known) => (known.member.name.clone(), known.member.url.clone()),
        None => catalog::local_name(&identity.node_id()),
    };
    let role = known.as_ref().map(|known| match known.member.role {
        ledger::Role::Member => "member",
        ledger::Role::Validator => "validator",
    });
    let checkpoint_key = identity.checkpoint.verifying_key();
    JsonB(json!({
        "name": name,
        "url": url,
        "role": role,
        "node_id": hex::encode(identity.node_id().0),
        "replica_id": hex::encode(identity.replica().0),
        "chain_id": chain.as_ref().map(|chain| hex::encode(chain.id.0)),
        "predecessor": chain.as_ref().and_then(|chain| chain.genesis.predecessor).map(|before| json!({
            "chain_id": hex::encode(before.chain_id.0),
            "height": before.height,
            "header_hash": hex::encode(before.header_hash),
        })),
        "signing_key": hex::encode(identity.signing.verifying_key().to_bytes()),
        "tls_key": hex::encode(transport::public_key_of(&identity.tls_seed)),
        "checkpoint_key": hex::encode(checkpoint_key.to_bytes()),
        "checkpoint_vkey": chain
            .as_ref()
            .and_then(|chain| log_key(&chain.id, checkpoint_key).ok())
            .map(|key| key.to_string()),
    }))
}

/// Names this node and says at which URL its peers reach it; an empty URL
/// means that they cannot, and this node fetches and pushes by itself.
#[pg_extern]
fn crdt_set_node(name: &str, url: &str) {
    crate::require_preload();
    if !url.is_empty() && !url.starts_with("https://") {
        raise(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            format!("\"{url}\" is not the URL of a node"),
            "Write https://host:port, with the port of blockchain_crdt.listen or of what forwards to it.",
        );
    }
    catalog::run(
        "INSERT INTO crdt.local (name, url) VALUES ($1, $2)
         ON CONFLICT (singleton) DO UPDATE SET name = excluded.name, url = excluded.url",
        &[name.into(), url.into()],
    );
    let known = catalog::local_node().filter(|known| known.left_after.is_none());
    // Also checks the name for a node that has no chain yet.
    let member = catalog::local_member(known.as_ref().map_or(0, |known| known.member.weight));
    if known.is_some() {
        outbox::announce_members_at_commit();
        catalog::store_member(&member);
        outbox::append_membership(&MembershipChange::Join(member));
    }
}

/// Seals all that is committed, waits until it is final, and returns the
/// height of the block that has it. What this very transaction wrote is not
/// committed and so not in it.
#[pg_extern]
fn crdt_commit_block() -> i64 {
    crate::require_preload();
    match mailbox::ask(Request::CommitBlock, "", BLOCK_LIMIT) {
        Ok(height) => height.parse().unwrap_or_default(),
        Err(reason) => mailbox::raise("no block was made", reason),
    }
}

/// The replica in whose name a member, given by its record, makes CRDT state.
#[pg_extern(sql = false)]
fn crdt_replica_of(record: &[u8]) -> Vec<u8> {
    let member = ledger::Member::from_bytes(record).or_corrupt("a member's record");
    member.replica_id.to_vec()
}
