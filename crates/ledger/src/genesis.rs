//! The genesis: what a chain is made from. Its digest names the chain, and every signed or
//! hashed message of the chain carries that name.

use serde::{Deserialize, Serialize};

use crate::block::Header;
use crate::codec::{DecodeError, Reader, Write};
use crate::hash::{Hash, LABEL_GENESIS, ZERO_HASH, sha256};
use crate::ids::ChainId;
use crate::member::{Member, Role};
use crate::merkle;
use crate::validators::ValidatorSet;
use crate::vector::Cut;

const MAX_MEMBER_BYTES: usize = 4096;

/// The chain that this one continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predecessor {
    /// Its name.
    pub chain_id: ChainId,
    /// Its last height that counts.
    pub height: u64,
    /// The hash of that header.
    pub header_hash: Hash,
}

/// What a chain is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Genesis {
    /// The first member, a validator.
    pub founder: Member,
    /// Unix milliseconds.
    pub time_ms: u64,
    /// The chain that this one continues, if any.
    pub predecessor: Option<Predecessor>,
    /// Random: two chains of one founder never share a name.
    pub nonce: [u8; 32],
}

impl Genesis {
    /// Label, u32 length and bytes of the founder, time, 0 or 1 and the predecessor, nonce.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = LABEL_GENESIS.to_vec();
        bytes.put_long(&self.founder.to_bytes());
        bytes.put_u64(self.time_ms);
        match &self.predecessor {
            None => bytes.put_u8(0),
            Some(before) => {
                bytes.put_u8(1);
                bytes.put(&before.chain_id.0);
                bytes.put_u64(before.height);
                bytes.put(&before.header_hash);
            }
        }
        bytes.put(&self.nonce);
        bytes
    }

    /// Reads [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`DecodeError`]; the founder must be a sound member and a validator.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.label(LABEL_GENESIS, "genesis")?;
        let founder = Member::from_bytes(reader.long(MAX_MEMBER_BYTES, "founder")?)?;
        if founder.role != Role::Validator {
            return Err(DecodeError::Value { what: "founder" });
        }
        let time_ms = reader.u64("genesis time")?;
        let predecessor = match reader.u8("predecessor")? {
            0 => None,
            1 => Some(Predecessor {
                chain_id: ChainId(reader.array("predecessor")?),
                height: reader.u64("predecessor")?,
                header_hash: reader.array("predecessor")?,
            }),
            _ => {
                return Err(DecodeError::Value {
                    what: "predecessor",
                });
            }
        };
        let nonce = reader.array("genesis nonce")?;
        reader.finish("genesis")?;
        Ok(Self {
            founder,
            time_ms,
            predecessor,
            nonce,
        })
    }

    /// The chain's name: SHA-256 over [`Self::to_bytes`].
    pub fn chain_id(&self) -> ChainId {
        ChainId(sha256(&[&self.to_bytes()]))
    }

    /// The founder alone.
    pub fn validators(&self) -> ValidatorSet {
        ValidatorSet::from_members([&self.founder])
    }

    /// The header that stands before block 1: height 0, no leaves, proposed by the founder. It
    /// has no certificate; it follows from the genesis.
    pub fn header(&self) -> Header {
        let chain_id = self.chain_id();
        Header {
            chain_id,
            height: 0,
            epoch: 0,
            prev_header: ZERO_HASH,
            first_leaf: 0,
            tree_size: 0,
            log_root: merkle::EMPTY_ROOT,
            validator_set_hash: self.validators().hash(&chain_id),
            state_root: Cut::default().hash(&chain_id),
            time_ms: self.time_ms,
            proposer: self.founder.node_id,
        }
    }
}
