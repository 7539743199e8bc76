//! Tracked tables: how a table is enrolled, how each write to it becomes a
//! join (the guard), and how the row's delta reaches the outbox (the capture),
//! all in the user's own transaction. `ddl` tells the log when such a table is
//! altered.

pub mod capture;
mod ddl;
pub mod enrol;
pub mod guard;
pub mod key;
pub mod outbox;
pub mod table;
pub mod tombstone;
mod trigger;

pub use trigger::Row;
