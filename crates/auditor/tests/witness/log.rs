//! A log, and forks of it.

use ledger::merkle::{consistency_path, leaf_hash, root};
use ledger::witness::AddCheckpoint;
use ledger::{Checkpoint, Hash, KeyKind, SignedCheckpoint, SigningKey, VerifierKey};

pub const ORIGIN: &str = "example.com/log";

pub fn key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

/// The log's key as the witness has it configured.
pub fn vkey(origin: &str) -> String {
    VerifierKey::new(origin, KeyKind::Ed25519, key().verifying_key())
        .unwrap()
        .to_string()
}

/// The leaves of a log; the forks part after three.
pub fn leaves(fork: u64, count: u64) -> Vec<Hash> {
    (0..count)
        .map(|index| {
            leaf_hash(
                &[index, if index < 3 { 0 } else { fork }]
                    .map(u64::to_be_bytes)
                    .concat(),
            )
        })
        .collect()
}

pub fn signed(origin: &str, fork: u64, size: u64) -> SignedCheckpoint {
    Checkpoint {
        origin: origin.to_owned(),
        size,
        root: root(&leaves(fork, size)),
        extensions: Vec::new(),
    }
    .sign(&key())
    .unwrap()
}

/// What a log sends that has come from `old` to `size` leaves.
pub fn request(fork: u64, old: u64, size: u64) -> String {
    AddCheckpoint {
        old_size: old,
        proof: consistency_path(&leaves(fork, size), old).unwrap_or_default(),
        checkpoint: signed(ORIGIN, fork, size),
    }
    .to_string()
}
