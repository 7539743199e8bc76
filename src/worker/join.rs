//! Joining a cluster: the invitation, the guest's request, the grant.
//!
//! An invitation carries the inviter's address and TLS key, the chain's id and
//! the seed of a guest key made for it alone: that key is pinned on the
//! inviter's side until the invitation is used or expires, so that strangers
//! do not get beyond the TLS handshake.

use crate::audit::prune;
use crate::catalog;
use crate::error::OrCorrupt;
use crate::instance::identity;
use crate::track::enrol;
use crate::track::outbox;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crdt::TableSchema;
use ed25519_dalek::{Signer, VerifyingKey};
use ledger::vector::MAX_MEMBERS;
use ledger::{ChainId, Genesis, Member, MembershipChange, Role};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use transport::Key;

/// What an invitation's text begins with.
const PREFIX: &str = "bcrdt-invite-1.";
/// Longest message of joining, in bytes.
const MAX_BYTES: usize = 4 << 20;
/// What a guest signs to show that it holds the key of the record it presents.
const LABEL: &[u8] = b"bcrdt/join/v1\0";

/// The contents of an invitation.
#[derive(Serialize, Deserialize)]
pub struct Invite {
    /// Where the inviter listens.
    pub url: String,
    /// The inviter's TLS key.
    pub server_key: Key,
    /// The cluster's chain.
    pub chain_id: [u8; 32],
    /// Seed of the guest's TLS key.
    pub guest_seed: [u8; 32],
}

/// A guest asks to become a member.
#[derive(Serialize, Deserialize)]
struct Application {
    member: Vec<u8>,
    signature: Vec<u8>,
}

/// What a new member needs to begin.
#[derive(Serialize, Deserialize)]
pub struct Grant {
    genesis: Vec<u8>,
    members: Vec<Vec<u8>>,
    tables: Vec<Vec<u8>>,
}

fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    let mut bytes = vec![1];
    bytes.extend(
        bincode::serde::encode_to_vec(message, bincode::config::standard())
            .or_corrupt("a message of joining"),
    );
    bytes
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let [1, body @ ..] = bytes else {
        return Err("unknown version of the message".to_owned());
    };
    let config = bincode::config::standard().with_limit::<MAX_BYTES>();
    match bincode::serde::decode_from_slice(body, config) {
        Ok((message, length)) if length == body.len() => Ok(message),
        _ => Err("the message cannot be read".to_owned()),
    }
}

impl Invite {
    /// The text that one administrator gives to the other.
    pub fn to_text(&self) -> String {
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(encode(self)))
    }

    /// # Errors
    /// Why this is no invitation.
    pub fn from_text(text: &str) -> Result<Invite, String> {
        let body = text
            .trim()
            .strip_prefix(PREFIX)
            .ok_or("this is not an invitation")?;
        let bytes = URL_SAFE_NO_PAD
            .decode(body.as_bytes())
            .map_err(|_| "the invitation was altered or cut short")?;
        decode(&bytes).map_err(|_| "the invitation was altered or cut short".to_owned())
    }
}

/// What the guest sends: its record, signed for this chain.
pub fn application(chain: &[u8; 32], member: &Member) -> Vec<u8> {
    let member = member.to_bytes();
    let message = [LABEL, chain, &member].concat();
    let signature = identity::identity()
        .signing
        .sign(&message)
        .to_bytes()
        .to_vec();
    encode(&Application { member, signature })
}

/// Inviter: admits the guest whose connection showed `guest`, within the
/// current transaction. Returns the grant.
///
/// # Errors
/// Why not, for the guest.
pub fn admit(guest: &Key, body: &[u8]) -> Result<Vec<u8>, String> {
    let chain = catalog::chain().ok_or("this node has no chain yet")?;
    let Some(used_by) = catalog::one(
        "SELECT used_by FROM crdt.invite WHERE guest_key = $1 AND expires > now()",
        &[guest.as_slice().into()],
        |row| row.get::<Vec<u8>>(1),
    ) else {
        return Err("the invitation has expired".to_owned());
    };
    let member = check(&chain.id, body)?;
    prune::require_whole_history()?;
    match used_by {
        Some(node) if node == member.node_id.0 => return Ok(grant(&chain)),
        Some(_) => return Err("the invitation was used".to_owned()),
        None => {}
    }
    let known = catalog::members();
    let twin = known.iter().find(|k| {
        k.left_after.is_none() && k.member.name == member.name && k.member.node_id != member.node_id
    });
    if twin.is_some() {
        return Err(format!(
            "a member is named {} already: choose another with crdt_set_node()",
            member.name
        ));
    }
    let member_id = member.node_id.0;
    let joining = MembershipChange::Join(member.clone());
    let me = identity::identity().node_id();
    if !catalog::membership().apply(&me, &joining) {
        return Err(format!(
            "the inviter may not admit this node: only a validator brings back who left, and a chain has at most {MAX_MEMBERS} members, those who left among them"
        ));
    }
    catalog::store_member(&member);
    outbox::append_membership(&joining);
    catalog::run(
        "UPDATE crdt.invite SET used_by = $2, expires = now() + interval '1 minute'
          WHERE guest_key = $1",
        &[guest.as_slice().into(), member_id.as_slice().into()],
    );
    Ok(grant(&chain))
}

