//! Starting the network thread, talking to it, and ending it.

use std::{
    collections::HashMap,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;

use crate::{
    JOIN_PATH,
    client::Callee,
    config::Config,
    directory::{Directory, Peer},
    error::{StartError, TransportError},
    event::{Answer, Event, Events, Queue},
    key::{Key, Seed},
    listener,
    outgoing::Outgoing,
    public::{Public, PublicConfig},
    shared::Shared,
    tls,
    web::{MAX_WEB_BODY, WebRequest},
};

/// As the system shows it; at most 15 bytes.
const THREAD_NAME: &str = "bcrdt-network";

/// Names that can be looked up at the same time; a slow name server holds a thread per lookup.
const MAX_LOOKUPS: usize = 4;

/// The longest that ending the thread may hold up the host.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// A running network thread.
#[derive(Debug)]
pub struct Start {
    /// Talks to the thread; dropping it ends the thread.
    pub handle: Handle,
    /// Hears from the thread.
    pub events: Events,
    /// Where it listens, with the port the system chose if port 0 was asked for.
    pub local_addr: Option<SocketAddr>,
}

/// Binds the listener and starts the network thread.
///
/// `waker` is called after each event is queued, on the network thread or, for an event that a method
/// of [`Handle`] causes, on the caller's. It must not block. No peer is known at first.
///
/// # Errors
/// The address cannot be bound, a limit is out of range, or the system gives no thread.
pub fn start(
    config: Config,
    waker: impl Fn() + Send + Sync + 'static,
) -> Result<Start, StartError> {
    let Config {
        listen,
        tls_seed,
        limits,
    } = config;
    limits.check()?;
    let directory = Directory::new(limits, tls_seed);
    let tls = tls::server_config(&tls_seed, Arc::clone(&directory))
        .map_err(|error| StartError::Tls(error.to_string()))?;
    let listener = match listen {
        Some(address) => {
            Some(listener::bind(address).map_err(|source| StartError::Bind { address, source })?)
        }
        None => None,
    };
    let local_addr = listener
        .as_ref()
        .and_then(|socket| socket.local_addr().ok());
    let (queue, events) = Queue::new(&limits, waker);
    let shared = Shared::new(limits, directory, queue);
    let runtime = Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .max_blocking_threads(MAX_LOOKUPS)
        .build()
        .map_err(StartError::Thread)?;
    let tasks = runtime.handle().clone();
    let (ended_sender, ended) = channel::<()>();
    let main = {
        let shared = Arc::clone(&shared);
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        move || {
            live(runtime, shared, listener, acceptor);
            drop(ended_sender);
        }
    };
    let thread = std::thread::Builder::new()
        .name(THREAD_NAME.into())
        .spawn(main)
        .map_err(StartError::Thread)?;
    let handle = Handle {
        shared,
        tasks,
        thread: Some(thread),
        ended,
    };
    Ok(Start {
        handle,
        events,
        local_addr,
    })
}

/// The network thread, from start to end.
fn live(
    runtime: Runtime,
    shared: Arc<Shared>,
    listener: Option<std::net::TcpListener>,
    acceptor: TlsAcceptor,
) {
    let serving = AssertUnwindSafe(|| {
        runtime.block_on(async {
            match listener.map(tokio::net::TcpListener::from_std) {
                Some(Ok(listener)) => listener::serve(shared, listener, acceptor).await,
                // Not registered with the poller: end, and the host sees that nothing runs.
                Some(Err(_)) => {}
                None => shared.stop.raised().await,
            }
        });
    });
    let _ = catch_unwind(serving);
    // Drops every task; does not wait for name lookups.
    let _ = catch_unwind(AssertUnwindSafe(|| runtime.shutdown_background()));
}

/// Talks to the network thread. No method waits for the network but [`shutdown`](Self::shutdown),
/// which waits two seconds at most.
pub struct Handle {
    shared: Arc<Shared>,
    tasks: tokio::runtime::Handle,
    thread: Option<JoinHandle<()>>,
    ended: Receiver<()>,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Handle")
            .field("running", &self.is_running())
            .finish_non_exhaustive()
    }
}

impl Handle {
    /// Replaces all peers: exactly these keys are served, and these URLs called with the server's key
    /// pinned. In force on return: a key that is gone can open no request any more, and its
    /// connections are closed and its pending calls ended with [`TransportError::Removed`].
    ///
    /// A URL that cannot be called does not stop the others: [`send`](Self::send) reports it.
    pub fn set_peers(&self, peers: HashMap<Key, Peer>) {
        self.shared.directory.set_peers(peers);
    }

