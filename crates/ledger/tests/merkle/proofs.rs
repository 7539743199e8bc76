//! What a path proves, and what it must not.

use ledger::merkle::*;
use proptest::prelude::*;

use super::log::stored;
use super::{leaves, reference};

#[test]
fn every_pair_of_small_sizes_agrees_with_the_rfc() {
    let all = leaves(40);
    let tree = stored(&all, &[7, 1]);
    for size in 1..=all.len() {
        let some = &all[..size];
        let root = reference::root(some);
        assert_eq!(tree.root_at(size as u64).unwrap(), root);
        for (index, leaf) in some.iter().enumerate() {
            let path = reference::path(index, some);
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
            let path = reference::consistency(old, some, true);
            assert_eq!(consistency_path(some, old as u64), Some(path.clone()));
            assert_eq!(
                tree.consistency_proof(old as u64, size as u64).unwrap(),
                path
            );
            let old_root = reference::root(&all[..old]);
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

/// An auditor who is shown a block's leaves must be shown all of them and nothing else.
#[test]
fn every_range_of_small_trees_is_proved_and_nothing_else() {
    let all = leaves(21);
    for size in 1..=all.len() {
        let some = &all[..size];
        let root = reference::root(some);
        let tree = stored(some, &[5]);
        for first in 0..size {
            for end in first + 1..=size {
                let (lo, count, of) = (first as u64, (end - first) as u64, size as u64);
                let path = reference::range_path(first, end, some);
                assert_eq!(range_path(some, lo, count), Some(path.clone()));
                assert_eq!(tree.range_proof(lo, count, of).unwrap(), path);
                assert_eq!(range_length(lo, count, of), Some(path.len()));
                let shown = &some[first..end];
                assert!(verify_range(shown, lo, of, &path, &root));
                assert!(!verify_range(shown, lo + 1, of, &path, &root));
                assert!(!verify_range(&shown[1..], lo, of, &path, &root));
                assert!(!verify_range(&shown[1..], lo + 1, of, &path, &root));
                assert!(!verify_range(
                    &[shown, &[root]].concat(),
                    lo,
                    of,
                    &path,
                    &root
                ));
                let longer = [path.as_slice(), &[root]].concat();
                assert!(!verify_range(shown, lo, of, &longer, &root));
                for at in 0..path.len() {
                    let mut other = path.clone();
                    other[at][31] ^= 1;
                    assert!(!verify_range(shown, lo, of, &other, &root));
                    other.remove(at);
                    assert!(!verify_range(shown, lo, of, &other, &root));
                }
                for at in 0..shown.len() {
                    let mut other = shown.to_vec();
                    other[at][0] ^= 1;
                    assert!(!verify_range(&other, lo, of, &path, &root));
                }
            }
        }
    }
    assert_eq!(range_path(&all, 3, 0), None);
    assert_eq!(range_path(&all, 20, 2), None);
    assert_eq!(range_path(&all, u64::MAX, 2), None);
    assert!(!verify_range(&[], 0, 0, &[], &EMPTY_ROOT));
    assert!(!verify_range(&[], 3, 21, &[root(&all)], &root(&all)));
    assert!(!verify_range(
        &all[..2],
        u64::MAX,
        u64::MAX,
        &[],
        &root(&all)
    ));
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
    assert!(verify_consistency(0, 0, &[], &EMPTY_ROOT, &EMPTY_ROOT));
    assert!(!verify_consistency(0, 0, &[], &EMPTY_ROOT, &root));
    assert!(!verify_consistency(0, 0, &[], &root, &root));
    assert!(!verify_consistency(0, 0, &[root], &EMPTY_ROOT, &EMPTY_ROOT));
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

proptest! {
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
        prop_assert!(!verify_range(&[leaf; 3], index, size, &path, &root));
    }
    /// What the RFC's own loops accept and what our walk accepts must be the same, or an auditor
    /// with another tool would judge otherwise.
    #[test]
    fn the_walk_agrees_with_the_loops_of_the_rfc(
        size in 1u64..80,
        place in any::<u64>(),
        changes in proptest::collection::vec((0usize..8, 0u8..5, any::<u64>()), 0..3),
    ) {
        let all = leaves(size);
        let root = root(&all);
        let (mut index, mut old, mut of) = (place % size, 1 + place % size, size);
        let mut path = inclusion_path(&all, index).unwrap();
        let mut grown = consistency_path(&all, old).unwrap();
        let leaf = all[index as usize];
        let old_root = reference::root(&all[..old as usize]);
        for (at, change, value) in changes {
            match change {
                0 => index = value % 90,
                1 => old = value % 90,
                2 => of = value % 90,
                _ => {
                    let node = all[(value % size) as usize];
                    for hashes in [&mut path, &mut grown] {
                        match at < hashes.len() {
                            true if change == 3 => drop(hashes.remove(at)),
                            true => hashes.insert(at, node),
                            false => hashes.push(node),
                        }
                    }
                }
            }
        }
        prop_assert_eq!(
            verify_inclusion(&leaf, index, of, &path, &root),
            reference::verify_inclusion(&leaf, index, of, &path, &root)
        );
        prop_assert_eq!(
            verify_consistency(old, of, &grown, &old_root, &root),
            reference::verify_consistency(old, of, &grown, &old_root, &root)
        );
    }
}
