//! `crdt_export_chain`: the whole chain in one file, for `bcrdt verify
//! bundle` on a machine that need not trust this one.

use super::new_file::{self, NewFile};
use super::pieces;
use crate::catalog::under_one_snapshot;
use crate::error::raise;
use ledger::bundle::Packer;
use pgrx::prelude::*;
use std::io::{self, BufWriter};

/// Writes the chain to a new file on the server, named by an absolute path.
/// Needs the role pg_write_server_files. Returns the file's size in bytes.
#[pg_extern]
fn crdt_export_chain(path: &str) -> i64 {
    let (new, file) = NewFile::create(path);
    let packer = Packer::new(BufWriter::new(file));
    let Some(written) = under_one_snapshot(|| pieces::whole(packer)) else {
        drop(new);
        no_chain()
    };
    let finished = written.and_then(|packer| {
        let file = packer.finish()?.into_inner().map_err(io::Error::from)?;
        let size = file.metadata()?.len();
        Ok((file, size))
    });
    match finished {
        Ok((file, size)) => {
            new.keep(&file);
            i64::try_from(size).unwrap_or(i64::MAX)
        }
        Err(error) => new_file::refuse(path, &error),
    }
}

/// Raises the error of a database without a chain.
pub fn no_chain() -> ! {
    raise(
        PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        "this database has no chain yet",
        "It begins with the first crdt_track() or crdt_create_invite().",
    )
}
