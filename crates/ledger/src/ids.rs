//! Names of nodes and chains: both are digests, so neither can be chosen.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::hash::{Hash, LABEL_NODE, LABEL_REPLICA, sha256};

/// A node: SHA-256 over its signing public key and its incarnation. It commits to the key, so
/// a key that gives this id is the node's key, whoever hands it over.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub Hash);

/// A chain: SHA-256 over the bytes of its genesis.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChainId(pub Hash);

impl NodeId {
    /// The id of the node that signs with `signing_key` in `incarnation`.
    pub fn derive(signing_key: &[u8; 32], incarnation: &[u8; 16]) -> Self {
        Self(sha256(&[LABEL_NODE, signing_key, incarnation]))
    }
}

/// The name that the same node has in CRDT states: the first 16 bytes of a labelled SHA-256
/// over its signing public key and its incarnation.
pub fn replica_id(signing_key: &[u8; 32], incarnation: &[u8; 16]) -> [u8; 16] {
    let digest = sha256(&[LABEL_REPLICA, signing_key, incarnation]);
    let (head, _) = digest.split_first_chunk().unwrap_or((&[0; 16], &[]));
    *head
}

/// Text is not the hex of 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is 64 hexadecimal digits")]
pub struct IdError;

macro_rules! hex_text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let mut id = [0; 32];
                hex::decode_to_slice(text, &mut id).map_err(|_| IdError)?;
                Ok(Self(id))
            }
        }
    };
}

hex_text!(NodeId);
hex_text!(ChainId);

#[cfg(test)]
mod tests {
    use super::*;

    /// If these change, every node of every cluster changes its name.
    #[test]
    fn golden_ids() {
        let node = NodeId::derive(&[1; 32], &[2; 16]);
        assert_eq!(
            node.0,
            sha256(&[b"bcrdt/node/v1\0".as_slice(), &[1; 32], &[2; 16]])
        );
        assert_eq!(node.to_string().parse(), Ok(node));
        assert_eq!(
            replica_id(&[1; 32], &[2; 16]),
            sha256(&[b"bcrdt/replica/v1\0".as_slice(), &[1; 32], &[2; 16]])[..16]
        );
    }

    #[test]
    fn an_id_of_another_length_is_refused() {
        assert_eq!("ab".parse::<NodeId>(), Err(IdError));
        assert_eq!("zz".repeat(32).parse::<ChainId>(), Err(IdError));
    }
}
