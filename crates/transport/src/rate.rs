//! How often one peer may ask: the generic cell rate algorithm (ITU-T I.371), a token bucket that
//! needs one instant of state.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Rate limit of one peer.
#[derive(Debug)]
pub(crate) struct Rate {
    /// Between two requests in the long run.
    interval: Duration,
    /// How far requests may run ahead of the long run.
    tolerance: Duration,
    /// When the next request would be due in the long run.
    due: Mutex<Option<Instant>>,
}

impl Rate {
    /// At most `per_second` in the long run and `burst` at once, both at least 1.
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        let interval = Duration::from_secs(1) / per_second.max(1);
        Self {
            interval,
            tolerance: interval * burst.saturating_sub(1),
            due: Mutex::new(None),
        }
    }

    /// Whether nothing of the past counts any more.
    pub(crate) fn is_rested(&self, now: Instant) -> bool {
        let due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.is_none_or(|due| due <= now)
    }

    /// Whether a request at `now` is within the limit; one that is not costs nothing.
    pub(crate) fn admit(&self, now: Instant) -> bool {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let planned = due.map_or(now, |due| due.max(now));
        let admitted = planned.duration_since(now) <= self.tolerance;
        if admitted {
            *due = Some(planned + self.interval);
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A peer within its rate is never refused; one above it gets exactly its rate.
    #[test]
    fn burst_then_steady_rate() {
        let rate = Rate::new(10, 5);
        let start = Instant::now();
        let at_once = (0..100).filter(|_| rate.admit(start)).count();
        assert_eq!(at_once, 5);
        let later = (1..=1_000)
            .filter(|ms| rate.admit(start + Duration::from_millis(*ms)))
            .count();
        assert_eq!(later, 10);
        let rested = start + Duration::from_secs(60);
        assert_eq!((0..100).filter(|_| rate.admit(rested)).count(), 5);
    }
}
