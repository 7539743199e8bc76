//! How busy writers are, so that sealing can wait for company when it pays.

use std::time::{Duration, Instant};

/// Ops a second from which on writers count as a crowd. Each segment costs a
/// signature and a flush that commits wait for, however many ops are in it.
const CROWD: f64 = 700.0;
/// How long ops are counted before the rate is taken.
const SPAN: Duration = Duration::from_millis(50);

/// The rate of sealed ops.
pub struct Pace {
    since: Instant,
    ops: usize,
    crowded: bool,
}

impl Pace {
    /// Nothing sealed yet.
    pub fn new() -> Pace {
        Pace {
            since: Instant::now(),
            ops: 0,
            crowded: false,
        }
    }

    /// Counts a batch, also an empty one.
    pub fn count(&mut self, ops: usize) {
        self.ops += ops;
        let span = self.since.elapsed();
        if span >= SPAN {
            self.crowded = self.ops as f64 >= CROWD * span.as_secs_f64();
            (self.since, self.ops) = (Instant::now(), 0);
        }
    }

    /// Whether many are writing.
    pub fn is_crowded(&self) -> bool {
        self.crowded
    }
}
