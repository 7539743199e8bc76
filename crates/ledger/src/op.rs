//! One op: a row change (or another signed event) of one origin, as the ledger sees it. Its
//! payload is opaque here; it is split in parts, one per data subject, so that a part can be
//! erased while the op stays provable.

use serde::{Deserialize, Serialize};

use crate::hash::{Hash, LABEL_OP, LABEL_PART, sha256};
use crate::ids::{ChainId, NodeId};
use crate::merkle;

/// The most parts that an op has.
pub const MAX_PARTS: usize = 64;
/// The most bytes that the payload of one part has.
pub const MAX_PAYLOAD: usize = 16 << 20;

/// What an op is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Kind {
    /// A row change.
    Delta = 1,
    /// A table is tracked or no longer tracked.
    Schema = 2,
    /// A member joins, changes or leaves.
    ValidatorSet = 3,
    /// A part was erased on request.
    Redaction = 4,
    /// A subject's key was destroyed.
    KeyShred = 5,
    /// A subject gave or withdrew consent.
    Consent = 6,
    /// A subject's data was read.
    Access = 7,
    /// Data was derived from data.
    Lineage = 8,
    /// History was pruned.
    Prune = 9,
    /// A block header; it has no op, only a leaf.
    Header = 10,
}

impl Kind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::Delta,
        Self::Schema,
        Self::ValidatorSet,
        Self::Redaction,
        Self::KeyShred,
        Self::Consent,
        Self::Access,
        Self::Lineage,
        Self::Prune,
        Self::Header,
    ];

    /// The kind with this number.
    pub fn from_u8(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }

    /// Its name in views and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delta => "delta",
            Self::Schema => "schema",
            Self::ValidatorSet => "validator_set",
            Self::Redaction => "redaction",
            Self::KeyShred => "key_shred",
            Self::Consent => "consent",
            Self::Access => "access",
            Self::Lineage => "lineage",
            Self::Prune => "prune",
            Self::Header => "header",
        }
    }
}

/// One part of an op.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Random, so that the commitment gives nothing away about a payload that was erased.
    pub salt: [u8; 32],
    /// What the part says, up to [`MAX_PAYLOAD`] bytes.
    #[serde(with = "crate::wire::payload")]
    pub payload: Vec<u8>,
}

impl Part {
    /// What stands in the tree for this part.
    pub fn commitment(&self) -> Hash {
        part_commitment(&self.salt, &self.payload)
    }
}

/// SHA-256(label ‖ salt ‖ u64 length ‖ payload).
pub fn part_commitment(salt: &[u8; 32], payload: &[u8]) -> Hash {
    let length = (payload.len() as u64).to_be_bytes();
    sha256(&[LABEL_PART, salt, &length, payload])
}

/// The RFC 6962 root over the commitments of an op's parts.
pub fn parts_root(commitments: &[Hash]) -> Hash {
    let leaves: Vec<Hash> = commitments.iter().map(|c| merkle::leaf_hash(c)).collect();
    merkle::root(&leaves)
}

/// One op of an origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Op {
    /// Its number among the origin's ops: 1, 2, 3 … without gaps.
    pub seq: u64,
    /// Hybrid logical clock: 48 bits of unix milliseconds, 16 bits of logical time.
    pub hlc: u64,
    /// What it is about.
    pub kind: Kind,
    /// The schema that the payload was written under; zeros where there is none.
    pub schema_hash: Hash,
    /// One to [`MAX_PARTS`] parts.
    pub parts: Vec<Part>,
}

impl Op {
    /// What the op's hash covers besides chain, origin and the op before.
    pub fn core(&self) -> OpCore {
        let commitments: Vec<Hash> = self.parts.iter().map(Part::commitment).collect();
        OpCore {
            seq: self.seq,
            hlc: self.hlc,
            kind: self.kind as u8,
            schema_hash: self.schema_hash,
            part_count: u16::try_from(self.parts.len()).unwrap_or(u16::MAX),
            parts_root: parts_root(&commitments),
        }
    }

    /// The op's hash in the history of `origin`; `prev` is the hash of the op before it, zeros
    /// before the first.
    pub fn hash(&self, chain: &ChainId, origin: &NodeId, prev: &Hash) -> Hash {
        self.core().hash(chain, origin, prev)
    }
}

/// An op with its parts replaced by the root of their commitments: what stays of an op whose
/// payload is gone, and what both its hash and its leaf cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpCore {
    /// Its number among the origin's ops.
    pub seq: u64,
    /// Its hybrid logical clock.
    pub hlc: u64,
    /// The number of its kind, known here or not.
    pub kind: u8,
    /// The schema that the payload was written under.
    pub schema_hash: Hash,
    /// How many parts it has.
    pub part_count: u16,
    /// The root over the parts' commitments.
    pub parts_root: Hash,
}

impl OpCore {
    /// SHA-256(label ‖ chain ‖ origin ‖ seq ‖ hlc ‖ kind ‖ schema hash ‖ u16 parts ‖ parts root ‖
    /// previous op's hash).
    pub fn hash(&self, chain: &ChainId, origin: &NodeId, prev: &Hash) -> Hash {
        sha256(&[
            LABEL_OP,
            &chain.0,
            &origin.0,
            &self.seq.to_be_bytes(),
            &self.hlc.to_be_bytes(),
            &[self.kind],
            &self.schema_hash,
            &self.part_count.to_be_bytes(),
            &self.parts_root,
            prev,
        ])
    }
}
