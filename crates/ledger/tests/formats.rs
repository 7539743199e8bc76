//! The bytes that are hashed, signed and stored. Every node, auditor and old file depends on
//! them: if one of these tests fails, the format has changed and needs a new version.

mod chain;

use chain::member;
use chain::sample::{CHAIN, block, cut, genesis, header, ops, segment};
use ledger::hash::sha256;
use ledger::leaf::Leaf;
use ledger::merkle::{leaf_hash, node_hash};
use ledger::vector::{deps_from_bytes, deps_hash, deps_to_bytes};
use ledger::{
    Block, Certificate, Cut, Genesis, Header, Member, MembershipChange, NodeId, Part, Phase,
    Segment, ValidatorSet, VersionVector, Vote, ZERO_HASH,
};

fn digest(bytes: &[u8]) -> String {
    hex::encode(&sha256(&[bytes])[..16])
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
    assert_eq!(Leaf::from_bytes(&bytes), Ok(leaf));
    for end in 0..bytes.len() {
        assert!(Leaf::from_bytes(&bytes[..end]).is_err(), "{end}");
    }
    assert!(Leaf::from_bytes(&[bytes.as_slice(), &[0]].concat()).is_err());
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
    let bytes = [
        [1].as_slice(),
        &certificate.height.to_be_bytes(),
        &0u32.to_be_bytes(),
        &header().hash(),
        &1u32.to_be_bytes(),
        &member(1, 1).node_id.0,
        &certificate.signatures[0].signature,
    ]
    .concat();
    assert_eq!(certificate.to_bytes(), bytes);
    // Ed25519 signs one message in one way.
    assert_eq!(digest(&bytes), "2f4a662d289bcb43e1d9368aed4b6dc7");
    assert_eq!(
        Certificate::from_bytes(&certificate.to_bytes()),
        Ok(certificate)
    );
}

#[test]
fn block_layout() {
    let block = block();
    let (cut, certificate) = (block.cut.to_bytes(), block.certificate.to_bytes());
    let bytes = [
        [1].as_slice(),
        &block.header.to_bytes(),
        &(cut.len() as u32).to_be_bytes(),
        &cut,
        &(certificate.len() as u32).to_be_bytes(),
        &certificate,
    ]
    .concat();
    assert_eq!(block.to_bytes(), bytes);
    assert_eq!(Block::from_bytes(&bytes), Ok(block));
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
    let mut fields = [
        [1].as_slice(),
        &segment.origin.0,
        &0u64.to_be_bytes(),
        &ZERO_HASH,
        &deps_to_bytes(&segment.deps)[1..],
        &77u64.to_be_bytes(),
        &3u32.to_be_bytes(),
    ]
    .concat();
    for op in &segment.ops {
        fields.extend(op.seq.to_be_bytes());
        fields.extend(op.hlc.to_be_bytes());
        fields.push(1);
        fields.extend(op.schema_hash);
        fields.extend((op.parts.len() as u16).to_be_bytes());
        for part in &op.parts {
            fields.extend(part.salt);
            fields.extend((part.payload.len() as u32).to_be_bytes());
            fields.extend(&part.payload);
        }
    }
    fields.extend(segment.head);
    fields.extend(segment.signature);
    assert_eq!(bytes, fields);
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
