//! Tables in memory, with what a database would refuse written as assertions, and with transactions
//! that can be lost at any call.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ledger::merkle::TileStore;
use ledger::{
    Block, ChainId, Genesis, Hash, Kind, MembershipChange, NodeId, OpCore, Position, Segment,
    ValidatorSet, VersionVector,
};
use replica::{Admission, Barred, Evidence, KnownMember, Store};

/// The transaction is lost.
#[derive(Debug)]
pub struct Lost;

#[derive(Clone)]
pub struct MemoryStore {
    pub id: NodeId,
    pub chain: ChainId,
    pub genesis: Genesis,
    pub validators: ValidatorSet,
    pub members: Vec<KnownMember>,
    pub vector: VersionVector,
    pub segments: BTreeMap<NodeId, Vec<Arc<Segment>>>,
    pub ops: BTreeMap<NodeId, Vec<(OpCore, Hash)>>,
    pub blocks: Vec<Arc<Block>>,
    pub tiles: BTreeMap<(u8, u64), Vec<u8>>,
    pub evidence: Vec<Evidence>,
    pub barred: BTreeMap<NodeId, Barred>,
    pub branches_discarded: usize,
    /// Origins whose segments up to an operation have been pruned.
    pub pruned: BTreeMap<NodeId, u64>,
    /// Segments that the host does not take the first time it sees them.
    pub unready: BTreeSet<Hash>,
    /// How many calls succeed until the transaction is lost.
    pub calls_left: Cell<Option<u32>>,
}

impl MemoryStore {
    pub fn new(id: NodeId, genesis: Genesis, members: Vec<KnownMember>) -> Self {
        Self {
            id,
            chain: genesis.chain_id(),
            validators: genesis.validators(),
            genesis,
            members,
            vector: VersionVector::default(),
            segments: BTreeMap::new(),
            ops: BTreeMap::new(),
            blocks: Vec::new(),
            tiles: BTreeMap::new(),
            evidence: Vec::new(),
            barred: BTreeMap::new(),
            branches_discarded: 0,
            pruned: BTreeMap::new(),
            unready: BTreeSet::new(),
            calls_left: Cell::new(None),
        }
    }

