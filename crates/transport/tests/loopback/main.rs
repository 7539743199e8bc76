//! Nodes on loopback with real sockets, seen as a host sees them: handles and events only.

mod lifetime;
mod node;
mod overload;
mod pinning;
mod web;
