//! The paths at which a log is served (https://c2sp.org/tlog-tiles): `tile/<L>/<N>[.p/<W>]` for
//! hashes, `tile/entries/<N>[.p/<W>]` for entries. A resource has one path: what printing would not
//! give again is not read.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::TILE_WIDTH;

/// The greatest level that a path can name.
const MAX_LEVEL: u8 = 63;

/// A tile or entry bundle of a log. `width` counts its hashes or entries, 1 to 256; one of 256 is
/// full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TilePath {
    /// Hashes: entry j is the root over 256^level leaves from (index * 256 + j) * 256^level on.
    Hashes {
        /// The level, 0 for leaf hashes.
        level: u8,
        /// The index in its level.
        index: u64,
        /// How many hashes.
        width: u16,
    },
    /// The entries whose hashes are tile `index` of level 0.
    Entries {
        /// The index of the tile.
        index: u64,
        /// How many entries.
        width: u16,
    },
}

/// A text is not the path of a tile or entry bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "this is no path of a tile: tile/<level>/<index> or tile/entries/<index>, as tlog-tiles writes them"
)]
pub struct TilePathError;

impl TilePath {
    /// Whether a log of `size` leaves has all of it.
    pub fn is_within(&self, size: u64) -> bool {
        let (level, index, width) = match *self {
            Self::Hashes {
                level,
                index,
                width,
            } => (level, index, width),
            Self::Entries { index, width } => (0, index, width),
        };
        let hashes = size.checked_shr(8 * u32::from(level)).unwrap_or(0);
        index
            .checked_mul(TILE_WIDTH)
            .and_then(|start| start.checked_add(u64::from(width)))
            .is_some_and(|end| end <= hashes)
    }

    /// Whether it is full, and so never changes nor grows.
    pub fn is_full(&self) -> bool {
        let (Self::Hashes { width, .. } | Self::Entries { width, .. }) = self;
        u64::from(*width) == TILE_WIDTH
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Hashes { index, width, .. } | Self::Entries { index, width }) = *self;
        match self {
            Self::Hashes { level, .. } => write!(f, "tile/{level}/")?,
            Self::Entries { .. } => write!(f, "tile/entries/")?,
        }
        let mut groups = Vec::new();
        let mut rest = index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for group in groups.iter().rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{:03}", index % 1000)?;
        match self.is_full() {
            true => Ok(()),
            false => write!(f, ".p/{width}"),
        }
    }
}

impl FromStr for TilePath {
    type Err = TilePathError;

    fn from_str(text: &str) -> Result<Self, TilePathError> {
        parse(text)
            .filter(|path| path.to_string() == text)
            .ok_or(TilePathError)
    }
}

/// Reads a path; also some that are not written as they should be.
fn parse(text: &str) -> Option<TilePath> {
    let (kind, rest) = text.strip_prefix("tile/")?.split_once('/')?;
    let (number, width) = match rest.split_once(".p/") {
        Some((number, width)) => (number, decimal(width)?),
        None => (rest, TILE_WIDTH),
    };
    let mut index: u64 = 0;
    for group in number.split('/') {
        let group = decimal(group.strip_prefix('x').unwrap_or(group))?;
        index = index.checked_mul(1000)?.checked_add(group)?;
    }
    let width = u16::try_from(width).ok()?;
    if !(1..=TILE_WIDTH).contains(&u64::from(width)) {
        return None;
    }
    if kind == "entries" {
        return Some(TilePath::Entries { index, width });
    }
    let level = u8::try_from(decimal(kind)?).ok()?;
    (level <= MAX_LEVEL).then_some(TilePath::Hashes {
        level,
        index,
        width,
    })
}

/// Digits, nothing else.
fn decimal(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(())?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(level: u8, index: u64, width: u16) -> TilePath {
        TilePath::Hashes {
            level,
            index,
            width,
        }
    }

    /// Transparency-log clients ask for exactly these paths.
    #[test]
    fn paths_are_those_of_tlog_tiles() {
        let entries = TilePath::Entries {
            index: 1_067,
            width: 128,
        };
        for (path, text) in [
            (hashes(0, 1_234_067, 256), "tile/0/x001/x234/067"),
            (hashes(1, 0, 8), "tile/1/000.p/8"),
            (hashes(2, 999, 256), "tile/2/999"),
            (hashes(0, 1000, 256), "tile/0/x001/000"),
            (entries, "tile/entries/x001/067.p/128"),
        ] {
            assert_eq!(path.to_string(), text);
            assert_eq!(text.parse(), Ok(path));
        }
    }

    /// A second path for one resource would be cached, counted and refused apart from the first.
    #[test]
    fn no_resource_has_a_second_path() {
        for text in [
            "",
            "tile",
            "tile/",
            "tile/0",
            "tile/0/",
            "/tile/0/000",
            "tile/00/000",
            "tile/64/000",
            "tile/-1/000",
            "tile/+1/000",
            "tile/0/0",
            "tile/0/00",
            "tile/0/0000",
            "tile/0/x000",
            "tile/0/x000/000",
            "tile/0/001/000",
            "tile/0/x001/x000",
            "tile/0/x01/000",
            "tile/0/000/",
            "tile/0/000.p",
            "tile/0/000.p/",
            "tile/0/000.p/0",
            "tile/0/000.p/01",
            "tile/0/000.p/256",
            "tile/0/000.p/1.p/1",
            "tile/0/000?x",
            "tile/data/000",
            "tile/entries",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
        ] {
            assert_eq!(text.parse::<TilePath>(), Err(TilePathError), "{text}");
        }
        let last = "tile/0/x018/x446/x744/x073/x709/x551/615";
        assert_eq!(last.parse(), Ok(hashes(0, u64::MAX, 256)));
    }

    /// The example of tlog-tiles: 70,000 leaves.
    #[test]
    fn a_log_has_the_tiles_that_its_size_says() {
        let within = |path: TilePath| path.is_within(70_000);
        assert!(within(hashes(0, 272, 256)) && !within(hashes(0, 273, 256)));
        assert!(within(hashes(0, 273, 112)) && !within(hashes(0, 273, 113)));
        assert!(within(hashes(1, 0, 256)) && !within(hashes(1, 1, 256)));
        assert!(within(hashes(1, 1, 17)) && !within(hashes(1, 1, 18)));
        assert!(within(hashes(2, 0, 1)) && !within(hashes(2, 0, 2)));
        assert!(!within(hashes(3, 0, 1)) && !within(hashes(63, 0, 1)));
        assert!(!within(hashes(0, u64::MAX, 1)));
        let entries = |index, width| TilePath::Entries { index, width };
        assert!(within(entries(273, 112)) && !within(entries(273, 113)));
        assert!(!hashes(0, 0, 1).is_within(0));
    }
}
