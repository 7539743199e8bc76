//! The paths of proofs: how they are laid out and how they are verified. Those of one leaf are
//! the inclusion paths of RFC 6962, 2.1.1, those between two sizes its consistency paths (2.1.2);
//! a path of a range of leaves joins the inclusion paths of its leaves, without what follows from
//! the leaves themselves. The length of a path follows from the range and the size alone; one
//! that is shorter or longer does not verify.

use std::convert::Infallible;
use std::ops::Range;
use std::slice;

use super::walk::fold;
use super::{EMPTY_ROOT, node_hash, root};
use crate::hash::Hash;

/// The path of a range of leaves in a tree of `size`: the subtrees beside it. `node(lo, n)` gives
/// the root over the leaves `lo..lo + n`. None if the range is empty or not in the tree.
pub(super) fn range_nodes<E>(
    first: u64,
    count: u64,
    size: u64,
    mut node: impl FnMut(u64, u64) -> Result<Hash, E>,
) -> Result<Option<Vec<Hash>>, E> {
    let Some(range) = range_within(first, count, size) else {
        return Ok(None);
    };
    let mut path = Vec::new();
    let mut visit = |lo, n, inside: bool| {
        if !inside {
            path.push(node(lo, n)?);
        }
        Ok(())
    };
    fold((0, size), &range, &mut visit, &|(), ()| ())?;
    Ok(Some(path))
}

/// The consistency path between the first `old` leaves and a tree of `size`. None if `old` is
/// greater than `size`.
pub(super) fn consistency_nodes<E>(
    old: u64,
    size: u64,
    mut node: impl FnMut(u64, u64) -> Result<Hash, E>,
) -> Result<Option<Vec<Hash>>, E> {
    if old > size {
        return Ok(None);
    }
    let mut path = Vec::new();
    if old > 0 {
        let mut visit = |lo, n, inside| {
            if !is_old_tree(old, n, inside) {
                path.push(node(lo, n)?);
            }
            Ok(())
        };
        fold((0, size), &(0..old), &mut visit, &|(), ()| ())?;
    }
    Ok(Some(path))
}

/// Whether a subtree is the whole old tree, which both sides know already.
fn is_old_tree(old: u64, n: u64, inside: bool) -> bool {
    inside && n == old
}

fn length<E>(
    range: &Range<u64>,
    size: u64,
    counts: impl Fn(u64, bool) -> bool,
) -> Result<usize, E> {
    let mut node = |_, n, inside| Ok(usize::from(counts(n, inside)));
    fold((0, size), range, &mut node, &|a, b| a + b)
}

/// How many hashes an inclusion path has, at most 64; none if there is no such leaf.
pub fn inclusion_length(index: u64, size: u64) -> Option<usize> {
    range_length(index, 1, size)
}

/// How many hashes the path of the `count` leaves from `first` on has, at most 126; none if the
/// range is empty or not in the tree.
pub fn range_length(first: u64, count: u64, size: u64) -> Option<usize> {
    let range = range_within(first, count, size)?;
    let Ok(length) = length::<Infallible>(&range, size, |_, inside| !inside);
    Some(length)
}

fn range_within(first: u64, count: u64, size: u64) -> Option<Range<u64>> {
    let end = first.checked_add(count)?;
    (count > 0 && end <= size).then_some(first..end)
}

/// How many hashes a consistency path has, at most 65; none if `old` is greater than `size`.
pub fn consistency_length(old: u64, size: u64) -> Option<usize> {
    if old > size {
        return None;
    }
    if old == 0 {
        return Some(0);
    }
    let Ok(length) =
        length::<Infallible>(&(0..old), size, |n, inside| !is_old_tree(old, n, inside));
    Some(length)
}

/// The inclusion path of leaf `index` among these leaf hashes; none if it is outside.
pub fn inclusion_path(leaf_hashes: &[Hash], index: u64) -> Option<Vec<Hash>> {
    range_path(leaf_hashes, index, 1)
}

/// The path of the `count` leaves from `first` on among these leaf hashes; none if there are none
/// or they reach beyond.
pub fn range_path(leaf_hashes: &[Hash], first: u64, count: u64) -> Option<Vec<Hash>> {
    let node = |lo, n| Ok::<_, Infallible>(slice_root(leaf_hashes, lo, n));
    let Ok(path) = range_nodes(first, count, leaf_hashes.len() as u64, node);
    path
}

/// The consistency path from the first `old` of these leaf hashes to all of them; none if `old`
/// is greater than their number.
pub fn consistency_path(leaf_hashes: &[Hash], old: u64) -> Option<Vec<Hash>> {
    let node = |lo, n| Ok::<_, Infallible>(slice_root(leaf_hashes, lo, n));
    let Ok(path) = consistency_nodes(old, leaf_hashes.len() as u64, node);
    path
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
    verify_range(slice::from_ref(leaf_hash), index, size, path, root)
}

/// Whether `path` shows that `leaf_hashes` are the leaves from `first` on, one or more of them, of
/// the tree of `size` leaves with `root`.
pub fn verify_range(
    leaf_hashes: &[Hash],
    first: u64,
    size: u64,
    path: &[Hash],
    root: &Hash,
) -> bool {
    let Some(range) = range_within(first, leaf_hashes.len() as u64, size) else {
        return false;
    };
    let mut rest = path.iter();
    let mut node = |lo, n, inside| match inside {
        true => Ok(slice_root(leaf_hashes, lo - first, n)),
        false => rest.next().copied().ok_or(()),
    };
    let computed = fold((0, size), &range, &mut node, &|left, right| {
        node_hash(&left, &right)
    });
    computed.as_ref() == Ok(root) && rest.next().is_none()
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
    if old == 0 {
        let may_be = size > 0 || *root == EMPTY_ROOT;
        return path.is_empty() && *old_root == EMPTY_ROOT && may_be;
    }
    let mut rest = path.iter();
    // Of each subtree what it is to the old tree, if it is in it, and to the new one.
    let mut node = |_, n, inside| {
        let hash = match is_old_tree(old, n, inside) {
            true => old_root,
            false => rest.next().ok_or(())?,
        };
        Ok::<_, ()>((inside.then_some(*hash), *hash))
    };
    let join = |left: (Option<Hash>, Hash), right: (Option<Hash>, Hash)| {
        let grown = node_hash(&left.1, &right.1);
        let before = match (left.0, right.0) {
            (Some(left), Some(right)) => Some(node_hash(&left, &right)),
            (one, other) => one.or(other),
        };
        (before, grown)
    };
    let computed = fold((0, size), &(0..old), &mut node, &join);
    computed == Ok((Some(*old_root), *root)) && rest.next().is_none()
}
