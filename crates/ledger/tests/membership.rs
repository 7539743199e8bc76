//! Who belongs and who votes must come out the same on every node.

mod chain;

use chain::member;
use ledger::membership::SET_DELAY;
use ledger::vector::MAX_MEMBERS;
use ledger::{
    Genesis, Member, Membership, MembershipChange, NodeId, SignedChange, ValidatorSchedule,
    ValidatorSet,
};
use proptest::prelude::*;

fn genesis() -> Genesis {
    Genesis {
        founder: member(1, 1),
        time_ms: 1,
        predecessor: None,
        nonce: [0; 32],
    }
}

fn id(seed: u8) -> NodeId {
    member(seed, 0).node_id
}

fn join(member: Member) -> MembershipChange {
    MembershipChange::Join(member)
}

#[test]
fn a_member_invites_but_does_not_appoint() {
    let mut members = Membership::from_genesis(&genesis());
    assert!(
        !members.apply(&id(2), &join(member(2, 0))),
        "nobody invites himself"
    );
    assert!(members.apply(&id(1), &join(member(2, 0))));
    assert!(members.apply(&id(2), &join(member(3, 0))));
    assert!(
        !members.apply(&id(2), &join(member(2, 5))),
        "nor appoints himself"
    );
    assert!(!members.apply(&id(2), &join(member(4, 5))));
    assert!(!members.apply(&id(2), &MembershipChange::Leave(id(3))));
    let mut renamed = member(2, 0);
    renamed.name = "other".into();
    assert!(members.apply(&id(2), &join(renamed.clone())));
    assert!(
        !members.apply(&id(3), &join(member(2, 0))),
        "nor renames others"
    );
    assert_eq!(members.get(&id(2)), Some(&renamed));
    assert!(members.apply(&id(1), &join(member(2, 5))));
    assert_eq!(members.validators().total_weight(), 6);
}

/// Every cut names all who ever wrote: beyond its bound no block could be made any more.
#[test]
fn who_left_takes_a_place() {
    let many = |count: usize| {
        (0..count).map(|n| {
            let mut member = member(9, 0);
            member.node_id.0[..8].copy_from_slice(&(n as u64).to_be_bytes());
            member
        })
    };
    let founder = [member(1, 1)];
    let mut members = Membership::from_records(founder.clone(), many(MAX_MEMBERS - 2));
    assert!(members.apply(&id(1), &join(member(2, 0))));
    assert!(!members.apply(&id(1), &join(member(3, 0))));
    assert!(
        members.apply(&id(1), &join(member(2, 0))),
        "a change adds nobody"
    );
    assert!(members.apply(&id(1), &MembershipChange::Leave(id(2))));
    assert!(!members.apply(&id(1), &join(member(3, 0))));
    assert!(
        members.apply(&id(1), &join(member(2, 0))),
        "nor does who comes back"
    );
}

/// A cluster without validators could never decide anything again.
#[test]
fn the_last_validator_stays() {
    let mut members = Membership::from_genesis(&genesis());
    assert!(!members.apply(&id(1), &MembershipChange::Leave(id(1))));
    assert!(!members.apply(&id(1), &join(member(1, 0))));
    assert!(members.apply(&id(1), &join(member(2, 1))));
    assert!(members.apply(&id(1), &MembershipChange::Leave(id(1))));
    assert!(!members.apply(&id(2), &MembershipChange::Leave(id(2))));
    assert!(members.get(&id(1)).is_none());
    assert!(members.ever(&id(1)).is_some(), "old ops stay verifiable");
}

#[test]
fn who_was_removed_does_not_come_back_by_a_friend() {
    let mut members = Membership::from_genesis(&genesis());
    for seed in [2, 3] {
        assert!(members.apply(&id(1), &join(member(seed, 0))));
    }
    assert!(members.apply(&id(1), &MembershipChange::Leave(id(3))));
    assert!(!members.apply(&id(2), &join(member(3, 0))));
    assert!(members.apply(&id(1), &join(member(3, 0))));
}

#[test]
fn a_set_decides_two_blocks_later() {
    let set = |weight| ValidatorSet::from_members([&member(1, weight)]);
    let mut schedule = ValidatorSchedule::new(set(1));
    schedule.after_block(1, set(1));
    schedule.after_block(2, set(2));
    schedule.after_block(3, set(3));
    assert_eq!(schedule.at(3), &set(1));
    assert_eq!(schedule.at(2 + SET_DELAY), &set(2));
    assert_eq!(schedule.at(3 + SET_DELAY), &set(3));
    assert_eq!(schedule.at(99), &set(3));
}

proptest! {
    /// Ops of one block reach a node in any order.
    #[test]
    fn the_order_of_arrival_does_not_matter(
        changes in prop::collection::vec((1u8..5, 1u8..5, 0u64..3, any::<bool>(), 0u64..4), 1..12)
    ) {
        let mut one: Vec<SignedChange> = changes
            .into_iter()
            .enumerate()
            .map(|(i, (origin, of, weight, leave, hlc))| SignedChange {
                hlc,
                origin: id(origin),
                seq: i as u64,
                change: match leave {
                    true => MembershipChange::Leave(id(of)),
                    false => join(member(of, weight)),
                },
            })
            .collect();
        let mut other: Vec<SignedChange> = one.iter().rev().cloned().collect();
        let mut left = Membership::from_genesis(&genesis());
        let mut right = left.clone();
        left.apply_all(&mut one);
        right.apply_all(&mut other);
        prop_assert_eq!(&left, &right);
        prop_assert!(!left.validators().0.is_empty());
    }
}
