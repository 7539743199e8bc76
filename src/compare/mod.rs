//! Comparing tracked tables between nodes. A table's rows become pairs of
//! digests, key and state (`row`), which SQL sorts (`digest`) and a temporary
//! file holds (`run`), so that any size goes with little memory; what differs is
//! then found by the digest tree of crate `ledger`.
//!
//! The asking side is a session (`diff`), which calls the peer itself, over the
//! same pinned transport as its node worker (`conversation`). On the other side
//! the node worker hands requests to a process of their own (`process`) through
//! shared memory (`channel`), so that it is never held up. Both sides look at
//! one snapshot; `known` tells which differences are only changes under way,
//! `rows` shows rows to people.

pub mod channel;
mod conversation;
mod diff;
mod digest;
mod known;
mod process;
mod row;
mod rows;
mod run;
