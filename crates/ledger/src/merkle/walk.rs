//! The one walk that all proofs are laid out and verified by: over the subtrees that RFC 6962
//! splits a tree into, down to those that lie inside a range of leaves or outside of it.

use std::ops::Range;

/// The largest power of two below `n`; `n` is at least 2.
pub(super) fn split(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}

/// How a subtree lies to the range; a walk goes to the lesser of two siblings first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Lies {
    Across,
    Inside,
    Outside,
}

fn lies(range: &Range<u64>, lo: u64, n: u64) -> Lies {
    let hi = lo + n;
    if range.start <= lo && hi <= range.end {
        Lies::Inside
    } else if hi <= range.start || range.end <= lo {
        Lies::Outside
    } else {
        Lies::Across
    }
}

/// Folds the tree of the `n` leaves from `lo` on: `node(lo, n, inside)` is asked for each largest
/// subtree that is inside or outside of `range`, `join` makes one of two siblings, left and right.
///
/// Of two siblings the one that the range's border runs through comes first, so that the nodes
/// come leaf to root as in the paths of RFC 6962; then what is inside; at last the left one.
/// The recursion is at most 64 deep, and each level of it asks for at most two nodes.
///
/// # Errors
/// The first of `node`.
pub(super) fn fold<V, E>(
    (lo, n): (u64, u64),
    range: &Range<u64>,
    node: &mut impl FnMut(u64, u64, bool) -> Result<V, E>,
    join: &impl Fn(V, V) -> V,
) -> Result<V, E> {
    match lies(range, lo, n) {
        Lies::Inside => return node(lo, n, true),
        Lies::Outside => return node(lo, n, false),
        Lies::Across => {}
    }
    // What a border runs through has at least two leaves.
    let k = split(n);
    let (left, right) = ((lo, k), (lo + k, n - k));
    if lies(range, right.0, right.1) < lies(range, left.0, left.1) {
        let right = fold(right, range, node, join)?;
        Ok(join(fold(left, range, node, join)?, right))
    } else {
        let left = fold(left, range, node, join)?;
        Ok(join(left, fold(right, range, node, join)?))
    }
}
