//! `bcrdt`: verifies what a node hands out, without trusting it. `arguments` says what can be
//! asked, a module for each command does it, `report` tells the answer, `status` how it ends.

#![forbid(unsafe_code)]

mod arguments;
#[cfg(feature = "network")]
mod audit;
#[cfg(feature = "network")]
mod durable;
#[cfg(feature = "network")]
mod export;
mod report;
mod status;
#[cfg(feature = "network")]
mod trust;
mod verify;
#[cfg(feature = "network")]
mod web;
mod witness;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    let answer = match Arguments::parse().command {
        Command::Verify(asked) => verify::run(&asked),
        #[cfg(feature = "network")]
        Command::Audit(asked) => audit::run(&asked),
        Command::WitnessKey(asked) => witness::key::make(&asked),
        #[cfg(feature = "network")]
        Command::Witness(asked) => witness::run(&asked),
        #[cfg(feature = "network")]
        Command::Export(asked) => export::run(&asked),
    };
    match answer {
        Ok(answer) => {
            // The exit status tells the result even if nobody reads the text.
            let _ = std::io::stdout().write_all(answer.text.as_bytes());
            answer.exit()
        }
        Err(error) => {
            // Nothing can be done about a closed standard error.
            let _ = writeln!(std::io::stderr(), "error: {}", report::printable(&error));
            ExitCode::from(status::FAILED)
        }
    }
}
