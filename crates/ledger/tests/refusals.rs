//! What is malformed, misplaced or signed for something else must be refused, and named.

mod chain;

use chain::sample::{CHAIN, block, cut, genesis, ops, segment};
use chain::{key, member};
use ledger::{
    Block, Certificate, ChainId, Cut, DecodeError, Genesis, Hash, Kind, Member, MembershipChange,
    NodeId, Phase, Position, Segment, SegmentFault, ValidatorSet, VersionVector, Vote, ZERO_HASH,
};
use proptest::prelude::*;

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
