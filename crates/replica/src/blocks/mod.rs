//! The chain of blocks at this node: the last block, what waits to follow it, and the seam to finality.
//!
//! `propose` makes blocks, `verify` takes those of others, `branch` settles disputes that the chain has
//! decided.

mod branch;
mod propose;
mod verify;

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::merkle::{Tree, TreeError};
use ledger::{Block, Cut, Genesis, Hash, Header, Leaf, NodeId, OpCore, Position};

use crate::event::Report;
use crate::finality::Finality;
use crate::node::Node;
use crate::store::Store;

use branch::Branches;

/// Blocks beyond the next one that are kept until their turn.
const WINDOW: u64 = 32;
/// Operations of which leaves are made at a time.
const PAGE: u64 = 4_096;
/// Blocks appended in one transaction.
const BATCH: usize = 16;

pub(crate) struct Blocks {
    /// The last block, or what stands before the first.
    tip: Tip,
    /// The last block itself, if it was appended since the node was opened.
    last: Option<Arc<Block>>,
    /// Blocks that came before their turn or before their operations, with who sent them.
    pending: BTreeMap<u64, (NodeId, Arc<Block>)>,
    /// The next block, if it is right and waits, and the state of the log in which it had to.
    waiting: Option<(Hash, u64)>,
    /// What the next block needs of origins that cannot be had as usual.
    wanted: BTreeMap<NodeId, Position>,
    /// Other histories of barred origins, kept while a block wants one.
    branches: Branches,
    /// Why the next block waits, for people.
    pub(crate) wait: Option<String>,
    /// The last block that was refused, and why: one report is enough.
    refused: Option<(Hash, String)>,
    finality: Option<Box<dyn Finality>>,
    /// The height and round that finality wants a value for.
    asked: Option<(u64, u32)>,
    candidate: Option<Candidate>,
    /// (due, token), ascending.
    timeouts: Vec<(u64, u64)>,
    due_ms: u64,
    forced: bool,
    halted: bool,
    /// Work is left over for the next input.
    more: bool,
}

struct Tip {
    header: Header,
    hash: Hash,
    cut: Cut,
}

/// A block of this node's making that finality has not decided on.
struct Candidate {
    header: Header,
    cut: Cut,
    leaves: Vec<Hash>,
}

/// Why leaves cannot be made.
enum LeafFault<E> {
    Store(E),
    /// What the log holds is not what the cut names, for people.
    Log(String),
}

impl<E> From<TreeError<E>> for LeafFault<E> {
    fn from(fault: TreeError<E>) -> Self {
        match fault {
            TreeError::Store(error) => Self::Store(error),
            TreeError::Tile { level, index } => Self::Log(format!(
                "tile {index} of level {level} is missing or too short"
            )),
            TreeError::Range { asked, size } => Self::Log(format!(
                "leaf {asked} lies outside the log of {size} leaves"
            )),
        }
    }
}

impl Blocks {
    pub(crate) fn open<S: Store>(
        store: &mut S,
        genesis: &Genesis,
        finality: Option<Box<dyn Finality>>,
    ) -> Result<Self, S::Error> {
        let tip = match store.last_block()? {
            Some(block) => Tip::of(block.header.clone(), block.cut.clone()),
            None => Tip::of(genesis.header(), Cut::default()),
        };
        Ok(Self {
            tip,
            last: None,
            pending: BTreeMap::new(),
            waiting: None,
            wanted: BTreeMap::new(),
            branches: Branches::default(),
            wait: None,
            refused: None,
            finality,
            asked: None,
            candidate: None,
            timeouts: Vec::new(),
            due_ms: 0,
            forced: false,
            halted: store.halted()?,
            more: false,
        })
    }

    pub(crate) fn height(&self) -> u64 {
        self.tip.header.height
    }

    /// Make a block as soon as the current input is done, whatever the interval.
    pub(crate) fn force(&mut self) {
        self.forced = true;
    }

    /// Whether the block after the last one is here, waiting.
    pub(crate) fn has_next(&self) -> bool {
        self.pending.contains_key(&self.height().saturating_add(1))
    }

    /// What the next block needs of origins of which another history is here, or that are barred.
    pub(crate) fn wanted(&self) -> impl Iterator<Item = (&NodeId, &Position)> {
        self.wanted.iter()
    }

    /// Whether `node` proposed the last block.
    pub(crate) fn last_is_by(&self, node: &NodeId) -> bool {
        self.height() > 0 && self.tip.header.proposer == *node
    }

    /// The last block, if it is the one after `height`.
    pub(crate) fn last_if_next(&self, height: u64) -> Option<Arc<Block>> {
        let last = self.last.as_ref()?;
        (last.header.height == height.saturating_add(1)).then(|| last.clone())
    }

    pub(crate) fn clock_went_back(&mut self, now_ms: u64) {
        self.due_ms = self.due_ms.min(now_ms);
    }
}

