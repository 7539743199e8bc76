//! The bytes that are hashed, signed and stored. Every node, auditor and old file depends on
//! them: if one of these tests fails, the format has changed and needs a new version.

mod chain;

use chain::{key, member};
use ledger::hash::sha256;
use ledger::leaf::Leaf;
use ledger::merkle::{leaf_hash, node_hash};
use ledger::vector::{deps_from_bytes, deps_hash, deps_to_bytes};
use ledger::{
    Block, Certificate, ChainId, Cut, DecodeError, Genesis, Hash, Header, Kind, Member,
    MembershipChange, NodeId, Op, Part, Phase, Position, Predecessor, Segment, SegmentFault,
    ValidatorSet, VersionVector, Vote, ZERO_HASH,
};
use proptest::prelude::*;

const CHAIN: ChainId = ChainId([0xc0; 32]);

fn digest(bytes: &[u8]) -> String {
    hex::encode(&sha256(&[bytes])[..16])
}

fn genesis() -> Genesis {
    Genesis {
        founder: member(1, 7),
        time_ms: 1_700_000_000_000,
        predecessor: Some(Predecessor {
            chain_id: ChainId([4; 32]),
            height: 5,
            header_hash: [6; 32],
        }),
        nonce: [8; 32],
    }
}

fn ops(count: u64) -> Vec<Op> {
    (1..=count)
        .map(|seq| Op {
            seq,
            hlc: seq << 20,
            kind: Kind::Delta,
            schema_hash: [5; 32],
            parts: (0..seq)
                .map(|part| Part {
                    salt: [part as u8; 32],
                    payload: vec![seq as u8; part as usize * 3],
                })
                .collect(),
        })
        .collect()
}

fn segment() -> Segment {
    let deps = [(NodeId([2; 32]), 9), (NodeId([3; 32]), 1)].into();
    let origin = member(1, 1).node_id;
    Segment::seal(&CHAIN, origin, Position::START, deps, 77, ops(3), &key(1)).unwrap()
}

fn header() -> Header {
    Header {
        chain_id: CHAIN,
        height: 0x0102_0304_0506_0708,
        epoch: 2,
        prev_header: [3; 32],
        first_leaf: 4,
        tree_size: 5,
        log_root: [6; 32],
        validator_set_hash: [7; 32],
        state_root: [8; 32],
        time_ms: 9,
        proposer: NodeId([10; 32]),
    }
}

fn cut() -> Cut {
    let at = |seq| Position {
        seq,
        head: [seq as u8; 32],
    };
    Cut([(NodeId([1; 32]), at(4)), (NodeId([2; 32]), at(9))].into())
}

fn block() -> Block {
    let header = header();
    let certificate = Certificate::by_sole_validator(
        &CHAIN,
        header.height,
        header.hash(),
        member(1, 1).node_id,
        &key(1),
    );
    Block {
        header,
        cut: cut(),
        certificate,
    }
}

#[test]
fn op_and_part() {
    let op = &ops(2)[1];
    let c0 = sha256(&[b"bcrdt/part/v1\0", &[0; 32], &0u64.to_be_bytes()]);
    let c1 = sha256(&[b"bcrdt/part/v1\0", &[1; 32], &3u64.to_be_bytes(), &[2; 3]]);
    assert_eq!(op.parts[0].commitment(), c0);
    assert_eq!(op.parts[1].commitment(), c1);
    let parts = node_hash(&leaf_hash(&c0), &leaf_hash(&c1));
    let origin = NodeId([9; 32]);
    let expected = sha256(&[
        b"bcrdt/op/v1\0",
        &CHAIN.0,
        &origin.0,
        &2u64.to_be_bytes(),
        &(2u64 << 20).to_be_bytes(),
        &[1],
        &[5; 32],
        &2u16.to_be_bytes(),
        &parts,
        &[3; 32],
    ]);
    assert_eq!(op.hash(&CHAIN, &origin, &[3; 32]), expected);
    assert_eq!(digest(&expected), "a0b7fc724809ccbe013a0f2cfa70f462");
}

