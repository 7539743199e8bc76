//! The log as it lies in tiles.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::convert::Infallible;

use ledger::Hash;
use ledger::merkle::{
    Frontier, TILE_WIDTH, TileStore, Tree, TreeError, verify_consistency, verify_inclusion,
    verify_range,
};
use proptest::prelude::*;

use super::{leaves, reference};

/// Tiles in memory; counts how often it was asked.
#[derive(Default)]
pub struct Memory {
    tiles: BTreeMap<(u8, u64), Vec<u8>>,
    reads: Cell<u64>,
    writes: u64,
}

impl TileStore for Memory {
    type Error = Infallible;

    fn tile(&self, level: u8, index: u64) -> Result<Vec<u8>, Infallible> {
        self.reads.set(self.reads.get() + 1);
        Ok(self.tiles.get(&(level, index)).cloned().unwrap_or_default())
    }

    fn put(&mut self, level: u8, index: u64, hashes: &[u8]) -> Result<(), Infallible> {
        self.writes += 1;
        self.tiles.insert((level, index), hashes.to_vec());
        Ok(())
    }
}

pub fn stored(leaf_hashes: &[Hash], steps: &[usize]) -> Tree<Memory> {
    let mut tree = Tree::new(Memory::default(), 0);
    let mut rest = leaf_hashes;
    for step in steps.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (now, later) = rest.split_at((*step).clamp(1, rest.len()));
        tree.append(now).unwrap();
        rest = later;
    }
    tree
}

/// A block of many ops must not cost a rewrite of the log.
#[test]
fn appending_touches_few_tiles() {
    let mut tree = Tree::new(Memory::default(), 0);
    tree.append(&leaves(70_000)).unwrap();
    let filled = tree.into_store();
    assert!(filled.writes <= 70_000 / 256 + 4, "{}", filled.writes);
    let start = (filled.reads.get(), filled.writes);
    let mut tree = Tree::new(filled, 70_000);
    tree.append(&leaves(5_000)).unwrap();
    let grown = tree.into_store();
    assert!(grown.reads.get() - start.0 <= 3);
    assert!(grown.writes - start.1 <= 5_000 / 256 + 4);
    let start = (grown.reads.get(), grown.writes);
    let mut tree = Tree::new(grown, 75_000);
    tree.append(&leaves(1)).unwrap();
    let one = tree.into_store();
    assert_eq!((one.reads.get(), one.writes), (start.0 + 1, start.1 + 1));
}

/// Who exports a proof of each op must not read and hash the same tiles for each of them.
#[test]
fn a_prover_reads_each_tile_once() {
    let all = leaves(1_000);
    let tree = stored(&all, &[1_000]);
    let mut prover = tree.prover();
    for index in 0..1_000 {
        let path = prover.inclusion_proof(index, 1_000).unwrap();
        assert_eq!(path, tree.inclusion_proof(index, 1_000).unwrap());
    }
    for old in [1, 255, 256, 999] {
        let path = prover.consistency_proof(old, 1_000).unwrap();
        assert_eq!(path, tree.consistency_proof(old, 1_000).unwrap());
    }
    assert_eq!(prover.root_at(700), tree.root_at(700));
    assert_eq!(prover.leaf_hash(999).unwrap(), all[999]);
    let store = tree.into_store();
    let before = store.reads.get();
    let tree = Tree::new(store, 1_000);
    let mut prover = tree.prover();
    for index in 0..1_000 {
        prover.inclusion_proof(index, 1_000).unwrap();
    }
    // Four tiles of leaves, one above.
    assert_eq!(tree.into_store().reads.get() - before, 5);
}

/// Every tile holds the same hashes, so a log of any size is there.
struct Endless(Cell<u64>);

impl TileStore for Endless {
    type Error = Infallible;

    fn tile(&self, _: u8, _: u64) -> Result<Vec<u8>, Infallible> {
        self.0.set(self.0.get() + 1);
        Ok(vec![7; 256 * 32])
    }

