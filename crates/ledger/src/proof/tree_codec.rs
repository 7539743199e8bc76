//! The forms of [`TreeProof`] and its kinds.
//!
//! As bytes, big-endian: version 1, kind, two or three numbers of 64 bits, then the hashes of the
//! path, whose number follows from the numbers:
//!
//! | kind | numbers |
//! |---|---|
//! | 1, inclusion | leaf_index, tree_size |
//! | 2, consistency | old_size, tree_size |
//! | 3, range | first_leaf, leaf_count, tree_size |
//!
//! As JSON: `format` (1), `proof` (`inclusion`, `consistency` or `range`), the numbers by these
//! names, and `path`, an array of hashes in hexadecimal.

use serde::{Deserialize, Serialize};

use super::tree::{ConsistencyProof, InclusionProof, RangeProof, TreeProof};
use super::{Hex, ProofFault, json};
use crate::codec::{DecodeError, Reader, Write};
use crate::hash::Hash;
use crate::merkle::{consistency_length, inclusion_length, range_length};

/// The format of the text that is written here, and the version of the bytes.
pub const TREE_PROOF_FORMAT: u8 = 1;
/// The most bytes of the JSON text of such a proof; 126 hashes take less than half of it.
pub const MAX_TREE_PROOF_TEXT: usize = 32 << 10;

const INCLUSION: u8 = 1;
const CONSISTENCY: u8 = 2;
const RANGE: u8 = 3;

#[derive(Serialize, Deserialize)]
#[serde(tag = "proof", rename_all = "snake_case", deny_unknown_fields)]
enum Text {
    Inclusion {
        format: u32,
        leaf_index: u64,
        tree_size: u64,
        path: Vec<Hex<32>>,
    },
    Consistency {
        format: u32,
        old_size: u64,
        tree_size: u64,
        path: Vec<Hex<32>>,
    },
    Range {
        format: u32,
        first_leaf: u64,
        leaf_count: u64,
        tree_size: u64,
        path: Vec<Hex<32>>,
    },
}

impl TreeProof {
    /// Reads the JSON text of a proof.
    ///
    /// # Errors
    /// [`ProofFault`] that says what is wrong with it.
    pub fn from_json(text: &str) -> Result<Self, ProofFault> {
        let plain = |path: Vec<Hex<32>>| path.into_iter().map(|hash| hash.0).collect();
        match json::read(text, u32::from(TREE_PROOF_FORMAT), MAX_TREE_PROOF_TEXT)? {
            Text::Inclusion {
                leaf_index,
                tree_size,
                path,
                ..
            } => InclusionProof::new(leaf_index, tree_size, plain(path)).map(Self::from),
            Text::Consistency {
                old_size,
                tree_size,
                path,
                ..
            } => ConsistencyProof::new(old_size, tree_size, plain(path)).map(Self::from),
            Text::Range {
                first_leaf,
                leaf_count,
                tree_size,
                path,
                ..
            } => RangeProof::new(first_leaf, leaf_count, tree_size, plain(path)).map(Self::from),
        }
    }

    /// The JSON text.
    ///
    /// # Errors
    /// [`ProofFault::Unreadable`]; cannot happen.
    pub fn to_json(&self) -> Result<String, ProofFault> {
        let format = u32::from(TREE_PROOF_FORMAT);
        let hex = |path: &[Hash]| path.iter().map(|hash| Hex(*hash)).collect();
        json::write(&match self {
            Self::Inclusion(proof) => Text::Inclusion {
                format,
                leaf_index: proof.leaf_index(),
                tree_size: proof.tree_size(),
                path: hex(proof.path()),
            },
            Self::Consistency(proof) => Text::Consistency {
                format,
                old_size: proof.old_size(),
                tree_size: proof.tree_size(),
                path: hex(proof.path()),
            },
            Self::Range(proof) => Text::Range {
                format,
                first_leaf: proof.first_leaf(),
                leaf_count: proof.leaf_count(),
                tree_size: proof.tree_size(),
                path: hex(proof.path()),
            },
        })
    }

