//! Merkle trees of RFC 6962 over hashes that a query brings along: roots, proofs and their
//! verification. They read nothing, so everybody may call them. What cannot be a tree is an error
//! that says why; what cannot be a proof does not verify.

use crate::error::raise;
use ledger::Hash;
use ledger::merkle;
use pgrx::prelude::*;

/// The most leaves of one call; so many take about 0.1 s to hash, which nothing interrupts.
const MAX_LEAVES: usize = 1 << 20;
/// No path is longer: two borders of a range, 63 nodes each.
const MAX_PATH: usize = 126;

/// The hash of a leaf with this content: SHA-256 of a zero byte and the content.
#[pg_extern(immutable, strict, parallel_safe)]
fn merkle_leaf_hash(data: &[u8]) -> Vec<u8> {
    merkle::leaf_hash(data).into()
}

/// The root of the tree of these leaf hashes.
#[pg_extern(immutable, strict, parallel_safe)]
fn merkle_root(leaf_hashes: Array<'_, &[u8]>) -> Vec<u8> {
    merkle::root(&hashes(&leaf_hashes)).into()
}

/// What shows that leaf `index`, counted from 0, is in the tree of these leaf hashes.
#[pg_extern(immutable, strict, parallel_safe)]
fn merkle_inclusion_proof(leaf_hashes: Array<'_, &[u8]>, index: i64) -> Vec<Vec<u8>> {
    let leaves = hashes(&leaf_hashes);
    let path = u64::try_from(index)
        .ok()
        .and_then(|index| merkle::inclusion_path(&leaves, index));
    shown(path.unwrap_or_else(|| outside(format!("leaf {index} is"), leaves.len())))
}

/// What shows that the tree of these leaf hashes begins with that of its first `old_size`.
#[pg_extern(immutable, strict, parallel_safe)]
fn merkle_consistency_proof(leaf_hashes: Array<'_, &[u8]>, old_size: i64) -> Vec<Vec<u8>> {
    let leaves = hashes(&leaf_hashes);
    let path = u64::try_from(old_size)
        .ok()
        .and_then(|old| merkle::consistency_path(&leaves, old));
    let path =
        path.unwrap_or_else(|| outside(format!("the first {old_size} leaves are"), leaves.len()));
    shown(path)
}

/// What shows that the `count` leaves from `first` on are in the tree of these leaf hashes.
#[pg_extern(immutable, strict, parallel_safe)]
fn merkle_range_proof(leaf_hashes: Array<'_, &[u8]>, first: i64, count: i64) -> Vec<Vec<u8>> {
    let leaves = hashes(&leaf_hashes);
    let range = u64::try_from(first).ok().zip(u64::try_from(count).ok());
    let path = range.and_then(|(first, count)| merkle::range_path(&leaves, first, count));
    let path = path.unwrap_or_else(|| {
        outside(
            format!("a range of {count} leaves from {first} on is"),
            leaves.len(),
        )
    });
    shown(path)
}

/// Whether `path` shows that a leaf is at `index` in the tree of `size` leaves with this root.
#[pg_extern(immutable, strict, parallel_safe)]
fn merkle_verify_inclusion(
    leaf_hash: &[u8],
    index: i64,
    size: i64,
    path: Array<'_, &[u8]>,
    root: &[u8],
) -> bool {
    let verified = || {
        let path = path_of(&path)?;
        let (index, size) = (u64::try_from(index).ok()?, u64::try_from(size).ok()?);
        let (leaf, root) = (hash(leaf_hash)?, hash(root)?);
        Some(merkle::verify_inclusion(&leaf, index, size, &path, &root))
    };
    verified().unwrap_or(false)
}

/// Whether `path` shows that the tree of `size1` leaves is the beginning of that of `size2`.
#[pg_extern(immutable, strict, parallel_safe)]
fn merkle_verify_consistency(
    size1: i64,
    size2: i64,
    path: Array<'_, &[u8]>,
    root1: &[u8],
    root2: &[u8],
) -> bool {
    let verified = || {
        let path = path_of(&path)?;
        let (old, new) = (u64::try_from(size1).ok()?, u64::try_from(size2).ok()?);
        let (old_root, root) = (hash(root1)?, hash(root2)?);
        Some(merkle::verify_consistency(
            old, new, &path, &old_root, &root,
        ))
    };
    verified().unwrap_or(false)
}

/// Whether `path` shows that these are the leaves from `first` on in the tree of `size` leaves
/// with this root.
#[pg_extern(immutable, strict, parallel_safe)]
fn merkle_verify_range(
    leaf_hashes: Array<'_, &[u8]>,
    first: i64,
    size: i64,
    path: Array<'_, &[u8]>,
    root: &[u8],
) -> bool {
    bound(&leaf_hashes);
    let verified = || {
        let (leaves, path) = (given(&leaf_hashes)?, path_of(&path)?);
        let (first, size) = (u64::try_from(first).ok()?, u64::try_from(size).ok()?);
        Some(merkle::verify_range(
            &leaves,
            first,
            size,
            &path,
            &hash(root)?,
        ))
    };
    verified().unwrap_or(false)
}

/// All of them, or an error that names what is no hash.
fn hashes(leaf_hashes: &Array<'_, &[u8]>) -> Vec<Hash> {
    bound(leaf_hashes);
    let leaves = leaf_hashes.iter().enumerate();
    leaves
        .map(|(at, bytes)| bytes.and_then(hash).unwrap_or_else(|| no_hash(at, bytes)))
        .collect()
}

fn bound(leaf_hashes: &Array<'_, &[u8]>) {
    if leaf_hashes.len() > MAX_LEAVES {
        raise(
            PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
            format!(
                "{} leaf hashes are more than {MAX_LEAVES}",
                leaf_hashes.len()
            ),
            "The roots of successive groups of 2^n leaves have the same root as the leaves.",
        )
    }
}

fn no_hash(at: usize, bytes: Option<&[u8]>) -> ! {
    let what = match bytes {
        None => "is NULL".to_owned(),
        Some(bytes) => format!("has {} bytes, a hash has 32", bytes.len()),
    };
    raise(
        PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
        format!("element {} of leaf_hashes {what}", at + 1),
        "merkle_leaf_hash() makes a leaf hash of any bytes.",
    )
}

fn outside(what: String, size: usize) -> ! {
    raise(
        PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
        format!("{what} not in a tree of {size} leaves"),
        "Leaves are counted from 0.",
    )
}

fn hash(bytes: &[u8]) -> Option<Hash> {
    bytes.try_into().ok()
}

fn given(hashes: &Array<'_, &[u8]>) -> Option<Vec<Hash>> {
    hashes.iter().map(|bytes| bytes.and_then(hash)).collect()
}

fn path_of(path: &Array<'_, &[u8]>) -> Option<Vec<Hash>> {
    (path.len() <= MAX_PATH).then(|| given(path))?
}

fn shown(path: Vec<Hash>) -> Vec<Vec<u8>> {
    path.into_iter().map(Vec::from).collect()
}
