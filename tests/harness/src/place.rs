//! Where PostgreSQL's programs are, where private servers live, and who runs them.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failure, Outcome};

/// The surroundings of private servers, as `devtools/setup` laid them out.
#[derive(Clone, Debug)]
pub struct Place {
    bin: PathBuf,
    state: PathBuf,
    /// User and group that own the servers; `None`: ourselves.
    owner: Option<(u32, u32)>,
}

impl Place {
    /// From `BCRDT_PG_BIN` and `BCRDT_STATE` in the environment, else from the file
    /// `harness.env` that `devtools/setup` writes.
    pub fn find() -> Outcome<Place> {
        let bin = PathBuf::from(setting("BCRDT_PG_BIN")?);
        if !bin.join("postgres").exists() {
            return Err(Failure::new(format!(
                "no postgres in {}: run devtools/setup",
                bin.display()
            )));
        }
        let state = PathBuf::from(setting("BCRDT_STATE")?);
        // PostgreSQL refuses to run as root.
        let owner = if rustix::process::geteuid().is_root() {
            Some(user("postgres")?)
        } else {
            None
        };
        Ok(Place { bin, state, owner })
    }

    /// The folder under which everything private lives.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The full path of one of PostgreSQL's programs (a short name may find the
    /// program of another installation).
    pub fn path(&self, program: &str) -> PathBuf {
        self.bin.join(program)
    }

    /// One of PostgreSQL's programs, run as the servers' owner, with nothing of our
    /// environment that would change what it does or prints.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.path(program));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        // Backtraces would appear in error details.
        command
            .env_remove("RUST_BACKTRACE")
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC");
        // A direct child with another user, not a child of runuser: it can be
        // killed and waited for by its own process id.
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    /// Makes `folder` (and those above it), only for the servers' owner.
    pub fn make_private(&self, folder: &Path) -> Outcome {
        fs::create_dir_all(folder)
            .map_err(|e| Failure::new(format!("{}: {e}", folder.display())))?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        self.give(folder)
    }

    /// Makes the servers' owner the owner of a file or folder.
    pub fn give(&self, path: &Path) -> Outcome {
        if let Some((user, group)) = self.owner {
            chown(path, Some(user), Some(group))?;
        }
        Ok(())
    }
}

fn setting(name: &str) -> Outcome<String> {
    if let Ok(value) = std::env::var(name) {
        return Ok(value);
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target =
        target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"));
    let file = target.join("harness.env");
    let text = fs::read_to_string(&file).map_err(|e| {
        Failure::new(format!(
            "{}: {e}: run devtools/setup, or set {name}",
            file.display()
        ))
    })?;
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        .map(str::to_owned)
        .ok_or_else(|| Failure::new(format!("{} does not say {name}", file.display())))
}

fn user(name: &str) -> Outcome<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd")?;
    let line = users
        .lines()
        .find(|line| line.split(':').next() == Some(name))
        .ok_or_else(|| Failure::new(format!("there is no user {name} to run servers as")))?;
    let fields: Vec<&str> = line.split(':').collect();
    match fields[..] {
        [_, _, user, group, ..] => Ok((user.parse()?, group.parse()?)),
        _ => Err(Failure::new(format!("/etc/passwd: cannot read {line:?}"))),
    }
}