#[test]
fn leaves() {
    let op = &ops(1)[0];
    let origin = NodeId([9; 32]);
    let leaf = Leaf::of_op(&CHAIN, 6, &origin, &op.core(), &[3; 32], &[4; 32]);
    let bytes = [
        b"bcrdt/leaf/v1\0".as_slice(),
        &CHAIN.0,
        &6u64.to_be_bytes(),
        &[1],
        &origin.0,
        &1u64.to_be_bytes(),
        &(1u64 << 20).to_be_bytes(),
        &[5; 32],
        &1u16.to_be_bytes(),
        &leaf_hash(&op.parts[0].commitment()),
        &[3; 32],
        &[4; 32],
    ]
    .concat();
    assert_eq!(leaf.to_bytes(), bytes);
    assert_eq!(leaf.hash(), leaf_hash(&bytes));
    let header = header();
    let leaf = Leaf::of_header(&header, &header.hash(), 6);
    let bytes = [
        b"bcrdt/leaf/v1\0".as_slice(),
        &CHAIN.0,
        &6u64.to_be_bytes(),
        &[10],
        &header.proposer.0,
        &header.height.to_be_bytes(),
        &(9u64 << 16).to_be_bytes(),
        &[0; 32],
        &1u16.to_be_bytes(),
        &header.hash(),
        &header.prev_header,
        &header.hash(),
    ]
    .concat();
    assert_eq!(leaf.to_bytes(), bytes);
    assert_eq!(digest(&bytes), "ada56d8bb94073a7f5dc1052c0ecb85d");
}

#[test]
fn header_layout() {
    let bytes = [
        b"bcrdt/block/v1\0".as_slice(),
        &CHAIN.0,
        &[1, 2, 3, 4, 5, 6, 7, 8],
        &2u64.to_be_bytes(),
        &[3; 32],
        &4u64.to_be_bytes(),
        &5u64.to_be_bytes(),
        &[6; 32],
        &[7; 32],
        &[8; 32],
        &9u64.to_be_bytes(),
        &[10; 32],
    ]
    .concat();
    assert_eq!(header().to_bytes(), bytes);
    assert_eq!(bytes.len(), ledger::block::HEADER_BYTES);
    assert_eq!(header().hash(), sha256(&[&bytes]));
    assert_eq!(Header::from_bytes(&bytes), Ok(header()));
}

#[test]
fn vote_and_certificate() {
    let vote = Vote {
        height: 3,
        round: 2,
        phase: Phase::Precommit,
        header_hash: [1; 32],
    };
    let bytes = [
        b"bcrdt/vote/v1\0".as_slice(),
        &CHAIN.0,
        &3u64.to_be_bytes(),
        &2u32.to_be_bytes(),
        &[2],
        &[1; 32],
    ]
    .concat();
    assert_eq!(vote.message(&CHAIN), bytes);
    let certificate = block().certificate;
    assert_eq!(
        digest(&certificate.to_bytes()),
        "2f4a662d289bcb43e1d9368aed4b6dc7"
    );
    assert_eq!(
        Certificate::from_bytes(&certificate.to_bytes()),
        Ok(certificate)
    );
}

#[test]
fn segment_layout() {
    let segment = segment();
    let claim = [
        b"bcrdt/segment/v1\0".as_slice(),
        &CHAIN.0,
        &segment.origin.0,
        &1u64.to_be_bytes(),
        &3u32.to_be_bytes(),
        &ZERO_HASH,
        &segment.head,
        &deps_hash(&CHAIN, &segment.deps),
        &77u64.to_be_bytes(),
    ]
    .concat();
    assert_eq!(segment.claim(&CHAIN).message(&CHAIN), claim);
    let bytes = segment.to_bytes();
    assert_eq!(bytes.len(), segment.encoded_len());
    assert_eq!(digest(&bytes), "54b93905fd52617a0988ab0e2565d5c9");
    assert_eq!(Segment::from_bytes(&bytes), Ok(segment));
}

