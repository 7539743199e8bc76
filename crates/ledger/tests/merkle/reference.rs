//! RFC 6962 and RFC 9162 once more, word by word: slow, or in loops where ours is one walk.

use ledger::Hash;
use ledger::hash::sha256;
use ledger::merkle::{EMPTY_ROOT, node_hash};

fn split(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

/// RFC 6962, 2.1, word by word.
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(&[]),
        [only] => *only,
        many => {
            let k = split(many.len());
            node_hash(&root(&many[..k]), &root(&many[k..]))
        }
    }
}

/// RFC 6962, 2.1.1, word by word.
pub fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    if index < k {
        let mut path = path(index, left);
        path.push(root(right));
        path
    } else {
        let mut path = path(index - k, right);
        path.push(root(left));
        path
    }
}

/// RFC 6962, 2.1.2, word by word.
pub fn consistency(m: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    let n = leaves.len();
    if m == n {
        return if whole {
            Vec::new()
        } else {
            vec![root(leaves)]
        };
    }
    let k = split(n);
    let (left, right) = leaves.split_at(k);
    if m <= k {
        let mut path = consistency(m, left, whole);
        path.push(root(right));
        path
    } else {
        let mut path = consistency(m - k, right, false);
        path.push(root(left));
        path
    }
}

/// The path of the leaves `first..end`: of two siblings the one that lies beside the range comes
/// after all of the other, else the left one comes first.
pub fn range_path(first: usize, end: usize, leaves: &[Hash]) -> Vec<Hash> {
    if first == 0 && end == leaves.len() {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    if end <= k {
        let mut path = range_path(first, end, left);
        path.push(root(right));
        path
    } else if first >= k {
        let mut path = range_path(first - k, end - k, right);
        path.push(root(left));
        path
    } else {
        let mut path = range_path(first, k, left);
        path.extend(range_path(0, end - k, right));
        path
    }
}

/// RFC 9162, 2.1.3.2, step by step.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last) = (index, size - 1);
    let mut node = *leaf;
    for sibling in path {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
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
    last == 0 && node == *root
}

/// RFC 9162, 2.1.4.2, step by step, and the cases that it leaves to its reader: equal sizes, and
/// an old tree without leaves.
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
    if old == size {
        return path.is_empty() && old_root == root;
    }
    let mut path = path.to_vec();
    if path.is_empty() {
        return false;
    }
    if old.is_power_of_two() {
        path.insert(0, *old_root);
    }
    let (mut place, mut last) = (old - 1, size - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut old_node, mut node) = (path[0], path[0]);
    for sibling in &path[1..] {
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
