//! Why the thread did not start, and why a request got no answer.

use std::{error::Error, io, net::SocketAddr};

use rustls::AlertDescription;

use crate::tls;

/// Why [`start`](crate::start) failed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The listener could not be bound: address in use, not ours, or not permitted.
    #[error("could not listen on {address}: {source}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A limit is out of its range.
    #[error("limit {name} is out of range")]
    Limit {
        /// The field of [`Limits`](crate::Limits).
        name: &'static str,
    },
    /// The TLS key was refused.
    #[error("could not set up TLS: {0}")]
    Tls(String),
    /// The system gave no thread or no event queue.
    #[error("could not start the network thread: {0}")]
    Thread(io::Error),
}

/// Why a request got no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The key is not among the peers.
    #[error("not a peer")]
    UnknownPeer,
    /// The peer's URL cannot be called.
    #[error("bad url: {0}")]
    BadUrl(String),
    /// This node already has as many requests or bytes under way as its limits allow.
    #[error("too many requests or bytes under way")]
    Busy,
    /// The request's or the answer's body is over `max_body`.
    #[error("{what} is over the limit of {limit} bytes")]
    TooLarge {
        /// "request" or "answer".
        what: &'static str,
        /// The limit in bytes.
        limit: usize,
    },
    /// No connection: the peer is down, its name unknown, or the network broken.
    #[error("could not connect: {0}")]
    Connect(String),
    /// The server showed another key than the pinned one.
    #[error("the server does not hold the expected key")]
    WrongKey,
    /// The server does not know this node's key (any more, or yet). A refusal that crosses the
    /// request on its way can show as [`Broken`](Self::Broken) instead.
    #[error("the server refused this node's key")]
    Refused,
    /// No complete answer within the request timeout, or no connection within the connect timeout.
    #[error("timed out")]
    Timeout,
    /// The connection broke before the answer was complete.
    #[error("connection broke: {0}")]
    Broken(String),
    /// The peer was removed, or its URL changed, while the request was under way.
    #[error("the peer was removed")]
    Removed,
    /// The network thread has ended.
    #[error("the network thread has ended")]
    Stopped,
}

impl TransportError {
    /// Reads the cause out of what the HTTP client reports.
    pub(crate) fn of(error: &reqwest::Error) -> Self {
        let causes = causes(error);
        if causes.iter().any(|cause| is(cause, &tls::REFUSED)) {
            return Self::WrongKey;
        }
        let alert = rustls::Error::AlertReceived(AlertDescription::AccessDenied);
        if causes.iter().any(|cause| is(cause, &alert)) {
            return Self::Refused;
        }
        let text = causes
            .last()
            .map_or_else(|| error.to_string(), ToString::to_string);
        if error.is_timeout() {
            Self::Timeout
        } else if error.is_connect() {
            Self::Connect(text)
        } else {
            Self::Broken(text)
        }
    }
}

/// Everything below `error`, outermost first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause| (*cause).source()).collect()
}

/// Whether one link of a chain is the TLS error `wanted`. On its way through HTTP/2 a TLS error loses
/// its type and keeps its text.
fn is(cause: &&(dyn Error + 'static), wanted: &rustls::Error) -> bool {
    cause.to_string() == wanted.to_string()
}
