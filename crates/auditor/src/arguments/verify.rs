//! `bcrdt verify`: what is in a file, by its kind.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};
use ledger::{ChainId, Pins};

use super::checkpoint::{Against, CheckpointFile, Consistency, Trusted};
use crate::status::EXIT_STATUS;

#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub struct Verify {
    #[command(subcommand)]
    pub what: What,

    /// Print the result as JSON
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum What {
    /// The proof of one op, as crdt_proof() returns it
    #[command(after_help = PINS_HELP)]
    Proof(Proof),
    /// A whole chain, as crdt_export_chain() or bcrdt export writes it, or an archive of
    /// crdt_prune()
    #[command(after_help = PINS_HELP)]
    Bundle(Bundle),
    /// The signatures of a checkpoint, as crdt_checkpoint() or a witness gives it
    Checkpoint(CheckpointFile),
    /// That a later checkpoint continues an earlier one: nothing was taken back in between
    #[command(after_help = CONSISTENCY_HELP)]
    Consistency(Consistency),
}

const PINS_HELP: &str = "\
Without --chain-id and --validator-key the result only says that the file agrees with itself:
compare the chain id it prints with one that you know from elsewhere.";

const CONSISTENCY_HELP: &str = "\
Without --key only the numbers are compared, not who signed them. Two signed checkpoints of one
size and different roots prove to anybody that the log was forked: keep both files.";

#[derive(Debug, Args)]
pub struct Proof {
    #[command(flatten)]
    pub pinned: Pinned,

    #[command(flatten)]
    pub against: Against,
}

/// A bundle, or some of its blocks.
#[derive(Debug, Args)]
pub struct Bundle {
    #[command(flatten)]
    pub pinned: Pinned,

    /// Verify the blocks from this height on only. What they stand on is taken from the header
    /// before them, which is verified by its signatures
    #[arg(long, value_name = "HEIGHT", value_parser = clap::value_parser!(u64).range(1..))]
    pub from: Option<u64>,

    /// Verify the blocks up to this height only
    #[arg(long, value_name = "HEIGHT", value_parser = clap::value_parser!(u64).range(1..))]
    pub to: Option<u64>,

    /// A checkpoint that the chain must have come through: no blocks before it are missing, and it
    /// is the log that the witnesses saw
    #[arg(long, value_name = "FILE", requires = "keys", conflicts_with_all = ["from", "to"])]
    pub checkpoint: Option<PathBuf>,

    #[command(flatten)]
    pub trusted: Trusted,
}

/// A file, and what the auditor knows beforehand.
#[derive(Debug, Args)]
pub struct Pinned {
    /// The file; - reads standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// The chain that it must be, 64 hex digits
    #[arg(long, value_name = "HEX")]
    pub chain_id: Option<ChainId>,

    /// The public key of a validator that you trust, 64 hex digits; may be repeated. A quorum of
    /// the validators must then have signed and be among these
    #[arg(long = "validator-key", value_name = "HEX", value_parser = key, action = ArgAction::Append)]
    pub validator_keys: Vec<Key>,
}

/// An Ed25519 public key.
#[derive(Debug, Clone, Copy)]
pub struct Key([u8; 32]);

fn key(text: &str) -> Result<Key, String> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| "a key is 64 hexadecimal digits")?;
    ledger::signature::public_key(&bytes).ok_or("this is no Ed25519 public key")?;
    Ok(Key(bytes))
}

impl Pinned {
    /// What the auditor knows beforehand.
    pub fn pins(&self) -> Pins {
        Pins {
            chain_id: self.chain_id,
            validator_keys: self.validator_keys.iter().map(|key| key.0).collect(),
        }
    }
}
