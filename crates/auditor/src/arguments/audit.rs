//! `bcrdt audit`.

use std::path::PathBuf;

use clap::{ArgAction, Args};
use ledger::VerifierKey;

use crate::status::EXIT_STATUS;

/// Reads every tile and entry of the log, and holds them against each other and against the
/// checkpoint. Payloads are neither needed nor seen.
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub struct Audit {
    /// Where the log is served (blockchain_crdt.log_listen), for example https://log.example.org
    #[arg(value_name = "URL")]
    pub url: String,

    /// The key of the log, as crdt_node() shows it (checkpoint_vkey), known from elsewhere than from
    /// the server. May be repeated: any of them must have signed
    #[arg(long = "key", value_name = "VKEY", required = true, action = ArgAction::Append)]
    pub keys: Vec<VerifierKey>,

    /// The key of a witness that must have cosigned. May be repeated
    #[arg(long = "witness", value_name = "VKEY", action = ArgAction::Append)]
    pub witnesses: Vec<VerifierKey>,

    /// How many of the witnesses must have cosigned; all, if not given
    #[arg(long, value_name = "N")]
    pub witnesses_needed: Option<usize>,

    /// A folder that remembers the audit. The next one reads what is new, and refuses a log that does
    /// not continue this one
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,

    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}
