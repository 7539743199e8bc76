//! What a verification that begins in the middle of a chain takes for granted. Nothing of it is
//! believed for good: what is proved from it counts only when the verification of all before
//! arrives at exactly the same (see [`super::Pieces`]).

use std::collections::BTreeMap;

use super::history::History;
use super::log::Log;
use super::stored::StoredBlock;
use crate::codec::Write;
use crate::hash::{Hash, LABEL_GROUND, sha256};
use crate::ids::NodeId;
use crate::membership::{Membership, SignedChange, ValidatorSchedule};
use crate::merkle::Frontier;
use crate::vector::Cut;

/// How far an origin has come at the end of a block, beside what the block's cut says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behind {
    /// The last op that a segment row covers, of those rows that end within the cut.
    pub covered: u64,
    /// The schema hash of the last op within the cut.
    pub schema: Hash,
}

/// The stored rows that tell what the chain up to a block leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// The block's height.
    pub height: u64,
    /// The block's header.
    pub header: Vec<u8>,
    /// The block's cut.
    pub cut: Vec<u8>,
    /// The block's certificate.
    pub certificate: Vec<u8>,
    /// The log's edge at the block's tree size (see [`crate::merkle::Tree::frontier`]).
    pub edge: Frontier,
    /// Of each level of the log, the lowest first, the tile that is open at that size, as it is
    /// stored; empty where none is.
    pub tiles: Vec<Vec<u8>>,
    /// The origins in the cut.
    pub origins: BTreeMap<NodeId, Behind>,
    /// Every membership change of the blocks up to here, with the height of its block, ascending.
    pub changes: Vec<(u64, SignedChange)>,
}

impl Ground {
    /// The block as it is stored.
    pub fn block(&self) -> StoredBlock<'_> {
        StoredBlock {
            height: self.height,
            header: &self.header,
            cut: &self.cut,
            certificate: &self.certificate,
        }
    }

    /// SHA-256 over all of it: two processes that read the same rows stand on the same ground.
    pub fn digest(&self) -> Hash {
        let mut bytes = Vec::new();
        bytes.put_u64(self.height);
        for row in [&self.header, &self.cut, &self.certificate] {
            bytes.put_long(row);
        }
        bytes.put_u64(self.edge.size());
        bytes.put_long(self.edge.peaks().as_flattened());
        bytes.put_u64(self.tiles.len() as u64);
        for tile in &self.tiles {
            bytes.put_long(tile);
        }
        bytes.put_u64(self.origins.len() as u64);
        for (origin, behind) in &self.origins {
            bytes.put(&origin.0);
            bytes.put_u64(behind.covered);
            bytes.put(&behind.schema);
        }
        bytes.put_u64(self.changes.len() as u64);
        for (height, change) in &self.changes {
            bytes.put_u64(*height);
            bytes.put_u64(change.hlc);
            bytes.put(&change.origin.0);
            bytes.put_u64(change.seq);
            bytes.put_long(&change.change.to_bytes());
        }
        sha256(&[LABEL_GROUND, &bytes])
    }

    /// Who belongs, and who votes, after the changes.
    pub(super) fn members(&self, founded: Membership) -> (Membership, ValidatorSchedule) {
        let mut membership = founded;
        let mut schedule = ValidatorSchedule::new(membership.validators());
        for block in self.changes.chunk_by(|a, b| a.0 == b.0) {
            let height = block.first().map_or(0, |(height, _)| *height);
            let mut changes: Vec<SignedChange> = block.iter().map(|(_, c)| c.clone()).collect();
            schedule.at(height);
            membership.apply_all(&mut changes);
            schedule.after_block(height, membership.validators());
        }
        (membership, schedule)
    }

    /// The log at its edge.
    pub(super) fn log(&self) -> Log {
        Log::with_tiles(self.edge.clone(), &self.tiles)
    }

    /// Where the origins' histories stand.
    pub(super) fn histories(&self, cut: &Cut) -> BTreeMap<NodeId, History> {
        let behind = |origin: &NodeId| self.origins.get(origin).copied();
        cut.iter()
            .map(|(origin, at)| {
                let history = match behind(origin) {
                    Some(known) => {
                        History::after(*origin, *at, Some(known.covered)).of_schema(known.schema)
                    }
                    None => History::after(*origin, *at, None),
                };
                (*origin, history)
            })
            .collect()
    }
}