#[test]
fn members_and_genesis() {
    let one = member(1, 7);
    assert_eq!(digest(&one.to_bytes()), "de13a615665b3f41ff55fd05e9bc92a9");
    assert_eq!(Member::from_bytes(&one.to_bytes()), Ok(one.clone()));
    let join = MembershipChange::Join(one.clone());
    assert_eq!(join.to_bytes()[..2], [1, 1]);
    assert_eq!(MembershipChange::from_bytes(&join.to_bytes()), Ok(join));
    let leave = MembershipChange::Leave(one.node_id);
    assert_eq!(
        leave.to_bytes(),
        [[1, 2].as_slice(), &one.node_id.0].concat()
    );
    assert_eq!(MembershipChange::from_bytes(&leave.to_bytes()), Ok(leave));
    let genesis = genesis();
    assert_eq!(
        digest(&genesis.to_bytes()),
        "342ef9fc62322bc0ded43d556ae848c6"
    );
    assert_eq!(genesis.chain_id().0, sha256(&[&genesis.to_bytes()]));
    assert_eq!(
        Genesis::from_bytes(&genesis.to_bytes()),
        Ok(genesis.clone())
    );
    assert_eq!(
        digest(&genesis.header().to_bytes()),
        "2847266a19a4d1e1859a47e4ec2d418b"
    );
}

#[test]
fn vectors_cuts_and_sets() {
    let cut = cut();
    let entries = [
        2u32.to_be_bytes().as_slice(),
        &[1; 32],
        &4u64.to_be_bytes(),
        &[4; 32],
        &[2; 32],
        &9u64.to_be_bytes(),
        &[9; 32],
    ]
    .concat();
    assert_eq!(cut.to_bytes(), [&[1], entries.as_slice()].concat());
    assert_eq!(
        cut.hash(&CHAIN),
        sha256(&[b"bcrdt/cut/v1\0", &CHAIN.0, &entries])
    );
    assert_eq!(Cut::from_bytes(&cut.to_bytes()), Ok(cut.clone()));
    let vector = VersionVector(cut.0.clone());
    let expected = sha256(&[b"bcrdt/vector/v1\0", &CHAIN.0, &entries]);
    assert_eq!(vector.hash(&CHAIN), expected);
    assert_eq!(VersionVector::from_bytes(&vector.to_bytes()), Ok(vector));
    let deps = segment().deps;
    let entries = [
        2u32.to_be_bytes().as_slice(),
        &[2; 32],
        &9u64.to_be_bytes(),
        &[3; 32],
        &1u64.to_be_bytes(),
    ]
    .concat();
    assert_eq!(
        deps_hash(&CHAIN, &deps),
        sha256(&[b"bcrdt/deps/v1\0", &CHAIN.0, &entries])
    );
    assert_eq!(deps_from_bytes(&deps_to_bytes(&deps)), Ok(deps));
    let set = ValidatorSet::from_members([&member(1, 7), &member(2, 0), &member(3, 9)]);
    assert_eq!(set.total_weight(), 16);
    assert_eq!(
        hex::encode(&set.hash(&CHAIN)[..16]),
        "7499016347775a2b89ece5432028d8f1"
    );
    assert_eq!(ValidatorSet::from_bytes(&set.to_bytes()), Ok(set));
}

/// A signature of one kind, chain or purpose must be worth nothing for another.
#[test]
fn labels_and_chains_keep_messages_apart() {
    let segment = segment();
    let public = key(1).verifying_key();
    assert!(segment.verify(&CHAIN, &public, &Position::START).is_ok());
    let other = ChainId([0xc1; 32]);
    assert!(segment.verify(&other, &public, &Position::START).is_err());
    let set = ValidatorSet::from_members([&member(1, 7)]);
    let certificate = block().certificate;
    assert_eq!(certificate.verify(&CHAIN, &set), Ok(()));
    assert!(certificate.verify(&other, &set).is_err());
    let prevote = Vote {
        phase: Phase::Prevote,
        ..certificate.vote()
    };
    let mut wrong = certificate.clone();
    wrong.signatures[0].signature = prevote.sign(&CHAIN, &key(1));
    assert!(wrong.verify(&CHAIN, &set).is_err());
    let cut = cut();
    assert_ne!(cut.hash(&CHAIN), cut.hash(&other));
    assert_ne!(cut.hash(&CHAIN), VersionVector(cut.0.clone()).hash(&CHAIN));
}

