//! The tiles above level 0: what they should hold, as the leaves make them, beside what is stored.

use std::collections::BTreeMap;

use super::detail::Detail;
use super::finding::{FindingKind, Findings, Place};
use crate::hash::{Hash, sha256, short};
use crate::merkle::{TILE_WIDTH, root};

/// How many upper tiles are compared: enough for 2^36 leaves.
const MAX_TILES: usize = 1 << 20;
/// No log has more levels: 256^8 leaves are 2^64.
const MAX_LEVEL: u8 = 7;
/// Stands for the digest of a tile that was reported already, for its form.
const REPORTED: Hash = [0; 32];

/// What complete upper tiles should hold: (level, index) → digest.
pub(super) type Digests = BTreeMap<(u8, u64), Hash>;

/// What an upper tile should hold.
#[derive(Debug)]
struct Expected {
    digest: Hash,
    /// A leaf below it is in doubt, which is reported where that leaf is.
    doubtful: bool,
}

/// The open tile of a level.
#[derive(Debug, Default)]
struct Level {
    /// Empty at level 0, whose leaves the log's edge knows.
    entries: Vec<Hash>,
    index: u64,
    doubtful: bool,
}

/// Tiles in the making, complete ones, and stored ones.
#[derive(Debug, Default)]
pub(super) struct UpperTiles {
    levels: Vec<Level>,
    expected: BTreeMap<(u8, u64), Expected>,
    stored: Digests,
}

impl UpperTiles {
    /// At a log of that many leaves, whose open tiles of each level these are; none if one of them
    /// is too short.
    pub fn open_at(leaves: u64, tiles: &[Vec<u8>]) -> Option<Self> {
        let mut levels = Vec::new();
        let mut entries = leaves;
        while entries > 0 {
            let tile = tiles.get(levels.len()).map_or(&[][..], Vec::as_slice);
            let (hashes, _) = tile.as_chunks::<32>();
            let open = hashes.get(..(entries % TILE_WIDTH) as usize)?;
            levels.push(Level {
                entries: match levels.is_empty() {
                    true => Vec::new(),
                    false => open.to_vec(),
                },
                index: entries / TILE_WIDTH,
                doubtful: false,
            });
            entries /= TILE_WIDTH;
        }
        Some(Self {
            levels,
            ..Self::default()
        })
    }

    /// Whether other open tiles hold the same, whatever of it is in doubt.
    pub fn stand_as(&self, other: &Self) -> bool {
        self.levels.len() == other.levels.len()
            && std::iter::zip(&self.levels, &other.levels).all(|(a, b)| a.entries == b.entries)
    }

    /// Takes over open tiles from a place further on; `complete` became complete on the way there.
    pub fn go_on_as(&mut self, other: Self, complete: &Digests) {
        let before = std::mem::replace(&mut self.levels, other.levels);
        for (place, digest) in complete {
            self.expect(*place, *digest, false);
        }
        // A tile stays in doubt until it is complete, and so does what stands for it above.
        let mut doubt = None;
        for depth in 0..self.levels.len() {
            let open = before
                .get(depth)
                .filter(|level| level.doubtful)
                .map(|level| level.index);
            doubt = match open.or(doubt) {
                Some(index) if self.doubt(depth, index) => Some(index / TILE_WIDTH),
                _ => None,
            };
        }
    }

    /// Marks a tile as doubtful; says whether it is complete.
    fn doubt(&mut self, depth: usize, index: u64) -> bool {
        match self.levels.get_mut(depth) {
            Some(level) if level.index == index => {
                level.doubtful = true;
                false
            }
            _ => {
                if let Some(tile) = self.expected.get_mut(&(depth as u8, index)) {
                    tile.doubtful = true;
                }
                true
            }
        }
    }

    /// What the complete tiles should hold; none if any of it is in doubt.
    pub fn complete(&self) -> Option<Digests> {
        let sure = |(place, tile): (&(u8, u64), &Expected)| {
            (!tile.doubtful).then_some((*place, tile.digest))
        };
        self.expected.iter().map(sure).collect()
    }

