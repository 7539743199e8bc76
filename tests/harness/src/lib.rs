//! Private PostgreSQL servers for cluster tests, the demo and the benchmarks.
//!
//! Everything is real: PostgreSQL's own programs, files on disk, sockets. A
//! [`Server`] is one private server; a [`Network`] stands between servers and can
//! cut one off; a [`Cluster`] is both with the extension set up on each node.
//! Every wait has a deadline, and what is started here ends here (`KEEP=1` keeps
//! the folders of ended servers to look into).

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod attempts;
mod auditor;
mod cluster;
mod every_type;
mod failure;
mod folder;
mod lag;
mod network;
mod pgbench;
mod place;
mod port;
mod process;
mod program;
mod random;
mod server;
mod session;
mod socket;
mod table;
mod wait;

pub use attempts::{Attempts, Tally};
pub use auditor::{auditor, bcrdt};
pub use cluster::{Cluster, FINGERPRINT};
pub use every_type::{EVERY_STATE, EVERY_TYPE, write_every_type};
pub use failure::{Failure, Outcome};
pub use folder::Folder;
pub use lag::{Lag, Probe};
pub use network::Network;
pub use pgbench::{Pgbench, Report, Running};
pub use place::Place;
pub use port::Port;
pub use process::end_process;
pub use program::Program;
pub use random::Random;
pub use server::{Options, Server, stop_abandoned};
pub use session::Session;
pub use table::Table;
pub use wait::{LONG, SHORT, wait_until};
