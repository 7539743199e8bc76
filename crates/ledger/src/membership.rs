//! Replays membership: who is a member, and which validators decide which height. Every node
//! and every auditor derives the same from the same finalised ops.

use std::collections::{BTreeMap, VecDeque};

use crate::genesis::Genesis;
use crate::ids::NodeId;
use crate::member::{Member, MembershipChange, Role};
use crate::validators::ValidatorSet;
use crate::vector::MAX_MEMBERS;

/// How many heights pass until a change of the validator set takes effect: a change in block h
/// decides from block h + 2 on, so that the set of the next block is always known.
pub const SET_DELAY: u64 = 2;

/// A membership change as it stands in an origin's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedChange {
    /// The op's hybrid logical clock.
    pub hlc: u64,
    /// Who signed it.
    pub origin: NodeId,
    /// The op's number.
    pub seq: u64,
    /// What it changes.
    pub change: MembershipChange,
}

/// The members that a run of changes leads to. Those who left stay known, so that their old
/// ops can still be verified.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Membership {
    present: BTreeMap<NodeId, Member>,
    left: BTreeMap<NodeId, Member>,
}

impl Membership {
    /// The founder alone.
    pub fn from_genesis(genesis: &Genesis) -> Self {
        Self::from_members([genesis.founder.clone()])
    }

    /// Exactly these members.
    pub fn from_members(members: impl IntoIterator<Item = Member>) -> Self {
        Self::from_records(members, [])
    }

    /// These members, and those who left.
    pub fn from_records(
        present: impl IntoIterator<Item = Member>,
        left: impl IntoIterator<Item = Member>,
    ) -> Self {
        Self {
            present: present.into_iter().map(|m| (m.node_id, m)).collect(),
            left: left.into_iter().map(|m| (m.node_id, m)).collect(),
        }
    }

    /// Carries out a change that `origin` signed; returns whether it counts. It does not count
    /// if `origin` is no member; if `origin` is no validator and it touches who votes, changes
    /// or removes someone else, or brings back who left; if the last validator would go; if
    /// [`MAX_MEMBERS`] are or were there already, for the ops of those who left stay in every cut.
    pub fn apply(&mut self, origin: &NodeId, change: &MembershipChange) -> bool {
        let Some(author) = self.present.get(origin) else {
            return false;
        };
        let author_votes = author.role == Role::Validator;
        match change {
            MembershipChange::Join(member) => {
                if member.check().is_err() {
                    return false;
                }
                let before = self.present.get(&member.node_id);
                let weight = before.map_or(0, |m| m.weight);
                if member.weight != weight && !author_votes {
                    return false;
                }
                let of_another = before.is_some() && member.node_id != *origin;
                let returns = self.left.contains_key(&member.node_id);
                if (of_another || returns) && !author_votes {
                    return false;
                }
                let known = self.present.len() + self.left.len();
                let full = before.is_none() && !returns && known >= MAX_MEMBERS;
                if full || (member.weight == 0 && self.is_last_validator(&member.node_id)) {
                    return false;
                }
                self.left.remove(&member.node_id);
                self.present.insert(member.node_id, member.clone());
                true
            }
            MembershipChange::Leave(node) => {
                if (node != origin && !author_votes) || self.is_last_validator(node) {
                    return false;
                }
                let Some(member) = self.present.remove(node) else {
                    return false;
                };
                self.left.insert(*node, member);
                true
            }
        }
    }

    /// Carries out the changes of one block (or of what is not in a block yet) in the order that
    /// every node agrees on: by clock, then origin, then number. The clock follows causality,
    /// so who was invited acts after the invitation whatever the order of their ids.
    pub fn apply_all(&mut self, changes: &mut [SignedChange]) {
        changes.sort_by_key(|c| (c.hlc, c.origin, c.seq));
        for change in changes.iter() {
            self.apply(&change.origin, &change.change);
        }
    }

    /// A member that is present.
    pub fn get(&self, node: &NodeId) -> Option<&Member> {
        self.present.get(node)
    }

    /// A member that is present or was once.
    pub fn ever(&self, node: &NodeId) -> Option<&Member> {
        self.present.get(node).or_else(|| self.left.get(node))
    }

    /// The members that are present, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Member> {
        self.present.values()
    }

    /// The validators among those present.
    pub fn validators(&self) -> ValidatorSet {
        ValidatorSet::from_members(self.present.values())
    }

    fn is_last_validator(&self, node: &NodeId) -> bool {
        let mut validators = self.iter().filter(|m| m.role == Role::Validator);
        match (validators.next(), validators.next()) {
            (Some(only), None) => only.node_id == *node,
            _ => false,
        }
    }
}

/// Which validator set decides which height.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatorSchedule {
    current: ValidatorSet,
    /// (first height, set), ascending; at most [`SET_DELAY`] wait.
    pending: VecDeque<(u64, ValidatorSet)>,
}

impl ValidatorSchedule {
    /// `set` decides from here on.
    pub fn new(set: ValidatorSet) -> Self {
        Self {
            current: set,
            pending: VecDeque::new(),
        }
    }

    /// After the changes of block `height`: `set` decides from `height + SET_DELAY` on.
    pub fn after_block(&mut self, height: u64, set: ValidatorSet) {
        let latest = self.pending.back().map_or(&self.current, |(_, set)| set);
        if *latest != set {
            self.pending
                .push_back((height.saturating_add(SET_DELAY), set));
        }
    }

    /// The set that decides `height`. Heights must be asked for in ascending order.
    pub fn at(&mut self, height: u64) -> &ValidatorSet {
        while self
            .pending
            .front()
            .is_some_and(|(from, _)| *from <= height)
        {
            if let Some((_, set)) = self.pending.pop_front() {
                self.current = set;
            }
        }
        &self.current
    }
}
