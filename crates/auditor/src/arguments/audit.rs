//! `bcrdt audit`.

use std::path::PathBuf;

use clap::Args;

use super::checkpoint::Trusted;
use crate::status::EXIT_STATUS;

/// Reads every tile and entry of the log, and holds them against each other and against the
/// checkpoint. Payloads are neither needed nor seen.
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub struct Audit {
    /// Where the log is served (blockchain_crdt.log_listen), for example https://log.example.org
    #[arg(value_name = "URL")]
    pub url: String,

    #[command(flatten)]
    pub trusted: Trusted,

    /// A folder that remembers the audit. The next one reads what is new, and refuses a log that does
    /// not continue this one
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,

    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}
