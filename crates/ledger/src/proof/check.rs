//! Verifies a proof from the payload up to the signatures.

use super::{OpProof, PROOF_FORMAT, ProofFault, ProofHeader, ProofOp, ProofPart, Verified};
use crate::block::Header;
use crate::certificate::{Certificate, VoteSignature};
use crate::genesis::Genesis;
use crate::hash::{Hash, sha256};
use crate::ids::{ChainId, NodeId};
use crate::leaf::Leaf;
use crate::member::MAX_WEIGHT;
use crate::merkle::verify_inclusion;
use crate::op::{Kind, MAX_PARTS, OpCore, parts_root};
use crate::pins::Pins;
use crate::validators::{Validator, ValidatorSet};
use crate::vector::MAX_MEMBERS;

impl OpProof {
    /// Verifies everything: the payload against the op's hash, the op against the log, the log
    /// against the header, the header against its signatures, and these against what is pinned.
    ///
    /// # Errors
    /// The first [`ProofFault`] found.
    pub fn verify(&self, pins: &Pins) -> Result<Verified, ProofFault> {
        if self.format != PROOF_FORMAT {
            return Err(ProofFault::Format(self.format));
        }
        let chain_id = ChainId(sha256(&[&self.genesis.0]));
        if chain_id.0 != self.chain_id.0 {
            return Err(ProofFault::Field("the chain id"));
        }
        if let Some(pinned) = pins.chain_id
            && pinned != chain_id
        {
            return Err(ProofFault::OtherChain {
                found: chain_id,
                pinned,
            });
        }
        let genesis =
            Genesis::from_bytes(&self.genesis.0).map_err(|_| ProofFault::Field("the genesis"))?;
        let header = self.header.header(chain_id);
        self.included_in(header.tree_size, &header.log_root)?;
        let set = self.validator_set()?;
        if set.hash(&chain_id) != header.validator_set_hash {
            return Err(ProofFault::Validators);
        }
        let header_hash = header.hash();
        let certificate = self.signed(header.height, header_hash)?;
        certificate.verify(&chain_id, &set)?;
        // A chain's name stands for its first validators. Where they changed since, only the
        // whole chain or pinned keys can tell who the later ones are.
        let trusted = match pins.validator_keys.is_empty() {
            true => set == genesis.validators(),
            false => pins.accept(&set, &certificate),
        };
        if !trusted {
            return Err(ProofFault::NotTrusted);
        }
        let origin = NodeId(self.op.origin.0);
        let core = self.op.core()?;
        Ok(Verified {
            chain_id,
            origin,
            seq: core.seq,
            hlc: core.hlc,
            kind: self.op.kind()?,
            op_hash: core.hash(&chain_id, &origin, &self.op.prev_op_hash.0),
            leaf_index: self.leaf_index,
            height: header.height,
            header_hash,
            time_ms: header.time_ms,
            tree_size: header.tree_size,
            closed_parts: self.op.closed_parts(),
            trust: pins.trust(),
        })
    }

    /// Verifies only that the op is in the log of `size` leaves with `root`: for who has these
    /// from a checkpoint that he trusts.
    ///
    /// # Errors
    /// [`ProofFault::NotIncluded`] or [`ProofFault::Field`].
    pub fn included_in(&self, size: u64, root: &Hash) -> Result<(), ProofFault> {
        let chain_id = ChainId(self.chain_id.0);
        let origin = NodeId(self.op.origin.0);
        let core = self.op.core()?;
        let prev = self.op.prev_op_hash.0;
        let this = core.hash(&chain_id, &origin, &prev);
        let leaf = Leaf::of_op(&chain_id, self.leaf_index, &origin, &core, &prev, &this);
        let path: Vec<Hash> = self.inclusion.iter().map(|hash| hash.0).collect();
        if !verify_inclusion(&leaf.hash(), self.leaf_index, size, &path, root) {
            return Err(ProofFault::NotIncluded {
                index: self.leaf_index,
                size,
            });
        }
        Ok(())
    }

    fn validator_set(&self) -> Result<ValidatorSet, ProofFault> {
        let ascending = self.validators.is_sorted_by(|a, b| a.node.0 < b.node.0);
        if !ascending || self.validators.len() > MAX_MEMBERS {
            return Err(ProofFault::Field("the list of validators"));
        }
        if !self
            .validators
            .iter()
            .all(|v| (1..=MAX_WEIGHT).contains(&v.weight))
        {
            return Err(ProofFault::Field("the weight of a validator"));
        }
        let set = self.validators.iter().map(|v| {
            let validator = Validator {
                signing_key: v.key.0,
                weight: v.weight,
            };
            (NodeId(v.node.0), validator)
        });
        Ok(ValidatorSet(set.collect()))
    }

    fn signed(&self, height: u64, header_hash: Hash) -> Result<Certificate, ProofFault> {
        let signatures = &self.certificate.signatures;
        if signatures.len() > MAX_MEMBERS {
            return Err(ProofFault::Field("the list of signatures"));
        }
        Ok(Certificate {
            height,
            round: self.certificate.round,
            header_hash,
            signatures: signatures
                .iter()
                .map(|s| VoteSignature {
                    node: NodeId(s.node.0),
                    signature: s.signature.0,
                })
                .collect(),
        })
    }
}

impl ProofOp {
    fn kind(&self) -> Result<Kind, ProofFault> {
        Kind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == self.kind && *kind != Kind::Header)
            .ok_or(ProofFault::Field("the kind of the op"))
    }

    fn core(&self) -> Result<OpCore, ProofFault> {
        let count = self.parts.len();
        if count == 0 || count > MAX_PARTS {
            return Err(ProofFault::Field("the list of parts"));
        }
        let commitments: Vec<Hash> = self.parts.iter().map(ProofPart::commitment).collect();
        Ok(OpCore {
            seq: self.seq,
            hlc: self.hlc,
            kind: self.kind()? as u8,
            schema_hash: self.schema_hash.0,
            part_count: count as u16,
            parts_root: parts_root(&commitments),
        })
    }

    fn closed_parts(&self) -> usize {
        let closed = |part: &&ProofPart| matches!(part, ProofPart::Closed { .. });
        self.parts.iter().filter(closed).count()
    }
}

impl ProofHeader {
    fn header(&self, chain_id: ChainId) -> Header {
        Header {
            chain_id,
            height: self.height,
            epoch: self.epoch,
            prev_header: self.prev_header.0,
            first_leaf: self.first_leaf,
            tree_size: self.tree_size,
            log_root: self.log_root.0,
            validator_set_hash: self.validator_set_hash.0,
            state_root: self.state_root.0,
            time_ms: self.time_ms,
            proposer: NodeId(self.proposer.0),
        }
    }
}
