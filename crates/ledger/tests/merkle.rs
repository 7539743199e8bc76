//! The Merkle log against the known answers of certificate-transparency's test data, against a
//! naive reading of RFC 6962, and against attacks on its proofs.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::convert::Infallible;

use ledger::Hash;
use ledger::hash::sha256;
use ledger::merkle::{
    EMPTY_ROOT, Frontier, TILE_WIDTH, TileStore, Tree, TreeError, consistency_path, inclusion_path,
    leaf_hash, node_hash, root, verify_consistency, verify_inclusion,
};
use proptest::prelude::*;

/// Tiles in memory; counts how often it was asked.
#[derive(Default)]
struct Memory {
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

fn hash(text: &str) -> Hash {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).unwrap();
    bytes
}

/// The eight leaves of certificate-transparency's merkletree tests.
fn standard_leaves() -> Vec<Hash> {
    [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    .iter()
    .map(|text| leaf_hash(&hex::decode(text).unwrap()))
    .collect()
}

const STANDARD_ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

/// RFC 6962, 2.1, word by word.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(&[]),
        [only] => *only,
        many => {
            let mut k = 1;
            while k * 2 < many.len() {
                k *= 2;
            }
            node_hash(&naive_root(&many[..k]), &naive_root(&many[k..]))
        }
    }
}

/// RFC 6962, 2.1.1, word by word.
fn naive_path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let mut k = 1;
    while k * 2 < leaves.len() {
        k *= 2;
    }
    let (left, right) = leaves.split_at(k);
    if index < k {
        let mut path = naive_path(index, left);
        path.push(naive_root(right));
        path
    } else {
        let mut path = naive_path(index - k, right);
        path.push(naive_root(left));
        path
    }
}

/// RFC 6962, 2.1.2, word by word.
fn naive_consistency(m: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    let n = leaves.len();
    if m == n {
        return if whole {
            Vec::new()
        } else {
            vec![naive_root(leaves)]
        };
    }
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    let (left, right) = leaves.split_at(k);
    if m <= k {
        let mut path = naive_consistency(m, left, whole);
        path.push(naive_root(right));
        path
    } else {
        let mut path = naive_consistency(m - k, right, false);
        path.push(naive_root(left));
        path
    }
}

