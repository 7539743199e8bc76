//! How every command ends: its exit status, and what it prints.

use std::process::ExitCode;

/// What all commands say of their exit status.
pub const EXIT_STATUS: &str = "\
Exit status:
  0  everything holds, or was done
  1  something does not hold; the output names what and where
  2  the command line or a file cannot be read, or a thing cannot be done";

/// The question or a file cannot be read, or a thing cannot be done; the same that clap gives.
pub const FAILED: u8 = 2;

/// What a command found. A command that cannot tell gives an error text instead.
pub struct Answer {
    /// For standard output.
    pub text: String,
    /// Whether everything holds.
    pub holds: bool,
}

impl Answer {
    /// The exit status of the answer.
    pub fn exit(&self) -> ExitCode {
        ExitCode::from(u8::from(!self.holds))
    }
}
