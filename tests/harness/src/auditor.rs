//! The `bcrdt` command, as an auditor or a witness runs it.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::{Failure, LONG, Outcome, Program};

static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();

/// The program, built from the sources if it is not up to date.
pub fn bcrdt() -> Outcome<Command> {
    let built = BUILT.get_or_init(|| build().map_err(|failure| failure.to_string()));
    match built {
        Ok(path) => {
            let mut command = Command::new(path);
            command.env_remove("RUST_BACKTRACE").stdin(Stdio::null());
            Ok(command)
        }
        Err(reason) => Err(Failure::new(reason.clone())),
    }
}

fn build() -> Outcome<PathBuf> {
    // Tests are below deps, programs beside it.
    let test = std::env::current_exe()?;
    let folder = test
        .parent()
        .and_then(|deps| deps.parent())
        .ok_or_else(|| Failure::new("the test stands in no folder"))?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "auditor"]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    if let Some(target) = folder.parent() {
        cargo.env("CARGO_TARGET_DIR", target);
    }
    if folder
        .file_name()
        .is_some_and(|profile| profile == "release")
    {
        cargo.arg("--release");
    }
    Program::new(cargo, 4 * LONG).run()?;
    Ok(folder.join("bcrdt"))
}
