//! Members of the cluster, and the ops by which they join, change and leave.

use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::codec::{DecodeError, Reader, Write};
use crate::ids::{NodeId, replica_id};
use crate::signature::public_key;

/// The most bytes of a member's name (an SQL identifier).
pub const MAX_NAME: usize = 63;
/// The most bytes of a member's URL.
pub const MAX_URL: usize = 2048;
/// The most voting weight of one validator, so that no sum of weights can overflow.
pub const MAX_WEIGHT: u64 = 1 << 32;

/// What a member does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Role {
    /// It syncs.
    Member = 1,
    /// It syncs and votes.
    Validator = 2,
}

/// One node of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Follows from signing key and incarnation.
    pub node_id: NodeId,
    /// Signs segments and votes.
    pub signing_key: [u8; 32],
    /// Proves the node's identity in TLS.
    pub tls_key: [u8; 32],
    /// Signs checkpoints.
    pub checkpoint_key: [u8; 32],
    /// Random; new after a restore, clone or promotion.
    pub incarnation: [u8; 16],
    /// Follows from signing key and incarnation; its name in CRDT states.
    pub replica_id: [u8; 16],
    /// For people, up to [`MAX_NAME`] bytes.
    pub name: String,
    /// Where others reach it, up to [`MAX_URL`] bytes; empty if they cannot.
    pub url: String,
    /// What it does.
    pub role: Role,
    /// Its voting weight: 1 to [`MAX_WEIGHT`] for a validator, else 0.
    pub weight: u64,
}

/// Why a member is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MemberFault {
    /// The id is not the digest of key and incarnation.
    #[error("the node id does not belong to the signing key and incarnation")]
    NodeId,
    /// The replica id is not the digest of key and incarnation.
    #[error("the replica id does not belong to the signing key and incarnation")]
    ReplicaId,
    /// A key is not an Ed25519 public key, or two keys are the same.
    #[error("the signing, TLS and checkpoint keys must be three different Ed25519 public keys")]
    Keys,
    /// The name is empty or too long, or name or URL hold control characters.
    #[error("the name or URL is empty, too long or holds control characters")]
    Text,
    /// The weight does not fit the role.
    #[error("a validator weighs 1 to 2^32, any other member 0")]
    Weight,
}

/// The public keys of a node: three different ones, so that no signature made for one purpose
/// can serve another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberKeys {
    /// Signs segments and votes.
    pub signing: [u8; 32],
    /// Proves the node's identity in TLS.
    pub tls: [u8; 32],
    /// Signs checkpoints.
    pub checkpoint: [u8; 32],
}

