//! Invitations, and joining with one.

use crate::audit::prune;
use crate::catalog;
use crate::error::{OrCorrupt, raise};
use crate::instance::identity;
use crate::instance::mailbox::{self, Request};
use crate::track::outbox;
use crate::worker::join::Invite;
use pgrx::datum::Interval;
use pgrx::prelude::*;
use std::time::Duration;

/// Longest time that a session waits for the inviter.
const JOIN_LIMIT: Duration = Duration::from_secs(60);

/// Makes an invitation for one node, good for the given time (a day if not
/// said). Hand the text to the other node's administrator by a channel you
/// trust: who holds it can join, once.
#[pg_extern]
fn crdt_create_invite(ttl: default!(Interval, "'1 day'")) -> String {
    crate::require_preload();
    let me = catalog::require_member();
    if me.member.url.is_empty() {
        raise(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            "this node has no address at which a guest could reach it",
            "Set blockchain_crdt.listen, and crdt_set_node('name', 'https://host:port') if guests reach it by another address.",
        );
    }
    if let Err(reason) = prune::require_whole_history() {
        raise(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            reason,
            "SELECT * FROM crdt_ops WHERE kind = 'prune' tells the archive's name.",
        );
    }
    let mut guest_seed = [0; 32];
    identity::fill_random(&mut guest_seed).or_corrupt("the random source");
    let guest_key = transport::public_key_of(&guest_seed);
    catalog::run("DELETE FROM crdt.invite WHERE expires <= now()", &[]);
    catalog::run(
        "INSERT INTO crdt.invite (guest_key, expires) VALUES ($1, now() + $2)",
        &[guest_key.as_slice().into(), ttl.into()],
    );
    let chain = catalog::chain().or_corrupt("crdt.chain");
    outbox::announce_members_at_commit();
    let invite = Invite {
        url: me.member.url,
        server_key: me.member.tls_key,
        chain_id: chain.id.0,
        guest_seed,
    };
    invite.to_text()
}

/// Joins the cluster that the invitation comes from. Tables tracked there are
/// created here, or taken over if they stand here with the same columns; rows
/// then arrive in the background.
#[pg_extern]
fn crdt_join(invite: &str) -> String {
    crate::require_preload();
    if let Err(reason) = Invite::from_text(invite) {
        raise(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            reason,
            "Pass the text that crdt_create_invite() returned on a member, whole.",
        );
    }
    match mailbox::ask(Request::Join, invite, JOIN_LIMIT) {
        Ok(answer) => answer,
        Err(reason) => mailbox::raise("cannot join", reason),
    }
}
