//! The background workers: a launcher for the instance, and for each database
//! with the extension one node worker that seals, spreads, admits, applies and
//! makes blocks.
//!
//! The node worker's main thread is the only one that touches PostgreSQL; a
//! network thread (crate `transport`) hands it events and wakes it through a
//! socket pair.

mod apply;
mod comparisons;
mod content;
pub mod ddl;
mod intake;
pub mod join;
mod launcher;
mod letters;
pub mod log;
mod main_loop;
mod network;
pub mod origins;
mod outbox;
mod pace;
mod public;
mod row;
mod schema_change;
mod seal;
pub mod signals;
pub mod store;
pub mod subtransaction;
pub mod transaction;
mod unseen;
mod witness;

pub use apply::find as find_table;
pub use launcher::register;
pub use network::COMPARE_PATH;