    /// Replaces all guests: one-time keys with the instant at which they end. A key that is a peer's
    /// too counts as the peer's.
    pub fn set_guests(&self, guests: HashMap<Key, Instant>) {
        self.shared.directory.set_guests(guests);
    }

    /// Sends `body` to `path` of a peer. On `Ok` exactly one
    /// [`Event::Response`] with `request_id` follows.
    ///
    /// # Errors
    /// At once, without an event: not a peer, a bad URL, a body over the limit, too many under way,
    /// or the thread has ended.
    pub fn send(
        &self,
        to: Key,
        path: &'static str,
        request_id: u64,
        body: Vec<u8>,
    ) -> Result<(), TransportError> {
        let callee = self.shared.directory.callee(&to)?;
        self.call(callee, to, path, request_id, body)
    }

    /// Sends `body` to [`JOIN_PATH`] of a server that is not a peer, as the guest with the key of
    /// `guest_seed`. The outcome comes as for [`send`](Self::send), with `to` = `server_key`.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn join(
        &self,
        url: &str,
        server_key: Key,
        guest_seed: &Seed,
        request_id: u64,
        body: Vec<u8>,
    ) -> Result<(), TransportError> {
        let callee = Callee::new(url, server_key, guest_seed, &self.shared.limits)?;
        self.call(Arc::new(callee), server_key, JOIN_PATH, request_id, body)
    }

    fn call(
        &self,
        callee: Arc<Callee>,
        to: Key,
        path: &'static str,
        request_id: u64,
        body: Vec<u8>,
    ) -> Result<(), TransportError> {
        if !self.is_running() {
            return Err(TransportError::Stopped);
        }
        let tell = move |result| Event::Response {
            to,
            request_id,
            result,
        };
        let limit = self.shared.limits.max_body;
        let outgoing = Outgoing::admit(&self.shared, &callee.room, limit, body.len(), tell)?;
        self.tasks.spawn(outgoing.run(callee, path, body));
        Ok(())
    }

    /// Posts `body` to a server that is no node, at its http:// or https:// URL; the latter is
    /// trusted if one of the system's certificate authorities vouches for it. Redirects are not
    /// followed. On `Ok` exactly one [`Event::Posted`] with `request_id` follows.
    ///
    /// # Errors
    /// At once, without an event: a bad URL, a body over [`MAX_WEB_BODY`](crate::MAX_WEB_BODY), too
    /// many under way, or the thread has ended.
    pub fn post_web(
        &self,
        url: &str,
        request_id: u64,
        body: Vec<u8>,
    ) -> Result<(), TransportError> {
        if !self.is_running() {
            return Err(TransportError::Stopped);
        }
        let size = body.len();
        let request = WebRequest::new(url, body)?;
        let tell = move |result| Event::Posted { request_id, result };
        let room = &self.shared.web.room;
        let outgoing = Outgoing::admit(&self.shared, room, MAX_WEB_BODY, size, tell)?;
        self.tasks.spawn(outgoing.run_web(request));
        Ok(())
    }

    /// Answers a request. False if nobody waits any more: answered before, timed out, or gone.
    ///
    /// `status` is an HTTP status from 200 to 599; another becomes 500 without a body.
    pub fn reply(&self, token: u64, status: u16, body: Vec<u8>) -> bool {
        self.shared.answer(token, Answer { status, body })
    }

    /// Opens a listener for strangers on an address of its own, and serves it on this thread until the
    /// [`Public`] is dropped. `waker` is called on the network thread after each request is queued;
    /// it must not block.
    ///
    /// # Errors
    /// The address cannot be bound, a limit is out of range, or the thread has ended.
    pub fn serve_public(
        &self,
        config: PublicConfig,
        waker: impl Fn() + Send + Sync + 'static,
    ) -> Result<Public, StartError> {
        if !self.is_running() {
            let ended = std::io::Error::other(TransportError::Stopped);
            return Err(StartError::Thread(ended));
        }
        Public::start(&self.tasks, config, waker)
    }

    /// Whether the thread runs. If it ended by itself, the host should start anew.
    pub fn is_running(&self) -> bool {
        self.thread
            .as_ref()
            .is_some_and(|thread| !thread.is_finished())
    }

    /// Ends the thread: unanswered callers get a 503, own requests end with
    /// [`TransportError::Stopped`]. Returns within two seconds; true if the thread has ended by then,
    /// else it ends on its own later. Dropping the handle does the same.
    pub fn shutdown(&mut self) -> bool {
        self.shared.stop.raise();
        let Some(thread) = self.thread.take() else {
            return true;
        };
        match self.ended.recv_timeout(STOP_TIMEOUT) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => thread.join().is_ok(),
            Err(RecvTimeoutError::Timeout) => false,
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shutdown();
    }
}