    fn put(&mut self, _: u8, _: u64, _: &[u8]) -> Result<(), Infallible> {
        Ok(())
    }
}

/// A server that proves ops of a large log all day must not keep all of it in memory.
#[test]
fn a_prover_forgets_tiles_when_there_are_many() {
    let tree = Tree::new(Endless(Cell::new(0)), 1 << 40);
    let mut prover = tree.prover();
    let first = |tile: u64| tile * 256;
    for tile in 0..9_000 {
        assert_eq!(prover.leaf_hash(first(tile)), Ok([7; 32]));
    }
    prover.leaf_hash(first(8_999)).unwrap();
    prover.leaf_hash(first(0)).unwrap();
    let store = tree.into_store();
    // The last one was still there, the first one not.
    assert_eq!(store.0.get(), 9_001);
}

#[test]
fn a_short_tile_and_a_far_index_are_errors() {
    let tree = stored(&leaves(300), &[300]);
    assert_eq!(
        tree.inclusion_proof(300, 300),
        Err(TreeError::Range {
            asked: 300,
            size: 300
        })
    );
    assert_eq!(
        tree.root_at(301),
        Err(TreeError::Range {
            asked: 301,
            size: 300
        })
    );
    assert!(tree.leaf_hash(u64::MAX).is_err());
    let mut store = tree.into_store();
    store.tiles.insert((0, 1), vec![0; 31]);
    let mut tree = Tree::new(store, 300);
    let fault = TreeError::Tile { level: 0, index: 1 };
    assert_eq!(tree.root(), Err(fault.clone()));
    assert_eq!(tree.append(&leaves(1)), Err(fault));
}

#[test]
fn tiles_hold_subtrees_of_256() {
    let all = leaves(256 * 3 + 5);
    let store = stored(&all, &[100]).into_store();
    let level1 = &store.tiles[&(1, 0)];
    assert_eq!(level1.len(), 3 * 32);
    assert_eq!(level1[..32], reference::root(&all[..256]));
    assert_eq!(level1[64..], reference::root(&all[512..768]));
    assert_eq!(store.tiles[&(0, 3)].len(), 5 * 32);
    assert_eq!(store.tiles[&(0, 0)].len() as u64, TILE_WIDTH * 32);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// However a log was filled, it has the root, the edge and the proofs of its leaves.
    #[test]
    fn stored_trees_agree_with_the_rfc(
        count in 1u64..1_400,
        steps in proptest::collection::vec(1usize..600, 1..6),
        a in any::<u64>(),
        b in any::<u64>(),
    ) {
        let all = leaves(count);
        let tree = stored(&all, &steps);
        prop_assert_eq!(tree.size(), count);
        let size = 1 + a % count;
        let some = &all[..size as usize];
        let root = reference::root(some);
        prop_assert_eq!(tree.root_at(size).unwrap(), root);
        let mut edge = Frontier::default();
        some.iter().for_each(|leaf| edge.push(*leaf));
        prop_assert_eq!(tree.frontier(size).unwrap(), edge);
        let index = b % size;
        let path = tree.inclusion_proof(index, size).unwrap();
        prop_assert_eq!(&path, &reference::path(index as usize, some));
        prop_assert!(verify_inclusion(&some[index as usize], index, size, &path, &root));
        let count = 1 + a.wrapping_add(b) % (size - index);
        let (first, end) = (index as usize, (index + count) as usize);
        let path = tree.range_proof(index, count, size).unwrap();
        prop_assert_eq!(&path, &reference::range_path(first, end, some));
        prop_assert!(verify_range(&some[first..end], index, size, &path, &root));
        let old = 1 + b % size;
        let path = tree.consistency_proof(old, size).unwrap();
        prop_assert_eq!(&path, &reference::consistency(old as usize, some, true));
        let old_root = reference::root(&all[..old as usize]);
        prop_assert!(verify_consistency(old, size, &path, &old_root, &root));
        prop_assert_eq!(tree.leaf_hash(index).unwrap(), all[index as usize]);
    }
}