fn stored(leaf_hashes: &[Hash], steps: &[usize]) -> Tree<Memory> {
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

/// Other transparency-log tools compute exactly these roots.
#[test]
fn roots_of_the_standard_leaves() {
    assert_eq!(root(&[]), EMPTY_ROOT);
    assert_eq!(EMPTY_ROOT, sha256(&[]));
    let leaves = standard_leaves();
    let mut edge = Frontier::default();
    for (count, expected) in STANDARD_ROOTS.iter().enumerate() {
        edge.push(leaves[count]);
        assert_eq!(edge.root(), hash(expected), "{} leaves", count + 1);
        assert_eq!(root(&leaves[..=count]), hash(expected));
        let tree = stored(&leaves[..=count], &[3]);
        assert_eq!(tree.root().unwrap(), hash(expected));
    }
}

/// The known paths of certificate-transparency's merkletree tests.
#[test]
fn paths_of_the_standard_leaves() {
    let leaves = standard_leaves();
    assert_eq!(inclusion_path(&leaves[..1], 0), Some(vec![]));
    assert_eq!(
        inclusion_path(&leaves, 0),
        Some(vec![
            hash("96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"),
            hash("5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"),
            hash("6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"),
        ])
    );
    assert_eq!(
        inclusion_path(&leaves, 5),
        Some(vec![
            hash("bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"),
            hash("ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"),
            hash("d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
        ])
    );
    assert_eq!(
        inclusion_path(&leaves[..3], 2),
        Some(vec![hash(
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
        )])
    );
    assert_eq!(consistency_path(&leaves, 8), Some(vec![]));
    assert_eq!(
        consistency_path(&leaves, 1),
        Some(vec![
            hash("96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"),
            hash("5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"),
            hash("6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"),
        ])
    );
    assert_eq!(
        consistency_path(&leaves, 6),
        Some(vec![
            hash("0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"),
            hash("ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"),
            hash("d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
        ])
    );
}

#[test]
fn every_pair_of_small_sizes_agrees_with_the_rfc() {
    let all = leaves(40);
    let tree = stored(&all, &[7, 1]);
    for size in 1..=all.len() {
        let some = &all[..size];
        let root = naive_root(some);
        assert_eq!(tree.root_at(size as u64).unwrap(), root);
        for (index, leaf) in some.iter().enumerate() {
            let path = naive_path(index, some);
            assert_eq!(inclusion_path(some, index as u64), Some(path.clone()));
            assert_eq!(
                tree.inclusion_proof(index as u64, size as u64).unwrap(),
                path
            );
            assert!(verify_inclusion(
                leaf,
                index as u64,
                size as u64,
                &path,
                &root
            ));
        }
        for old in 1..=size {
            let path = naive_consistency(old, some, true);
            assert_eq!(consistency_path(some, old as u64), Some(path.clone()));
            assert_eq!(
                tree.consistency_proof(old as u64, size as u64).unwrap(),
                path
            );
            let old_root = naive_root(&all[..old]);
            assert!(verify_consistency(
                old as u64,
                size as u64,
                &path,
                &old_root,
                &root
            ));
        }
    }
}

/// If a proof could be read for another place or size, an auditor could be shown the wrong op.
#[test]
fn a_proof_holds_for_one_index_and_one_size_only() {
    let all = leaves(70);
    for size in [1u64, 2, 3, 5, 8, 9, 33, 64, 70] {
        let some = &all[..size as usize];
        let root = root(some);
        for index in 0..size {
            let leaf = &some[index as usize];
            let path = inclusion_path(some, index).unwrap();
            for other in 0..size + 2 {
                let same = other == index;
                assert_eq!(verify_inclusion(leaf, other, size, &path, &root), same);
            }
            for other in [size - 1, size + 1, size * 2, u64::MAX] {
                // Another size may share the path's shape, but never for another leaf count at
                // the right edge; what must not happen is that the edge is hidden.
                if index + 1 == size && other > size {
                    let longer = verify_inclusion(leaf, index, other, &path, &root);
                    assert!(!longer || same_shape(index, size, other));
                }
                if other <= index {
                    assert!(!verify_inclusion(leaf, index, other, &path, &root));
                }
            }
        }
    }
}

/// Whether index has the same left and right turns in trees of both sizes.
fn same_shape(index: u64, a: u64, b: u64) -> bool {
    let turns = |size: u64| {
        let (mut lo, mut n, mut turns) = (0, size, Vec::new());
        while n > 1 {
            let k = 1 << (63 - (n - 1).leading_zeros());
            let right = index - lo >= k;
            turns.push(right);
            if right {
                lo += k;
                n -= k;
            } else {
                n = k;
            }
        }
        turns
    };
    turns(a) == turns(b)
}

#[test]
fn extra_missing_and_swapped_nodes_are_refused() {
    let all = leaves(11);
    let root = root(&all);
    for index in 0..11 {
        let path = inclusion_path(&all, index).unwrap();
        let leaf = &all[index as usize];
        let mut longer = path.clone();
        longer.push(root);
        assert!(!verify_inclusion(leaf, index, 11, &longer, &root));
        let mut before = path.clone();
        before.insert(0, *leaf);
        assert!(!verify_inclusion(leaf, index, 11, &before, &root));
        let shorter = &path[..path.len() - 1];
        assert!(!verify_inclusion(leaf, index, 11, shorter, &root));
        let mut swapped = path.clone();
        swapped.swap(0, 1);
        assert!(!verify_inclusion(leaf, index, 11, &swapped, &root));
        for old in [3, 4, 7, 10] {
            let old_root = ledger::merkle::root(&all[..old as usize]);
            let path = consistency_path(&all, old).unwrap();
            let mut longer = path.clone();
            longer.push(root);
            assert!(!verify_consistency(old, 11, &longer, &old_root, &root));
            let shorter = &path[..path.len() - 1];
            assert!(!verify_consistency(old, 11, shorter, &old_root, &root));
            assert!(!verify_consistency(old + 1, 11, &path, &old_root, &root));
            assert!(!verify_consistency(old - 1, 11, &path, &old_root, &root));
            assert!(!verify_consistency(old, 11, &path, &root, &root));
            assert!(!verify_consistency(old, 11, &path, &old_root, &old_root));
        }
    }
    assert!(!verify_consistency(12, 11, &[], &root, &root));
    assert!(!verify_consistency(0, 11, &[], &root, &root));
    assert!(verify_consistency(0, 11, &[], &EMPTY_ROOT, &root));
    assert!(!verify_consistency(3, 11, &[], &EMPTY_ROOT, &root));
}

/// Bitcoin doubled a lone last leaf (CVE-2012-2459): two lists of leaves had one root.
#[test]
fn a_doubled_last_leaf_changes_the_root() {
    for count in [1u64, 3, 5, 6, 7, 11] {
        let honest = leaves(count);
        let mut doubled = honest.clone();
        doubled.push(honest[honest.len() - 1]);
        assert_ne!(root(&honest), root(&doubled));
    }
}

/// Without separate hashing an inner node could be shown as a leaf.
#[test]
fn a_node_does_not_pass_as_a_leaf() {
    let all = leaves(4);
    let whole = root(&all);
    let left = node_hash(&all[0], &all[1]);
    let right = node_hash(&all[2], &all[3]);
    // The path would be right if the tree had two leaves; its root is the root of the four.
    let mut data = all[0].to_vec();
    data.extend_from_slice(&all[1]);
    assert_ne!(leaf_hash(&data), left);
    assert!(!verify_inclusion(&leaf_hash(&data), 0, 2, &[right], &whole));
    assert!(!verify_inclusion(&left, 0, 4, &[right], &whole));
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
        let root = naive_root(some);
        prop_assert_eq!(tree.root_at(size).unwrap(), root);
        let mut edge = Frontier::default();
        some.iter().for_each(|leaf| edge.push(*leaf));
        prop_assert_eq!(tree.frontier(size).unwrap(), edge);
        let index = b % size;
        let path = tree.inclusion_proof(index, size).unwrap();
        prop_assert_eq!(&path, &naive_path(index as usize, some));
        prop_assert!(verify_inclusion(&some[index as usize], index, size, &path, &root));
        let old = 1 + b % size;
        let path = tree.consistency_proof(old, size).unwrap();
        prop_assert_eq!(&path, &naive_consistency(old as usize, some, true));
        let old_root = naive_root(&all[..old as usize]);
        prop_assert!(verify_consistency(old, size, &path, &old_root, &root));
        prop_assert_eq!(tree.leaf_hash(index).unwrap(), all[index as usize]);
    }

    /// Nothing that an attacker hands over as a proof may crash the verifier or pass.
    #[test]
    fn random_proofs_do_not_verify(
        index in any::<u64>(),
        size in any::<u64>(),
        path in proptest::collection::vec(any::<[u8; 32]>(), 0..70),
        root in any::<[u8; 32]>(),
        leaf in any::<[u8; 32]>(),
    ) {
        prop_assert!(!verify_inclusion(&leaf, index, size, &path, &root));
        prop_assert!(!verify_consistency(index, size, &path, &leaf, &root));
    }
}

#[test]
fn tiles_hold_subtrees_of_256() {
    let all = leaves(256 * 3 + 5);
    let store = stored(&all, &[100]).into_store();
    let level1 = &store.tiles[&(1, 0)];
    assert_eq!(level1.len(), 3 * 32);
    assert_eq!(level1[..32], naive_root(&all[..256]));
    assert_eq!(level1[64..], naive_root(&all[512..768]));
    assert_eq!(store.tiles[&(0, 3)].len(), 5 * 32);
    assert_eq!(store.tiles[&(0, 0)].len() as u64, TILE_WIDTH * 32);
}