fn grant(chain: &catalog::Chain) -> Vec<u8> {
    encode(&Grant {
        genesis: chain.genesis.to_bytes(),
        members: catalog::members()
            .iter()
            .map(|known| known.member.to_bytes())
            .collect(),
        tables: catalog::query(
            "SELECT s.definition FROM crdt.tracked t JOIN crdt.schema s ON s.id = t.schema_id",
            &[],
            |row| row.need(1),
        ),
    })
}

fn check(chain: &ChainId, body: &[u8]) -> Result<Member, String> {
    let application: Application = decode(body)?;
    let member = Member::from_bytes(&application.member).map_err(|e| e.to_string())?;
    if member.role != Role::Member {
        return Err("a guest joins as a member; validators are added afterwards".to_owned());
    }
    let message = [LABEL, &chain.0, &application.member].concat();
    let signed = VerifyingKey::from_bytes(&member.signing_key)
        .ok()
        .zip(application.signature.as_slice().try_into().ok())
        .is_some_and(|(key, signature)| {
            let signature = ed25519_dalek::Signature::from_bytes(&signature);
            key.verify_strict(&message, &signature).is_ok()
        });
    if signed {
        Ok(member)
    } else {
        Err("the guest does not hold its signing key".to_owned())
    }
}

/// Guest: takes the grant into this database, within the current transaction.
///
/// # Errors
/// What in this database stands in the way.
pub fn accept(invite: &Invite, body: &[u8]) -> Result<String, String> {
    let grant: Grant = decode(body)?;
    let genesis = Genesis::from_bytes(&grant.genesis).map_err(|e| e.to_string())?;
    if genesis.chain_id().0 != invite.chain_id {
        return Err("the inviter answered for another chain than the invitation's".to_owned());
    }
    for table in &grant.tables {
        let schema = TableSchema::decode(table).map_err(|e| e.to_string())?;
        let Some(oid) = super::apply::find(&schema.schema, &schema.table) else {
            continue;
        };
        let name = format!("table {}.{}", schema.schema, schema.table);
        if enrol::describe(oid) != schema {
            return Err(format!(
                "{name} here differs from the cluster's table of that name"
            ));
        }
        if catalog::tracked_schema(oid).is_none() && !enrol::is_empty(oid) {
            return Err(format!(
                "{name} has rows here: empty it first, the cluster's rows will come"
            ));
        }
    }
    if catalog::chain().is_none() {
        catalog::store_chain(&genesis);
    }
    for member in &grant.members {
        let member = Member::from_bytes(member).map_err(|e| e.to_string())?;
        catalog::store_member(&member);
    }
    Ok(format!("joined a cluster of {} nodes", grant.members.len()))
}

/// Guest: makes sure that this database may join the chain, and clears away a
/// chain of its own on which nothing has been written.
///
/// # Errors
/// Why it cannot join.
pub fn prepare(invite: &Invite) -> Result<(), String> {
    let Some(own) = catalog::chain() else {
        return Ok(());
    };
    if own.id.0 == invite.chain_id {
        return match catalog::local_node() {
            Some(known) if known.left_after.is_none() => {
                Err("this node is a member of that cluster already".to_owned())
            }
            _ => Ok(()),
        };
    }
    let in_use = catalog::members().len() > 1
        || catalog::one("SELECT 1 FROM crdt.op WHERE kind = 1 LIMIT 1", &[], |_| ()).is_some();
    if in_use {
        return Err("this database has a ledger of its own, with rows in it: join from a database whose tracked tables are empty".to_owned());
    }
    catalog::tracked_relations()
        .into_iter()
        .for_each(enrol::leave);
    catalog::clear_ledger();
    Ok(())
}
