//! The open tiles of a growing log, one for each level: the root follows from them, and which tile
//! is full when.

use super::fault::AuditFault;
use crate::hash::Hash;
use crate::merkle::{EMPTY_ROOT, Frontier, TILE_WIDTH, TilePath, node_hash, root};

/// A tile of a higher level, as the leaves make it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueTile {
    /// Where the log serves it.
    pub path: TilePath,
    /// Its hashes, 32 bytes each.
    pub hashes: Vec<u8>,
}

impl DueTile {
    /// Holds it against what the log serves.
    ///
    /// # Errors
    /// [`AuditFault`] if that is something else.
    pub fn check(&self, served: &[u8]) -> Result<(), AuditFault> {
        match (served == self.hashes, self.path) {
            (true, _) => Ok(()),
            (false, TilePath::Hashes { level, index, .. }) => Err(AuditFault::tile(
                level,
                index,
                "what the leaves below it make",
            )),
            (false, TilePath::Entries { index, .. }) => {
                Err(AuditFault::tile(0, index, "one of hashes"))
            }
        }
    }
}

/// The right edge of a log, as hashes of open tiles.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Edge {
    size: u64,
    /// Fewer than 256 hashes for each level, level 0 first; the last one is not empty.
    levels: Vec<Vec<Hash>>,
}

impl Edge {
    /// The edge of a log of `size` leaves with these hashes, level by level; none if there are not as
    /// many as they should be.
    pub(super) fn of(size: u64, hashes: &[Hash]) -> Option<Self> {
        let mut levels = Vec::new();
        let mut rest = hashes;
        let mut count = size;
        while count > 0 {
            let (level, tail) = rest.split_at_checked((count % TILE_WIDTH) as usize)?;
            levels.push(level.to_vec());
            rest = tail;
            count /= TILE_WIDTH;
        }
        rest.is_empty().then_some(Self { size, levels })
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// All hashes, level by level, from which [`Edge::of`] makes it again.
    pub(super) fn hashes(&self) -> impl Iterator<Item = &Hash> {
        self.levels.iter().flatten()
    }

    /// The hash of leaf `index`, if it is in the open tile.
    pub(super) fn known(&self, index: u64) -> Option<Hash> {
        let begin = self.size / TILE_WIDTH * TILE_WIDTH;
        let place = index.checked_sub(begin)?;
        self.levels
            .first()?
            .get(usize::try_from(place).ok()?)
            .copied()
    }

    /// Appends a leaf hash. Gives the tiles above level 0 that are full with it.
    pub(super) fn push(&mut self, leaf_hash: Hash) -> Vec<DueTile> {
        self.size = self.size.saturating_add(1);
        let mut due = Vec::new();
        let (mut carry, mut level) = (Some(leaf_hash), 0u8);
        while let Some(hash) = carry.take() {
            if self.levels.len() == usize::from(level) {
                self.levels.push(Vec::new());
            }
            let Some(open) = self.levels.get_mut(usize::from(level)) else {
                return due;
            };
            open.push(hash);
            if open.len() as u64 == TILE_WIDTH {
                let full = std::mem::take(open);
                carry = Some(root(&full));
                if level > 0 {
                    let index = (self.size >> (8 * (u32::from(level) + 1))).saturating_sub(1);
                    due.push(tile(level, index, &full));
                }
                level += 1;
            }
        }
        due
    }

    /// The tiles above level 0 that are not full.
    pub(super) fn open_tiles(&self) -> Vec<DueTile> {
        let above = self.levels.iter().zip(0u8..).skip(1);
        above
            .filter(|(open, _)| !open.is_empty())
            .map(|(open, level)| {
                let index = self.size >> (8 * (u32::from(level) + 1));
                tile(level, index, open)
            })
            .collect()
    }

    /// The root over all leaves.
    pub(super) fn root(&self) -> Hash {
        // Each level's open tile has the complete subtrees of its height; together they are the
        // peaks of the tree, the highest level first.
        let mut peaks = Vec::new();
        for open in self.levels.iter().rev() {
            let mut edge = Frontier::default();
            open.iter().for_each(|hash| edge.push(*hash));
            peaks.extend_from_slice(edge.peaks());
        }
        let mut peaks = peaks.iter().rev();
        match peaks.next() {
            None => EMPTY_ROOT,
            Some(last) => peaks.fold(*last, |right, left| node_hash(left, &right)),
        }
    }
}

fn tile(level: u8, index: u64, hashes: &[Hash]) -> DueTile {
    DueTile {
        path: TilePath::Hashes {
            level,
            index,
            width: hashes.len() as u16,
        },
        hashes: hashes.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::{TileStore, Tree, leaf_hash};
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    #[derive(Default)]
    struct Tiles(BTreeMap<(u8, u64), Vec<u8>>);

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

    /// Readers and the log must agree on every tile and root, also where the third level begins.
    #[test]
    fn an_edge_makes_the_tiles_of_the_log() {
        let leaves: Vec<Hash> = (0..66_000u64)
            .map(|n| leaf_hash(&n.to_be_bytes()))
            .collect();
        let mut tree = Tree::new(Tiles::default(), 0);
        tree.append(&leaves).expect("tiles in memory");
        let tiles = tree.into_store().0;
        let tree = Tree::new(Tiles(tiles.clone()), 66_000);
        let mut edge = Edge::default();
        let mut checked = 0;
        let mut check = |tile: DueTile| {
            let TilePath::Hashes { level, index, .. } = tile.path else {
                panic!("not of hashes: {}", tile.path);
            };
            let stored = tiles.get(&(level, index)).expect("a tile");
            assert!(tile.path.is_within(66_000), "{}", tile.path);
            assert!(stored.starts_with(&tile.hashes), "{}", tile.path);
            checked += 1;
        };
        for leaf in &leaves {
            edge.push(*leaf).into_iter().for_each(&mut check);
            let size = edge.size();
            if size % 7_919 == 0 || [255, 256, 257, 65_535, 65_536, 65_537].contains(&size) {
                assert_eq!(Ok(edge.root()), tree.root_at(size), "{size}");
                let hashes: Vec<Hash> = edge.hashes().copied().collect();
                assert_eq!(Edge::of(size, &hashes).as_ref(), Some(&edge));
                assert_eq!(Edge::of(size, &hashes[1..]), None);
                edge.open_tiles().into_iter().for_each(&mut check);
            }
        }
        assert!(checked > 10, "{checked}");
        assert_eq!(Edge::default().root(), EMPTY_ROOT);
    }
}
