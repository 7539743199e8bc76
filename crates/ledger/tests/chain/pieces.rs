//! A chain verified in runs of blocks, as a server does it that has several processes.

use std::collections::BTreeMap;

use ledger::merkle::Tree;
use ledger::{
    Behind, ChainVerifier, Cut, Ground, Header, MembershipChange, Pieces, Report, Run, SignedChange,
};

use super::Chain;

/// How many runs were joined, and how many were fed again.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Joins {
    pub joined: usize,
    pub fed: usize,
}

impl Chain {
    pub fn pieces(&self) -> Pieces {
        Pieces::new(self.chain, self.genesis_bytes.clone(), self.members.clone())
    }

    /// What the rows say of the chain up to a block; none where they cannot be read.
    pub fn ground(&self, height: u64) -> Option<Ground> {
        let row = self.blocks.iter().find(|row| row.height == height)?;
        let size = Header::from_bytes(&row.header).ok()?.tree_size;
        let cut = Cut::from_bytes(&row.cut).ok()?;
        let mut origins = BTreeMap::new();
        for (origin, at) in cut.iter() {
            let ends = self.segments.iter().filter(|s| s.origin == origin.0);
            let ends = ends.map(|s| (s.first_seq + s.count).saturating_sub(1));
            let last = self
                .ops
                .iter()
                .find(|op| op.origin == origin.0 && op.seq == at.seq)?;
            let behind = Behind {
                covered: ends.filter(|end| *end <= at.seq).max().unwrap_or(0),
                schema: last.schema_hash.as_slice().try_into().ok()?,
            };
            origins.insert(*origin, behind);
        }
        let mut changes = Vec::new();
        for op in self.ops.iter().filter(|op| op.kind == 3) {
            let origin = ledger::NodeId(op.origin.as_slice().try_into().ok()?);
            let block = self.blocks.iter().find(|row| {
                Cut::from_bytes(&row.cut).is_ok_and(|cut| cut.get(&origin).seq >= op.seq)
            });
            if let (Some(block), Ok(change)) = (block, MembershipChange::from_bytes(&op.payload))
                && block.height <= height
            {
                let change = SignedChange {
                    hlc: op.hlc,
                    origin,
                    seq: op.seq,
                    change,
                };
                changes.push((block.height, change));
            }
        }
        changes.sort_by_key(|(height, _)| *height);
        let mut tiles = Vec::new();
        let mut entries = size;
        while entries > 0 {
            let tile = self.tiles.0.get(&(tiles.len() as u8, entries / 256));
            tiles.push(tile.cloned().unwrap_or_default());
            entries /= 256;
        }
        Some(Ground {
            height,
            header: row.header.clone(),
            cut: row.cut.clone(),
            certificate: row.certificate.clone(),
            edge: Tree::new(self.tiles.clone(), size).frontier(size).ok()?,
            tiles,
            origins,
            changes,
        })
    }

    fn feed_blocks(
        &self,
        verifier: &mut ChainVerifier,
        after: u64,
        last: u64,
        done: &mut BTreeMap<Vec<u8>, u64>,
    ) {
        // A row before the first block belongs to the first run.
        let heights = |height: u64| (after == 0 || height > after) && height <= last;
        for block in self.blocks.iter().filter(|row| heights(row.height)) {
            let plan = verifier.block(&block.as_stored());
            self.feed_plan(verifier, &plan);
            for range in plan.ranges {
                done.insert(range.origin.0.to_vec(), range.last_seq);
            }
        }
    }

    /// Verifies in runs that end at `ends`, and what is behind the last one.
    pub fn verify_in_pieces(&self, ends: &[u64]) -> (Report, Joins) {
        let pieces = self.pieces();
        let (mut whole, mut joins) = (pieces.begin(), Joins::default());
        let mut done = BTreeMap::new();
        let mut after = None;
        for end in ends.iter().filter_map(|height| self.ground(*height)) {
            let first = after.as_ref().map_or(0, |ground: &Ground| ground.height);
            if end.height <= first {
                continue;
            }
            let mut run = pieces.start(after.as_ref());
            let mut reached = BTreeMap::new();
            self.feed_blocks(&mut run, first, end.height, &mut reached);
            let run = pieces.end(run, after.as_ref(), &end);
            // It goes from process to process as bytes.
            let run = run.map(|run| Run::from_bytes(&run.to_bytes()).unwrap());
            match run {
                Some(run) if pieces.join(&mut whole, &run, after.as_ref(), &end) => {
                    joins.joined += 1;
                    done.extend(reached);
                }
                _ => {
                    joins.fed += 1;
                    self.feed_blocks(&mut whole, first, end.height, &mut done);
                }
            }
            after = Some(end);
        }
        let last = after.as_ref().map_or(0, |ground| ground.height);
        self.feed_blocks(&mut whole, last, u64::MAX, &mut done);
        self.feed_tail(&mut whole, &done);
        if joins.joined > 0 && whole.awaits_prune() {
            // Runs keep no list of the payloads that are gone.
            return (self.verify(), joins);
        }
        (whole.finish(), joins)
    }
}
