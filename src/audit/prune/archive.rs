//! Writes the archive of what is pruned, and verifies it on the way: what is
//! not sound must not be taken out of the database.

use crate::audit::feed::{self, Feed, Source};
use crate::audit::new_file::{self, NewFile};
use crate::instance::progress::Progress;
use ledger::bundle::Packer;
use ledger::{
    BlockPlan, BundleWriter, ChainSink, ChainVerifier, Hash, Report, StoredBlock, StoredOp,
    StoredSegment,
};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufWriter, Write};

/// An archive on disk.
pub struct Archive {
    /// Its name without the folder.
    pub file_name: String,
    /// Of the file as it is.
    pub sha256: Hash,
    /// How many bytes it has.
    pub bytes: u64,
}

/// Archives the blocks up to `height`. The file stays only if they are sound.
pub fn write(path: &str, height: i64) -> (Report, Option<Archive>) {
    let (new, file) = NewFile::create(path);
    let file_name = new.name();
    let written = both(Digested::new(file), height);
    let (report, digested) = written.unwrap_or_else(|error| new_file::refuse(path, &error));
    if !report.is_verified() {
        return (report, None);
    }
    let (file, sha256, bytes) = digested
        .finish()
        .unwrap_or_else(|error| new_file::refuse(path, &error));
    new.keep(&file);
    let archive = Archive {
        file_name,
        sha256,
        bytes,
    };
    (report, Some(archive))
}

fn both(to: Digested, height: i64) -> io::Result<(Report, Digested)> {
    let Some((chain, genesis)) = feed::stored_chain() else {
        crate::audit::export::no_chain()
    };
    let members = feed::stored_members();
    let mut both = Both {
        writer: BundleWriter::begin(Packer::new(to), chain, &genesis, &members)?,
        verifier: ChainVerifier::begin(chain, &genesis, members),
    };
    let source = Source::open(Progress::untold());
    Feed::new(&mut both, &source).blocks(1, height)?;
    both.writer.stop()?;
    let digested = both.writer.finish()?.finish()?;
    Ok((both.verifier.stop(), digested))
}

/// Verifies and writes what it is fed.
struct Both {
    writer: BundleWriter<Packer<Digested>>,
    verifier: ChainVerifier,
}

impl ChainSink for Both {
    type Error = io::Error;

    fn block(&mut self, row: &StoredBlock<'_>) -> io::Result<BlockPlan> {
        self.writer.block(row)?;
        Ok(self.verifier.block(row))
    }

    fn tile(&mut self, level: u8, index: u64, hashes: &[u8]) -> io::Result<()> {
        self.verifier.tile(level, index, hashes);
        self.writer.tile(level, index, hashes)
    }

    fn segment(&mut self, row: &StoredSegment<'_>) -> io::Result<()> {
        self.verifier.segment(row);
        self.writer.segment(row)
    }

    fn op(&mut self, row: &StoredOp<'_>) -> io::Result<()> {
        self.verifier.op(row);
        self.writer.op(row)
    }

    // An archive ends with a block.
    fn tail(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn vector(&mut self, _origin: &[u8], _seq: u64, _head: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

/// A file, with the digest of what was written to it.
struct Digested {
    file: BufWriter<File>,
    digest: Sha256,
    bytes: u64,
}

impl Digested {
    fn new(file: File) -> Self {
        Digested {
            file: BufWriter::new(file),
            digest: Sha256::new(),
            bytes: 0,
        }
    }

    fn finish(self) -> io::Result<(File, Hash, u64)> {
        let file = self.file.into_inner().map_err(io::Error::from)?;
        Ok((file, self.digest.finalize().into(), self.bytes))
    }
}

impl Write for Digested {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.digest.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
