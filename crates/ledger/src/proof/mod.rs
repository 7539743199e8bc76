//! The proof of one op: everything that an auditor needs to verify offline that this op, by this
//! origin, is in the log that a quorum signed. JSON, format 1; byte strings are hex. `check`
//! verifies it; `tree` has the proofs that are about the log's tree alone.

mod check;
mod hex_text;
mod json;
mod tree;
mod tree_codec;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use hex_text::{Hex, HexBytes};
pub use tree::{ConsistencyProof, InclusionProof, RangeProof, TreeProof};
pub use tree_codec::{MAX_TREE_PROOF_TEXT, TREE_PROOF_FORMAT};

use crate::block::Header;
use crate::certificate::{Certificate, CertificateFault};
use crate::genesis::Genesis;
use crate::hash::Hash;
use crate::ids::{ChainId, NodeId};
use crate::op::{Kind, part_commitment};
use crate::pins::Trust;
use crate::validators::ValidatorSet;
use crate::verify::{StoredOp, StoredPart};

/// The format written here.
pub const PROOF_FORMAT: u32 = 1;
/// The most bytes of a proof's JSON text: hex doubles a payload.
pub const MAX_PROOF_BYTES: usize = 80 << 20;

/// The proof of one op.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpProof {
    /// [`PROOF_FORMAT`].
    pub format: u32,
    /// The chain's name.
    pub chain_id: Hex<32>,
    /// The bytes that the name is the digest of.
    pub genesis: HexBytes,
    /// The op.
    #[serde(deserialize_with = "json::object")]
    pub op: ProofOp,
    /// Its place in the log, from 0.
    pub leaf_index: u64,
    /// Siblings from leaf to root in the tree of the header's size.
    pub inclusion: Vec<Hex<32>>,
    /// A header of the op's block or of any later one.
    #[serde(deserialize_with = "json::object")]
    pub header: ProofHeader,
    /// Who signed the header.
    #[serde(deserialize_with = "json::object")]
    pub certificate: ProofCertificate,
    /// Who could sign it.
    #[serde(deserialize_with = "json::objects")]
    pub validators: Vec<ProofValidator>,
}

/// The op in a proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofOp {
    /// Who made it.
    pub origin: Hex<32>,
    /// Its number among the origin's ops.
    pub seq: u64,
    /// Its hybrid logical clock.
    pub hlc: u64,
    /// The name of its [`Kind`].
    pub kind: String,
    /// The schema that the payload was written under.
    pub schema_hash: Hex<32>,
    /// Its parts, in the open or only committed to.
    pub parts: Vec<ProofPart>,
    /// The hash of the origin's op before it.
    pub prev_op_hash: Hex<32>,
}

/// A part of the op in a proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum ProofPart {
    /// Shown.
    Open {
        /// The salt of its commitment.
        salt: Hex<32>,
        /// What it says.
        payload: HexBytes,
    },
    /// Kept back or erased: the proof holds without it.
    Closed {
        /// What stands in the tree for it.
        commitment: Hex<32>,
    },
}

/// A header in a proof; see [`Header`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of Header")]
pub struct ProofHeader {
    pub height: u64,
    pub epoch: u64,
    pub prev_header: Hex<32>,
    pub first_leaf: u64,
    pub tree_size: u64,
    pub log_root: Hex<32>,
    pub validator_set_hash: Hex<32>,
    pub state_root: Hex<32>,
    pub time_ms: u64,
    pub proposer: Hex<32>,
}

/// The signatures under the header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofCertificate {
    /// The round that decided.
    pub round: u32,
    /// Ascending by node.
    #[serde(deserialize_with = "json::objects")]
    pub signatures: Vec<ProofSignature>,
}

/// One signature under the header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofSignature {
    /// The validator.
    pub node: Hex<32>,
    /// Its signature over the precommit.
    pub signature: Hex<64>,
}

/// One validator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofValidator {
    /// Its node id.
    pub node: Hex<32>,
    /// Its Ed25519 public key.
    pub key: Hex<32>,
    /// Its voting weight.
    pub weight: u64,
}

/// What a verified proof shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The chain.
    pub chain_id: ChainId,
    /// Who made the op.
    pub origin: NodeId,
    /// Its number among the origin's ops.
    pub seq: u64,
    /// Its hybrid logical clock.
    pub hlc: u64,
    /// What it is about.
    pub kind: Kind,
    /// Its hash.
    pub op_hash: Hash,
    /// Its place in the log.
    pub leaf_index: u64,
    /// The height of the header that was signed.
    pub height: u64,
    /// The hash of that header.
    pub header_hash: Hash,
    /// The time of that header, unix milliseconds.
    pub time_ms: u64,
    /// The size of the log under that header.
    pub tree_size: u64,
    /// How many parts are kept back.
    pub closed_parts: usize,
    /// On what this rests.
    pub trust: Trust,
}

