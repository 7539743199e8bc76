//! Blocks as they are stored. Whether they are what was signed is the verifier's question.

use super::sql::{Row, one};
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
    read(
        "SELECT header FROM crdt.block WHERE height <= $1 ORDER BY height DESC LIMIT 1",
        height,
        |row| decoded_header(row, 1),
    )
}

/// The header of the block of this height, if there is one that can be read.
pub fn header(height: i64) -> Option<Header> {
    read(
        "SELECT header FROM crdt.block WHERE height = $1",
        height,
        |row| decoded_header(row, 1),
    )
}

/// The cut of the block of this height, if there is one that can be read.
pub fn cut(height: i64) -> Option<Cut> {
    read(
        "SELECT cut FROM crdt.block WHERE height = $1",
        height,
        |row| decoded_cut(row, 1),
    )
}

/// Both of the block of this height, if there is one that can be read.
pub fn header_and_cut(height: i64) -> Option<(Header, Cut)> {
    read(
        "SELECT header, cut FROM crdt.block WHERE height = $1",
        height,
        |row| decoded_header(row, 1).zip(decoded_cut(row, 2)),
    )
}

fn read<T>(sql: &str, height: i64, decode: impl FnOnce(&Row) -> Option<T>) -> Option<T> {
    one(sql, &[height.into()], decode).flatten()
}

fn decoded_header(row: &Row, column: i32) -> Option<Header> {
    Header::from_bytes(&row.need::<Vec<u8>>(column)).ok()
}

fn decoded_cut(row: &Row, column: i32) -> Option<Cut> {
    Cut::from_bytes(&row.need::<Vec<u8>>(column)).ok()
}
