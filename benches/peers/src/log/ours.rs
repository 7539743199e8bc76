//! The ledger's log, its tiles in a map.

use std::collections::BTreeMap;
use std::convert::Infallible;

use ledger::merkle::{
    Prover, TileStore, Tree, leaf_hash, verify_consistency, verify_inclusion, verify_range,
};

use super::{Growing, Hash, Log, Ranges};

/// Tiles in memory.
#[derive(Default)]
pub struct Tiles(BTreeMap<(u8, u64), Vec<u8>>);

impl TileStore for Tiles {
    type Error = Infallible;

    fn tile(&self, level: u8, index: u64) -> Result<Vec<u8>, Infallible> {
        Ok(self.0.get(&(level, index)).cloned().unwrap_or_default())
    }

    fn put(&mut self, level: u8, index: u64, hashes: &[u8]) -> Result<(), Infallible> {
        self.0.insert((level, index), hashes.to_vec());
        Ok(())
    }
}

/// Each proof reads its tiles anew and hashes the nodes in them.
pub struct OurLog(Tree<Tiles>);

impl OurLog {
    /// Keeps the nodes for the next proof.
    pub fn prover(&self) -> Prover<'_, Tiles> {
        self.0.prover()
    }
}

impl Log for OurLog {
    const NAME: &'static str = "ledger";
    type Proof = Vec<Hash>;

    fn of(leaves: &[Vec<u8>]) -> Self {
        let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        let mut tree = Tree::new(Tiles::default(), 0);
        tree.append(&hashes).expect("tiles in memory");
        Self(tree)
    }

    fn root(&self) -> Hash {
        self.0.root().expect("tiles in memory")
    }

    fn prove(&self, index: u64) -> Vec<Hash> {
        let proof = self.0.inclusion_proof(index, self.0.size());
        proof.expect("a leaf of this log")
    }

    fn verify(proof: &Vec<Hash>, leaf: &[u8], index: u64, size: u64, root: &Hash) -> bool {
        verify_inclusion(&leaf_hash(leaf), index, size, proof, root)
    }
}

impl Growing for OurLog {
    type Grown = Vec<Hash>;

    fn prove_growth(&self, old: u64) -> Vec<Hash> {
        let proof = self.0.consistency_proof(old, self.0.size());
        proof.expect("an older size")
    }

    fn verify_growth(proof: &Vec<Hash>, old: (u64, &Hash), new: (u64, &Hash)) -> bool {
        verify_consistency(old.0, new.0, proof, old.1, new.1)
    }
}

impl Ranges for OurLog {
    type Range = Vec<Hash>;

    fn prove_range(&self, first: u64, count: u64) -> Vec<Hash> {
        let proof = self.0.range_proof(first, count, self.0.size());
        proof.expect("leaves of this log")
    }

    fn verify_range(
        proof: &Vec<Hash>,
        leaves: &[Hash],
        first: u64,
        size: u64,
        root: &Hash,
    ) -> bool {
        verify_range(leaves, first, size, proof, root)
    }

    fn range_hashes(proof: &Vec<Hash>) -> usize {
        proof.len()
    }
}
