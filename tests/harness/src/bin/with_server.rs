//! Runs a command while a private server with the extension is up: the command
//! finds it by PGHOST, PGPORT and PGUSER, as `make installcheck` would.

use std::env;
use std::process::{Command, ExitCode};

use harness::{Failure, Folder, Options, Outcome, Place, Server};

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<ExitCode> {
    let mut words = env::args_os().skip(1);
    let program = words
        .next()
        .ok_or_else(|| Failure::new("usage: with_server COMMAND [ARGUMENT...]"))?;
    let place = Place::find()?;
    let folder = Folder::fresh(&place, "with_server")?;
    let server = Server::start(&place, folder.path(), "server", &Options::with_extension())?;
    let status = Command::new(program)
        .args(words)
        .env("PGHOST", server.sockets())
        .env("PGPORT", "5432")
        .env("PGUSER", "postgres")
        .status()?;
    if !status.success() {
        eprintln!("{}", server.log_tail(60));
    }
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from))
}
