//! The stored chain as a bundle: whole, in pieces that are made one by one,
//! and block by block for the public log.

use super::feed::{self, Feed, Source};
use crate::catalog::{self, under_one_snapshot};
use crate::error::{OrCorrupt, raise};
use crate::instance::progress::Progress;
use ledger::bundle::{PACKED_BYTES, pack};
use ledger::{BundleWriter, Cut};
use pgrx::prelude::*;
use std::io::{self, Write};

/// Writes the whole chain as a bundle. `None` when there is no chain.
///
/// # Errors
/// Those of writing.
pub fn whole<W: Write>(to: W) -> Option<io::Result<W>> {
    let (chain, genesis) = feed::stored_chain()?;
    let members = feed::stored_members();
    let write = || {
        let mut writer = BundleWriter::begin(to, chain, &genesis, &members)?;
        let source = Source::open(Progress::untold());
        Feed::new(&mut writer, &source).blocks(1, i64::MAX)?;
        Feed::new(&mut writer, &source).tail(0)?;
        writer.finish()
    };
    Some(write())
}

/// A piece of the public export: of height 0 the head, else the frames of the
/// final block of that height, without tiles and without the payloads of row
/// changes. `None` when there is no such block, or no chain.
pub fn public(height: u64) -> Option<Vec<u8>> {
    let height = i64::try_from(height).ok()?;
    let (chain, genesis) = feed::stored_chain()?;
    let begun = BundleWriter::begin_withheld(Vec::new(), chain, &genesis, &feed::stored_members());
    let mut writer = begun.or_corrupt("the head of an export");
    if height == 0 {
        return Some(std::mem::take(writer.get_mut()));
    }
    let (cut, size) = ground(height - 1)?;
    writer.skip_to(cut, size);
    writer.get_mut().clear();
    let source = Source::open(Progress::untold());
    let fed = Feed::new(&mut writer, &source).block(height - 1, height);
    fed.or_corrupt("an export of a block")
        .map(|_| std::mem::take(writer.get_mut()))
}

/// How many bytes of payload the ops of a block have, and the size of the log
/// with it; `None` when there is no such block.
pub fn weight(height: u64) -> Option<(u64, u64)> {
    let height = i64::try_from(height).ok()?;
    if height == 0 {
        return Some((0, 0));
    }
    let (_, size) = ground(height)?;
    let bytes = catalog::one(
        "SELECT coalesce(sum(octet_length(o.payload)), 0)::bigint
           FROM crdt.block_range r JOIN crdt.op o
             ON o.origin = r.origin AND o.seq >= r.first_seq AND o.seq <= r.last_seq
          WHERE r.height = $1",
        &[height.into()],
        |row| row.need::<i64>(1),
    )?;
    Some((bytes.unsigned_abs(), size))
}

/// What the block after this one stands on: the cut and the size of the log.
fn ground(height: i64) -> Option<(Cut, u64)> {
    if height == 0 {
        return Some((Cut::default(), 0));
    }
    catalog::header_and_cut(height).map(|(header, cut)| (cut, header.tree_size))
}

/// The stored chain as a bundle in pieces, each an LZ4 frame; put together they
/// are a file for `bcrdt verify`. With a height, the blocks before it are left
/// out, for who has them already. Call it in the select list, where PostgreSQL
/// makes rows as they are fetched.
#[pg_extern]
fn crdt_bundle(from_height: default!(i64, 1)) -> SetOfIterator<'static, Vec<u8>> {
    let Some((chain, genesis)) = feed::stored_chain() else {
        super::export::no_chain()
    };
    let mut writer = under_one_snapshot(|| {
        BundleWriter::begin(Vec::new(), chain, &genesis, &feed::stored_members())
            .or_corrupt("the head of a bundle")
    });
    if from_height > 1 {
        let Some((cut, size)) = under_one_snapshot(|| ground(from_height - 1)) else {
            raise(
                PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
                format!("there is no final block {} to go on from", from_height - 1),
                "SELECT max(height) FROM crdt_blocks.",
            )
        };
        writer.skip_to(cut, size);
    }
    SetOfIterator::new(Pieces {
        writer: Some(writer),
        after: from_height.max(1) - 1,
        at_head: true,
    })
}

/// Makes the pieces when they are asked for, so that memory is that of one.
struct Pieces {
    /// None when all were made.
    writer: Option<BundleWriter<Vec<u8>>>,
    /// The last block that was taken in.
    after: i64,
    at_head: bool,
}

impl Pieces {
    /// What comes next, of about [`PACKED_BYTES`] or one block.
    fn content(&mut self) -> Option<Vec<u8>> {
        let mut writer = self.writer.take()?;
        let source = Source::open(Progress::untold());
        // Who goes on where it stopped compares the head before it wants more.
        while !self.at_head && writer.get_mut().len() < PACKED_BYTES {
            let after = match self.after {
                // A row before the first block is no block: found with it.
                0 => i64::MIN,
                height => height,
            };
            let fed = Feed::new(&mut writer, &source).block(after, i64::MAX);
            match fed.or_corrupt("a bundle") {
                Some(height) => self.after = height,
                None => {
                    Feed::new(&mut writer, &source)
                        .tail(0)
                        .or_corrupt("a bundle");
                    return Some(writer.finish().or_corrupt("a bundle"));
                }
            }
        }
        self.at_head = false;
        let content = std::mem::take(writer.get_mut());
        self.writer = Some(writer);
        Some(content)
    }
}

impl Iterator for Pieces {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        pgrx::check_for_interrupts!();
        let content = under_one_snapshot(|| self.content())?;
        Some(pack(&content).or_corrupt("a piece of a bundle"))
    }
}
