//! Who did it and when: replica ids, dots, stamps.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::Hlc;

/// One incarnation of one node, as it stands in CRDT states.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ReplicaId(pub [u8; 16]);

impl ReplicaId {
    /// The first 16 bytes of SHA-256("bcrdt/replica/v1\0" ‖ public key ‖ incarnation).
    ///
    /// The incarnation is random and new after a restore, clone or promotion, so that two
    /// copies of one database never author under one id.
    pub fn derive(public_key: &[u8; 32], incarnation: &[u8; 16]) -> Self {
        let digest = Sha256::new()
            .chain_update(b"bcrdt/replica/v1\0")
            .chain_update(public_key)
            .chain_update(incarnation)
            .finalize();
        let mut id = [0; 16];
        id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        Self(id)
    }
}

impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReplicaId({self})")
    }
}

/// The name of one event: never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Dot {
    /// Whose event.
    pub replica: ReplicaId,
    /// A tick of that replica's hybrid logical clock: unique there, with gaps.
    pub counter: u64,
}

impl fmt::Display for Dot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.replica, self.counter)
    }
}

/// When a value was written; ordered by time, then by replica.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Stamp {
    /// The writer's hybrid logical clock.
    pub hlc: Hlc,
    /// The writer.
    pub replica: ReplicaId,
}
