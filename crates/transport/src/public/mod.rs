//! The public listener: plain HTTP/1.1, GET and HEAD only, for whoever wants to read. It shares the
//! network thread with the peers' listener and nothing else: its connections, requests, bytes and
//! events are counted apart, so that strangers cannot take what peers need.
//!
//! `listener` accepts, `connection` converses, `request` answers one request, `addresses` counts what
//! each address does, `cache` keeps answers that never change.

mod addresses;
mod cache;
mod config;
mod connection;
#[cfg(test)]
mod hostile_tests;
mod listener;
mod request;

use std::{
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use tokio::sync::oneshot;

use crate::{
    budget::{Budget, Held},
    error::StartError,
    listener::bind,
    signal::Signal,
};

use addresses::Addresses;
use cache::Cache;
pub use config::{PublicConfig, PublicLimits};

/// The longest path that is passed on, in bytes.
pub const MAX_PATH: usize = 128;

/// A public listener, as its host sees it. Dropping it closes the listener and its connections.
pub struct Public {
    queue: Receiver<Get>,
    desk: Arc<Desk>,
    address: SocketAddr,
}

impl std::fmt::Debug for Public {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Public")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Public {
    /// Binds the listener and serves it with `tasks`.
    pub(crate) fn start(
        tasks: &tokio::runtime::Handle,
        config: PublicConfig,
        waker: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let PublicConfig { listen, limits } = config;
        limits.check()?;
        let bound = |source| StartError::Bind {
            address: listen,
            source,
        };
        let listener = bind(listen).map_err(bound)?;
        let address = listener.local_addr().map_err(bound)?;
        let (sender, queue) = sync_channel(limits.max_inflight);
        let desk = Arc::new(Desk {
            limits,
            sender,
            inflight: Budget::new(limits.max_inflight),
            addresses: Addresses::new(&limits),
            cache: Cache::new(limits.max_cached_bytes),
            waker: Box::new(waker),
            closed: Signal::new(),
        });
        tasks.spawn(listener::serve(Arc::clone(&desk), listener));
        Ok(Self {
            queue,
            desk,
            address,
        })
    }

    /// The next request, if there is one; never waits.
    pub fn try_recv(&self) -> Option<Get> {
        self.queue.try_recv().ok()
    }

    /// Where it listens, with the port the system chose if port 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Public {
    fn drop(&mut self) {
        self.desk.closed.raise();
    }
}

/// A request of a stranger. Dropped without an answer, it is answered 503.
#[derive(Debug)]
pub struct Get {
    path: String,
    answer: oneshot::Sender<Page>,
}

impl Get {
    /// The path, with its leading slash and without a query; at most [`MAX_PATH`] bytes.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether nobody waits for the answer any more.
    pub fn is_given_up(&self) -> bool {
        self.answer.is_closed()
    }

    /// Answers. `status` is an HTTP status from 200 to 599; another becomes 500 without a body.
    pub fn reply(self, page: Page) {
        // Nobody waits any more: nothing to be done.
        let _ = self.answer.send(page);
    }
}

/// An answer to a stranger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// HTTP status.
    pub status: u16,
    /// Content-Type; a value that no header can hold is left out.
    pub content_type: &'static str,
    /// How long it stays right.
    pub keep: Keep,
    /// The body.
    pub body: Vec<u8>,
}

/// How long others may keep an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// It never changes; the network thread keeps it too, if it has room.
    Forever,
    /// It stays right, but will soon be of no use.
    Hour,
    /// Only while it is asked for by many at once.
    Seconds,
    /// Not at all.
    Never,
}

/// What the listener's tasks share.
struct Desk {
    limits: PublicLimits,
    sender: SyncSender<Get>,
    inflight: Arc<Budget>,
    addresses: Addresses,
    cache: Cache,
    waker: Box<dyn Fn() + Send + Sync>,
    /// Raised when the host has no use for the listener any more.
    closed: Signal,
}

impl Desk {
    /// Hands a request to the host; none if it has too many already.
    fn ask(&self, path: &str) -> Option<(oneshot::Receiver<Page>, Held)> {
        let place = self.inflight.take(1)?;
        let (answer, receiver) = oneshot::channel();
        let get = Get {
            path: path.to_owned(),
            answer,
        };
        self.sender.try_send(get).ok()?;
        // The host's own code: whatever it does, the network thread goes on.
        let _ = catch_unwind(AssertUnwindSafe(|| (self.waker)()));
        Some((receiver, place))
    }
}
