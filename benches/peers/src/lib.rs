//! Benches beside other libraries: the same work, done by each in one run on one machine.
//!
//! `text` and `set` hold what each library does with a document or a set, behind one trait each;
//! a further type of ours is one more impl. `log` does so for Merkle logs. `trace` reads editing traces, `written` makes a
//! document where none is at hand, `table` prints what was measured. The work itself stands in
//! benches/types.rs and benches/ledger.rs.

pub mod log;
pub mod set;
pub mod table;
pub mod text;
pub mod trace;
pub mod written;

use std::time::{SystemTime, UNIX_EPOCH};

use crdt::{Author, Hlc, ReplicaId};

/// An author of ours whose clock counts.
pub struct Clock {
    replica: ReplicaId,
    last: Hlc,
}

impl Clock {
    /// The clock of a replica of this name; different names never share a tick.
    pub fn new(name: u8) -> Self {
        Self {
            replica: ReplicaId([name; 16]),
            last: Hlc::from_parts(1_700_000_000_000, 0),
        }
    }
}

impl Author for Clock {
    fn replica(&self) -> ReplicaId {
        self.replica
    }

    fn tick(&mut self) -> Hlc {
        self.last = Hlc::next(self.last, 0);
        self.last
    }

    fn is_exclusive(&self) -> bool {
        true
    }
}

/// Milliseconds since 1970, as the extension reads them.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}