/// Why a proof does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProofFault {
    /// The text is too long or not JSON of this format.
    #[error("the proof cannot be read: {0}")]
    Unreadable(String),
    /// The format is not known here.
    #[error("format {0} of proofs is not known here")]
    Format(u32),
    /// A field has a value that cannot be.
    #[error("{0} is not valid")]
    Field(&'static str),
    /// It is another chain than the pinned one.
    #[error("the proof is of chain {found}, pinned is {pinned}")]
    OtherChain {
        /// The chain of the proof.
        found: ChainId,
        /// The chain that it must be.
        pinned: ChainId,
    },
    /// It proves something else than is asked for.
    #[error("it is a proof of {found}, not of {expected}")]
    Kind {
        /// What it proves.
        found: &'static str,
        /// What is asked for.
        expected: &'static str,
    },
    /// A path through the tree has not the one length that it can have.
    #[error("the path has {found} hashes, for this place and size it must have {expected}")]
    PathLength {
        /// How many hashes there are.
        found: usize,
        /// How many there must be.
        expected: usize,
    },
    /// The op is not in the tree at that place.
    #[error("the op is not leaf {index} of the log with {size} leaves that the header names")]
    NotIncluded {
        /// The place.
        index: u64,
        /// The size of the log.
        size: u64,
    },
    /// The validators are not those that the header names.
    #[error("the validators are not those that the header names")]
    Validators,
    /// The certificate proves nothing.
    #[error("the certificate does not hold: {0}")]
    Certificate(#[from] CertificateFault),
    /// Nothing that was pinned leads to the validators that signed.
    #[error("the validators that signed are neither pinned nor those of the genesis")]
    NotTrusted,
}

impl OpProof {
    /// Puts a proof together.
    pub fn new(
        genesis: &Genesis,
        op: ProofOp,
        leaf_index: u64,
        inclusion: &[Hash],
        header: &Header,
        certificate: &Certificate,
        validators: &ValidatorSet,
    ) -> Self {
        Self {
            format: PROOF_FORMAT,
            chain_id: Hex(genesis.chain_id().0),
            genesis: HexBytes(genesis.to_bytes()),
            op,
            leaf_index,
            inclusion: inclusion.iter().map(|hash| Hex(*hash)).collect(),
            header: ProofHeader::of(header),
            certificate: ProofCertificate {
                round: certificate.round,
                signatures: certificate
                    .signatures
                    .iter()
                    .map(|s| ProofSignature {
                        node: Hex(s.node.0),
                        signature: Hex(s.signature),
                    })
                    .collect(),
            },
            validators: validators
                .0
                .iter()
                .map(|(node, v)| ProofValidator {
                    node: Hex(node.0),
                    key: Hex(v.signing_key),
                    weight: v.weight,
                })
                .collect(),
        }
    }

    /// Reads a proof's JSON text.
    ///
    /// # Errors
    /// [`ProofFault::Unreadable`] or [`ProofFault::Format`].
    pub fn from_json(text: &str) -> Result<Self, ProofFault> {
        json::read(text, PROOF_FORMAT, MAX_PROOF_BYTES)
    }

    /// The proof's JSON text.
    ///
    /// # Errors
    /// [`ProofFault::Unreadable`]; cannot happen with fields that were read or put together here.
    pub fn to_json(&self) -> Result<String, ProofFault> {
        json::write(self)
    }
}

impl ProofOp {
    /// The op as it is stored; a part whose payload is no longer here is closed. `prev` is the
    /// hash of the origin's op before it. None if the row has not the form of an op.
    pub fn of_stored(row: &StoredOp<'_>, prev: &Hash) -> Option<Self> {
        let part = |part: &StoredPart<'_>| {
            Some(match part.is_closed() {
                true => ProofPart::Closed {
                    commitment: Hex(part.commitment()?),
                },
                false => ProofPart::Open {
                    salt: Hex(part.salt.try_into().ok()?),
                    payload: HexBytes(part.payload.to_vec()),
                },
            })
        };
        Some(Self {
            origin: Hex(row.origin.try_into().ok()?),
            seq: row.seq,
            hlc: row.hlc,
            kind: Kind::from_u8(row.kind)?.as_str().to_owned(),
            schema_hash: Hex(row.schema_hash.try_into().ok()?),
            parts: row.parts.iter().map(part).collect::<Option<_>>()?,
            prev_op_hash: Hex(*prev),
        })
    }
}

impl ProofPart {
    /// What stands in the tree for the part.
    pub fn commitment(&self) -> Hash {
        match self {
            Self::Open { salt, payload } => part_commitment(&salt.0, &payload.0),
            Self::Closed { commitment } => commitment.0,
        }
    }

    /// The part without what it says.
    pub fn close(&self) -> Self {
        Self::Closed {
            commitment: Hex(self.commitment()),
        }
    }
}

impl ProofHeader {
    fn of(header: &Header) -> Self {
        Self {
            height: header.height,
            epoch: header.epoch,
            prev_header: Hex(header.prev_header),
            first_leaf: header.first_leaf,
            tree_size: header.tree_size,
            log_root: Hex(header.log_root),
            validator_set_hash: Hex(header.validator_set_hash),
            state_root: Hex(header.state_root),
            time_ms: header.time_ms,
            proposer: Hex(header.proposer.0),
        }
    }
}
