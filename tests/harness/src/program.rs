//! Runs a program to its end, within a time limit.

use std::io::{Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use crate::{Failure, Outcome, wait_until};

/// A program to run, with what it reads from its standard input.
pub struct Program {
    command: Command,
    input: Vec<u8>,
    limit: Duration,
}

/// What a program left behind.
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to its standard output.
    pub output: Vec<u8>,
    /// What it wrote to its standard error.
    pub complaints: String,
}

impl Program {
    /// To be ended by force after `limit`.
    pub fn new(command: Command, limit: Duration) -> Self {
        Program {
            command,
            input: Vec::new(),
            limit,
        }
    }

    /// What it reads from its standard input.
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Runs it; a status other than 0 is no failure here.
    pub fn end(mut self) -> Outcome<Ended> {
        let name = self.command.get_program().to_string_lossy().into_owned();
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self
            .command
            .spawn()
            .map_err(|e| Failure::from(e).during(&name))?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let input = self.input;
        let writer = thread::spawn(move || {
            // A program that ends without reading all of it says so by its status.
            if let Some(mut stdin) = stdin {
                let _ = stdin.write_all(&input);
            }
        });
        let reader = thread::spawn(move || read_all(stdout));
        let complaints = thread::spawn(move || read_all(stderr));
        let ended = wait_until(self.limit, &name, || {
            Ok(child.try_wait()?.ok_or_else(|| "it still runs".to_owned()))
        });
        if ended.is_err() {
            child.kill()?;
            child.wait()?;
        }
        let lost = |_| Failure::new(format!("{name}: its output could not be read"));
        writer.join().map_err(lost)?;
        let output = reader.join().map_err(lost)?;
        let complaints = String::from_utf8_lossy(&complaints.join().map_err(lost)?).into_owned();
        let status = ended.map_err(|failure| failure.during(complaints.trim_end()))?;
        Ok(Ended {
            status,
            output,
            complaints,
        })
    }

    /// Runs it; gives what it printed. A status other than 0 is a failure.
    pub fn run(self) -> Outcome<Vec<u8>> {
        let name = self.command.get_program().to_string_lossy().into_owned();
        let ended = self.end()?;
        if ended.status.success() {
            Ok(ended.output)
        } else {
            let printed = String::from_utf8_lossy(&ended.output).into_owned();
            Err(Failure::new(format!(
                "{name}: {}\n{printed}{}",
                ended.status, ended.complaints
            )))
        }
    }
}

fn read_all(from: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut from) = from {
        // What was read before an error is kept: it is only shown.
        let _ = from.read_to_end(&mut bytes);
    }
    bytes
}
