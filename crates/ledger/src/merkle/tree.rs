//! The stored log: a Merkle tree whose complete subtrees lie in tiles. Appending n leaves reads
//! and writes n / 256 tiles and one for each level above; roots and proofs of any size so far
//! read a few tiles.

use thiserror::Error;

use super::tile::{TILE_BYTES, TILE_WIDTH, entries_root};
use super::{Frontier, Prover};
use crate::hash::Hash;

/// Where tiles are kept.
pub trait TileStore {
    /// Why reading or writing failed.
    type Error;

    /// The hashes of a tile, 32 bytes each; empty if there is none. A tile may be longer than
    /// when it was last asked for, never different.
    ///
    /// # Errors
    /// The store's own.
    fn tile(&self, level: u8, index: u64) -> Result<Vec<u8>, Self::Error>;

    /// Stores a tile, in place of its shorter beginning if there is one.
    ///
    /// # Errors
    /// The store's own.
    fn put(&mut self, level: u8, index: u64, hashes: &[u8]) -> Result<(), Self::Error>;
}

impl<S: TileStore> TileStore for &mut S {
    type Error = S::Error;

    fn tile(&self, level: u8, index: u64) -> Result<Vec<u8>, Self::Error> {
        (**self).tile(level, index)
    }

    fn put(&mut self, level: u8, index: u64, hashes: &[u8]) -> Result<(), Self::Error> {
        (**self).put(level, index, hashes)
    }
}

/// Why a tree cannot answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TreeError<E> {
    /// The store failed.
    #[error("the tile store failed")]
    Store(E),
    /// A tile is missing or shorter than the size of the tree demands.
    #[error("tile {index} of level {level} is missing or too short")]
    Tile {
        /// The tile's level.
        level: u8,
        /// The tile's index in its level.
        index: u64,
    },
    /// An index or size lies outside the tree.
    #[error("index or size {asked} lies outside the tree of {size} leaves")]
    Range {
        /// What was asked for.
        asked: u64,
        /// The size of the tree.
        size: u64,
    },
}

/// A log of `size` leaves over a store.
#[derive(Debug, Clone)]
pub struct Tree<S> {
    store: S,
    size: u64,
}

impl<S: TileStore> Tree<S> {
    /// The tree whose first `size` leaves lie in `store`.
    pub fn new(store: S, size: u64) -> Self {
        Self { store, size }
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Answers several questions about the tree and reads each tile once for all of them.
    pub fn prover(&self) -> Prover<'_, S> {
        Prover::new(&self.store, self.size)
    }

    /// Gives the store back.
    pub fn into_store(self) -> S {
        self.store
    }

    /// Appends leaf hashes.
    ///
    /// # Errors
    /// [`TreeError`]; the store then holds part of the new tiles, which a rolled back
    /// transaction undoes and which a second try overwrites.
    pub fn append(&mut self, leaf_hashes: &[Hash]) -> Result<(), TreeError<S::Error>> {
        let grown = self
            .size
            .checked_add(leaf_hashes.len() as u64)
            .ok_or(TreeError::Range {
                asked: u64::MAX,
                size: self.size,
            })?;
        let mut fresh = leaf_hashes.to_vec();
        let mut entries = self.size;
        let mut level = 0u8;
        while !fresh.is_empty() {
            let mut index = entries / TILE_WIDTH;
            let mut tile = self.last_tile(level, index, entries % TILE_WIDTH)?;
            let mut above = Vec::new();
            for hash in &fresh {
                tile.extend_from_slice(hash);
                if tile.len() == TILE_BYTES {
                    self.store
                        .put(level, index, &tile)
                        .map_err(TreeError::Store)?;
                    above.push(entries_root(&tile));
                    tile.clear();
                    index += 1;
                }
            }
            if !tile.is_empty() {
                self.store
                    .put(level, index, &tile)
                    .map_err(TreeError::Store)?;
            }
            fresh = above;
            entries /= TILE_WIDTH;
            level += 1;
        }
        self.size = grown;
        Ok(())
    }

    /// The root of the whole tree.
    ///
    /// # Errors
    /// [`TreeError`].
    pub fn root(&self) -> Result<Hash, TreeError<S::Error>> {
        self.root_at(self.size)
    }

    /// The root of the first `size` leaves.
    ///
    /// # Errors
    /// [`TreeError`].
    pub fn root_at(&self, size: u64) -> Result<Hash, TreeError<S::Error>> {
        self.prover().root_at(size)
    }

    /// The hash of leaf `index`.
    ///
    /// # Errors
    /// [`TreeError`].
    pub fn leaf_hash(&self, index: u64) -> Result<Hash, TreeError<S::Error>> {
        self.prover().leaf_hash(index)
    }

    /// The right edge of the first `size` leaves.
    ///
    /// # Errors
    /// [`TreeError`].
    pub fn frontier(&self, size: u64) -> Result<Frontier, TreeError<S::Error>> {
        self.prover().frontier(size)
    }

    /// The inclusion path of leaf `index` in the tree of the first `size` leaves, leaf to root.
    ///
    /// # Errors
    /// [`TreeError`]; `index` must lie below `size`.
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Result<Vec<Hash>, TreeError<S::Error>> {
        self.prover().inclusion_proof(index, size)
    }

    /// The path of the `count` leaves from `first` on in the tree of the first `size` leaves.
    ///
    /// # Errors
    /// [`TreeError`]; there must be a leaf, and the last one must lie below `size`.
    pub fn range_proof(
        &self,
        first: u64,
        count: u64,
        size: u64,
    ) -> Result<Vec<Hash>, TreeError<S::Error>> {
        self.prover().range_proof(first, count, size)
    }

    /// The consistency path from the first `old` to the first `size` leaves.
    ///
    /// # Errors
    /// [`TreeError`]; `old` must not exceed `size`.
    pub fn consistency_proof(&self, old: u64, size: u64) -> Result<Vec<Hash>, TreeError<S::Error>> {
        self.prover().consistency_proof(old, size)
    }

    /// The `have` hashes that the open tile of a level holds.
    fn last_tile(&self, level: u8, index: u64, have: u64) -> Result<Vec<u8>, TreeError<S::Error>> {
        if have == 0 {
            return Ok(Vec::with_capacity(TILE_BYTES));
        }
        let mut tile = self.store.tile(level, index).map_err(TreeError::Store)?;
        let bytes = have as usize * 32;
        if tile.len() < bytes {
            return Err(TreeError::Tile { level, index });
        }
        tile.truncate(bytes);
        Ok(tile)
    }
}
