//! Proofs about the log's tree alone, to be kept and passed on: that leaves are in it, and that
//! a later state of it begins with an earlier one. They hold no hash of a leaf and no root: who
//! verifies has these from elsewhere, such as the proved op and a checkpoint. `tree_codec` has
//! their forms as bytes and as text.

use super::ProofFault;
use crate::hash::Hash;
use crate::merkle::{
    consistency_length, inclusion_length, range_length, verify_consistency, verify_inclusion,
    verify_range,
};

/// That a leaf is in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    leaf_index: u64,
    tree_size: u64,
    path: Vec<Hash>,
}

/// That a tree begins with the leaves of an older one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyProof {
    old_size: u64,
    tree_size: u64,
    path: Vec<Hash>,
}

/// That successive leaves are in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeProof {
    first_leaf: u64,
    leaf_count: u64,
    tree_size: u64,
    path: Vec<Hash>,
}

/// One of these, for who reads a file that may hold any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreeProof {
    /// Of one leaf.
    Inclusion(InclusionProof),
    /// Of an older tree.
    Consistency(ConsistencyProof),
    /// Of successive leaves.
    Range(RangeProof),
}

/// `expected` is none if the numbers do not name a proof.
fn has_length(path: &[Hash], expected: Option<usize>) -> Result<(), ProofFault> {
    match expected {
        None => Err(ProofFault::Field("the place in the tree")),
        Some(expected) if path.len() != expected => Err(ProofFault::PathLength {
            found: path.len(),
            expected,
        }),
        Some(_) => Ok(()),
    }
}

impl InclusionProof {
    /// Puts a proof together; `path` as [`crate::merkle::Tree::inclusion_proof`] gives it.
    ///
    /// # Errors
    /// [`ProofFault::Field`] if there is no such leaf, [`ProofFault::PathLength`].
    pub fn new(leaf_index: u64, tree_size: u64, path: Vec<Hash>) -> Result<Self, ProofFault> {
        has_length(&path, inclusion_length(leaf_index, tree_size))?;
        Ok(Self {
            leaf_index,
            tree_size,
            path,
        })
    }

    /// The leaf's place, from 0.
    pub fn leaf_index(&self) -> u64 {
        self.leaf_index
    }

    /// How many leaves the tree has.
    pub fn tree_size(&self) -> u64 {
        self.tree_size
    }

    /// Siblings, leaf to root.
    pub fn path(&self) -> &[Hash] {
        &self.path
    }

    /// Whether the leaf with this hash is there in the tree with this root.
    pub fn verify(&self, leaf_hash: &Hash, root: &Hash) -> bool {
        verify_inclusion(leaf_hash, self.leaf_index, self.tree_size, &self.path, root)
    }
}

impl ConsistencyProof {
    /// Puts a proof together; `path` as [`crate::merkle::Tree::consistency_proof`] gives it.
    ///
    /// # Errors
    /// [`ProofFault::Field`] if the old tree is the larger one, [`ProofFault::PathLength`].
    pub fn new(old_size: u64, tree_size: u64, path: Vec<Hash>) -> Result<Self, ProofFault> {
        has_length(&path, consistency_length(old_size, tree_size))?;
        Ok(Self {
            old_size,
            tree_size,
            path,
        })
    }

    /// How many leaves the older tree has.
    pub fn old_size(&self) -> u64 {
        self.old_size
    }

    /// How many leaves the later tree has.
    pub fn tree_size(&self) -> u64 {
        self.tree_size
    }

    /// The hashes, as RFC 6962, 2.1.2, orders them.
    pub fn path(&self) -> &[Hash] {
        &self.path
    }

    /// Whether the tree with `root` begins with the tree with `old_root`.
    pub fn verify(&self, old_root: &Hash, root: &Hash) -> bool {
        verify_consistency(self.old_size, self.tree_size, &self.path, old_root, root)
    }
}

impl RangeProof {
    /// Puts a proof together; `path` as [`crate::merkle::Tree::range_proof`] gives it.
    ///
    /// # Errors
    /// [`ProofFault::Field`] if there are no such leaves, [`ProofFault::PathLength`].
    pub fn new(
        first_leaf: u64,
        leaf_count: u64,
        tree_size: u64,
        path: Vec<Hash>,
    ) -> Result<Self, ProofFault> {
        has_length(&path, range_length(first_leaf, leaf_count, tree_size))?;
        Ok(Self {
            first_leaf,
            leaf_count,
            tree_size,
            path,
        })
    }

    /// The place of the first leaf, from 0.
    pub fn first_leaf(&self) -> u64 {
        self.first_leaf
    }

    /// How many leaves are proved, at least one.
    pub fn leaf_count(&self) -> u64 {
        self.leaf_count
    }

    /// How many leaves the tree has.
    pub fn tree_size(&self) -> u64 {
        self.tree_size
    }

    /// The subtrees beside the leaves: those of the border left of them, leaf to root, among
    /// those of the border right of them, as [`crate::merkle`] walks.
    pub fn path(&self) -> &[Hash] {
        &self.path
    }

    /// Whether the leaves with these hashes, all of them and no others, are there in the tree
    /// with this root.
    pub fn verify(&self, leaf_hashes: &[Hash], root: &Hash) -> bool {
        leaf_hashes.len() as u64 == self.leaf_count
            && verify_range(
                leaf_hashes,
                self.first_leaf,
                self.tree_size,
                &self.path,
                root,
            )
    }
}

impl TreeProof {
    /// `inclusion`, `consistency` or `range`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Inclusion(_) => "inclusion",
            Self::Consistency(_) => "consistency",
            Self::Range(_) => "range",
        }
    }
}
