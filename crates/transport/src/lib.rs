//! Request and answer between nodes: HTTP/2 over TLS 1.3 with raw Ed25519 public keys (RFC 7250),
//! pinned on both sides, driven by one thread beside a host that must never block.
//!
//! The crate carries opaque bodies. It knows neither PostgreSQL nor what a message means.
//!
//! # Threads
//!
//! [`start`] spawns one thread with a single-threaded runtime; every socket lives there. Names in
//! URLs are resolved by short-lived threads that this thread spawns. All of them inherit the signal
//! mask of the thread that calls [`start`]: a host with signal handlers of its own blocks all signals
//! around that call. The host talks to the thread through [`Handle`], whose methods never wait for
//! the network, and hears from it through [`Events`]; after each queued event the waker is called on
//! the network thread.
//!
//! # Bounds
//!
//! Every queue, connection count, body and wait is bounded by [`Limits`]. A peer that asks too much
//! is answered 429 (too often) or 503 (too much at once) without delay; a host that does not answer
//! costs its peers a 504 after [`Limits::request_timeout`] and never more memory than the limits say.
//! No panic leaves the network thread.
//!
//! # Who may call
//!
//! A client key that is neither a peer's nor a live guest's is refused within the TLS handshake.
//! Sessions are never resumed, so each connection proves its key anew, and a key that is taken away
//! loses its connections at once. A guest holds a one-time invitation key: it may only use
//! [`JOIN_PATH`], and only until its deadline.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod budget;
mod client;
mod config;
mod connection;
mod directory;
mod error;
mod event;
mod handle;
#[cfg(test)]
mod hostile_tests;
mod key;
mod listener;
mod outgoing;
mod pace;
mod public;
mod rate;
mod request;
mod sending;
mod shared;
mod signal;
mod tls;
mod web;

pub use config::{Config, Limits};
pub use directory::Peer;
pub use error::{StartError, TransportError};
pub use event::{Answer, Event, Events, WebAnswer};
pub use handle::{Handle, Start, start};
pub use key::{Key, Seed, public_key_of};
pub use public::{Get, Keep, MAX_PATH, Page, Public, PublicConfig, PublicLimits};

pub use web::{MAX_WEB_BODY, is_web_url};

/// The only path that a guest may call.
pub const JOIN_PATH: &str = "/v1/join";
