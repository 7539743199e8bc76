//! ct-merkle, which keeps all nodes and the leaves themselves in memory.

use ct_merkle::{ConsistencyProof, InclusionProof, RootHash, mem_backed_tree::MemoryBackedTree};
use sha2_011::Sha256;

use super::{Growing, Hash, Log};

pub struct CtLog(MemoryBackedTree<Sha256, Vec<u8>>);

fn root_hash(size: u64, root: &Hash) -> RootHash<Sha256> {
    RootHash::new((*root).into(), size)
}

impl Log for CtLog {
    const NAME: &'static str = "ct-merkle";
    type Proof = InclusionProof<Sha256>;

    fn of(leaves: &[Vec<u8>]) -> Self {
        let mut tree = MemoryBackedTree::new();
        leaves.iter().for_each(|leaf| tree.push(leaf.clone()));
        Self(tree)
    }

    fn root(&self) -> Hash {
        (*self.0.root().as_bytes()).into()
    }

    fn prove(&self, index: u64) -> Self::Proof {
        self.0.prove_inclusion(index as usize)
    }

    fn verify(proof: &Self::Proof, leaf: &[u8], index: u64, size: u64, root: &Hash) -> bool {
        let root = root_hash(size, root);
        root.verify_inclusion(&leaf, index, proof).is_ok()
    }
}

impl Growing for CtLog {
    type Grown = ConsistencyProof<Sha256>;

    fn prove_growth(&self, old: u64) -> Self::Grown {
        self.0.prove_consistency((self.0.len() - old) as usize)
    }

    fn verify_growth(proof: &Self::Grown, old: (u64, &Hash), new: (u64, &Hash)) -> bool {
        let (old, new) = (root_hash(old.0, old.1), root_hash(new.0, new.1));
        new.verify_consistency(&old, proof).is_ok()
    }
}
