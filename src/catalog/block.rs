//! Blocks as they are stored. Whether they are what was signed is the verifier's question.

use super::sql::one;
use ledger::{Cut, Header};

/// The height of the last block; none if there is no block.
pub fn last_height() -> Option<i64> {
    one("SELECT max(height) FROM crdt.block", &[], |row| row.get(1)).flatten()
}

/// The header of the last block, if it can be read.
pub fn last_header() -> Option<Header> {
    header_upto(i64::MAX)
}

/// The header of the last block of at most this height, if it can be read.
pub fn header_upto(height: i64) -> Option<Header> {
    one(
        "SELECT header FROM crdt.block WHERE height <= $1 ORDER BY height DESC LIMIT 1",
        &[height.into()],
        |row| Header::from_bytes(&row.need::<Vec<u8>>(1)).ok(),
    )
    .flatten()
}

/// The header of the block of this height, if there is one that can be read.
pub fn header(height: i64) -> Option<Header> {
    one(
        "SELECT header FROM crdt.block WHERE height = $1",
        &[height.into()],
        |row| Header::from_bytes(&row.need::<Vec<u8>>(1)).ok(),
    )
    .flatten()
}

/// The cut of the block of this height, if there is one that can be read.
pub fn cut(height: i64) -> Option<Cut> {
    one(
        "SELECT cut FROM crdt.block WHERE height = $1",
        &[height.into()],
        |row| Cut::from_bytes(&row.need::<Vec<u8>>(1)).ok(),
    )
    .flatten()
}
