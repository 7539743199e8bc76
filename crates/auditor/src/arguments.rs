//! The command line.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};
use ledger::{ChainId, Pins};

/// Verifies proofs and exported chains of blockchain_crdt, offline.
#[derive(Debug, Parser)]
#[command(name = "bcrdt", version)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Verify the proof of one op, or a bundle that holds a whole chain
    #[command(after_help = "\
Exit status:
  0  everything holds
  1  something does not hold; the output names what and where
  2  the command line or the file cannot be read

Without --chain-id and --validator-key the result only says that the file agrees with itself:
compare the chain id it prints with one that you know from elsewhere.")]
    Verify(Verify),
}

#[derive(Debug, Args)]
pub struct Verify {
    /// A proof as crdt_proof() returns it (JSON); - reads standard input
    #[arg(value_name = "FILE", required_unless_present = "bundle")]
    pub file: Option<PathBuf>,

    /// A bundle with a whole chain, instead of a proof; - reads standard input
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub bundle: Option<PathBuf>,

    /// The chain that it must be, 64 hex digits
    #[arg(long, value_name = "HEX")]
    pub chain_id: Option<ChainId>,

    /// The public key of a validator that you trust, 64 hex digits; may be repeated. A quorum of
    /// the validators must then have signed and be among these
    #[arg(long = "validator-key", value_name = "HEX", value_parser = key, action = ArgAction::Append)]
    pub validator_keys: Vec<Key>,

    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
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

impl Verify {
    /// What the auditor knows beforehand.
    pub fn pins(&self) -> Pins {
        Pins {
            chain_id: self.chain_id,
            validator_keys: self.validator_keys.iter().map(|key| key.0).collect(),
        }
    }
}