#[test]
fn faulty_segments_are_refused_by_name() {
    let good = segment();
    let public = key(1).verifying_key();
    let verify = |change: &dyn Fn(&mut Segment)| {
        let mut segment = good.clone();
        change(&mut segment);
        segment.verify(&CHAIN, &public, &Position::START)
    };
    use SegmentFault as F;
    assert!(verify(&|_| {}).is_ok());
    assert!(matches!(
        verify(&|s| s.prev.seq = 1),
        Err(F::NotNext { .. })
    ));
    assert!(matches!(
        verify(&|s| s.prev.head = [1; 32]),
        Err(F::Head { .. })
    ));
    assert!(matches!(verify(&|s| s.head = [1; 32]), Err(F::Head { .. })));
    assert!(matches!(
        verify(&|s| s.ops.clear()),
        Err(F::OpCount { found: 0 })
    ));
    assert!(matches!(
        verify(&|s| s.ops[1].seq = 9),
        Err(F::Sequence { .. })
    ));
    assert!(matches!(
        verify(&|s| s.ops[1].parts.clear()),
        Err(F::Parts { .. })
    ));
    assert!(matches!(
        verify(&|s| s.ops[1].kind = Kind::Header),
        Err(F::HeaderOp { .. })
    ));
    let own = good.origin;
    assert_eq!(verify(&|s| s.deps.extend([(own, 1)])), Err(F::Dependencies));
    assert_eq!(verify(&|s| s.sealed_ms += 1), Err(F::Signature));
    assert_eq!(verify(&|s| s.signature[5] ^= 1), Err(F::Signature));
    assert_eq!(
        verify(&|s| s.deps.retain(|_, seq| *seq != 9)),
        Err(F::Signature)
    );
    // Another history of the same origin, truly signed.
    let fork = Position {
        seq: 0,
        head: [9; 32],
    };
    assert!(matches!(
        good.verify(&CHAIN, &public, &fork),
        Err(F::OtherHistory { .. })
    ));
    let late = Position {
        seq: u64::MAX,
        head: ZERO_HASH,
    };
    let sealed = Segment::seal(&CHAIN, own, late, Default::default(), 1, ops(1), &key(1));
    assert!(sealed.is_err());
}

#[test]
fn members_own_their_names() {
    let good = member(1, 7);
    let faulty: [&dyn Fn(&mut Member); 9] = [
        &|m| m.node_id.0[0] ^= 1,
        &|m| m.replica_id[0] ^= 1,
        &|m| m.tls_key = m.signing_key,
        &|m| m.checkpoint_key = [0; 32],
        &|m| m.name.clear(),
        &|m| m.name = "x".repeat(64),
        &|m| m.url = "a\nb".into(),
        &|m| m.weight = 0,
        &|m| m.weight = u64::MAX,
    ];
    for change in faulty {
        let mut member = good.clone();
        change(&mut member);
        assert!(member.check().is_err());
        assert!(Member::from_bytes(&member.to_bytes()).is_err());
    }
}

#[test]
fn quorum_is_more_than_two_thirds() {
    let set = ValidatorSet::from_members([&member(1, 1), &member(2, 1), &member(3, 1)]);
    assert!(!set.is_quorum(2) && set.is_quorum(3));
    assert!(!ValidatorSet::default().is_quorum(0));
    let block = block();
    let lone = &block.certificate;
    assert!(lone.verify(&CHAIN, &set).is_err());
    let nil = Certificate::by_sole_validator(&CHAIN, 1, ZERO_HASH, member(1, 1).node_id, &key(1));
    let alone = ValidatorSet::from_members([&member(1, 1)]);
    assert!(nil.verify(&CHAIN, &alone).is_err());
}

