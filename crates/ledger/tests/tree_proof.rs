//! Proofs about the tree as files: their bytes and texts, and what is refused. Auditors keep
//! these for years: if a golden value fails, the format has changed and needs a new version.

use ledger::merkle::{
    consistency_length, consistency_path, inclusion_length, inclusion_path, leaf_hash,
    range_length, range_path, root,
};
use ledger::{
    ConsistencyProof, DecodeError, Hash, InclusionProof, ProofFault, RangeProof, TreeProof,
};
use proptest::prelude::*;

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

fn inclusion(index: u64, size: u64) -> InclusionProof {
    let path = inclusion_path(&leaves(size), index).unwrap();
    InclusionProof::new(index, size, path).unwrap()
}

fn consistency(old: u64, size: u64) -> ConsistencyProof {
    let path = consistency_path(&leaves(size), old).unwrap();
    ConsistencyProof::new(old, size, path).unwrap()
}

fn range(first: u64, count: u64, size: u64) -> RangeProof {
    let path = range_path(&leaves(size), first, count).unwrap();
    RangeProof::new(first, count, size, path).unwrap()
}

fn numbers(kind: u8, numbers: &[u64], path: &[Hash]) -> Vec<u8> {
    let mut bytes = vec![1, kind];
    numbers.iter().for_each(|n| bytes.extend(n.to_be_bytes()));
    bytes.extend(path.as_flattened());
    bytes
}

#[test]
fn golden_bytes() {
    let leaves = leaves(7);
    let left = root(&leaves[..4]);
    let proof = inclusion(5, 7);
    let path = [leaves[4], leaves[6], left];
    assert_eq!(proof.path(), path);
    assert_eq!(proof.to_bytes(), numbers(1, &[5, 7], &path));
    let proof = consistency(6, 7);
    let path = [root(&leaves[4..6]), leaves[6], left];
    assert_eq!(proof.path(), path);
    assert_eq!(proof.to_bytes(), numbers(2, &[6, 7], &path));
    let proof = range(1, 4, 7);
    let path = [leaves[0], leaves[5], leaves[6]];
    assert_eq!(proof.path(), path);
    assert_eq!(proof.to_bytes(), numbers(3, &[1, 4, 7], &path));
}

#[test]
fn golden_text() {
    let text = |proof: TreeProof| proof.to_json().unwrap();
    assert_eq!(
        text(consistency(3, 4).into()),
        r#"{
  "proof": "consistency",
  "format": 1,
  "old_size": 3,
  "tree_size": 4,
  "path": [
    "d81f51781eeb8f46a0e112e86ca335896ccc12cee00e6cfcf58a3501129dfc24",
    "feebf1863bd1fceedfeff2693829d50ffbcac100d0fbe745482e032f93f6bafb",
    "a7d91894b61fbf46378d88e3e1b1f7aef39532c504b484bd31551d15e0a09dff"
  ]
}"#
    );
    assert_eq!(
        text(inclusion(0, 1).into()),
        "{\n  \"proof\": \"inclusion\",\n  \"format\": 1,\n  \"leaf_index\": 0,\n  \
         \"tree_size\": 1,\n  \"path\": []\n}"
    );
    assert_eq!(
        text(range(0, 2, 2).into()),
        "{\n  \"proof\": \"range\",\n  \"format\": 1,\n  \"first_leaf\": 0,\n  \
         \"leaf_count\": 2,\n  \"tree_size\": 2,\n  \"path\": []\n}"
    );
}

/// A proof that is read back must prove the same as the one that was kept.
#[test]
fn every_small_proof_comes_back_and_holds() {
    for size in 1..20 {
        let all = leaves(size);
        let whole = root(&all);
        for first in 0..size {
            let proof = inclusion(first, size);
            assert_eq!(
                InclusionProof::from_bytes(&proof.to_bytes()),
                Ok(proof.clone())
            );
            assert_eq!(
                InclusionProof::from_json(&proof.to_json().unwrap()),
                Ok(proof.clone())
            );
            assert!(proof.verify(&all[first as usize], &whole));
            let old = first + 1;
            let proof = consistency(old, size);
            assert_eq!(
                ConsistencyProof::from_bytes(&proof.to_bytes()),
                Ok(proof.clone())
            );
            assert_eq!(
                ConsistencyProof::from_json(&proof.to_json().unwrap()),
                Ok(proof.clone())
            );
            assert!(proof.verify(&root(&all[..old as usize]), &whole));
            for count in 1..=size - first {
                let proof = range(first, count, size);
                assert_eq!(RangeProof::from_bytes(&proof.to_bytes()), Ok(proof.clone()));
                assert_eq!(
                    RangeProof::from_json(&proof.to_json().unwrap()),
                    Ok(proof.clone())
                );
                let some = &all[first as usize..(first + count) as usize];
                assert!(proof.verify(some, &whole));
                assert!(!proof.verify(&some[1..], &whole));
            }
        }
    }
}

