//! A small cluster and its stored rows, which tests then alter.
#![allow(dead_code, reason = "each test binary uses its own share")]

mod export;
mod pieces;
mod rows;
pub mod sample;

use std::collections::BTreeMap;
use std::convert::Infallible;

use ledger::merkle::{Frontier, TileStore, Tree};
use ledger::vector::deps_to_bytes;
use ledger::{
    Block, BlockPlan, Certificate, ChainId, ChainSink, ChainVerifier, Cut, Deps, Genesis, Hash,
    Header, Kind, Leaf, Member, MemberKeys, MembershipChange, NodeId, Op, Part, Position, Prune,
    Report, Segment, SigningKey, ZERO_HASH,
};

pub use rows::{BlockRow, OpRow, SegmentRow};

#[derive(Clone, Debug, Default)]
pub struct Tiles(pub BTreeMap<(u8, u64), Vec<u8>>);

impl TileStore for Tiles {
    type Error = Infallible;

    fn tile(&self, level: u8, index: u64) -> Result<Vec<u8>, Infallible> {
        Ok(self.0.get(&(level, index)).cloned().unwrap_or_default())
    }

    fn put(&mut self, level: u8, index: u64, hashes: &[u8]) -> Result<(), Infallible> {
        self.0.insert((level, index), hashes.to_vec());
        Ok(())
    }
}

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// A member whose keys follow from `seed`.
pub fn member(seed: u8, weight: u64) -> Member {
    let public = |offset: u8| key(seed.wrapping_add(offset)).verifying_key().to_bytes();
    let keys = MemberKeys {
        signing: public(0),
        tls: public(100),
        checkpoint: public(200),
    };
    let name = format!("node{seed}");
    Member::new(keys, [seed; 16], &name, "https://node.example", weight).unwrap()
}

/// What a node stores, and what its peers would sign next.
#[derive(Clone)]
pub struct Chain {
    pub genesis: Genesis,
    pub genesis_bytes: Vec<u8>,
    pub chain: ChainId,
    pub members: Vec<Member>,
    pub seeds: BTreeMap<NodeId, u8>,
    pub ops: Vec<OpRow>,
    pub cores: BTreeMap<(NodeId, u64), (Op, Hash, Hash)>,
    pub segments: Vec<SegmentRow>,
    pub blocks: Vec<BlockRow>,
    pub tiles: Tiles,
    pub size: u64,
    pub cut: Cut,
    pub heads: BTreeMap<NodeId, Position>,
    pub last: Header,
    pub clock: u64,
}

impl Chain {
    /// Founded by the member of seed 1.
    pub fn new() -> Self {
        let genesis = Genesis {
            founder: member(1, 1),
            time_ms: 1_700_000_000_000,
            predecessor: None,
            nonce: [9; 32],
        };
        let founder = genesis.founder.clone();
        Self {
            genesis_bytes: genesis.to_bytes(),
            chain: genesis.chain_id(),
            last: genesis.header(),
            genesis,
            seeds: [(founder.node_id, 1)].into(),
            members: vec![founder],
            ops: Vec::new(),
            cores: BTreeMap::new(),
            segments: Vec::new(),
            blocks: Vec::new(),
            tiles: Tiles::default(),
            size: 0,
            cut: Cut::default(),
            heads: BTreeMap::new(),
            clock: 1,
        }
    }

    pub fn id(&self, seed: u8) -> NodeId {
        member(seed, 0).node_id
    }

    /// Makes and stores a segment of `kinds.len()` ops.
    pub fn seal(&mut self, seed: u8, payloads: Vec<(Kind, Vec<u8>)>) {
        let ops = payloads
            .into_iter()
            .map(|(kind, payload)| (kind, [kind as u8; 32], payload))
            .collect();
        self.seal_under(seed, ops);
    }

