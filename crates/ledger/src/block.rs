//! A block: a header that a quorum signed, the cut that it stands for, and the certificate.
//! Its leaves are the header before it, then for each origin ascending the ops between the cut
//! before and its own.

use serde::{Deserialize, Serialize};

use crate::certificate::{Certificate, MAX_CERTIFICATE_BYTES};
use crate::codec::{DecodeError, Reader, Write};
use crate::hash::{Hash, LABEL_BLOCK, sha256};
use crate::ids::{ChainId, NodeId};
use crate::vector::{Cut, MAX_MEMBERS};

/// The length of an encoded header.
pub const HEADER_BYTES: usize = LABEL_BLOCK.len() + 6 * 32 + 5 * 8;
/// The most bytes of an encoded cut.
pub const MAX_CUT_BYTES: usize = 5 + MAX_MEMBERS * 72;

/// What validators sign. Fixed layout of [`HEADER_BYTES`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The chain.
    pub chain_id: ChainId,
    /// 1, 2, 3 …; 0 is the genesis.
    pub height: u64,
    /// Counts restarts of finality by hand; 0 at first.
    pub epoch: u64,
    /// The hash of the header before.
    pub prev_header: Hash,
    /// The index of the block's first leaf (the header before): the tree size before it.
    pub first_leaf: u64,
    /// The size of the log after the block.
    pub tree_size: u64,
    /// The root of the log after the block.
    pub log_root: Hash,
    /// The hash of the validators that decide this height.
    pub validator_set_hash: Hash,
    /// The hash of the block's cut.
    pub state_root: Hash,
    /// Unix milliseconds, never before the header before.
    pub time_ms: u64,
    /// Who proposed it.
    pub proposer: NodeId,
}

impl Header {
    /// Label ‖ chain ‖ height ‖ epoch ‖ prev header ‖ first leaf ‖ tree size ‖ log root ‖ validator
    /// set hash ‖ state root ‖ time ms ‖ proposer.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.put(LABEL_BLOCK);
        bytes.put(&self.chain_id.0);
        bytes.put_u64(self.height);
        bytes.put_u64(self.epoch);
        bytes.put(&self.prev_header);
        bytes.put_u64(self.first_leaf);
        bytes.put_u64(self.tree_size);
        bytes.put(&self.log_root);
        bytes.put(&self.validator_set_hash);
        bytes.put(&self.state_root);
        bytes.put_u64(self.time_ms);
        bytes.put(&self.proposer.0);
        bytes
    }

    /// Reads [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`DecodeError`]: wrong length or label.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.label(LABEL_BLOCK, "header")?;
        let header = Self {
            chain_id: ChainId(reader.array("header chain")?),
            height: reader.u64("header height")?,
            epoch: reader.u64("header epoch")?,
            prev_header: reader.array("header prev")?,
            first_leaf: reader.u64("header first leaf")?,
            tree_size: reader.u64("header tree size")?,
            log_root: reader.array("header log root")?,
            validator_set_hash: reader.array("header validator set")?,
            state_root: reader.array("header state root")?,
            time_ms: reader.u64("header time")?,
            proposer: NodeId(reader.array("header proposer")?),
        };
        reader.finish("header")?;
        Ok(header)
    }

    /// SHA-256 over [`Self::to_bytes`]: what votes name.
    pub fn hash(&self) -> Hash {
        sha256(&[&self.to_bytes()])
    }
}

/// A finalised block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What was signed.
    pub header: Header,
    /// How far it reaches into each origin's history.
    pub cut: Cut,
    /// Who signed it.
    pub certificate: Certificate,
}

impl Block {
    /// Version byte 1, the header, then cut and certificate behind their u32 lengths.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![1];
        bytes.put(&self.header.to_bytes());
        bytes.put_long(&self.cut.to_bytes());
        bytes.put_long(&self.certificate.to_bytes());
        bytes
    }

    /// Reads [`Self::to_bytes`]. The result is well-formed, not verified.
    ///
    /// # Errors
    /// [`DecodeError`] that names the field.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version(1, "block")?;
        let header = Header::from_bytes(reader.bytes(HEADER_BYTES, "header")?)?;
        let cut = Cut::from_bytes(reader.long(MAX_CUT_BYTES, "cut")?)?;
        let certificate =
            Certificate::from_bytes(reader.long(MAX_CERTIFICATE_BYTES, "certificate")?)?;
        reader.finish("block")?;
        Ok(Self {
            header,
            cut,
            certificate,
        })
    }
}
