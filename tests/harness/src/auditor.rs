//! The auditor's program, `bcrdt`, built like the test that runs it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failure, LONG, Outcome, Program};

/// The path of `bcrdt`, which is brought up to date first.
pub fn auditor() -> Outcome<PathBuf> {
    let test = std::env::current_exe()?;
    // …/target/<profile>/deps/<test>, or beside it.
    let folder = test.ancestors().skip(1).find(|at| !at.ends_with("deps"));
    let folder = folder.ok_or_else(|| Failure::new("the test lies in no folder"))?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--quiet", "--package", "auditor"])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    if let Some(target) = folder.parent() {
        cargo.arg("--target-dir").arg(target);
    }
    Program::new(cargo, 3 * LONG).run()?;
    Ok(folder.join("bcrdt"))
}

/// Runs `bcrdt` with these arguments. Gives its exit status and what it printed.
pub fn bcrdt(program: &Path, arguments: &[&str]) -> Outcome<(i32, String)> {
    let mut command = Command::new(program);
    command.args(arguments);
    let ended = Program::new(command, LONG).end()?;
    let text = String::from_utf8_lossy(&ended.output).into_owned() + &ended.complaints;
    Ok((ended.status.code().unwrap_or(-1), text))
}
