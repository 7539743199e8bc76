//! A file that the server writes for who may write files on it.

use crate::error::raise;
use pgrx::prelude::*;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A file that did not exist before. Gone again when dropped, unless it was
/// kept: an error must not leave half of it behind.
pub struct NewFile {
    path: PathBuf,
    kept: bool,
}

impl NewFile {
    /// Makes the file, for a caller with the role pg_write_server_files.
    pub fn create(path: &str) -> (NewFile, File) {
        require_role("pg_write_server_files", "write");
        let made = match path.starts_with('/') {
            true => OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o640)
                .open(path),
            false => Err(io::Error::other("the path is not absolute")),
        };
        let file = made.unwrap_or_else(|error| refuse(path, &error));
        let new = NewFile {
            path: PathBuf::from(path),
            kept: false,
        };
        (new, file)
    }

    /// Its name without the folder.
    pub fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Keeps the file once all of it is on disk.
    pub fn keep(mut self, file: &File) {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let synced = file
            .sync_all()
            .and_then(|()| File::open(folder)?.sync_all());
        if let Err(error) = synced {
            refuse(&self.path.to_string_lossy(), &error);
        }
        self.kept = true;
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing more can be done about it, and the error that led here
            // is told.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Raises the error of a file that cannot be written.
pub fn refuse(path: &str, error: &io::Error) -> ! {
    raise(
        PgSqlErrorCode::ERRCODE_IO_ERROR,
        format!("cannot write \"{path}\": {error}"),
        "Name a file that does not exist, by an absolute path, in a folder where the server may write.",
    )
}

/// Makes sure that the caller may do `what` with files on the server.
pub fn require_role(role: &str, what: &str) {
    let allowed = Spi::get_one_with_args::<bool>(
        "SELECT pg_catalog.pg_has_role($1, 'USAGE')",
        &[role.into()],
    );
    if allowed != Ok(Some(true)) {
        raise(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!(
                "must be superuser or have privileges of the {role} role to {what} a file on the server"
            ),
            "bcrdt export fetches the chain to another machine, without a file here; a single op is proved with crdt_proof().",
        );
    }
}
