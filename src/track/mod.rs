//! Tracked tables: how a table is enrolled, how each write to it becomes a
//! join (the guard), and how the row's delta reaches the outbox (the capture),
//! all in the user's own transaction.

pub mod capture;
pub mod enrol;
pub mod guard;
pub mod key;
pub mod outbox;
pub mod table;
pub mod tombstone;
mod trigger;
