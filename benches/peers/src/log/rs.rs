//! rs_merkle with the hashes of RFC 6962; by itself it would not tell leaves from nodes. It takes
//! leaf hashes, and proves any set of leaves.

use rs_merkle::{Hasher, MerkleProof, MerkleTree};
use sha2::{Digest, Sha256};

use super::{Hash, Log, Ranges};

#[derive(Clone)]
pub struct Rfc6962;

impl Hasher for Rfc6962 {
    type Hash = Hash;

    fn hash(data: &[u8]) -> Hash {
        Sha256::new()
            .chain_update([0])
            .chain_update(data)
            .finalize()
            .into()
    }

    fn concat_and_hash(left: &Hash, right: Option<&Hash>) -> Hash {
        match right {
            None => *left,
            Some(right) => {
                let nodes = Sha256::new().chain_update([1]).chain_update(left);
                nodes.chain_update(right).finalize().into()
            }
        }
    }
}

pub struct RsLog(MerkleTree<Rfc6962>);

impl Log for RsLog {
    const NAME: &'static str = "rs_merkle";
    type Proof = MerkleProof<Rfc6962>;

    fn of(leaves: &[Vec<u8>]) -> Self {
        let hashes: Vec<Hash> = leaves.iter().map(|leaf| Rfc6962::hash(leaf)).collect();
        Self(MerkleTree::from_leaves(&hashes))
    }

    fn root(&self) -> Hash {
        self.0.root().expect("a tree with leaves")
    }

    fn prove(&self, index: u64) -> Self::Proof {
        self.0.proof(&[index as usize])
    }

    fn verify(proof: &Self::Proof, leaf: &[u8], index: u64, size: u64, root: &Hash) -> bool {
        let leaf = Rfc6962::hash(leaf);
        proof.verify(*root, &[index as usize], &[leaf], size as usize)
    }
}

impl Ranges for RsLog {
    type Range = MerkleProof<Rfc6962>;

    fn prove_range(&self, first: u64, count: u64) -> Self::Range {
        let indices: Vec<usize> = (first as usize..(first + count) as usize).collect();
        self.0.proof(&indices)
    }

    fn verify_range(
        proof: &Self::Range,
        leaves: &[Hash],
        first: u64,
        size: u64,
        root: &Hash,
    ) -> bool {
        let end = first as usize + leaves.len();
        let indices: Vec<usize> = (first as usize..end).collect();
        proof.verify(*root, &indices, leaves, size as usize)
    }

    fn range_hashes(proof: &Self::Range) -> usize {
        proof.proof_hashes().len()
    }
}
