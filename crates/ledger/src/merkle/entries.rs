//! Entry bundles (https://c2sp.org/tlog-tiles): the entries whose hashes are a tile of level 0, each
//! behind its length as a big-endian 16 bit number.

use thiserror::Error;

/// Why bytes are no entry bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EntriesError {
    /// The bundle ends inside an entry or its length.
    #[error("the bundle ends inside entry {entry}")]
    Truncated {
        /// Its place in the bundle, from 0.
        entry: usize,
    },
    /// It holds more or fewer entries than it should.
    #[error("the bundle holds {found} entries, expected {expected}")]
    Count {
        /// As the path says.
        expected: usize,
        /// At least so many are there.
        found: usize,
    },
}

/// The bundle of these entries; none if one of them is longer than its length can say.
pub fn entry_bundle<E: AsRef<[u8]>>(entries: &[E]) -> Option<Vec<u8>> {
    let size = entries.iter().map(|entry| 2 + entry.as_ref().len()).sum();
    let mut bundle = Vec::with_capacity(size);
    for entry in entries {
        let length = u16::try_from(entry.as_ref().len()).ok()?;
        bundle.extend_from_slice(&length.to_be_bytes());
        bundle.extend_from_slice(entry.as_ref());
    }
    Some(bundle)
}

/// The `expected` entries of a bundle.
///
/// # Errors
/// [`EntriesError`].
pub fn read_entries(bundle: &[u8], expected: usize) -> Result<Vec<&[u8]>, EntriesError> {
    let mut entries = Vec::with_capacity(expected.min(bundle.len() / 2));
    let mut rest = bundle;
    while !rest.is_empty() {
        let entry = entries.len();
        if entry == expected {
            let found = expected.saturating_add(1);
            return Err(EntriesError::Count { expected, found });
        }
        let truncated = EntriesError::Truncated { entry };
        let (length, tail) = rest.split_first_chunk().ok_or(truncated)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (bytes, tail) = tail.split_at_checked(length).ok_or(truncated)?;
        entries.push(bytes);
        rest = tail;
    }
    match entries.len() {
        found if found == expected => Ok(entries),
        found => Err(EntriesError::Count { expected, found }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Log tools read exactly these bytes.
    #[test]
    fn a_bundle_is_as_tlog_tiles_has_it() {
        let entries = [b"one".as_slice(), b"", &[7; 258]];
        let bundle = entry_bundle(&entries).expect("short entries");
        let golden = [b"\0\x03one\0\0\x01\x02".as_slice(), &[7; 258]].concat();
        assert_eq!(bundle, golden);
        assert_eq!(read_entries(&bundle, 3), Ok(entries.to_vec()));
        assert_eq!(entry_bundle::<&[u8]>(&[]), Some(Vec::new()));
        assert_eq!(entry_bundle(&[vec![0; 65_536]]), None);
    }

    /// A bundle that is cut or padded must not pass for a whole one.
    #[test]
    fn a_wrong_bundle_is_refused() {
        let bundle = entry_bundle(&["ab", "c"]).expect("short entries");
        for end in 0..bundle.len() {
            assert!(read_entries(&bundle[..end], 2).is_err(), "{end}");
        }
        let count = |expected, found| Err(EntriesError::Count { expected, found });
        assert_eq!(read_entries(&bundle, 1), count(1, 2));
        assert_eq!(read_entries(&bundle, 3), count(3, 2));
        assert_eq!(read_entries(&bundle, usize::MAX), count(usize::MAX, 2));
    }
}