impl Tip {
    fn of(header: Header, cut: Cut) -> Self {
        Self {
            hash: header.hash(),
            header,
            cut,
        }
    }
}

impl Node {
    /// Appends what can be appended, and proposes what is due.
    pub(crate) fn advance_blocks<S: Store>(&mut self, store: &mut S) -> Result<(), S::Error> {
        self.blocks.more = false;
        for _ in 0..BATCH {
            if self.blocks.halted || !self.append_next(store)? {
                return self.propose_if_due(store);
            }
        }
        self.blocks.more = true;
        Ok(())
    }

    /// When this part of the node wants a tick, unix milliseconds.
    pub(crate) fn blocks_due_ms(&self) -> u64 {
        let timeout = self
            .blocks
            .timeouts
            .first()
            .map_or(u64::MAX, |(due_ms, _)| *due_ms);
        let proposal = match self.blocks.asked {
            Some(_) if self.blocks.more => 0,
            Some(_) if self.waiting_ops() > 0 => self.blocks.due_ms,
            _ => u64::MAX,
        };
        let pending = if self.blocks.more { 0 } else { u64::MAX };
        timeout.min(proposal).min(pending)
    }

    /// Operations that are in no block yet.
    fn waiting_ops(&self) -> u64 {
        self.vector
            .iter()
            .map(|(origin, at)| at.seq.saturating_sub(self.blocks.tip.cut.get(origin).seq))
            .fold(0, u64::saturating_add)
    }

    /// The leaf hashes of the block after the last one with this cut: the last header, then each
    /// origin's operations, origins ascending.
    fn leaves<S: Store>(&self, store: &mut S, cut: &Cut) -> Result<Vec<Hash>, LeafFault<S::Error>> {
        let tip = &self.blocks.tip;
        let mut index = tip.header.tree_size;
        let mut leaves = vec![Leaf::of_header(&tip.header, &tip.hash, index).hash()];
        for (origin, end) in cut.iter() {
            let mut at = tip.cut.get(origin);
            while at.seq < end.seq {
                let upto = end.seq.min(at.seq.saturating_add(PAGE));
                let page = store
                    .op_cores(origin, at.seq, upto)
                    .map_err(LeafFault::Store)?;
                for (core, hash) in &page {
                    index = index.saturating_add(1);
                    leaves.push(self.op_leaf(index, origin, core, &at, hash)?);
                    at = Position {
                        seq: core.seq,
                        head: *hash,
                    };
                }
                if at.seq != upto {
                    let lacking = at.seq.saturating_add(1);
                    return Err(LeafFault::Log(format!(
                        "operation {lacking} of {origin} is missing"
                    )));
                }
            }
            if at != *end {
                return Err(LeafFault::Log(format!(
                    "operation {} of {origin} is another",
                    end.seq
                )));
            }
        }
        Ok(leaves)
    }

    fn op_leaf<E>(
        &self,
        index: u64,
        origin: &NodeId,
        core: &OpCore,
        before: &Position,
        hash: &Hash,
    ) -> Result<Hash, LeafFault<E>> {
        // The store is not trusted: a damaged operation must not become part of the log.
        if core.seq != before.seq.saturating_add(1)
            || core.hash(&self.chain, origin, &before.head) != *hash
        {
            return Err(LeafFault::Log(format!(
                "operation {} of {origin} is damaged",
                core.seq
            )));
        }
        Ok(Leaf::of_op(&self.chain, index, origin, core, &before.head, hash).hash())
    }

    /// The root of the log with `leaves` appended.
    fn root_with<S: Store>(
        &self,
        store: &mut S,
        leaves: &[Hash],
    ) -> Result<Hash, LeafFault<S::Error>> {
        let size = self.blocks.tip.header.tree_size;
        let mut frontier = Tree::new(&mut *store, size).frontier(size)?;
        for leaf in leaves {
            frontier.push(*leaf);
        }
        Ok(frontier.root())
    }

    /// Writes a verified block and goes on to the next height.
    fn append<S: Store>(
        &mut self,
        store: &mut S,
        block: Arc<Block>,
        leaves: &[Hash],
    ) -> Result<(), LeafFault<S::Error>> {
        Tree::new(&mut *store, self.blocks.tip.header.tree_size).append(leaves)?;
        store.append_block(&block).map_err(LeafFault::Store)?;
        let height = block.header.height;
        self.blocks.tip = Tip::of(block.header.clone(), block.cut.clone());
        self.blocks.last = Some(block);
        self.blocks.pending.retain(|pending, _| *pending > height);
        self.blocks.waiting = None;
        self.blocks.wanted.clear();
        self.blocks.branches.clear();
        self.blocks.wait = None;
        self.blocks.candidate = None;
        self.blocks.due_ms = self.now_ms.saturating_add(self.options.block_interval_ms);
        self.report(Report::Appended {
            height,
            leaves: leaves.len() as u64,
        });
        self.start_height(store).map_err(LeafFault::Store)
    }
}
