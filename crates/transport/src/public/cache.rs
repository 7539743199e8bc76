//! Answers that never change, as many as fit: a log's full tiles are asked for by every reader.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use axum::body::Bytes;

/// One answer takes at most this part of the room.
const MAX_SHARE: usize = 8;

/// Answers by path, the oldest thrown out first.
pub(super) struct Cache {
    room: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    answers: HashMap<String, (&'static str, Bytes)>,
    order: VecDeque<String>,
    bytes: usize,
}

impl Cache {
    /// A cache of at most `room` bytes of paths and bodies.
    pub(super) fn new(room: usize) -> Self {
        Self {
            room,
            kept: Mutex::default(),
        }
    }

    /// Content type and body of the answer at `path`.
    pub(super) fn get(&self, path: &str) -> Option<(&'static str, Bytes)> {
        self.kept().answers.get(path).cloned()
    }

    /// Keeps an answer, if it is not too large.
    pub(super) fn put(&self, path: &str, content_type: &'static str, body: &Bytes) {
        let size = path.len() + body.len();
        let mut kept = self.kept();
        if size > self.room / MAX_SHARE || kept.answers.contains_key(path) {
            return;
        }
        while kept.bytes + size > self.room
            && let Some(oldest) = kept.order.pop_front()
        {
            if let Some((_, body)) = kept.answers.remove(&oldest) {
                kept.bytes -= oldest.len() + body.len();
            }
        }
        kept.bytes += size;
        kept.order.push_back(path.to_owned());
        kept.answers
            .insert(path.to_owned(), (content_type, body.clone()));
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Readers of a long log must not make the cache grow with it.
    #[test]
    fn the_cache_keeps_to_its_room() {
        let cache = Cache::new(1_000);
        let body = Bytes::from(vec![7; 96]);
        for n in 0..100 {
            cache.put(&format!("/t{n:02}"), "text/plain", &body);
            cache.put(&format!("/t{n:02}"), "text/plain", &body);
        }
        let held = (0..100).filter(|n| cache.get(&format!("/t{n:02}")).is_some());
        assert_eq!(held.count(), 10);
        assert_eq!(cache.get("/t99"), Some(("text/plain", body)));
        cache.put("/large", "text/plain", &Bytes::from(vec![0; 200]));
        assert_eq!(cache.get("/large"), None);
        assert!(cache.get("/t90").is_some());
    }
}
