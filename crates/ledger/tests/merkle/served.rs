//! The log as it is served: paths of tiles, bundles of entries.

use ledger::merkle::{TilePath, entry_bundle, read_entries};
use proptest::prelude::*;

proptest! {
    /// Every tile that a log has is found by its path, and no tile that it does not have.
    #[test]
    fn tile_paths_come_back(level in 0u8..=63, index: u64, width in 1u16..=256, entries: bool) {
        let path = match entries {
            true => TilePath::Entries { index, width },
            false => TilePath::Hashes { level, index, width },
        };
        prop_assert_eq!(path.to_string().parse(), Ok(path));
    }

    /// A full tile lies within a log exactly if the leaves below it do.
    #[test]
    fn a_full_tile_is_there_when_its_leaves_are(level in 0u8..=3, index in 0u64..70, size in 0u64..1 << 34) {
        let path = TilePath::Hashes { level, index, width: 256 };
        let end = (index + 1) << (8 * (u32::from(level) + 1));
        prop_assert_eq!(path.is_within(size), end <= size);
    }

    /// Entries of any kind come back from their bundle.
    #[test]
    fn entry_bundles_come_back(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..40)) {
        let bundle = entry_bundle(&entries).unwrap();
        let read = read_entries(&bundle, entries.len()).unwrap();
        prop_assert_eq!(read, entries.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
}
