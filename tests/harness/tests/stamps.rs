//! The arithmetic by which verify_chain() tells rows that were written since from those that
//! were not.

#[path = "../../../src/audit/stamp.rs"]
mod stamp;

use stamp::{NEVER, complete_tiles, full_number, tile_is_complete};

const ROUND: u64 = 1 << 32;

/// A row that was written since must never count as older, or an edit below the verified
/// beginning would pass, above all when transactions are numbered from the start again.
#[test]
fn a_stamp_is_never_taken_for_older_than_it_is() {
    let ages = [
        1,
        2,
        3,
        900,
        ROUND / 2,
        ROUND - 1,
        ROUND,
        ROUND + 1,
        3 * ROUND,
    ];
    for next in [4, 1000, ROUND - 1, ROUND + 3, 5 * ROUND + 17] {
        for written in ages.iter().filter_map(|age| next.checked_sub(*age)) {
            let told = full_number(next, written as u32);
            assert!(told >= written, "{next} {written} {told}");
        }
    }
    assert_eq!(full_number(1000, 999), 999);
    assert_eq!(
        full_number(1000, 1000),
        NEVER,
        "no transaction has this number yet"
    );
    assert_eq!(full_number(ROUND + 10, 9), ROUND + 9);
    assert_eq!(full_number(ROUND + 10, 11), 11);
}

/// Stamps that no transaction leaves behind are those of somebody who forges them.
#[test]
fn a_stamp_of_no_transaction_is_new() {
    for stamp in 0..3 {
        assert_eq!(full_number(5 * ROUND, stamp), NEVER);
    }
}

/// Only tiles that never change again may be held against what was remembered.
#[test]
fn tiles_are_counted_as_the_log_has_them() {
    assert_eq!(complete_tiles(255), 0);
    assert_eq!(complete_tiles(256), 1);
    assert_eq!(complete_tiles(65536 + 300), 257 + 1);
    assert!(tile_is_complete(256, 0, 0));
    assert!(!tile_is_complete(256, 0, 1) && !tile_is_complete(256, 0, -1));
    assert!(!tile_is_complete(256, 1, 0));
    assert!(tile_is_complete(65536, 1, 0));
    for level in [-1, 8, 9, i16::MAX] {
        assert!(
            !tile_is_complete(u64::MAX, level, 0) || level < 8,
            "{level}"
        );
    }
}
