//! What an audit can find.

use std::fmt;

use crate::hash::Hash;
use crate::merkle::TILE_WIDTH;

/// What is wrong with a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuditFaultKind {
    /// A bundle cannot be taken apart, or a leaf in it cannot be read.
    EntryUnreadable,
    /// An entry does not hash to its place in the tile.
    EntryAltered,
    /// A leaf stands at a place that is not its own, or in the log of another chain.
    LeafMisplaced,
    /// An op does not follow the one before of its node, or is not what its hash says.
    HistoryBroken,
    /// Headers or nodes do not follow each other as in a chain of blocks.
    BlocksBroken,
    /// A tile is not what the leaves below it make.
    TileAltered,
    /// The leaves do not make the root that was signed.
    RootWrong,
    /// The log does not continue what was signed before.
    Forked,
    /// The log has fewer leaves than were signed before.
    RolledBack,
    /// The checkpoint is not signed by who should have signed it.
    NotSigned,
    /// The log does not give what its checkpoint promises.
    Withheld,
}

impl AuditFaultKind {
    /// Its name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EntryUnreadable => "entry_unreadable",
            Self::EntryAltered => "entry_altered",
            Self::LeafMisplaced => "leaf_misplaced",
            Self::HistoryBroken => "history_broken",
            Self::BlocksBroken => "blocks_broken",
            Self::TileAltered => "tile_altered",
            Self::RootWrong => "root_wrong",
            Self::Forked => "forked",
            Self::RolledBack => "rolled_back",
            Self::NotSigned => "not_signed",
            Self::Withheld => "withheld",
        }
    }
}

/// The first thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFault {
    /// What.
    pub kind: AuditFaultKind,
    /// The first leaf that it touches, if it is about leaves.
    pub leaf_index: Option<u64>,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
    /// For people.
    pub detail: String,
}

impl AuditFault {
    /// A fault without an expectation.
    pub fn new(kind: AuditFaultKind, leaf_index: Option<u64>, detail: String) -> Self {
        Self {
            kind,
            leaf_index,
            expected: String::new(),
            found: String::new(),
            detail,
        }
    }

    /// The same with what should be there and what is.
    pub fn between(self, expected: impl fmt::Display, found: impl fmt::Display) -> Self {
        Self {
            expected: expected.to_string(),
            found: found.to_string(),
            ..self
        }
    }

    pub(super) fn at(kind: AuditFaultKind, index: u64, detail: impl Into<String>) -> Self {
        Self::new(kind, Some(index), detail.into())
    }

    /// A tile that is not `what`.
    pub fn tile(level: u8, index: u64, what: &str) -> Self {
        let detail = format!("tile {index} of level {level} is not {what}");
        let span = TILE_WIDTH.checked_pow(u32::from(level) + 1);
        let first = span.and_then(|span| index.checked_mul(span));
        Self::new(AuditFaultKind::TileAltered, first, detail)
    }

    pub(super) fn bundle(index: u64, error: &str) -> Self {
        let detail = format!("the bundle cannot be taken apart: {error}");
        Self::at(AuditFaultKind::EntryUnreadable, index, detail)
    }

    pub(super) fn unreadable(index: u64, error: &str) -> Self {
        let detail = format!("the leaf cannot be read: {error}");
        Self::at(AuditFaultKind::EntryUnreadable, index, detail)
    }

    pub(super) fn entry(index: u64, tile: &Hash, entry: &Hash) -> Self {
        let detail = "the entry does not hash to its place in the tile";
        Self::at(AuditFaultKind::EntryAltered, index, detail)
            .between(hex::encode(tile), hex::encode(entry))
    }

    pub(super) fn changed(index: u64, before: &Hash, now: &Hash) -> Self {
        let detail = "the leaf is another than when it was read before";
        Self::at(AuditFaultKind::Forked, index, detail)
            .between(hex::encode(before), hex::encode(now))
    }

    /// Another root than the one that was signed before for this size.
    pub fn forked(size: u64, before: &Hash, now: &Hash) -> Self {
        let detail = format!("the log does not continue what was signed before for {size} leaves");
        Self::new(AuditFaultKind::Forked, None, detail)
            .between(hex::encode(before), hex::encode(now))
    }
}

impl fmt::Display for AuditFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())?;
        if let Some(index) = self.leaf_index {
            write!(f, ", leaf {index}")?;
        }
        write!(f, ": {}", self.detail)?;
        match self.expected.is_empty() {
            true => Ok(()),
            false => write!(f, " (expected {}, found {})", self.expected, self.found),
        }
    }
}

impl std::error::Error for AuditFault {}
