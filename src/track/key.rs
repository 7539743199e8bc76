//! A row's name across nodes: the binary form of its primary key, and hashes
//! of it for look-ups.

use super::table::Table;
use super::trigger::Row;
use sha2::{Digest, Sha256};

/// Values of the primary key in binary form, in the order of the key.
pub fn of_row(table: &Table, row: &Row) -> Vec<Vec<u8>> {
    table
        .key
        .iter()
        .map(|&at| {
            let column = &table.columns[at];
            row.get(column.attribute)
                .map(|value| column.send(value))
                .unwrap_or_default()
        })
        .collect()
}

/// Hash that names a row: SHA-256("bcrdt/row/v1\0" ‖ schema ‖ 0 ‖ table ‖ 0 ‖
/// each value with its u32 length).
pub fn hash(schema: &str, table: &str, key: &[Vec<u8>]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"bcrdt/row/v1\0");
    hasher.update(schema.as_bytes());
    hasher.update([0]);
    hasher.update(table.as_bytes());
    hasher.update([0]);
    for value in key {
        hasher.update(u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
        hasher.update(value);
    }
    hasher.finalize().into()
}

/// The first half of a row's hash, which keys tombstones.
pub fn tombstone_id(hash: &[u8; 32]) -> [u8; 16] {
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    id
}

/// The first eight bytes of a row's hash, which index the op log; readers
/// compare the key as well.
pub fn row_id(hash: &[u8; 32]) -> i64 {
    let mut id = [0; 8];
    id.copy_from_slice(&hash[..8]);
    i64::from_be_bytes(id)
}
