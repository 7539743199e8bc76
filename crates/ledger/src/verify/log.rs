//! The log: leaves that the ops hash to beside leaves that the tiles hold, each with its own
//! running root, so that the header's root can tell which of the two was altered.

use std::collections::BTreeMap;
use std::ops::Range;

use super::detail::Detail;
use super::edge::Edges;
use super::finding::{FindingKind, Findings, Place};
use super::upper::{self, Digests, UpperTiles};
use crate::hash::Hash;
use crate::merkle::{Frontier, TILE_BYTES, TILE_WIDTH};

/// How many tiles of level 0 may be handed over before their leaves are reached (32 MiB).
const MAX_AHEAD: usize = 4096;

/// What a leaf turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeafVerdict {
    /// Row and tile agree, or only one of them is there.
    Fine,
    /// They differ; the tile holds this.
    Differs(Hash),
    /// The leaf came out of turn.
    OutOfTurn,
}

/// Which leaves lead to the header's root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RootVerdict {
    /// Those of the ops.
    Ops,
    /// Those of the tiles, not those of the ops.
    Tiles,
    /// Neither: here is what the ops lead to.
    Neither(Hash),
    /// It cannot be told, because leaves are missing on both sides.
    Unknown,
}

#[derive(Debug)]
pub(super) struct Log {
    /// The leaf that comes next.
    pub position: u64,
    /// None after leaves that nobody knows.
    edges: Option<Edges>,
    /// The edges did not lead to a signed root: they are not held against later ones.
    astray: bool,
    tiles: BTreeMap<u64, Vec<u8>>,
    /// The first tile of level 0 that was not handed over yet.
    next_tile: u64,
    reported_tile: Option<u64>,
    upper: UpperTiles,
    /// Whether the upper tiles can be told from what was seen: not when it began in the middle.
    whole: bool,
}

impl Log {
    pub fn new(edge: Frontier) -> Self {
        let position = edge.size();
        Self {
            position,
            edges: Some(Edges::new(&edge)),
            astray: false,
            tiles: BTreeMap::new(),
            next_tile: position / TILE_WIDTH,
            reported_tile: None,
            upper: UpperTiles::default(),
            whole: position == 0,
        }
    }

    /// At the edge of a log that is known from its first leaf on; `tiles` are the open ones of
    /// each level. Tiles that are too short make it like one that is not.
    pub fn with_tiles(edge: Frontier, tiles: &[Vec<u8>]) -> Self {
        let mut log = Self::new(edge);
        let upper = UpperTiles::open_at(log.position, tiles);
        log.whole = upper.is_some();
        log.upper = upper.unwrap_or_default();
        if !log.position.is_multiple_of(TILE_WIDTH)
            && let Some(tile) = tiles.first()
        {
            log.tiles.insert(log.position / TILE_WIDTH, tile.clone());
            log.next_tile = log.position / TILE_WIDTH + 1;
        }
        log
    }

    /// Whether another log would go on exactly as this one, whatever of it is in doubt: the index
    /// of the open tiles follows from the position.
    pub fn stands_as(&self, other: &Self) -> bool {
        let open = self.position / TILE_WIDTH;
        let reported = |log: &Self| log.reported_tile.filter(|tile| *tile >= open);
        self.position == other.position
            && self.edges == other.edges
            && self.astray == other.astray
            && self.tiles == other.tiles
            && self.next_tile == other.next_tile
            && reported(self) == reported(other)
            && self.upper.stand_as(&other.upper)
            && self.whole == other.whole
    }

    /// Takes over where another log stands; `complete` are the upper tiles that became complete on
    /// the way there.
    pub fn go_on_as(&mut self, other: Self, complete: &Digests) {
        let before = std::mem::replace(self, other);
        let further = std::mem::replace(&mut self.upper, before.upper);
        self.upper.go_on_as(further, complete);
    }

    /// What the upper tiles should hold that are complete; none if any of it is in doubt.
    pub fn complete_uppers(&self) -> Option<Digests> {
        self.upper.complete()
    }

    /// Which tiles hold the leaves from here to `end`, without those that were handed over.
    pub fn wanted(&self, end: u64) -> Range<u64> {
        let start = self.next_tile.max(self.position / TILE_WIDTH);
        start..end.div_ceil(TILE_WIDTH).max(start)
    }

    /// Takes a stored tile.
    pub fn tile(&mut self, level: u8, index: u64, bytes: &[u8], findings: &mut Findings) {
        let mut fault = |detail: Detail| {
            let place = upper::place(level, index);
            findings.add(place.finding(FindingKind::TileAltered, detail));
        };
        if bytes.is_empty() || !bytes.len().is_multiple_of(32) || bytes.len() > TILE_BYTES {
            let text = format!(
                "tile {index} of level {level} has {} bytes, expected 32 to {TILE_BYTES} in steps of 32",
                bytes.len()
            );
            let detail = Detail::from(text)
                .expected(format_args!("32 to {TILE_BYTES} bytes"))
                .found(format_args!("{} bytes", bytes.len()));
            fault(detail);
            if level == 0 {
                self.reported_tile = Some(index);
                self.next_tile = self.next_tile.max(index.saturating_add(1));
            } else {
                self.upper.reported(level, index);
            }
            return;
        }
        if level == 0 {
            if index < self.position / TILE_WIDTH {
                return fault(format!("tile {index} came after its leaves").into());
            }
            if index < self.next_tile {
                return fault(format!("tile {index} of level 0 is there twice").into());
            }
            if self.tiles.len() >= MAX_AHEAD {
                return fault(format!("tile {index} came too early").into());
            }
            self.next_tile = self.next_tile.max(index.saturating_add(1));
            self.tiles.insert(index, bytes.to_vec());
        } else if let Err(detail) = self.upper.stored(level, index, bytes) {
            fault(detail.into());
        }
    }

