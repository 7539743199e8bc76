//! `bcrdt witness` and `bcrdt witness-key`.

use std::path::PathBuf;

use clap::Args;
#[cfg(feature = "network")]
use {clap::ArgAction, ledger::VerifierKey, std::net::SocketAddr};

use crate::status::EXIT_STATUS;

#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub struct WitnessKey {
    /// The name of the witness, best a domain of yours and a path, without spaces or +:
    /// example.org/witness1
    #[arg(value_name = "NAME")]
    pub name: String,

    /// Where the private key goes. The file must not exist; only its owner will be able to read it
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Serves plain HTTP; put a proxy in front of it for HTTPS.
#[cfg(feature = "network")]
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub struct Witness {
    /// Where to listen; port 0 takes a free one and tells it
    #[arg(long, value_name = "IP:PORT")]
    pub listen: SocketAddr,

    /// The private key, as bcrdt witness-key made it
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,

    /// The folder that keeps what was cosigned; made if it does not exist. Who restores an older
    /// copy of it makes the witness sign what it should not
    #[arg(long, value_name = "DIR")]
    pub state: PathBuf,

    /// The key of a log to witness, as crdt_node() shows it (checkpoint_vkey); its name is the
    /// log's. May be repeated: other logs, or other members of the same one
    #[arg(long = "log", value_name = "VKEY", required = true, action = ArgAction::Append)]
    pub logs: Vec<VerifierKey>,
}
