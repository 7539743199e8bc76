//! The command line. `mod.rs` lists the commands; the options of each stand in a file of its
//! name. A new command: a file here, a variant of [`Command`], an arm in `main`.

#[cfg(feature = "network")]
pub mod audit;
pub mod checkpoint;
#[cfg(feature = "network")]
pub mod export;
pub mod verify;
pub mod witness;

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
    /// Verify files: a proof, a bundle, checkpoints
    Verify(Verify),
    /// Read a whole log from where it is served, and verify it
    #[cfg(feature = "network")]
    Audit(audit::Audit),
    /// Make a key for a witness, and print its public half as logs and auditors need it
    WitnessKey(witness::WitnessKey),
    /// Watch over logs: cosign what continues what was cosigned before, refuse all else
    #[cfg(feature = "network")]
    Witness(witness::Witness),
    /// Fetch a whole chain into a file, from a database or from a public log
    #[cfg(feature = "network")]
    Export(Export),
}
