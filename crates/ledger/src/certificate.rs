//! Votes, and the certificate that a quorum of them makes.

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::codec::{DecodeError, Reader, Write, bound};
use crate::hash::{Hash, LABEL_VOTE, ZERO_HASH};
use crate::ids::{ChainId, NodeId};
use crate::signature::{self, SignatureBytes};
use crate::validators::ValidatorSet;
use crate::vector::MAX_MEMBERS;

/// The most bytes of an encoded certificate.
pub const MAX_CERTIFICATE_BYTES: usize = 1 + 8 + 4 + 32 + 4 + MAX_MEMBERS * 96;

/// The two voting steps of a Tendermint round (arXiv:1807.04938).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Phase {
    /// "I hold and verified this."
    Prevote = 1,
    /// "I saw a quorum of prevotes for this."
    Precommit = 2,
}

/// A vote for a header, or for nil if `header_hash` is all zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Vote {
    /// The height voted on.
    pub height: u64,
    /// The round at that height, from 0.
    pub round: u32,
    /// The step.
    pub phase: Phase,
    /// What the vote is for; zeros mean nil.
    pub header_hash: Hash,
}

impl Vote {
    /// The signed bytes: label ‖ chain ‖ u64 height ‖ u32 round ‖ u8 phase ‖ header hash.
    pub fn message(&self, chain: &ChainId) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LABEL_VOTE.len() + 77);
        bytes.put(LABEL_VOTE);
        bytes.put(&chain.0);
        bytes.put_u64(self.height);
        bytes.put_u32(self.round);
        bytes.put_u8(self.phase as u8);
        bytes.put(&self.header_hash);
        bytes
    }

    /// Signs the vote.
    pub fn sign(&self, chain: &ChainId, key: &SigningKey) -> SignatureBytes {
        signature::sign(key, &self.message(chain))
    }
}

/// Precommits of a quorum for one header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The height decided.
    pub height: u64,
    /// The round that decided.
    pub round: u32,
    /// The header decided on.
    pub header_hash: Hash,
    /// Who precommitted, ascending by node, each once.
    pub signatures: Vec<VoteSignature>,
}

/// One validator's signature in a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoteSignature {
    /// The validator.
    pub node: NodeId,
    /// Its signature over the precommit.
    #[serde(with = "crate::signature::as_halves")]
    pub signature: SignatureBytes,
}

/// Why a certificate proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertificateFault {
    /// Signers are not strictly ascending.
    #[error("the signers are not in ascending order, each once")]
    Order,
    /// A signer is not a validator of that height.
    #[error("{0} is not a validator of that height")]
    Stranger(NodeId),
    /// A signature does not hold.
    #[error("the signature of {0} does not hold")]
    Signature(NodeId),
    /// Less than a quorum signed.
    #[error("the signers weigh {found} of {total}, more than two thirds are needed")]
    NoQuorum {
        /// The signers' weight.
        found: u64,
        /// The whole set's weight.
        total: u64,
    },
    /// It is for nil.
    #[error("the certificate is for nil")]
    Nil,
}

impl Certificate {
    /// The certificate of a chain whose only validator is `node`.
    pub fn by_sole_validator(
        chain: &ChainId,
        height: u64,
        header_hash: Hash,
        node: NodeId,
        key: &SigningKey,
    ) -> Self {
        let mut certificate = Self {
            height,
            round: 0,
            header_hash,
            signatures: Vec::new(),
        };
        let signature = certificate.vote().sign(chain, key);
        certificate
            .signatures
            .push(VoteSignature { node, signature });
        certificate
    }

    /// The vote that every signature covers.
    pub fn vote(&self) -> Vote {
        Vote {
            height: self.height,
            round: self.round,
            phase: Phase::Precommit,
            header_hash: self.header_hash,
        }
    }

    /// Checks every signature and the quorum.
    ///
    /// # Errors
    /// The first [`CertificateFault`] found.
    pub fn verify(&self, chain: &ChainId, set: &ValidatorSet) -> Result<(), CertificateFault> {
        if self.header_hash == ZERO_HASH {
            return Err(CertificateFault::Nil);
        }
        if !self.signatures.is_sorted_by(|a, b| a.node < b.node) {
            return Err(CertificateFault::Order);
        }
        let mut weight = 0u64;
        for VoteSignature { node, .. } in &self.signatures {
            let validator = set.0.get(node).ok_or(CertificateFault::Stranger(*node))?;
            weight = weight.saturating_add(validator.weight);
        }
        if !set.is_quorum(weight) {
            return Err(CertificateFault::NoQuorum {
                found: weight,
                total: set.total_weight(),
            });
        }
        let message = self.vote().message(chain);
        for VoteSignature { node, signature } in &self.signatures {
            let key = set.key(node).ok_or(CertificateFault::Stranger(*node))?;
            if !signature::verify(&key, &message, signature) {
                return Err(CertificateFault::Signature(*node));
            }
        }
        Ok(())
    }

    /// Version byte 1, height, u32 round, header hash, u32 count, then (node 32, signature 64).
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![1];
        bytes.put_u64(self.height);
        bytes.put_u32(self.round);
        bytes.put(&self.header_hash);
        bytes.put_u32(self.signatures.len() as u32);
        for VoteSignature { node, signature } in &self.signatures {
            bytes.put(&node.0);
            bytes.put(signature);
        }
        bytes
    }

    /// Reads [`Self::to_bytes`]. The result is well-formed, not verified.
    ///
    /// # Errors
    /// [`DecodeError`] that names the field.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version(1, "certificate")?;
        let height = reader.u64("certificate height")?;
        let round = reader.u32("certificate round")?;
        let header_hash = reader.array("certificate header")?;
        let count = reader.u32("certificate signers")? as usize;
        bound(count, MAX_MEMBERS, "certificate signers")?;
        let mut signatures = Vec::new();
        for _ in 0..count {
            signatures.push(VoteSignature {
                node: NodeId(reader.array("certificate signer")?),
                signature: reader.array("certificate signature")?,
            });
        }
        reader.finish("certificate")?;
        Ok(Self {
            height,
            round,
            header_hash,
            signatures,
        })
    }
}
