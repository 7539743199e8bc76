//! Answers that others published: the eight leaves of certificate-transparency's tests with the
//! hashes of all their nodes (transparency-dev/merkle, testonly/constants.go), and the paths that
//! RFC 6962, 2.1.3, and RFC 9162, 2.1.5, work out. Whoever holds a proof of ours verifies it with
//! tools that pass these.

use std::collections::BTreeMap;

use ledger::Hash;
use ledger::hash::sha256;
use ledger::merkle::*;

use super::log::stored;

const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

/// The roots of the trees of the first 1 to 8 leaves.
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// The complete subtrees, by the leaves below them.
const NODES: [(&str, &str); 14] = [
    (
        "0",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    ),
    (
        "1",
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    ),
    (
        "2",
        "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
    ),
    (
        "3",
        "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
    ),
    (
        "4",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
    (
        "5",
        "4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658",
    ),
    (
        "6",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
    ),
    (
        "7",
        "46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1",
    ),
    (
        "01",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    ),
    (
        "23",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    ),
    (
        "45",
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    ),
    (
        "67",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    ),
    (
        "0123",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (
        "4567",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
];

/// For each size the inclusion paths of its leaves, leaf to root.
const INCLUSION: [&[&str]; 8] = [
    &[""],
    &["1", "0"],
    &["1 2", "0 2", "01"],
    &["1 23", "0 23", "3 01", "2 01"],
    &["1 23 4", "0 23 4", "3 01 4", "2 01 4", "0123"],
    &[
        "1 23 45", "0 23 45", "3 01 45", "2 01 45", "5 0123", "4 0123",
    ],
    // RFC 6962, 2.1.3, gives those of leaves 0, 3, 4 and 6.
    &[
        "1 23 456", "0 23 456", "3 01 456", "2 01 456", "5 6 0123", "4 6 0123", "45 0123",
    ],
    &[
        "1 23 4567",
        "0 23 4567",
        "3 01 4567",
        "2 01 4567",
        "5 67 0123",
        "4 67 0123",
        "7 45 0123",
        "6 45 0123",
    ],
];

/// For each size the consistency paths from the sizes 1 to itself.
const CONSISTENCY: [&[&str]; 8] = [
    &[""],
    &["1", ""],
    &["1 2", "2", ""],
    &["1 23", "23", "2 3 01", ""],
    &["1 23 4", "23 4", "2 3 01 4", "4", ""],
    &["1 23 45", "23 45", "2 3 01 45", "45", "4 5 0123", ""],
    // RFC 6962, 2.1.3, gives those from 3, 4 and 6.
    &[
        "1 23 456",
        "23 456",
        "2 3 01 456",
        "456",
        "4 5 6 0123",
        "45 6 0123",
        "",
    ],
    &[
        "1 23 4567",
        "23 4567",
        "2 3 01 4567",
        "4567",
        "4 5 67 0123",
        "45 67 0123",
        "6 7 45 0123",
        "",
    ],
];

fn hash(text: &str) -> Hash {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).unwrap();
    bytes
}

fn standard_leaves() -> Vec<Hash> {
    let data = LEAVES.map(|text| hex::decode(text).unwrap());
    data.iter().map(|data| leaf_hash(data)).collect()
}

fn path(names: &str) -> Vec<Hash> {
    let nodes: BTreeMap<&str, &str> = NODES.into();
    let node = |name| match name {
        // The right half of seven leaves is no complete subtree, so nobody lists it.
        "456" => node_hash(&hash(nodes["45"]), &hash(nodes["6"])),
        complete => hash(nodes[complete]),
    };
    names.split_whitespace().map(node).collect()
}

#[test]
fn roots() {
    assert_eq!(root(&[]), EMPTY_ROOT);
    assert_eq!(EMPTY_ROOT, sha256(&[]));
    let leaves = standard_leaves();
    let mut edge = Frontier::default();
    for (count, expected) in ROOTS.iter().enumerate() {
        edge.push(leaves[count]);
        assert_eq!(edge.root(), hash(expected), "{} leaves", count + 1);
        assert_eq!(root(&leaves[..=count]), hash(expected));
        let tree = stored(&leaves[..=count], &[3]);
        assert_eq!(tree.root().unwrap(), hash(expected));
    }
}

#[test]
fn inclusion_paths() {
    let leaves = standard_leaves();
    for (size, paths) in (1..).zip(INCLUSION) {
        let root = hash(ROOTS[size - 1]);
        for (index, names) in paths.iter().enumerate() {
            let expected = path(names);
            let (index, leaf) = (index as u64, hash(NODES[index].1));
            assert_eq!(
                inclusion_path(&leaves[..size], index),
                Some(expected.clone())
            );
            assert!(verify_inclusion(
                &leaf,
                index,
                size as u64,
                &expected,
                &root
            ));
        }
    }
}

#[test]
fn consistency_paths() {
    let leaves = standard_leaves();
    for (size, paths) in (1..).zip(CONSISTENCY) {
        let root = hash(ROOTS[size - 1]);
        for (old, names) in (1..).zip(paths) {
            let expected = path(names);
            assert_eq!(
                consistency_path(&leaves[..size], old),
                Some(expected.clone())
            );
            let old_root = hash(ROOTS[old as usize - 1]);
            assert!(verify_consistency(
                old,
                size as u64,
                &expected,
                &old_root,
                &root
            ));
        }
    }
}
