//! The edges of the log as two witnesses give it, the ops and the tiles: one edge as long as they
//! agree, so that a sound log is hashed once.

use crate::hash::Hash;
use crate::merkle::{Frontier, TILE_WIDTH, node_hash};

/// The edge of a log, split where its open tile begins: what becomes complete is a tile's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edge {
    tiles: Frontier,
    open: Frontier,
}

impl Edge {
    pub fn new(edge: &Frontier) -> Self {
        let (tiles, open) = (edge.size() / TILE_WIDTH, edge.size() % TILE_WIDTH);
        let (high, low) = edge.peaks().split_at(tiles.count_ones() as usize);
        let part = |size, peaks: &[Hash]| Frontier::from_peaks(size, peaks.to_vec());
        Self {
            tiles: part(tiles, high).unwrap_or_default(),
            open: part(open, low).unwrap_or_default(),
        }
    }

    /// Appends a leaf; gives the root of the tile that it completes.
    fn push(&mut self, leaf: Hash) -> Option<Hash> {
        self.open.push(leaf);
        if self.open.size() < TILE_WIDTH {
            return None;
        }
        let root = self.open.root();
        self.tiles.push(root);
        self.open = Frontier::default();
        Some(root)
    }

    pub fn root(&self) -> Hash {
        if self.open.size() == 0 {
            return self.tiles.root();
        }
        let peaks = self.tiles.peaks().iter().rev();
        peaks.fold(self.open.root(), |right, left| node_hash(left, &right))
    }
}

/// What the ops lead to beside what the tiles lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edges {
    ops: Edge,
    /// None as long as it is the same.
    tiles: Option<Edge>,
}

impl Edges {
    pub fn new(edge: &Frontier) -> Self {
        Self {
            ops: Edge::new(edge),
            tiles: None,
        }
    }

    /// Appends a leaf; gives the root of the tile of ops that it completes.
    pub fn push(&mut self, ops: Hash, tiles: Hash) -> Option<Hash> {
        if ops != tiles && self.tiles.is_none() {
            self.tiles = Some(self.ops.clone());
        }
        if let Some(edge) = &mut self.tiles {
            edge.push(tiles);
        }
        self.ops.push(ops)
    }

    /// What the ops lead to.
    pub fn by_ops(&self) -> &Edge {
        &self.ops
    }

    /// What the tiles lead to.
    pub fn by_tiles(&self) -> &Edge {
        self.tiles.as_ref().unwrap_or(&self.ops)
    }

    /// The ops are right: the tiles are held against them anew.
    pub fn follow_ops(&mut self) {
        self.tiles = None;
    }

    /// The tiles are right.
    pub fn follow_tiles(&mut self) {
        if let Some(edge) = self.tiles.take() {
            self.ops = edge;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::sha256;

    /// The split edge has the root of the whole one at every size.
    #[test]
    fn a_split_edge_is_the_edge() {
        let leaf = |n: u64| sha256(&[&n.to_be_bytes()]);
        let (mut whole, mut split) = (Frontier::default(), Edge::new(&Frontier::default()));
        for n in 0..1500 {
            assert_eq!(split.root(), whole.root(), "{n}");
            assert_eq!(Edge::new(&whole), split, "{n}");
            whole.push(leaf(n));
            let tile = split.push(leaf(n));
            assert_eq!(tile.is_some(), (n + 1) % TILE_WIDTH == 0);
        }
    }
}