/// Peers talk bincode; a hostile length must not be believed.
#[test]
fn bincode_carries_segments_blocks_and_members() {
    let config = bincode::config::standard().with_limit::<1_000_000>();
    let segment = segment();
    let bytes = bincode::serde::encode_to_vec(&segment, config).unwrap();
    let (back, _): (Segment, _) = bincode::serde::decode_from_slice(&bytes, config).unwrap();
    assert_eq!(back, segment);
    assert_eq!(digest(&bytes), "df6c49ff3678289ad984d8c28efbc384");
    let block = block();
    let bytes = bincode::serde::encode_to_vec(&block, config).unwrap();
    let (back, _): (Block, _) = bincode::serde::decode_from_slice(&bytes, config).unwrap();
    assert_eq!(back, block);
    assert_eq!(digest(&bytes), "d998c5580d11befe87f023ec3cc30a18");
    let member = member(1, 7);
    let bytes = bincode::serde::encode_to_vec(&member, config).unwrap();
    let (back, _): (Member, _) = bincode::serde::decode_from_slice(&bytes, config).unwrap();
    assert_eq!(back, member);
    assert_eq!(digest(&bytes), "415bd444a15e0c0817dba75f1b5d9534");
    let claimed = [
        [0; 32].as_slice(),
        &[253, 255, 255, 255, 255, 255, 255, 255, 127],
    ]
    .concat();
    assert!(bincode::serde::decode_from_slice::<Part, _>(&claimed, config).is_err());
}

#[test]
fn unordered_or_oversized_maps_are_refused() {
    let mut bytes = cut().to_bytes();
    bytes.swap(5, 5 + 72);
    assert_eq!(
        Cut::from_bytes(&bytes),
        Err(DecodeError::Value { what: "node order" })
    );
    let claimed = [1, 0xff, 0xff, 0xff, 0xff];
    assert!(matches!(
        Cut::from_bytes(&claimed),
        Err(DecodeError::TooLarge { .. })
    ));
    assert!(matches!(
        Cut::from_bytes(&[2, 0, 0, 0, 0]),
        Err(DecodeError::Version { found: 2, .. })
    ));
}

fn any_hash() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>()
}

proptest! {
    /// Stored and sent bytes may be anything; what decodes must be the only encoding of itself.
    #[test]
    fn decoding_never_panics_and_is_canonical(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        at in any::<prop::sample::Index>(),
        value in any::<u8>(),
    ) {
        let goods = [
            segment().to_bytes(),
            block().to_bytes(),
            genesis().to_bytes(),
            MembershipChange::Join(member(1, 7)).to_bytes(),
            bytes,
        ];
        for good in goods {
            let mut bytes = good;
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            if let Ok(x) = Segment::from_bytes(&bytes) {
                prop_assert_eq!(x.to_bytes(), bytes.clone());
            }
            if let Ok(x) = Block::from_bytes(&bytes) {
                prop_assert_eq!(x.to_bytes(), bytes.clone());
            }
            if let Ok(x) = Genesis::from_bytes(&bytes) {
                prop_assert_eq!(x.to_bytes(), bytes.clone());
            }
            if let Ok(x) = MembershipChange::from_bytes(&bytes) {
                prop_assert_eq!(x.to_bytes(), bytes.clone());
            }
            if let Ok(x) = ValidatorSet::from_bytes(&bytes) {
                prop_assert_eq!(x.to_bytes(), bytes.clone());
            }
        }
    }

    /// What a node has admitted only grows, and covers what it covered.
    #[test]
    fn vectors_only_advance(steps in proptest::collection::vec((0u8..4, 1u64..9, any_hash()), 0..20)) {
        let mut vector = VersionVector::default();
        for (node, seq, head) in steps {
            let before = vector.clone();
            vector.advance(NodeId([node; 32]), Position { seq, head });
            prop_assert!(vector.dominates(&before));
            prop_assert!(vector.get(&NodeId([node; 32])).seq >= seq);
        }
    }
}
