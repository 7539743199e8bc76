//! Inclusion and consistency proofs: how they are laid out (RFC 6962, 2.1.1 and 2.1.2), and how
//! they are verified (RFC 9162, 2.1.3.2 and 2.1.4.2). The length of a proof follows from index
//! and size alone; a path that is shorter or longer does not verify.

use std::convert::Infallible;

use super::{EMPTY_ROOT, node_hash, root};
use crate::hash::Hash;

/// The largest power of two below `n`; `n` is at least 2.
pub(super) fn split(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}

/// The inclusion path of leaf `index` in a tree of `size`, leaf to root. `range(lo, n)` gives the
/// root over the leaves `lo..lo + n`. None if `index` is outside.
pub(super) fn inclusion<E>(
    index: u64,
    size: u64,
    mut range: impl FnMut(u64, u64) -> Result<Hash, E>,
) -> Result<Option<Vec<Hash>>, E> {
    if index >= size {
        return Ok(None);
    }
    let (mut lo, mut n) = (0, size);
    let mut path = Vec::new();
    while n > 1 {
        let k = split(n);
        if index - lo < k {
            path.push(range(lo + k, n - k)?);
            n = k;
        } else {
            path.push(range(lo, k)?);
            lo += k;
            n -= k;
        }
    }
    path.reverse();
    Ok(Some(path))
}

/// The consistency path between the first `old` leaves and a tree of `size`. None if `old` is
/// greater than `size`.
pub(super) fn consistency<E>(
    old: u64,
    size: u64,
    mut range: impl FnMut(u64, u64) -> Result<Hash, E>,
) -> Result<Option<Vec<Hash>>, E> {
    if old > size {
        return Ok(None);
    }
    if old == 0 || old == size {
        return Ok(Some(Vec::new()));
    }
    let (mut lo, mut m, mut n) = (0, old, size);
    let mut path = Vec::new();
    while m != n {
        let k = split(n);
        if m <= k {
            path.push(range(lo + k, n - k)?);
            n = k;
        } else {
            path.push(range(lo, k)?);
            lo += k;
            m -= k;
            n -= k;
        }
    }
    // The old tree itself needs no naming when it is one subtree of the new one.
    if lo != 0 {
        path.push(range(lo, n)?);
    }
    path.reverse();
    Ok(Some(path))
}

/// The inclusion path of leaf `index` among these leaf hashes; none if it is outside.
pub fn inclusion_path(leaf_hashes: &[Hash], index: u64) -> Option<Vec<Hash>> {
    let result = inclusion(index, leaf_hashes.len() as u64, |lo, n| {
        Ok::<_, Infallible>(slice_root(leaf_hashes, lo, n))
    });
    match result {
        Ok(path) => path,
    }
}

/// The consistency path from the first `old` of these leaf hashes to all of them; none if `old`
/// is greater than their number.
pub fn consistency_path(leaf_hashes: &[Hash], old: u64) -> Option<Vec<Hash>> {
    let result = consistency(old, leaf_hashes.len() as u64, |lo, n| {
        Ok::<_, Infallible>(slice_root(leaf_hashes, lo, n))
    });
    match result {
        Ok(path) => path,
    }
}

fn slice_root(leaf_hashes: &[Hash], lo: u64, n: u64) -> Hash {
    let (lo, hi) = (lo as usize, (lo + n) as usize);
    leaf_hashes.get(lo..hi).map_or(EMPTY_ROOT, root)
}

/// Whether `path` shows that `leaf_hash` is leaf `index` of the tree of `size` leaves with `root`.
pub fn verify_inclusion(
    leaf_hash: &Hash,
    index: u64,
    size: u64,
    path: &[Hash],
    root: &Hash,
) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last) = (index, size - 1);
    let mut node = *leaf_hash;
    for sibling in path {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            node = node_hash(sibling, &node);
            // A lone last node moves up unhashed until it has a sibling on its left.
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            node = node_hash(&node, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && node == *root
}

/// Whether `path` shows that the tree of `old` leaves with `old_root` is the beginning of the tree
/// of `size` leaves with `root`.
pub fn verify_consistency(
    old: u64,
    size: u64,
    path: &[Hash],
    old_root: &Hash,
    root: &Hash,
) -> bool {
    if old > size {
        return false;
    }
    if old == size {
        return path.is_empty() && old_root == root;
    }
    if old == 0 {
        return path.is_empty() && *old_root == EMPTY_ROOT;
    }
    let mut rest = path.iter();
    let first = if old.is_power_of_two() {
        Some(old_root)
    } else {
        rest.next()
    };
    let Some(first) = first else {
        return false;
    };
    let (mut place, mut last) = (old - 1, size - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut old_node, mut node) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            old_node = node_hash(sibling, &old_node);
            node = node_hash(sibling, &node);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            node = node_hash(&node, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && old_node == *old_root && node == *root
}
