//! What a host does around a node: transactions, sealing, and throwing the node away when a
//! transaction is lost.

use std::sync::Arc;

use ledger::{
    Deps, Genesis, Hash, Kind, Member, MembershipChange, NodeId, Op, Part, Segment, SigningKey,
};
use replica::{Effect, Input, KnownMember, Node, Options, SoleValidator};

use super::random::Random;
use super::store::MemoryStore;

pub struct Host {
    pub id: NodeId,
    pub key: SigningKey,
    pub store: MemoryStore,
    pub node: Option<Node>,
    pub options: Options,
    pub validates: bool,
    /// How far this machine's clock is off. Milliseconds.
    pub clock_off_ms: i64,
    /// Changes when the process is another: what was asked by the one before is not answered to it.
    pub process: u64,
    pub lost_transactions: usize,
    hlc: u64,
}

impl Host {
    pub fn new(
        member: Member,
        key: SigningKey,
        genesis: &Genesis,
        members: &[Member],
        options: Options,
    ) -> Self {
        let known = |member: &Member| KnownMember {
            member: member.clone(),
            left_after: None,
        };
        let members = members.iter().map(known).collect();
        Self {
            id: member.node_id,
            store: MemoryStore::new(member.node_id, genesis.clone(), members),
            validates: genesis.founder == member,
            key,
            node: None,
            options,
            clock_off_ms: 0,
            process: 0,
            lost_transactions: 0,
            hlc: 0,
        }
    }

    pub fn clock_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_add_signed(self.clock_off_ms)
    }

    pub fn open(&mut self, now_ms: u64) {
        let finality = self.validates.then(|| {
            let sole = SoleValidator::new(self.store.chain, self.id, self.key.clone());
            Box::new(sole) as Box<dyn replica::Finality>
        });
        let clock_ms = self.clock_ms(now_ms);
        self.process += 1;
        self.node = Node::open(&mut self.store, self.options.clone(), finality, clock_ms).ok();
    }

    /// One transaction. With `lost_after`, it is lost after so many calls of the store, and the node
    /// with it; nothing is sent then.
    pub fn transaction(
        &mut self,
        now_ms: u64,
        lost_after: Option<u32>,
        work: impl FnOnce(&mut Node, &mut MemoryStore) -> Result<Vec<Effect>, super::store::Lost>,
    ) -> Option<Vec<Effect>> {
        let clock_ms = self.clock_ms(now_ms);
        let before = lost_after.map(|_| self.store.clone());
        let node = self.node.as_mut()?;
        self.store.calls_left.set(lost_after);
        let done = node.handle(Input::Tick { now_ms: clock_ms }, &mut self.store);
        let done = done.and_then(|mut effects| {
            effects.extend(work(node, &mut self.store)?);
            Ok(effects)
        });
        self.store.calls_left.set(None);
        match (done, before) {
            (Ok(effects), _) => Some(effects),
            (Err(_), Some(before)) => {
                self.store = before;
                self.lost_transactions += 1;
                self.open(now_ms);
                None
            }
            (Err(_), None) => unreachable!("only a transaction that is to be lost fails"),
        }
    }

    pub fn input(
        &mut self,
        now_ms: u64,
        lost_after: Option<u32>,
        input: Input,
    ) -> Option<Vec<Effect>> {
        self.transaction(now_ms, lost_after, |node, store| node.handle(input, store))
    }

    /// Seals operations as this node's next segment.
    pub fn seal(
        &mut self,
        now_ms: u64,
        lost_after: Option<u32>,
        ops: Vec<(Kind, Vec<u8>)>,
        random: &mut Random,
    ) -> Option<Vec<Effect>> {
        let (segment, hashes) = self.segment(now_ms, ops, random);
        self.transaction(now_ms, lost_after, |node, store| {
            let changed = store.put(&segment, &hashes);
            let mut effects = Vec::new();
            if changed {
                effects.extend(node.handle(Input::MembershipChanged, store)?);
            }
            effects.extend(node.handle(Input::Sealed(Arc::new(segment)), store)?);
            Ok(effects)
        })
    }

    /// A segment that follows this node's last one, signed and not stored, with its hashes.
    pub fn segment(
        &mut self,
        now_ms: u64,
        ops: Vec<(Kind, Vec<u8>)>,
        random: &mut Random,
    ) -> (Segment, Vec<Hash>) {
        let prev = self.store.vector.get(&self.id);
        let clock_ms = self.clock_ms(now_ms);
        let ops = ops
            .into_iter()
            .zip(prev.seq + 1..)
            .map(|((kind, payload), seq)| {
                self.hlc = (self.hlc + 1).max(clock_ms << 16);
                let parts = vec![Part {
                    salt: random.bytes(),
                    payload,
                }];
                Op {
                    seq,
                    hlc: self.hlc,
                    kind,
                    schema_hash: [0; 32],
                    parts,
                }
            });
        let ops = ops.collect();
        let others = self
            .store
            .vector
            .iter()
            .filter(|(origin, _)| **origin != self.id);
        let deps: Deps = others.map(|(origin, at)| (*origin, at.seq)).collect();
        Segment::seal_hashed(
            &self.store.chain,
            self.id,
            prev,
            deps,
            clock_ms,
            ops,
            &self.key,
        )
        .unwrap()
    }
}

/// The operation by which the founder takes a member in.
pub fn join(member: &Member) -> (Kind, Vec<u8>) {
    (
        Kind::ValidatorSet,
        MembershipChange::Join(member.clone()).to_bytes(),
    )
}
