//! Following a log from outside, by what it serves to everybody: entries, tiles, checkpoints. No
//! payload is needed, none is seen. Without I/O; the host fetches.
//!
//! `edge` grows the Merkle tree and says which tiles it is made of, `links` holds each leaf against
//! the ones before, `fault` says what can be wrong, `state` is how an audit is kept and gone on with.

mod edge;
mod fault;
mod links;
mod state;

pub use edge::DueTile;
pub use fault::{AuditFault, AuditFaultKind};

use crate::hash::Hash;
use crate::ids::ChainId;
use crate::leaf::Leaf;
use crate::merkle::{TILE_WIDTH, TilePath, leaf_hash, read_entries};
use edge::Edge;
use links::Links;

/// An audit of one log: leaves are read from the first to the last, in memory that grows with the
/// number of members only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogAudit {
    chain: ChainId,
    edge: Edge,
    links: Links,
}

impl LogAudit {
    /// An audit of the log of `chain`, from its first leaf on.
    pub fn new(chain: ChainId) -> Self {
        Self {
            chain,
            edge: Edge::default(),
            links: Links::default(),
        }
    }

    /// Whose log it is.
    pub fn chain(&self) -> &ChainId {
        &self.chain
    }

    /// How many leaves were read.
    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The root over the leaves that were read.
    pub fn root(&self) -> Hash {
        self.edge.root()
    }

    /// How many of the leaves are headers, thus how many blocks have begun.
    pub fn headers(&self) -> u64 {
        self.links.headers()
    }

    /// How many nodes have ops in the log.
    pub fn origins(&self) -> usize {
        self.links.origins()
    }

    /// The bundle to read next in a log of `size` leaves, and its tile of level 0, or those that come
    /// `skipped` after them; none if there are no more.
    pub fn ahead(&self, size: u64, skipped: u64) -> Option<(TilePath, TilePath)> {
        let index = (self.size() / TILE_WIDTH).checked_add(skipped)?;
        if self.size() >= size || index.checked_mul(TILE_WIDTH)? >= size {
            return None;
        }
        let width = (size - index * TILE_WIDTH).min(TILE_WIDTH) as u16;
        let hashes = TilePath::Hashes {
            level: 0,
            index,
            width,
        };
        Some((TilePath::Entries { index, width }, hashes))
    }

    /// Reads the bundle and tile that [`LogAudit::ahead`] named. Gives the tiles of higher levels that
    /// are full with it, for the host to hold against those that the log serves. `passing` is the size
    /// and root of an earlier checkpoint, which must be met on the way.
    ///
    /// # Errors
    /// [`AuditFault`] names the first thing that is wrong; the audit cannot go on then.
    pub fn read(
        &mut self,
        bundle: &[u8],
        tile: &[u8],
        passing: Option<(u64, Hash)>,
    ) -> Result<Vec<DueTile>, AuditFault> {
        let begin = self.size() / TILE_WIDTH * TILE_WIDTH;
        let (hashes, rest) = tile.as_chunks::<32>();
        if hashes.is_empty() || hashes.len() as u64 > TILE_WIDTH || !rest.is_empty() {
            return Err(AuditFault::tile(0, begin / TILE_WIDTH, "of whole hashes"));
        }
        let entries = read_entries(bundle, hashes.len())
            .map_err(|error| AuditFault::bundle(begin, &error.to_string()))?;
        let mut due = Vec::new();
        for ((entry, hash), index) in entries.iter().zip(hashes).zip(begin..) {
            if leaf_hash(entry) != *hash {
                return Err(AuditFault::entry(index, hash, &leaf_hash(entry)));
            }
            match self.edge.known(index) {
                Some(known) if known == *hash => continue,
                Some(known) => return Err(AuditFault::changed(index, &known, hash)),
                None => {}
            }
            let leaf = Leaf::from_bytes(entry)
                .map_err(|error| AuditFault::unreadable(index, &error.to_string()))?;
            self.links.follow(&self.chain, index, &leaf)?;
            due.extend(self.edge.push(*hash));
            if let Some((size, root)) = passing
                && size == self.size()
                && root != self.root()
            {
                return Err(AuditFault::forked(size, &root, &self.root()));
            }
        }
        Ok(due)
    }

    /// The partial tiles of higher levels at the end of the leaves read, for the host to hold against
    /// those that the log serves.
    pub fn open_tiles(&self) -> Vec<DueTile> {
        self.edge.open_tiles()
    }
}
