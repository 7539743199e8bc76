//! The command line. `mod.rs` lists the commands; the options of each stand in a file of its
//! name. A new command: a file here, a variant of [`Command`], an arm in `main`.

#[cfg(feature = "network")]
pub mod export;
pub mod verify;

use clap::{Parser, Subcommand};

#[cfg(feature = "network")]
pub use export::Export;
pub use verify::Verify;

/// Verifies what blockchain_crdt hands out, without PostgreSQL and without trusting the server.
#[derive(Debug, Parser)]
#[command(name = "bcrdt", version)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Verify a file: a proof, a bundle
    Verify(Verify),
    /// Fetch a whole chain into a file, from a database or from a public log
    #[cfg(feature = "network")]
    Export(Export),
}
