//! Checkpoints on the command line: files that hold them, and who must have signed.

use std::path::PathBuf;

use clap::{ArgAction, Args};
use ledger::{Policy, VerifierKey};

/// Whose signatures a checkpoint must carry.
#[derive(Debug, Args)]
pub struct Trusted {
    /// The key of the log, as crdt_node() shows it (checkpoint_vkey); its name is the log's. May be
    /// repeated: any one of them must have signed
    #[arg(long = "key", value_name = "VKEY", action = ArgAction::Append)]
    pub keys: Vec<VerifierKey>,

    /// The key of a witness, as bcrdt witness-key prints it; may be repeated
    #[arg(long = "witness", value_name = "VKEY", requires = "keys", action = ArgAction::Append)]
    pub witnesses: Vec<VerifierKey>,

    /// So many of the witnesses must have cosigned [default: all that are given]
    #[arg(long, value_name = "N", requires = "witnesses")]
    pub witnesses_needed: Option<usize>,
}

impl Trusted {
    /// None if no key is given. An error says why these keys cannot be used.
    pub fn policy(&self) -> Result<Option<Policy>, String> {
        if self.keys.is_empty() {
            return Ok(None);
        }
        Policy::new(&self.keys, &self.witnesses, self.witnesses_needed)
            .map(Some)
            .map_err(|error| error.to_string())
    }
}

#[derive(Debug, Args)]
pub struct CheckpointFile {
    /// The file; - reads standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    #[command(flatten)]
    pub trusted: Trusted,
}

#[derive(Debug, Args)]
pub struct Consistency {
    /// The earlier checkpoint
    #[arg(long, value_name = "FILE")]
    pub old: PathBuf,

    /// The later checkpoint
    #[arg(long, value_name = "FILE")]
    pub new: PathBuf,

    /// That the later continues the earlier, as crdt_consistency_proof() returns it (JSON), or as
    /// it is sent to a witness. Not needed if both have the same size
    #[arg(long, value_name = "FILE")]
    pub proof: Option<PathBuf>,

    #[command(flatten)]
    pub trusted: Trusted,
}

/// A checkpoint that an op's proof is held against.
#[derive(Debug, Args)]
pub struct Against {
    /// A checkpoint in whose log the op must be
    #[arg(long, value_name = "FILE", requires = "keys")]
    pub checkpoint: Option<PathBuf>,

    /// That the log of the proof and that of the checkpoint are one history, as
    /// crdt_consistency_proof() returns it (JSON). Not needed if both have the same size
    #[arg(long, value_name = "FILE", requires = "checkpoint")]
    pub consistency: Option<PathBuf>,

    #[command(flatten)]
    pub trusted: Trusted,
}