    fn call(&self) -> Result<(), Lost> {
        match self.calls_left.get() {
            Some(0) => Err(Lost),
            Some(left) => {
                self.calls_left.set(Some(left - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// What storing a segment does, this node's own or another's. Says whether members changed.
    pub fn put(&mut self, segment: &Segment, hashes: &[Hash]) -> bool {
        let origin = segment.origin;
        assert_eq!(
            segment.prev,
            self.vector.get(&origin),
            "out of the origin's order"
        );
        assert_eq!(segment.ops.len(), hashes.len());
        for (dependency, seq) in &segment.deps {
            assert!(
                self.vector.get(dependency).seq >= *seq || self.barred.contains_key(dependency),
                "applied before what it depends on"
            );
        }
        let mut changed = false;
        for (op, hash) in segment.ops.iter().zip(hashes) {
            let log = self.ops.entry(origin).or_default();
            assert_eq!(
                log.len() as u64 + 1,
                op.seq,
                "an operation applied twice or left out"
            );
            log.push((op.core(), *hash));
            if op.kind == Kind::ValidatorSet {
                let change = MembershipChange::from_bytes(&op.parts[0].payload).unwrap();
                if let MembershipChange::Join(member) = change
                    && self.members.iter().all(|known| known.member != member)
                {
                    self.members.push(KnownMember {
                        member,
                        left_after: None,
                    });
                    changed = true;
                }
            }
        }
        self.segments
            .entry(origin)
            .or_default()
            .push(Arc::new(segment.clone()));
        self.vector.advance(origin, segment.end());
        changed
    }
}

impl TileStore for MemoryStore {
    type Error = Lost;

    fn tile(&self, level: u8, index: u64) -> Result<Vec<u8>, Lost> {
        self.call()?;
        Ok(self.tiles.get(&(level, index)).cloned().unwrap_or_default())
    }

    fn put(&mut self, level: u8, index: u64, hashes: &[u8]) -> Result<(), Lost> {
        self.call()?;
        self.tiles.insert((level, index), hashes.to_vec());
        Ok(())
    }
}

impl Store for MemoryStore {
    fn node_id(&mut self) -> Result<NodeId, Lost> {
        self.call().map(|()| self.id)
    }

    fn genesis(&mut self) -> Result<Genesis, Lost> {
        self.call().map(|()| self.genesis.clone())
    }

    fn vector(&mut self) -> Result<VersionVector, Lost> {
        self.call().map(|()| self.vector.clone())
    }

    fn members(&mut self) -> Result<Vec<KnownMember>, Lost> {
        self.call().map(|()| self.members.clone())
    }

    fn validators(&mut self, _height: u64) -> Result<ValidatorSet, Lost> {
        self.call().map(|()| self.validators.clone())
    }

    fn admit(&mut self, segment: &Segment, op_hashes: &[Hash]) -> Result<Admission, Lost> {
        self.call()?;
        if self.unready.remove(&segment.head) {
            return Ok(Admission::Held {
                reason: "the host is not ready for it".into(),
            });
        }
        let membership_changed = MemoryStore::put(self, segment, op_hashes);
        self.call()?;
        Ok(Admission::Admitted { membership_changed })
    }

    fn segments_after(
        &mut self,
        origin: &NodeId,
        after_seq: u64,
        max_bytes: usize,
    ) -> Result<Vec<Arc<Segment>>, Lost> {
        self.call()?;
        let mut bytes = 0;
        let segments = self.segments.get(origin).into_iter().flatten();
        let mut page = Vec::new();
        for segment in segments.filter(|segment| segment.end().seq > after_seq) {
            bytes += segment.encoded_len();
            let pruned = self.pruned.get(origin).copied().unwrap_or(0);
            if segment.prev.seq < pruned || bytes > max_bytes && !page.is_empty() {
                break;
            }
            page.push(segment.clone());
        }
        Ok(page)
    }

    fn op_hash(&mut self, origin: &NodeId, seq: u64) -> Result<Option<Hash>, Lost> {
        self.call()?;
        let index = seq as usize;
        Ok(index
            .checked_sub(1)
            .and_then(|index| self.ops.get(origin)?.get(index).map(|(_, hash)| *hash)))
    }

    fn op_cores(
        &mut self,
        origin: &NodeId,
        after_seq: u64,
        upto_seq: u64,
    ) -> Result<Vec<(OpCore, Hash)>, Lost> {
        self.call()?;
        let ops = self.ops.get(origin).map(Vec::as_slice).unwrap_or_default();
        let upto = (upto_seq as usize).min(ops.len());
        Ok(ops
            .get(after_seq as usize..upto)
            .unwrap_or_default()
            .to_vec())
    }

    fn last_block(&mut self) -> Result<Option<Arc<Block>>, Lost> {
        self.call().map(|()| self.blocks.last().cloned())
    }

    fn blocks_from(&mut self, height: u64, max: usize) -> Result<Vec<Arc<Block>>, Lost> {
        self.call()?;
        let first = (height as usize).saturating_sub(1);
        Ok(self.blocks.iter().skip(first).take(max).cloned().collect())
    }

    fn append_block(&mut self, block: &Block) -> Result<(), Lost> {
        self.call()?;
        assert_eq!(
            block.header.height,
            self.blocks.len() as u64 + 1,
            "a height left out"
        );
        self.blocks.push(Arc::new(block.clone()));
        Ok(())
    }

    fn record_evidence(&mut self, evidence: &Evidence) -> Result<(), Lost> {
        self.call()?;
        let evidence = Evidence::from_bytes(&evidence.to_bytes()).unwrap();
        if let Some(barred) = evidence.barred() {
            let origin = self
                .members
                .iter()
                .find(|m| m.member.node_id == barred.origin)
                .unwrap();
            let key = origin.member.verifying_key().unwrap();
            assert!(
                evidence.proves_against_origin(&self.chain, &key),
                "evidence that proves nothing"
            );
            self.barred.insert(barred.origin, barred);
        }
        self.evidence.push(evidence);
        Ok(())
    }

    fn evidence(&mut self) -> Result<Vec<Evidence>, Lost> {
        self.call().map(|()| self.evidence.clone())
    }

    fn barred(&mut self) -> Result<Vec<Barred>, Lost> {
        self.call()
            .map(|()| self.barred.values().copied().collect())
    }

    fn halted(&mut self) -> Result<bool, Lost> {
        self.call()?;
        Ok(self
            .evidence
            .iter()
            .any(|evidence| evidence.barred().is_none()))
    }

    fn discard_branch(&mut self, origin: &NodeId, keep: Position) -> Result<(), Lost> {
        self.call()?;
        assert!(
            self.barred.contains_key(origin),
            "an honest origin's operations discarded"
        );
        let finalised = self
            .blocks
            .last()
            .map_or(0, |block| block.cut.get(origin).seq);
        assert!(keep.seq >= finalised, "finalised operations discarded");
        let segments = self.segments.get_mut(origin).unwrap();
        segments.retain(|segment| segment.end().seq <= keep.seq);
        assert_eq!(segments.last().map_or(0, |last| last.end().seq), keep.seq);
        self.ops
            .get_mut(origin)
            .unwrap()
            .truncate(keep.seq as usize);
        self.vector.0.remove(origin);
        if keep.seq > 0 {
            self.vector.0.insert(*origin, keep);
        }
        self.branches_discarded += 1;
        Ok(())
    }
}
