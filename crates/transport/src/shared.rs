//! What the host's handle and the network thread share.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::oneshot;

use crate::{
    budget::Room, config::Limits, directory::Directory, event::Answer, event::Queue,
    signal::Signal, web::Web,
};

/// State of one network thread.
pub(crate) struct Shared {
    pub(crate) limits: Limits,
    pub(crate) directory: Arc<Directory>,
    pub(crate) queue: Queue,
    /// All requests of others.
    pub(crate) incoming: Room,
    /// All requests to others.
    pub(crate) outgoing: Room,
    /// Calls to servers that are no nodes.
    pub(crate) web: Web,
    /// Raised when the thread is to end.
    pub(crate) stop: Signal,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Answer>>>,
    next_token: AtomicU64,
}

impl Shared {
    pub(crate) fn new(limits: Limits, directory: Arc<Directory>, queue: Queue) -> Arc<Self> {
        Arc::new(Self {
            limits,
            directory,
            queue,
            incoming: Room::new(limits.max_inflight, limits.max_bytes),
            outgoing: Room::new(limits.max_inflight, limits.max_bytes),
            web: Web::new(&limits),
            stop: Signal::new(),
            waiting: Mutex::default(),
            next_token: AtomicU64::new(1),
        })
    }

    /// Opens a place for the host's answer.
    pub(crate) fn expect_answer(self: &Arc<Self>) -> Expected {
        let token = self.next_token.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.waiting().insert(token, sender);
        Expected {
            shared: Arc::clone(self),
            token,
            receiver,
        }
    }

    /// Hands over the host's answer; false if nobody waits for it any more.
    pub(crate) fn answer(&self, token: u64, answer: Answer) -> bool {
        let sender = self.waiting().remove(&token);
        sender.is_some_and(|sender| sender.send(answer).is_ok())
    }

    /// Gives up every answer that is still expected: their callers get a 503.
    pub(crate) fn give_up_answers(&self) {
        self.waiting().clear();
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, HashMap<u64, oneshot::Sender<Answer>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer that the host owes; dropping it, as when the caller goes away, forgets the token.
pub(crate) struct Expected {
    shared: Arc<Shared>,
    pub(crate) token: u64,
    receiver: oneshot::Receiver<Answer>,
}

impl Expected {
    /// The answer; `None` if the thread is ending.
    pub(crate) async fn wait(&mut self) -> Option<Answer> {
        (&mut self.receiver).await.ok()
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.shared.waiting().remove(&self.token);
    }
}
