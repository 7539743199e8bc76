//! The Merkle tree of RFC 6962 over SHA-256: leaf and node hashes here, the growing edge in
//! `frontier`, the paths of proofs and their verification in `path` (by the one walk in `walk`),
//! the stored log in `tile` and `tree`, what is proved out of it in `prover`, how it is served in
//! `tile_path` and `entries`. A lone last node is never doubled, and leaves and nodes are hashed apart.

use crate::hash::{Hash, sha256, sha256_of_65};

/// The root of the tree without leaves: SHA-256 of nothing.
pub const EMPTY_ROOT: Hash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// SHA-256(0x00 ‖ data).
pub fn leaf_hash(data: &[u8]) -> Hash {
    sha256(&[&[0], data])
}

/// SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256_of_65(1, left, right)
}

/// The root over leaf hashes.
pub fn root(leaf_hashes: &[Hash]) -> Hash {
    match leaf_hashes {
        [] => EMPTY_ROOT,
        [only] => *only,
        [left, right] => node_hash(left, right),
        many => {
            let (left, right) = many.split_at(walk::split(many.len() as u64) as usize);
            node_hash(&root(left), &root(right))
        }
    }
}

mod entries;
mod frontier;
mod path;
mod prover;
mod tile;
mod tile_path;
mod tree;
mod walk;

pub use entries::{EntriesError, entry_bundle, read_entries};
pub use frontier::Frontier;
pub use path::{
    consistency_length, consistency_path, inclusion_length, inclusion_path, range_length,
    range_path, verify_consistency, verify_inclusion, verify_range,
};
pub use prover::Prover;
pub use tile::{TILE_BYTES, TILE_WIDTH};
pub use tile_path::{TilePath, TilePathError};
pub use tree::{TileStore, Tree, TreeError};
