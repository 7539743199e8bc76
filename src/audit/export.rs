//! `crdt_export_chain`: the whole chain in one file, for `bcrdt verify
//! bundle` on a machine that need not trust this one.

use super::feed;
use crate::catalog::under_one_snapshot;
use crate::error::raise;
use pgrx::prelude::*;
use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;

/// Writes the chain to a new file on the server, named by an absolute path.
/// Needs the role pg_write_server_files. Returns the file's size in bytes.
#[pg_extern]
fn crdt_export_chain(path: &str) -> i64 {
    let allowed =
        Spi::get_one::<bool>("SELECT pg_catalog.pg_has_role('pg_write_server_files', 'USAGE')");
    if allowed != Ok(Some(true)) {
        raise(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            "must be superuser or have privileges of the pg_write_server_files role to write a file on the server",
            "A single op is proved with crdt_proof(), which needs no file.",
        );
    }
    match write(path) {
        Ok(Some(size)) => size,
        Ok(None) => raise(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            "this database has no chain yet",
            "It begins with the first crdt_track() or crdt_create_invite().",
        ),
        Err(error) => raise(
            PgSqlErrorCode::ERRCODE_IO_ERROR,
            format!("cannot export the chain to \"{path}\": {error}"),
            "Name a file that does not exist, by an absolute path, in a folder where the server may write.",
        ),
    }
}

fn write(path: &str) -> std::io::Result<Option<i64>> {
    if !path.starts_with('/') {
        return Err(std::io::Error::other("the path is not absolute"));
    }
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o640)
        .open(path)?;
    let bundle = under_one_snapshot(|| feed::bundle(BufWriter::new(file)));
    let Some(written) = bundle else {
        std::fs::remove_file(path)?;
        return Ok(None);
    };
    let mut buffered = written?;
    buffered.flush()?;
    buffered.get_ref().sync_all()?;
    let size = buffered.get_ref().metadata()?.len();
    Ok(Some(i64::try_from(size).unwrap_or(i64::MAX)))
}