#[test]
fn a_path_of_another_length_is_no_proof() {
    let path = inclusion(5, 7).path().to_vec();
    let fault = |found| ProofFault::PathLength { found, expected: 3 };
    assert_eq!(InclusionProof::new(5, 7, path[1..].to_vec()), Err(fault(2)));
    assert_eq!(ConsistencyProof::new(6, 7, vec![]), Err(fault(0)));
    assert_eq!(
        RangeProof::new(1, 4, 7, [path, vec![[0; 32]]].concat()),
        Err(fault(4))
    );
    let place = ProofFault::Field("the place in the tree");
    assert_eq!(InclusionProof::new(7, 7, vec![]), Err(place.clone()));
    assert_eq!(
        InclusionProof::new(u64::MAX, u64::MAX, vec![]),
        Err(place.clone())
    );
    assert_eq!(ConsistencyProof::new(8, 7, vec![]), Err(place.clone()));
    assert_eq!(RangeProof::new(0, 0, 7, vec![]), Err(place.clone()));
    assert_eq!(RangeProof::new(2, u64::MAX, 7, vec![]), Err(place.clone()));
    assert_eq!(RangeProof::new(5, 3, 7, vec![]), Err(place));
}

#[test]
fn faulty_bytes_are_named() {
    let good = range(1, 4, 7).to_bytes();
    let what = "a proof about the tree";
    let mut later = good.clone();
    later[0] = 2;
    assert_eq!(
        TreeProof::from_bytes(&later),
        Err(DecodeError::Version { what, found: 2 })
    );
    let mut other = good.clone();
    other[1] = 4;
    let kind = DecodeError::Value {
        what: "the kind of proof",
    };
    assert_eq!(TreeProof::from_bytes(&other), Err(kind.clone()));
    assert_eq!(InclusionProof::from_bytes(&good), Err(kind));
    let place = DecodeError::Value {
        what: "the place in the tree",
    };
    assert_eq!(
        TreeProof::from_bytes(&numbers(1, &[7, 7], &[])),
        Err(place.clone())
    );
    assert_eq!(TreeProof::from_bytes(&numbers(2, &[8, 7], &[])), Err(place));
    for end in 0..good.len() {
        assert!(matches!(
            TreeProof::from_bytes(&good[..end]),
            Err(DecodeError::Truncated { .. })
        ));
    }
    let longer = [good.as_slice(), &[0]].concat();
    assert_eq!(
        TreeProof::from_bytes(&longer),
        Err(DecodeError::Trailing { what, count: 1 })
    );
}

#[test]
fn faulty_texts_are_named() {
    let good = consistency(3, 4).to_json().unwrap();
    let kind = ProofFault::Kind {
        found: "consistency",
        expected: "inclusion",
    };
    assert_eq!(InclusionProof::from_json(&good), Err(kind));
    let later = good.replacen("\"format\": 1", "\"format\": 2, \"new\": 1", 1);
    assert_eq!(TreeProof::from_json(&later), Err(ProofFault::Format(2)));
    for (from, to) in [
        ("\"format\": 1", "\"format\": 1, \"new\": 1"),
        ("\"format\": 1,", ""),
        ("\"old_size\": 3", "\"old_size\": -3"),
        ("\"old_size\": 3", "\"old_size\": 3.5"),
        ("\"old_size\": 3", "\"leaf_index\": 3"),
        ("consistency", "existence"),
        ("    \"", "    \"0"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        let fault = TreeProof::from_json(&bad);
        assert!(
            matches!(fault, Err(ProofFault::Unreadable(_))),
            "{bad}: {fault:?}"
        );
    }
    let fault = TreeProof::from_json(&" ".repeat(40_000));
    assert!(matches!(fault, Err(ProofFault::Unreadable(_))));
    let smaller = good.replacen("\"tree_size\": 4", "\"tree_size\": 2", 1);
    assert_eq!(
        TreeProof::from_json(&smaller),
        Err(ProofFault::Field("the place in the tree"))
    );
}

/// The bounds that are told to others hold for the largest trees.
#[test]
fn the_longest_paths() {
    let full = u64::MAX;
    assert_eq!(inclusion_length(0, full), Some(64));
    assert_eq!(consistency_length((1 << 63) + 1, full), Some(65));
    assert_eq!(range_length((1 << 63) - 1, 2, full), Some(126));
    let path = vec![[0xff; 32]; 126];
    let text = RangeProof::new((1 << 63) - 1, 2, full, path)
        .unwrap()
        .to_json()
        .unwrap();
    assert!(text.len() < ledger::proof::MAX_TREE_PROOF_TEXT / 2);
}

proptest! {
    /// Files come from anywhere; what decodes must be the only encoding of itself.
    #[test]
    fn decoding_never_panics_and_is_canonical(
        kind in 0u8..5,
        places in proptest::collection::vec(prop_oneof![0u64..9, any::<u64>()], 2..4),
        path in proptest::collection::vec(any::<[u8; 32]>(), 0..6),
        garbage in proptest::collection::vec(any::<u8>(), 0..90),
    ) {
        for bytes in [numbers(kind, &places, &path), [vec![1, kind], garbage].concat()] {
            if let Ok(proof) = TreeProof::from_bytes(&bytes) {
                prop_assert_eq!(proof.to_bytes(), bytes);
                let text = proof.to_json().unwrap();
                prop_assert_eq!(TreeProof::from_json(&text), Ok(proof));
            }
        }
    }
}
