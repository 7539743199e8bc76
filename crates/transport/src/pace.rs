//! What a connection's requests say of its caller: whether it uses the connection, leaves it idle, or
//! does not read its answers.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// How a caller uses its connection.
pub(crate) enum Pace {
    Live,
    /// It has not asked for too long.
    Idle,
    /// It does not read an answer.
    Stuck,
}

/// The requests of one connection.
pub(crate) struct Requests {
    next_id: AtomicU64,
    activity: Mutex<Activity>,
}

struct Activity {
    /// Requests whose answer is not yet sent in full, oldest first, with their start.
    open: BTreeMap<u64, Instant>,
    last: Instant,
}

impl Requests {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            next_id: AtomicU64::new(0),
            activity: Mutex::new(Activity {
                open: BTreeMap::new(),
                last: Instant::now(),
            }),
        })
    }

    /// Notes a request; it counts as open until the guard is dropped.
    pub(crate) fn open(self: &Arc<Self>, now: Instant) -> Open {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        self.activity().open.insert(id, now);
        Open {
            requests: Arc::clone(self),
            id,
        }
    }

    /// `request_timeout` is the host's for its answer; the caller has another to read it.
    pub(crate) fn pace(
        &self,
        now: Instant,
        request_timeout: Duration,
        idle_timeout: Duration,
    ) -> Pace {
        let activity = self.activity();
        match activity.open.first_key_value() {
            Some((_, start)) if elapsed(*start, now) > request_timeout * 2 => Pace::Stuck,
            None if elapsed(activity.last, now) > idle_timeout => Pace::Idle,
            _ => Pace::Live,
        }
    }

    fn activity(&self) -> std::sync::MutexGuard<'_, Activity> {
        self.activity.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn elapsed(start: Instant, now: Instant) -> Duration {
    now.saturating_duration_since(start)
}

/// A request whose answer is not yet sent in full.
pub(crate) struct Open {
    requests: Arc<Requests>,
    id: u64,
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut activity = self.requests.activity();
        activity.open.remove(&self.id);
        activity.last = Instant::now();
    }
}