    /// Like [`Self::seal`], each op with the hash of its schema.
    pub fn seal_under(&mut self, seed: u8, payloads: Vec<(Kind, Hash, Vec<u8>)>) {
        let origin = self.id(seed);
        let prev = self.heads.get(&origin).copied().unwrap_or(Position::START);
        let mut ops = Vec::new();
        for (kind, schema_hash, payload) in payloads {
            self.clock += 1;
            ops.push(Op {
                seq: prev.seq + 1 + ops.len() as u64,
                hlc: self.clock << 16,
                kind,
                schema_hash,
                parts: vec![Part {
                    salt: [self.clock as u8; 32],
                    payload,
                }],
            });
        }
        let deps: Deps = self
            .heads
            .iter()
            .filter(|(node, _)| **node != origin)
            .map(|(node, at)| (*node, at.seq))
            .collect();
        let segment =
            Segment::seal(&self.chain, origin, prev, deps, self.clock, ops, &key(seed)).unwrap();
        self.store(&segment, seed);
    }

    fn store(&mut self, segment: &Segment, seed: u8) {
        let key = key(seed).verifying_key();
        let hashes = segment.verify(&self.chain, &key, &segment.prev).unwrap();
        let mut prev = segment.prev.head;
        for (op, hash) in segment.ops.iter().zip(hashes) {
            self.ops.push(OpRow {
                origin: segment.origin.0.to_vec(),
                seq: op.seq,
                hlc: op.hlc,
                kind: op.kind as u8,
                schema_hash: op.schema_hash.to_vec(),
                salt: op.parts[0].salt.to_vec(),
                payload: op.parts[0].payload.clone(),
                op_hash: hash.to_vec(),
            });
            self.cores
                .insert((segment.origin, op.seq), (op.clone(), prev, hash));
            prev = hash;
        }
        self.segments.push(SegmentRow {
            origin: segment.origin.0.to_vec(),
            first_seq: segment.prev.seq + 1,
            count: segment.ops.len() as u64,
            prev: segment.prev.head.to_vec(),
            head: segment.head.to_vec(),
            deps: deps_to_bytes(&segment.deps),
            sealed_ms: segment.sealed_ms,
            signature: segment.signature.to_vec(),
        });
        self.heads.insert(segment.origin, segment.end());
    }

    /// Ops of kind delta.
    pub fn deltas(&mut self, seed: u8, count: usize) {
        let payloads = (0..count)
            .map(|i| (Kind::Delta, format!("delta {i} of {seed}").into_bytes()))
            .collect();
        self.seal(seed, payloads);
    }

    /// The founder lets a member join.
    pub fn join(&mut self, seed: u8, weight: u64) {
        let member = member(seed, weight);
        self.seeds.insert(member.node_id, seed);
        let change = MembershipChange::Join(member.clone());
        self.members.retain(|m| m.node_id != member.node_id);
        self.members.push(member);
        self.seal(1, vec![(Kind::ValidatorSet, change.to_bytes())]);
    }

    /// The founder and `others` finalise everything that is stored.
    pub fn commit(&mut self, voters: &[u8], set: &ledger::ValidatorSet) {
        let mut cut = self.cut.clone();
        cut.0
            .extend(self.heads.iter().map(|(node, at)| (*node, *at)));
        self.commit_cut(cut, voters, set);
    }

