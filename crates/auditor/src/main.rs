//! `bcrdt`: verifies what a node hands out, offline and without trusting it. `arguments` says
//! what can be asked, `verify` asks the ledger, `report` tells the answer.

#![forbid(unsafe_code)]

mod arguments;
mod report;
mod verify;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

/// Everything holds.
const VERIFIED: u8 = 0;
/// Something does not.
const NOT_VERIFIED: u8 = 1;
/// The question or the file cannot be read; the same code that clap gives.
const UNREADABLE: u8 = 2;

fn main() -> ExitCode {
    let Command::Verify(asked) = Arguments::parse().command;
    let pins = asked.pins();
    let answer = match (&asked.file, &asked.bundle) {
        (_, Some(path)) => verify::bundle(path, &pins).map(|b| report::bundle(&b, asked.json)),
        (Some(path), None) => verify::proof(path, &pins).map(|p| report::proof(&p, asked.json)),
        // clap demands one of the two.
        (None, None) => Err("no file was named".to_owned()),
    };
    let (text, code) = match answer {
        Ok((text, true)) => (text, VERIFIED),
        Ok((text, false)) => (text, NOT_VERIFIED),
        Err(error) => {
            // Nothing can be done about a closed standard error.
            let _ = writeln!(std::io::stderr(), "error: {}", report::printable(&error));
            return ExitCode::from(UNREADABLE);
        }
    };
    // The exit code tells the result even if nobody reads the text.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::from(code)
}
