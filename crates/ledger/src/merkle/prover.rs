//! Roots and proofs out of tiles. The nodes between two levels of tiles are stored nowhere: they
//! are hashed when they are first asked for, and kept as long as the prover.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::path::{consistency_nodes, range_nodes};
use super::tile::TILE_WIDTH;
use super::walk::split;
use super::{EMPTY_ROOT, Frontier, TileStore, TreeError, node_hash};
use crate::hash::Hash;

/// How many tiles are kept; with the nodes in them 16 KiB each. So many hold two million leaves.
const MAX_TILES: usize = 8192;

/// Answers questions about the tree of the first `size` leaves in a store.
///
/// The first proof out of a tile hashes up to 255 nodes in it, the next ones look them up. So who
/// makes many proofs keeps one prover; it holds at most 128 MiB.
#[derive(Debug)]
pub struct Prover<'a, S> {
    store: &'a S,
    size: u64,
    tiles: BTreeMap<(u8, u64), Nodes>,
}

/// The nodes of a tile by their height above its entries, as far as they were asked for.
#[derive(Debug)]
struct Nodes(Vec<Vec<Hash>>);

impl Nodes {
    fn of_tile(hashes: &[u8]) -> Self {
        let (entries, _) = hashes.as_chunks::<32>();
        Self(vec![entries.to_vec()])
    }

    /// None if the tile is too short for it.
    fn get(&mut self, height: usize, index: usize) -> Option<&Hash> {
        while self.0.len() <= height {
            let (pairs, _) = self.0.last()?.as_chunks::<2>();
            let above = pairs.iter().map(|[left, right]| node_hash(left, right));
            let above = above.collect();
            self.0.push(above);
        }
        self.0.get(height)?.get(index)
    }
}

impl<'a, S: TileStore> Prover<'a, S> {
    pub(super) fn new(store: &'a S, size: u64) -> Self {
        Self {
            store,
            size,
            tiles: BTreeMap::new(),
        }
    }

    /// The root of the first `size` leaves.
    ///
    /// # Errors
    /// [`TreeError`].
    pub fn root_at(&mut self, size: u64) -> Result<Hash, TreeError<S::Error>> {
        self.within(size)?;
        match size {
            0 => Ok(EMPTY_ROOT),
            _ => self.range(0, size),
        }
    }

    /// The hash of leaf `index`.
    ///
    /// # Errors
    /// [`TreeError`].
    pub fn leaf_hash(&mut self, index: u64) -> Result<Hash, TreeError<S::Error>> {
        self.within(index.saturating_add(1))?;
        self.node(0, index)
    }

    /// The right edge of the first `size` leaves.
    ///
    /// # Errors
    /// [`TreeError`].
    pub fn frontier(&mut self, size: u64) -> Result<Frontier, TreeError<S::Error>> {
        self.within(size)?;
        let mut peaks = Vec::new();
        let mut lo = 0;
        for height in (0..64).rev().filter(|height| size >> height & 1 == 1) {
            peaks.push(self.node(height, lo >> height)?);
            lo += 1 << height;
        }
        Frontier::from_peaks(size, peaks).ok_or(self.outside(size))
    }

    /// The inclusion path of leaf `index` in the tree of the first `size` leaves, leaf to root.
    ///
    /// # Errors
    /// [`TreeError`]; `index` must lie below `size`.
    pub fn inclusion_proof(
        &mut self,
        index: u64,
        size: u64,
    ) -> Result<Vec<Hash>, TreeError<S::Error>> {
        self.range_proof(index, 1, size)
    }

    /// The path of the `count` leaves from `first` on in the tree of the first `size` leaves.
    ///
    /// # Errors
    /// [`TreeError`]; there must be a leaf, and the last one must lie below `size`.
    pub fn range_proof(
        &mut self,
        first: u64,
        count: u64,
        size: u64,
    ) -> Result<Vec<Hash>, TreeError<S::Error>> {
        self.within(size)?;
        let last = first.saturating_add(count.saturating_sub(1));
        range_nodes(first, count, size, |lo, n| self.range(lo, n))?
            .ok_or(TreeError::Range { asked: last, size })
    }

    /// The consistency path from the first `old` to the first `size` leaves.
    ///
    /// # Errors
    /// [`TreeError`]; `old` must not exceed `size`.
    pub fn consistency_proof(
        &mut self,
        old: u64,
        size: u64,
    ) -> Result<Vec<Hash>, TreeError<S::Error>> {
        self.within(size)?;
        consistency_nodes(old, size, |lo, n| self.range(lo, n))?
            .ok_or(TreeError::Range { asked: old, size })
    }

    fn within(&self, asked: u64) -> Result<(), TreeError<S::Error>> {
        match asked > self.size {
            true => Err(self.outside(asked)),
            false => Ok(()),
        }
    }

    fn outside(&self, asked: u64) -> TreeError<S::Error> {
        TreeError::Range {
            asked,
            size: self.size,
        }
    }

    /// The root of complete subtree `index` of 2^height leaves.
    fn node(&mut self, height: u32, index: u64) -> Result<Hash, TreeError<S::Error>> {
        let level = (height / 8) as u8;
        let within = height % 8;
        let across = TILE_WIDTH >> within;
        let (tile, place) = (index / across, index % across);
        self.make_room();
        let nodes = match self.tiles.entry((level, tile)) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let hashes = self.store.tile(level, tile).map_err(TreeError::Store)?;
                entry.insert(Nodes::of_tile(&hashes))
            }
        };
        match nodes.get(within as usize, place as usize) {
            Some(hash) => Ok(*hash),
            None => {
                // It may be longer when it is asked for again.
                self.tiles.remove(&(level, tile));
                Err(TreeError::Tile { level, index: tile })
            }
        }
    }

    /// Forgets the tiles of leaves when there are too many; those above are in most proofs.
    fn make_room(&mut self) {
        if self.tiles.len() >= MAX_TILES {
            self.tiles.retain(|(level, _), _| *level > 0);
        }
        if self.tiles.len() >= MAX_TILES {
            self.tiles.clear();
        }
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