    pub fn commit_cut(&mut self, cut: Cut, voters: &[u8], set: &ledger::ValidatorSet) {
        let first_leaf = self.size;
        let mut index = first_leaf;
        let mut leaves = vec![Leaf::of_header(&self.last, &self.last.hash(), index).hash()];
        for (node, at) in cut.iter() {
            for seq in self.cut.get(node).seq + 1..=at.seq {
                index += 1;
                let (op, prev, this) = &self.cores[&(*node, seq)];
                leaves.push(Leaf::of_op(&self.chain, index, node, &op.core(), prev, this).hash());
            }
        }
        let mut tree = Tree::new(std::mem::take(&mut self.tiles), first_leaf);
        tree.append(&leaves).unwrap();
        self.clock += 1;
        let header = Header {
            chain_id: self.chain,
            height: self.last.height + 1,
            epoch: 0,
            prev_header: self.last.hash(),
            first_leaf,
            tree_size: tree.size(),
            log_root: tree.root().unwrap(),
            validator_set_hash: set.hash(&self.chain),
            state_root: cut.hash(&self.chain),
            time_ms: self.last.time_ms + 1000,
            proposer: self.id(1),
        };
        self.size = tree.size();
        self.tiles = tree.into_store();
        let certificate = self.certify(&header, voters);
        let block = Block {
            header: header.clone(),
            cut: cut.clone(),
            certificate,
        };
        self.blocks.push(BlockRow {
            height: header.height,
            header: block.header.to_bytes(),
            cut: block.cut.to_bytes(),
            certificate: block.certificate.to_bytes(),
        });
        self.cut = cut;
        self.last = header;
    }

    pub fn certify(&self, header: &Header, voters: &[u8]) -> Certificate {
        let mut certificate = Certificate {
            height: header.height,
            round: 0,
            header_hash: header.hash(),
            signatures: Vec::new(),
        };
        let vote = certificate.vote();
        for seed in voters {
            certificate.signatures.push(ledger::VoteSignature {
                node: self.id(*seed),
                signature: vote.sign(&self.chain, &key(*seed)),
            });
        }
        certificate.signatures.sort_by_key(|s| s.node);
        certificate
    }

    /// Three members, five blocks with `size` deltas each of two members, and a tail.
    pub fn sample(size: usize) -> Self {
        let mut chain = Self::new();
        let founder = chain.genesis.validators();
        chain.join(2, 0);
        chain.join(3, 0);
        chain.commit(&[1], &founder);
        for _ in 0..4 {
            chain.deltas(2, size);
            chain.deltas(3, size);
            chain.deltas(2, size);
            chain.commit(&[1], &founder);
        }
        chain.deltas(3, 5);
        chain.deltas(2, 4);
        chain
    }

    pub fn verifier(&self) -> ChainVerifier {
        ChainVerifier::begin(self.chain, &self.genesis_bytes, self.members.clone())
    }

    /// Feeds everything stored the way an SQL host would.
    pub fn verify(&self) -> Report {
        let mut verifier = self.verifier();
        let mut done = BTreeMap::new();
        for block in &self.blocks {
            let plan = verifier.block(&block.as_stored());
            self.feed_plan(&mut verifier, &plan);
            for range in plan.ranges {
                done.insert(range.origin.0.to_vec(), range.last_seq);
            }
        }
        self.feed_tail(&mut verifier, &done);
        verifier.finish()
    }

    /// Feeds what is in no block yet, the upper tiles and the version vector.
    pub fn feed_tail<S: ChainSink>(&self, sink: &mut S, done: &BTreeMap<Vec<u8>, u64>) {
        sink.tail().ok();
        self.feed_where(sink, |origin, seq| {
            seq > done.get(origin).copied().unwrap_or(0)
        });
        for ((level, index), bytes) in &self.tiles.0 {
            if *level > 0 || *index * 256 >= self.size {
                sink.tile(*level, *index, bytes).ok();
            }
        }
        for (node, at) in &self.heads {
            sink.vector(&node.0, at.seq, &at.head).ok();
        }
    }

    pub fn feed_plan<S: ChainSink>(&self, verifier: &mut S, plan: &BlockPlan) {
        for ((_, index), bytes) in self
            .tiles
            .0
            .range((0, plan.tiles.start)..(0, plan.tiles.end))
        {
            verifier.tile(0, *index, bytes).ok();
        }
        for range in &plan.ranges {
            self.feed_where(verifier, |origin, seq| {
                origin == range.origin.0 && (range.first_seq..=range.last_seq).contains(&seq)
            });
        }
    }