    /// Reads the bytes of a proof.
    ///
    /// # Errors
    /// [`DecodeError`] that names the field.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version(TREE_PROOF_FORMAT, "a proof about the tree")?;
        let kind = reader.u8("the kind of proof")?;
        let place = DecodeError::Value {
            what: "the place in the tree",
        };
        // What `new` refuses is a place outside the tree, which has no length, or a path of
        // another length, which is not read.
        match kind {
            INCLUSION => {
                let (leaf_index, tree_size) = (reader.u64("leaf_index")?, reader.u64("tree_size")?);
                let path = path(reader, inclusion_length(leaf_index, tree_size))?;
                InclusionProof::new(leaf_index, tree_size, path).map(Self::from)
            }
            CONSISTENCY => {
                let (old_size, tree_size) = (reader.u64("old_size")?, reader.u64("tree_size")?);
                let path = path(reader, consistency_length(old_size, tree_size))?;
                ConsistencyProof::new(old_size, tree_size, path).map(Self::from)
            }
            RANGE => {
                let (first, count) = (reader.u64("first_leaf")?, reader.u64("leaf_count")?);
                let tree_size = reader.u64("tree_size")?;
                let path = path(reader, range_length(first, count, tree_size))?;
                RangeProof::new(first, count, tree_size, path).map(Self::from)
            }
            _ => {
                return Err(DecodeError::Value {
                    what: "the kind of proof",
                });
            }
        }
        .map_err(|_| place)
    }

    /// The bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![TREE_PROOF_FORMAT];
        let path = match self {
            Self::Inclusion(proof) => {
                bytes.put_u8(INCLUSION);
                bytes.put_u64(proof.leaf_index());
                bytes.put_u64(proof.tree_size());
                proof.path()
            }
            Self::Consistency(proof) => {
                bytes.put_u8(CONSISTENCY);
                bytes.put_u64(proof.old_size());
                bytes.put_u64(proof.tree_size());
                proof.path()
            }
            Self::Range(proof) => {
                bytes.put_u8(RANGE);
                bytes.put_u64(proof.first_leaf());
                bytes.put_u64(proof.leaf_count());
                bytes.put_u64(proof.tree_size());
                proof.path()
            }
        };
        bytes.put(path.as_flattened());
        bytes
    }
}

/// The rest of the bytes: a path of this length, or none if the numbers name no proof.
fn path(mut reader: Reader<'_>, length: Option<usize>) -> Result<Vec<Hash>, DecodeError> {
    let length = length.ok_or(DecodeError::Value {
        what: "the place in the tree",
    })?;
    let path = (0..length)
        .map(|_| reader.array("the path"))
        .collect::<Result<_, _>>()?;
    reader.finish("a proof about the tree")?;
    Ok(path)
}

/// One kind of proof by itself: its text and bytes are those of [`TreeProof`].
macro_rules! one_kind {
    ($kind:ident, $proof:ident, $name:literal) => {
        impl From<$proof> for TreeProof {
            fn from(proof: $proof) -> Self {
                Self::$kind(proof)
            }
        }

        impl $proof {
            /// Reads the JSON text.
            ///
            /// # Errors
            /// [`ProofFault`] that says what is wrong with it; a proof of another kind is.
            pub fn from_json(text: &str) -> Result<Self, ProofFault> {
                match TreeProof::from_json(text)? {
                    TreeProof::$kind(proof) => Ok(proof),
                    other => Err(ProofFault::Kind {
                        found: other.kind(),
                        expected: $name,
                    }),
                }
            }

            /// The JSON text.
            ///
            /// # Errors
            /// [`ProofFault::Unreadable`]; cannot happen.
            pub fn to_json(&self) -> Result<String, ProofFault> {
                TreeProof::from(self.clone()).to_json()
            }

            /// Reads the bytes.
            ///
            /// # Errors
            /// [`DecodeError`] that names the field; the kind if it is another.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
                match TreeProof::from_bytes(bytes)? {
                    TreeProof::$kind(proof) => Ok(proof),
                    _ => Err(DecodeError::Value {
                        what: "the kind of proof",
                    }),
                }
            }

            /// The bytes.
            pub fn to_bytes(&self) -> Vec<u8> {
                TreeProof::from(self.clone()).to_bytes()
            }
        }
    };
}

one_kind!(Inclusion, InclusionProof, "inclusion");
one_kind!(Consistency, ConsistencyProof, "consistency");
one_kind!(Range, RangeProof, "range");
