//! Nothing but the hashes: what any log has to compute at least, by the hasher that everybody
//! calls.

use sha2::{Digest, Sha256};

use super::{Hash, Log};

/// All nodes by level, the leaves first.
pub struct Bare(Vec<Vec<Hash>>);

fn leaf(data: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0])
        .chain_update(data)
        .finalize()
        .into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let nodes = Sha256::new().chain_update([1]).chain_update(left);
    nodes.chain_update(right).finalize().into()
}

impl Log for Bare {
    const NAME: &'static str = "sha2 alone";
    /// Siblings and whether they are on the left.
    type Proof = Vec<(bool, Hash)>;

    fn of(leaves: &[Vec<u8>]) -> Self {
        let mut levels = vec![leaves.iter().map(|data| leaf(data)).collect::<Vec<_>>()];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let pairs = below.chunks(2).map(|pair| match pair {
                [left, right] => node(left, right),
                lone => lone[0],
            });
            let above = pairs.collect();
            levels.push(above);
        }
        Self(levels)
    }

    fn root(&self) -> Hash {
        self.0[self.0.len() - 1][0]
    }

    fn prove(&self, index: u64) -> Self::Proof {
        let levels = self.0.iter().enumerate();
        levels
            .filter_map(|(height, level)| {
                let place = index as usize >> height;
                Some((place & 1 == 1, *level.get(place ^ 1)?))
            })
            .collect()
    }

    fn verify(proof: &Self::Proof, data: &[u8], _: u64, _: u64, root: &Hash) -> bool {
        let top = proof
            .iter()
            .fold(leaf(data), |hash, (is_left, sibling)| match is_left {
                true => node(sibling, &hash),
                false => node(&hash, sibling),
            });
        top == *root
    }
}