    /// Takes leaf `index` as its row gives it; leaves before it that no row gave are taken from
    /// the tiles.
    pub fn leaf(
        &mut self,
        index: u64,
        by_row: Option<Hash>,
        findings: &mut Findings,
    ) -> LeafVerdict {
        if index < self.position {
            return LeafVerdict::OutOfTurn;
        }
        self.fill_to(index, findings);
        self.push(by_row, findings)
    }

    /// Takes the leaves before `end` from the tiles.
    pub fn fill_to(&mut self, end: u64, findings: &mut Findings) {
        while self.position < end {
            if self.in_tile(self.position).is_none() {
                // No tile, no leaf: nothing can be said about the roots from here on.
                self.report_missing(findings);
                self.lose();
                self.position = end;
                self.tiles = self.tiles.split_off(&(end / TILE_WIDTH));
                return;
            }
            self.push(None, findings);
        }
    }

    /// Holds the roots against the header's, and goes on with the side that is right.
    pub fn check_root(&mut self, root: &Hash) -> RootVerdict {
        let Some(edges) = self.edges.as_mut().filter(|_| !self.astray) else {
            return RootVerdict::Unknown;
        };
        let found = edges.by_ops().root();
        if found == *root {
            edges.follow_ops();
            return RootVerdict::Ops;
        }
        if edges.by_tiles().root() == *root {
            edges.follow_tiles();
            return RootVerdict::Tiles;
        }
        self.astray = true;
        RootVerdict::Neither(found)
    }

    /// The root that the ops lead to, if it can be told.
    pub fn root(&self) -> Option<Hash> {
        let edges = self.edges.as_ref().filter(|_| !self.astray);
        edges.map(|edges| edges.by_ops().root())
    }

    /// Looks at what is left when leaves beyond the last block may exist: tiles that hold none of
    /// those seen are held against nothing.
    pub fn stop(&self, findings: &mut Findings) {
        let first = self.position.div_ceil(TILE_WIDTH);
        let leafless = self.tiles.range(first..).map(|(index, _)| (0, *index));
        for (level, index) in leafless.chain(self.upper.places()) {
            let detail = format!("tile {index} of level {level} has nothing to do with the blocks");
            let place = upper::place(level, index);
            findings.add(place.finding(FindingKind::TileAltered, detail));
        }
    }

    /// Compares what is left when all leaves have been seen.
    pub fn finish(&mut self, findings: &mut Findings) {
        let open = self.position / TILE_WIDTH;
        let width = (self.position % TILE_WIDTH) as usize * 32;
        for (index, tile) in &self.tiles {
            let expected = if *index == open { width } else { 0 };
            if tile.len() > expected {
                let place = Place {
                    height: None,
                    leaf_index: Some(self.position),
                };
                let detail = Detail::from(format!(
                    "tile {index} of level 0 holds {} leaves beyond the last block",
                    (tile.len() - expected) / 32
                ))
                .expected(format_args!("{} leaves", expected / 32))
                .found(format_args!("{} leaves", tile.len() / 32));
                findings.add(place.finding(FindingKind::TileAltered, detail));
            }
        }
        if self.whole {
            self.upper.finish(findings);
        }
    }

    fn push(&mut self, by_row: Option<Hash>, findings: &mut Findings) -> LeafVerdict {
        let by_tile = self.in_tile(self.position);
        if by_tile.is_none() {
            self.report_missing(findings);
        }
        match (by_row.or(by_tile), by_tile.or(by_row), &mut self.edges) {
            (Some(ops), Some(tiles), Some(edges)) => {
                let tile = edges.push(ops, tiles);
                let doubtful = by_row.is_none() || by_tile.is_none() || by_row != by_tile;
                if self.whole {
                    self.upper.leaf_entered(tile, doubtful);
                }
            }
            _ => self.lose(),
        }
        self.position = self.position.saturating_add(1);
        if self.position.is_multiple_of(TILE_WIDTH) {
            self.tiles.remove(&(self.position / TILE_WIDTH - 1));
        }
        match (by_row, by_tile) {
            (Some(row), Some(tile)) if row != tile => LeafVerdict::Differs(tile),
            _ => LeafVerdict::Fine,
        }
    }

    fn in_tile(&self, index: u64) -> Option<Hash> {
        let tile = self.tiles.get(&(index / TILE_WIDTH))?;
        let (hashes, _) = tile.as_chunks::<32>();
        hashes.get((index % TILE_WIDTH) as usize).copied()
    }

    /// Once for each tile.
    fn report_missing(&mut self, findings: &mut Findings) {
        let index = self.position / TILE_WIDTH;
        if self.reported_tile != Some(index) {
            self.reported_tile = Some(index);
            let place = Place {
                height: None,
                leaf_index: Some(self.position),
            };
            let detail = format!("tile {index} of level 0 is missing or too short");
            findings.add(place.finding(FindingKind::TileAltered, detail));
        }
    }

    pub fn lose(&mut self) {
        self.edges = None;
        self.whole = false;
    }
}
