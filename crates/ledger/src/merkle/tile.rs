//! Tiles of 256 hashes, as C2SP tlog-tiles stores them (https://c2sp.org/tlog-tiles): entry j of
//! tile (level, index) is the root over 256^level leaves from (index * 256 + j) * 256^level on.
//! Only the last tile of a level may be partial.

use super::{EMPTY_ROOT, root};
use crate::hash::Hash;

/// How many hashes a full tile holds.
pub const TILE_WIDTH: u64 = 256;
/// How many bytes a full tile holds.
pub const TILE_BYTES: usize = TILE_WIDTH as usize * 32;

/// The root over a run of entries of a tile.
pub(super) fn entries_root(bytes: &[u8]) -> Hash {
    let (hashes, _) = bytes.as_chunks::<32>();
    match hashes {
        [] => EMPTY_ROOT,
        [only] => *only,
        many => root(many),
    }
}

/// The path at which tlog-tiles serves a tile of `width` hashes, e.g. `tile/0/x001/067` or
/// `tile/1/000.p/8`.
pub fn tile_path(level: u8, index: u64, width: u64) -> String {
    let mut groups = vec![format!("{:03}", index % 1000)];
    let mut rest = index / 1000;
    while rest > 0 {
        groups.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    groups.reverse();
    let partial = match width {
        TILE_WIDTH => String::new(),
        width => format!(".p/{width}"),
    };
    format!("tile/{level}/{}{partial}", groups.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Transparency-log clients ask for exactly these paths.
    #[test]
    fn paths_are_those_of_tlog_tiles() {
        assert_eq!(tile_path(0, 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(tile_path(1, 0, 8), "tile/1/000.p/8");
        assert_eq!(tile_path(2, 999, 256), "tile/2/999");
        assert_eq!(tile_path(0, 1000, 256), "tile/0/x001/000");
    }
}