    pub fn feed_where<S: ChainSink>(&self, verifier: &mut S, wanted: impl Fn(&[u8], u64) -> bool) {
        let mut segments: Vec<_> = self.segments.iter().collect();
        segments.sort_by_key(|s| (s.origin.clone(), s.first_seq));
        for row in segments {
            if wanted(&row.origin, (row.first_seq + row.count).saturating_sub(1)) {
                verifier.segment(&row.as_stored()).ok();
            }
        }
        let mut ops: Vec<_> = self.ops.iter().collect();
        ops.sort_by_key(|op| (op.origin.clone(), op.seq));
        for row in ops {
            if wanted(&row.origin, row.seq) {
                row.with_stored(|op| verifier.op(op)).ok();
            }
        }
    }

    /// The row of an op.
    pub fn op(&self, seed: u8, seq: u64) -> &OpRow {
        let origin = self.id(seed).0;
        let of = |op: &&OpRow| op.origin == origin && op.seq == seq;
        self.ops.iter().find(of).unwrap()
    }

    /// The row of an op, to be altered.
    pub fn op_mut(&mut self, seed: u8, seq: u64) -> &mut OpRow {
        let origin = self.id(seed).0;
        self.ops
            .iter_mut()
            .find(|op| op.origin == origin && op.seq == seq)
            .unwrap()
    }

    /// Takes the payloads of the row changes in the blocks up to `height` away, as pruning does.
    pub fn close(&mut self, height: u64) {
        let cut = self.block(height).cut;
        for (node, at) in cut.iter() {
            for row in &mut self.ops {
                let pruned = row.origin == node.0 && row.seq <= at.seq;
                if pruned && row.kind == Kind::Delta as u8 {
                    row.close();
                }
            }
        }
    }

    /// A member says that it pruned the blocks up to `height`.
    pub fn say_pruned(&mut self, seed: u8, height: u64) {
        let prune = Prune {
            height,
            tree_size: self.block(height).header.tree_size,
            archive_sha256: [8; 32],
            archive_bytes: 1000,
            file_name: "archive.bcrdt".to_owned(),
            actor: "admin".to_owned(),
            application: "psql".to_owned(),
        };
        self.seal(seed, vec![(Kind::Prune, prune.to_bytes())]);
    }

    /// The row of the segment that starts at `first`.
    pub fn segment_mut(&mut self, seed: u8, first: u64) -> &mut SegmentRow {
        let origin = self.id(seed).0;
        self.segments
            .iter_mut()
            .find(|s| s.origin == origin && s.first_seq == first)
            .unwrap()
    }

    pub fn block_mut(&mut self, height: u64) -> &mut BlockRow {
        self.blocks.iter_mut().find(|b| b.height == height).unwrap()
    }

    /// Rewrites the hash of an op and of all ops after it up to `last`, as a forger would.
    pub fn rehash(&mut self, seed: u8, first: u64, last: u64) {
        let origin = self.id(seed);
        for seq in first..=last {
            let prev = match seq {
                1 => ZERO_HASH,
                _ => self
                    .op_mut(seed, seq - 1)
                    .op_hash
                    .clone()
                    .try_into()
                    .unwrap(),
            };
            let chain = self.chain;
            let row = self.op_mut(seed, seq);
            let op = Op {
                seq,
                hlc: row.hlc,
                kind: Kind::from_u8(row.kind).unwrap(),
                schema_hash: row.schema_hash.clone().try_into().unwrap(),
                parts: vec![Part {
                    salt: row.salt.clone().try_into().unwrap(),
                    payload: row.payload.clone(),
                }],
            };
            row.op_hash = op.hash(&chain, &origin, &prev).to_vec();
        }
    }

    /// The log's edge after a block.
    pub fn edge(&self, height: u64) -> Frontier {
        let header = Header::from_bytes(&self.blocks[height as usize - 1].header).unwrap();
        Tree::new(self.tiles.clone(), self.size)
            .frontier(header.tree_size)
            .unwrap()
    }
}
