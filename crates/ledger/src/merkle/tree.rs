//! The stored log: a Merkle tree whose complete subtrees lie in tiles. Appending n leaves reads
//! and writes n / 256 tiles and one for each level above; roots and proofs of any size so far
//! read a few tiles.

use std::collections::BTreeMap;

use thiserror::Error;

use super::path::{consistency_nodes, range_nodes};
use super::tile::{TILE_BYTES, TILE_WIDTH, entries_root};
use super::walk::split;
use super::{EMPTY_ROOT, Frontier, node_hash};
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
        self.within(size)?;
        if size == 0 {
            return Ok(EMPTY_ROOT);
        }
        Nodes::new(&self.store).range(0, size)
    }

    /// The hash of leaf `index`.
    ///
    /// # Errors
    /// [`TreeError`].
    pub fn leaf_hash(&self, index: u64) -> Result<Hash, TreeError<S::Error>> {
        self.within(index.saturating_add(1))?;
        Nodes::new(&self.store).node(0, index)
    }

    /// The right edge of the first `size` leaves.
    ///
    /// # Errors
    /// [`TreeError`].
    pub fn frontier(&self, size: u64) -> Result<Frontier, TreeError<S::Error>> {
        self.within(size)?;
        let mut nodes = Nodes::new(&self.store);
        let mut peaks = Vec::new();
        let mut lo = 0;
        for height in (0..64).rev().filter(|height| size >> height & 1 == 1) {
            peaks.push(nodes.node(height, lo >> height)?);
            lo += 1 << height;
        }
        Frontier::from_peaks(size, peaks).ok_or(TreeError::Range {
            asked: size,
            size: self.size,
        })
    }

    /// The inclusion path of leaf `index` in the tree of the first `size` leaves, leaf to root.
    ///
    /// # Errors
    /// [`TreeError`]; `index` must lie below `size`.
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Result<Vec<Hash>, TreeError<S::Error>> {
        self.range_proof(index, 1, size)
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
        self.within(size)?;
        let mut nodes = Nodes::new(&self.store);
        range_nodes(first, count, size, |lo, n| nodes.range(lo, n))?.ok_or(TreeError::Range {
            asked: first.saturating_add(count.saturating_sub(1)),
            size,
        })
    }

    /// The consistency path from the first `old` to the first `size` leaves.
    ///
    /// # Errors
    /// [`TreeError`]; `old` must not exceed `size`.
    pub fn consistency_proof(&self, old: u64, size: u64) -> Result<Vec<Hash>, TreeError<S::Error>> {
        self.within(size)?;
        let mut nodes = Nodes::new(&self.store);
        consistency_nodes(old, size, |lo, n| nodes.range(lo, n))?
            .ok_or(TreeError::Range { asked: old, size })
    }

    fn within(&self, asked: u64) -> Result<(), TreeError<S::Error>> {
        if asked > self.size {
            return Err(TreeError::Range {
                asked,
                size: self.size,
            });
        }
        Ok(())
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

/// Reads nodes, each tile once.
struct Nodes<'a, S> {
    store: &'a S,
    tiles: BTreeMap<(u8, u64), Vec<u8>>,
}

impl<'a, S: TileStore> Nodes<'a, S> {
    fn new(store: &'a S) -> Self {
        Self {
            store,
            tiles: BTreeMap::new(),
        }
    }

    /// The root of complete subtree `index` of 2^height leaves.
    fn node(&mut self, height: u32, index: u64) -> Result<Hash, TreeError<S::Error>> {
        let level = (height / 8) as u8;
        let within = height % 8;
        let first = index << within;
        let tile_index = first / TILE_WIDTH;
        let start = (first % TILE_WIDTH) as usize * 32;
        let end = start + (32 << within);
        let fault = TreeError::Tile {
            level,
            index: tile_index,
        };
        let tile = match self.tiles.entry((level, tile_index)) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                let tile = self.store.tile(level, tile_index);
                entry.insert(tile.map_err(TreeError::Store)?)
            }
        };
        tile.get(start..end).map(entries_root).ok_or(fault)
    }

    /// The root over the leaves `lo..lo + n`, where RFC 6962 splits a tree this way: `lo` is a
    /// multiple of the power of two at or above `n`.
    fn range(&mut self, lo: u64, n: u64) -> Result<Hash, TreeError<S::Error>> {
        if n.is_power_of_two() {
            let height = n.trailing_zeros();
            return self.node(height, lo >> height);
        }
        let k = split(n);
        let left = self.range(lo, k)?;
        let right = self.range(lo + k, n - k)?;
        Ok(node_hash(&left, &right))
    }
}
