//! Who votes, with what weight, and how much weight decides.

use std::collections::BTreeMap;

use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};

use crate::codec::{DecodeError, Reader, Write, bound};
use crate::hash::{Hash, LABEL_VALIDATORS, sha256};
use crate::ids::{ChainId, NodeId};
use crate::member::{MAX_WEIGHT, Member, Role};
use crate::signature::public_key;
use crate::vector::MAX_MEMBERS;

/// The key and weight of one validator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validator {
    /// Its Ed25519 public key.
    pub signing_key: [u8; 32],
    /// Its voting weight, 1 to [`MAX_WEIGHT`].
    pub weight: u64,
}

/// The validators of one height, sorted by node id.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ValidatorSet(pub BTreeMap<NodeId, Validator>);

impl ValidatorSet {
    /// The validators among `members`.
    pub fn from_members<'a>(members: impl IntoIterator<Item = &'a Member>) -> Self {
        let validators = members
            .into_iter()
            .filter(|member| member.role == Role::Validator)
            .map(|member| {
                let validator = Validator {
                    signing_key: member.signing_key,
                    weight: member.weight,
                };
                (member.node_id, validator)
            });
        Self(validators.collect())
    }

    /// The sum of all weights.
    pub fn total_weight(&self) -> u64 {
        self.0
            .values()
            .fold(0, |sum, validator| sum.saturating_add(validator.weight))
    }

    /// Whether `weight` is more than two thirds of the total: two such quorums always share a
    /// correct validator while less than a third of the weight is faulty.
    pub fn is_quorum(&self, weight: u64) -> bool {
        u128::from(weight) * 3 > u128::from(self.total_weight()) * 2
    }

    /// The verification key of a validator.
    pub fn key(&self, node: &NodeId) -> Option<VerifyingKey> {
        self.0.get(node).and_then(|v| public_key(&v.signing_key))
    }

    /// SHA-256(label ‖ chain ‖ u32 count ‖ (node 32, key 32, weight 8) ascending).
    pub fn hash(&self, chain: &ChainId) -> Hash {
        sha256(&[LABEL_VALIDATORS, &chain.0, &self.entries()])
    }

    /// Version byte 1, then the hashed entries.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![1];
        bytes.put(&self.entries());
        bytes
    }

    /// Reads [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`DecodeError`]: bad weight or key, order, or length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version(1, "validator set")?;
        let count = reader.u32("validator count")? as usize;
        bound(count, MAX_MEMBERS, "validator count")?;
        let mut set = BTreeMap::new();
        for _ in 0..count {
            let node = NodeId(reader.array("validator id")?);
            let signing_key = reader.array("validator key")?;
            let weight = reader.u64("validator weight")?;
            let ascends = set.last_key_value().is_none_or(|(last, _)| *last < node);
            let sane = (1..=MAX_WEIGHT).contains(&weight) && public_key(&signing_key).is_some();
            if !ascends || !sane {
                return Err(DecodeError::Value { what: "validator" });
            }
            set.insert(
                node,
                Validator {
                    signing_key,
                    weight,
                },
            );
        }
        reader.finish("validator set")?;
        Ok(Self(set))
    }

    fn entries(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(4 + self.0.len() * 72);
        bytes.put_u32(self.0.len() as u32);
        for (node, validator) in &self.0 {
            bytes.put(&node.0);
            bytes.put(&validator.signing_key);
            bytes.put_u64(validator.weight);
        }
        bytes
    }
}