impl Member {
    /// A checked member; a weight of 0 makes a plain member, any other a validator.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn new(
        keys: MemberKeys,
        incarnation: [u8; 16],
        name: &str,
        url: &str,
        weight: u64,
    ) -> Result<Self, MemberFault> {
        let member = Self {
            node_id: NodeId::derive(&keys.signing, &incarnation),
            signing_key: keys.signing,
            tls_key: keys.tls,
            checkpoint_key: keys.checkpoint,
            incarnation,
            replica_id: replica_id(&keys.signing, &incarnation),
            name: name.to_owned(),
            url: url.to_owned(),
            role: match weight {
                0 => Role::Member,
                _ => Role::Validator,
            },
            weight,
        };
        member.check()?;
        Ok(member)
    }

    /// Checks that the fields belong together. A member that passes owns its node id: nobody
    /// else can present another key for it.
    ///
    /// # Errors
    /// The first [`MemberFault`] found.
    pub fn check(&self) -> Result<(), MemberFault> {
        if NodeId::derive(&self.signing_key, &self.incarnation) != self.node_id {
            return Err(MemberFault::NodeId);
        }
        if replica_id(&self.signing_key, &self.incarnation) != self.replica_id {
            return Err(MemberFault::ReplicaId);
        }
        let keys = [&self.signing_key, &self.tls_key, &self.checkpoint_key];
        if keys.iter().any(|key| public_key(key).is_none())
            || self.signing_key == self.tls_key
            || self.signing_key == self.checkpoint_key
            || self.tls_key == self.checkpoint_key
        {
            return Err(MemberFault::Keys);
        }
        let control = |text: &str| text.chars().any(char::is_control);
        if self.name.is_empty()
            || self.name.len() > MAX_NAME
            || self.url.len() > MAX_URL
            || control(&self.name)
            || control(&self.url)
        {
            return Err(MemberFault::Text);
        }
        let fits = match self.role {
            Role::Member => self.weight == 0,
            Role::Validator => (1..=MAX_WEIGHT).contains(&self.weight),
        };
        fits.then_some(()).ok_or(MemberFault::Weight)
    }

    /// The key that its signatures are verified with; none if the member does not own its id.
    pub fn verifying_key(&self) -> Option<VerifyingKey> {
        if NodeId::derive(&self.signing_key, &self.incarnation) != self.node_id {
            return None;
        }
        public_key(&self.signing_key)
    }

    /// Version byte 1, then the fields in their order.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![1];
        bytes.put(&self.node_id.0);
        bytes.put(&self.signing_key);
        bytes.put(&self.tls_key);
        bytes.put(&self.checkpoint_key);
        bytes.put(&self.incarnation);
        bytes.put(&self.replica_id);
        bytes.put_u8(self.role as u8);
        bytes.put_u64(self.weight);
        bytes.put_text(&self.name);
        bytes.put_text(&self.url);
        bytes
    }

    /// Reads [`Self::to_bytes`] and checks the member.
    ///
    /// # Errors
    /// [`DecodeError`]; a member that fails [`Self::check`] is not valid.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let member = Self::read(bytes)?;
        member
            .check()
            .map_err(|_| DecodeError::Value { what: "member" })?;
        Ok(member)
    }

    /// Reads [`Self::to_bytes`] and checks nothing but the layout: for stored rows.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version(1, "member")?;
        let node_id = NodeId(reader.array("node id")?);
        let signing_key = reader.array("signing key")?;
        let tls_key = reader.array("TLS key")?;
        let checkpoint_key = reader.array("checkpoint key")?;
        let incarnation = reader.array("incarnation")?;
        let replica_id = reader.array("replica id")?;
        let role = match reader.u8("role")? {
            1 => Role::Member,
            2 => Role::Validator,
            _ => return Err(DecodeError::Value { what: "role" }),
        };
        let weight = reader.u64("weight")?;
        let name = reader
            .text(usize::from(u16::MAX), "member name")?
            .to_owned();
        let url = reader.text(usize::from(u16::MAX), "member URL")?.to_owned();
        reader.finish("member")?;
        Ok(Self {
            node_id,
            signing_key,
            tls_key,
            checkpoint_key,
            incarnation,
            replica_id,
            name,
            url,
            role,
            weight,
        })
    }
}

/// The payload of an op of kind `ValidatorSet`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MembershipChange {
    /// A node joins, or a member changes name, URL, keys for TLS and checkpoints, role or weight.
    Join(Member),
    /// A member leaves.
    Leave(NodeId),
}

impl MembershipChange {
    /// Version byte 1, then 1 and the member or 2 and the node id.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![1];
        match self {
            Self::Join(member) => {
                bytes.put_u8(1);
                bytes.put(&member.to_bytes());
            }
            Self::Leave(node) => {
                bytes.put_u8(2);
                bytes.put(&node.0);
            }
        }
        bytes
    }

    /// Reads [`Self::to_bytes`]; a member that joins is checked.
    ///
    /// # Errors
    /// [`DecodeError`] that names the field.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version(1, "membership change")?;
        match reader.u8("membership change")? {
            1 => {
                let rest = reader.bytes(reader.remaining(), "member")?;
                Ok(Self::Join(Member::from_bytes(rest)?))
            }
            2 => {
                let node = NodeId(reader.array("node id")?);
                reader.finish("membership change")?;
                Ok(Self::Leave(node))
            }
            _ => Err(DecodeError::Value {
                what: "membership change",
            }),
        }
    }
}
