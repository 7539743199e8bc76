//! The chain of this database, its members, and this node among them.

use super::sql::{one, query, run};
use crate::error::{OrCorrupt, raise};
use crate::instance::{clock, identity, settings};
use ledger::{ChainId, Genesis, Member, MemberKeys, Membership, NodeId, Predecessor, Role};
use pgrx::PgSqlErrorCode;

/// The chain this database keeps.
pub struct Chain {
    /// Hash of the genesis.
    pub id: ChainId,
    /// What the chain begins with.
    pub genesis: Genesis,
}

/// A member and its local number.
pub struct KnownMember {
    /// Number in `crdt.node`.
    pub id: i32,
    /// Its record.
    pub member: Member,
    /// The last op that counts of a member that has left.
    pub left_after: Option<u64>,
}

/// The chain, if this database has joined or founded one.
pub fn chain() -> Option<Chain> {
    one("SELECT genesis FROM crdt.chain", &[], |row| {
        let genesis = Genesis::from_bytes(&row.need::<Vec<u8>>(1)).or_corrupt("the genesis");
        Chain {
            id: genesis.chain_id(),
            genesis,
        }
    })
}

/// All members, past and present.
pub fn members() -> Vec<KnownMember> {
    query(
        "SELECT id, record, left_after FROM crdt.node ORDER BY id",
        &[],
        |row| KnownMember {
            id: row.need(1),
            member: Member::from_bytes(&row.need::<Vec<u8>>(2)).or_corrupt("a member's record"),
            left_after: row.get::<i64>(3).map(i64::unsigned_abs),
        },
    )
}

/// The members and those who left, as the rules of joining and leaving see them.
pub fn membership() -> Membership {
    let (left, present): (Vec<_>, Vec<_>) = members()
        .into_iter()
        .partition(|known| known.left_after.is_some());
    let records = |known: Vec<KnownMember>| known.into_iter().map(|it| it.member);
    Membership::from_records(records(present), records(left))
}

/// This node among the members; `None` if it is not one (yet).
pub fn local_node() -> Option<KnownMember> {
    let me = identity::identity().node_id();
    members()
        .into_iter()
        .find(|known| known.member.node_id == me)
}

/// Keeps a member's record, new or changed. Returns its local number.
pub fn store_member(member: &Member) -> i32 {
    let role = match member.role {
        Role::Member => "member",
        Role::Validator => "validator",
    };
    one(
        "INSERT INTO crdt.node (node_id, name, url, role, record) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (node_id) DO UPDATE
            SET name = excluded.name, url = excluded.url, role = excluded.role,
                record = excluded.record, left_after = NULL
         RETURNING id",
        &[
            member.node_id.0.as_slice().into(),
            member.name.as_str().into(),
            member.url.as_str().into(),
            role.into(),
            member.to_bytes().as_slice().into(),
        ],
        |row| row.need(1),
    )
    .or_corrupt("crdt.node")
}

/// This node's own record with the name and address it goes by now.
pub fn local_member(weight: u64) -> Member {
    let identity = identity::identity();
    let keys = MemberKeys {
        signing: identity.signing.verifying_key().to_bytes(),
        tls: transport::public_key_of(&identity.tls_seed),
        checkpoint: identity.checkpoint.verifying_key().to_bytes(),
    };
    let (name, url) = local_name(&identity.node_id());
    Member::new(keys, identity.incarnation, &name, &url, weight).unwrap_or_else(|fault| {
        raise(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            format!("this node's name or address cannot be used: {fault}"),
            "SELECT crdt_set_node('name', 'https://host:port') sets them.",
        )
    })
}

/// Name and URL as set by `crdt_set_node`, or made from the node id and the
/// listening address.
pub fn local_name(id: &NodeId) -> (String, String) {
    one("SELECT name, url FROM crdt.local", &[], |row| {
        (row.need(1), row.need(2))
    })
    .unwrap_or_else(|| {
        let listen = settings::listen().ok().flatten();
        let url = listen
            .map(|address| format!("https://{address}"))
            .unwrap_or_default();
        (format!("node-{}", hex::encode(&id.0[..4])), url)
    })
}

/// Founds a chain with this node as its one validator, unless there is one.
pub fn found_chain() {
    run("LOCK TABLE crdt.chain IN SHARE ROW EXCLUSIVE MODE", &[]);
    if chain().is_some() {
        return;
    }
    found(None);
}

/// Founds a chain with this node as its one validator; `predecessor` is the
/// chain that it goes on from.
pub fn found(predecessor: Option<Predecessor>) {
    let mut nonce = [0; 32];
    identity::fill_random(&mut nonce).or_corrupt("the random source");
    let founder = local_member(1);
    let genesis = Genesis {
        founder: founder.clone(),
        time_ms: clock::now_ms(),
        predecessor,
        nonce,
    };
    store_chain(&genesis);
    store_member(&founder);
}

/// Empties the tables of the ledger, for another chain to begin in them. The
/// order does not matter: triggers, and so foreign keys, must be off.
pub fn clear_ledger() {
    for table in [
        "chain",
        "node",
        "schema",
        "tracked",
        "tombstone",
        "op",
        "segment",
        "position",
        "block",
        "block_range",
        "tile",
        "quarantine",
        "evidence",
        "cosignature",
        "invite",
        "verified",
    ] {
        run(&format!("DELETE FROM crdt.{table}"), &[]);
    }
}

/// Keeps the genesis of the chain that this database founds or joins.
pub fn store_chain(genesis: &Genesis) {
    run(
        "INSERT INTO crdt.chain (chain_id, genesis) VALUES ($1, $2)",
        &[
            genesis.chain_id().0.as_slice().into(),
            genesis.to_bytes().as_slice().into(),
        ],
    );
}

/// Makes sure that this database has a chain and this node writes on it.
pub fn require_member() -> KnownMember {
    found_chain();
    local_node().filter(|known| known.left_after.is_none()).unwrap_or_else(|| {
        raise(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            "this database holds the ledger of a cluster that it is not a member of",
            "It was restored from a dump, copied, or removed from the cluster. Rejoin with crdt_join(invitation), or go on alone with crdt_found_successor().",
        )
    })
}
