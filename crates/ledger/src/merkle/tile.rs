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
