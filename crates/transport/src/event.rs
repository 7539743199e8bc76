//! What the host hears: requests of others, and the answers to its own.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::Duration,
};

use crate::{
    budget::{Budget, Bytes, Held, Place},
    config::Limits,
    error::TransportError,
    key::Key,
};

/// One thing that the host has to act on.
#[derive(Debug)]
pub enum Event {
    /// A peer or a guest asks; answer with [`Handle::reply`](crate::Handle::reply).
    Request {
        /// Names the request in the reply. Never repeats within one thread's life.
        token: u64,
        /// The key that the caller proved.
        from: Key,
        /// Whether that key is a guest's. Its path is always [`JOIN_PATH`](crate::JOIN_PATH).
        guest: bool,
        /// Path of the URL, without a query.
        path: String,
        /// The body, at most `max_body` bytes.
        body: Vec<u8>,
    },
    /// The outcome of one `send` or `join`. Each has exactly one.
    Response {
        /// The server's pinned key.
        to: Key,
        /// As given to `send` or `join`.
        request_id: u64,
        /// The answer, whatever its status, or why there is none.
        result: Result<Answer, TransportError>,
    },
    /// The outcome of one `post_web`. Each has exactly one.
    Posted {
        /// As given to `post_web`.
        request_id: u64,
        /// The answer, whatever its status, or why there is none.
        result: Result<WebAnswer, TransportError>,
    },
}

/// The answer of an ordinary web server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebAnswer {
    /// HTTP status.
    pub status: u16,
    /// Content-Type, empty if there is none that can be read.
    pub content_type: String,
    /// The body, at most [`MAX_WEB_BODY`](crate::MAX_WEB_BODY) bytes.
    pub body: Vec<u8>,
}

/// HTTP status and body of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status. 408, 413, 429, 503 and 504 can come from the peer's network thread itself.
    pub status: u16,
    /// The body, at most `max_body` bytes.
    pub body: Vec<u8>,
}

/// The host's end of the event queue.
#[derive(Debug)]
pub struct Events {
    queue: Receiver<Queued>,
}

impl Events {
    /// The next event, if there is one; never waits.
    pub fn try_recv(&self) -> Option<Event> {
        self.queue.try_recv().ok().map(|queued| queued.event)
    }

    /// The next event, waiting for it up to `timeout`.
    pub fn recv_timeout(&self, timeout: Duration) -> Option<Event> {
        self.queue
            .recv_timeout(timeout)
            .ok()
            .map(|queued| queued.event)
    }
}

/// An event with the room it takes until the host has read it.
#[derive(Debug)]
struct Queued {
    event: Event,
    _room: Reserved,
}

/// Room that an unread event keeps: a host that does not read is sent less, not more.
#[derive(Debug)]
enum Reserved {
    Request { _unread: Held, _bytes: Bytes },
    Response { _place: Place, _bytes: Bytes },
}

/// The network thread's end of the event queue.
pub(crate) struct Queue {
    sender: SyncSender<Queued>,
    requests: Arc<Budget>,
    waker: Box<dyn Fn() + Send + Sync>,
}

impl Queue {
    /// A queue with room for `max_inflight` requests and as many responses.
    pub(crate) fn new(limits: &Limits, waker: impl Fn() + Send + Sync + 'static) -> (Self, Events) {
        let (sender, receiver) = sync_channel(limits.max_inflight.saturating_mul(2));
        let queue = Self {
            sender,
            requests: Budget::new(limits.max_inflight),
            waker: Box::new(waker),
        };
        (queue, Events { queue: receiver })
    }

    /// Queues a request of another; false if the host has too many unread.
    pub(crate) fn request(&self, event: Event, bytes: Bytes) -> bool {
        let Some(unread) = self.requests.take(1) else {
            return false;
        };
        let room = Reserved::Request {
            _unread: unread,
            _bytes: bytes,
        };
        self.push(event, room)
    }

    /// Queues the outcome of an own request. Its place, kept until it is read, is its room here.
    pub(crate) fn response(&self, event: Event, place: Place, bytes: Bytes) -> bool {
        let room = Reserved::Response {
            _place: place,
            _bytes: bytes,
        };
        self.push(event, room)
    }

    fn push(&self, event: Event, room: Reserved) -> bool {
        let queued = Queued { event, _room: room };
        let sent = self.sender.try_send(queued).is_ok();
        if sent {
            // This may run while a task unwinds, where a second panic would abort the process.
            let _ = catch_unwind(AssertUnwindSafe(|| (self.waker)()));
        }
        sent
    }
}
