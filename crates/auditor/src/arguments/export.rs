//! `bcrdt export`: a chain into a file.

use std::path::PathBuf;

use clap::Args;

use crate::status::EXIT_STATUS;

#[derive(Debug, Args)]
#[command(after_help = EXPORT_HELP, after_long_help = format!("{EXPORT_HELP}\n\n{EXIT_STATUS}"))]
pub struct Export {
    /// Where the chain is: postgres://… or another connection string of libpq, or the
    /// http(s):// address of a public log
    #[arg(value_name = "SOURCE")]
    pub source: String,

    /// The file to be made; it must not exist
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Show no progress
    #[arg(long)]
    pub quiet: bool,
}

const EXPORT_HELP: &str = "\
The file grows as FILE.part and gets its name when it is complete. An export that was interrupted
goes on where it stopped. A database is asked as a member of the role crdt_auditor; a public log
gives no payloads, which bcrdt verify says.";