    /// Takes a stored tile.
    ///
    /// # Errors
    /// In words, why there can be no such tile.
    pub fn stored(&mut self, level: u8, index: u64, bytes: &[u8]) -> Result<(), String> {
        if level > MAX_LEVEL || self.stored.len() >= MAX_TILES {
            return Err(format!("there is no tile {index} of level {level}"));
        }
        match self.stored.insert((level, index), sha256(&[bytes])) {
            None => Ok(()),
            Some(_) => Err(format!("tile {index} of level {level} is there twice")),
        }
    }

    /// The tiles that were stored and are not reported yet.
    pub fn places(&self) -> impl Iterator<Item = (u8, u64)> {
        let stored = self.stored.iter();
        stored
            .filter(|(_, digest)| **digest != REPORTED)
            .map(|(place, _)| *place)
    }

    /// A stored tile was reported for its form.
    pub fn reported(&mut self, level: u8, index: u64) {
        if self.stored.len() < MAX_TILES {
            self.stored.insert((level, index), REPORTED);
        }
    }

    /// A leaf was entered that completes a tile of level 0 with this root, if any.
    pub fn leaf_entered(&mut self, tile: Option<Hash>, doubtful: bool) {
        let level = self.level(0);
        level.doubtful |= doubtful;
        if let Some(root) = tile {
            let doubtful = level.doubtful;
            self.close_tile(0);
            self.entry(1, root, doubtful);
        }
    }

    fn level(&mut self, depth: usize) -> &mut Level {
        while self.levels.len() <= depth {
            self.levels.push(Level::default());
        }
        &mut self.levels[depth]
    }

    /// Appends an entry to the open tile of a level, and completes it when it is full.
    fn entry(&mut self, depth: usize, hash: Hash, doubtful: bool) {
        let level = self.level(depth);
        level.entries.push(hash);
        level.doubtful |= doubtful;
        if level.entries.len() as u64 == TILE_WIDTH {
            let above = root(&level.entries);
            let doubtful = level.doubtful;
            self.close_tile(depth);
            self.entry(depth + 1, above, doubtful);
        }
    }

    /// Notes what the open tile of a level should hold and opens the next one.
    fn close_tile(&mut self, depth: usize) {
        let Some(level) = self.levels.get_mut(depth) else {
            return;
        };
        let (index, doubtful) = (level.index, level.doubtful);
        level.index += 1;
        level.doubtful = false;
        let entries = std::mem::take(&mut level.entries);
        if depth > 0 && !entries.is_empty() {
            let digest = sha256(&[entries.as_flattened()]);
            self.expect((depth as u8, index), digest, doubtful);
        }
    }

    fn expect(&mut self, place: (u8, u64), digest: Hash, doubtful: bool) {
        if self.expected.len() < MAX_TILES {
            self.expected.insert(place, Expected { digest, doubtful });
        }
    }

    /// Holds the stored tiles against what they should hold, when all leaves have been seen.
    pub fn finish(&mut self, findings: &mut Findings) {
        for depth in 1..self.levels.len() {
            self.close_tile(depth);
        }
        let mut stored = std::mem::take(&mut self.stored);
        for ((level, index), tile) in &self.expected {
            let found = stored.remove(&(*level, *index));
            if tile.doubtful || found == Some(tile.digest) || found == Some(REPORTED) {
                continue;
            }
            let detail = match found {
                None => Detail::from(format!("tile {index} of level {level} is not stored"))
                    .expected(short(&tile.digest)),
                Some(found) => Detail::hashes(
                    format_args!("the hash of tile {index} of level {level}"),
                    &found,
                    &tile.digest,
                ),
            };
            findings.add(place(*level, *index).finding(FindingKind::TileAltered, detail));
        }
        for ((level, index), digest) in stored {
            if digest != REPORTED {
                let detail = Detail::from(format!("tile {index} of level {level} has no leaves"))
                    .found(short(&digest));
                findings.add(place(level, index).finding(FindingKind::TileAltered, detail));
            }
        }
    }
}

/// Where a tile is, of whichever level: at its first leaf.
pub(super) fn place(level: u8, index: u64) -> Place {
    let width = 1u64.checked_shl(u32::from(level) * 8 + 8);
    Place {
        height: None,
        leaf_index: width.and_then(|width| index.checked_mul(width)),
    }
}
