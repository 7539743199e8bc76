//! The digests of all rows of a table, sorted, in a temporary file of
//! PostgreSQL's, with the places of the rows.

use super::digest::{Place, each_row, push};
use super::row::{entry_bytes, entry_of};
use crate::error::{OrCorrupt, corrupt};
use ledger::digest_tree::{Builder, Entry, Prefix, Sorted, Summary};
use pgrx::pg_sys;

/// Key and state digests, block, place, two bytes to spare.
const RECORD: usize = 72;
/// Digits of the longest prefixes whose branches are kept in memory, some 1 MB.
const KEEP: usize = 3;

/// What a table holds, as of one snapshot.
pub struct Run {
    file: *mut pg_sys::BufFile,
    len: u64,
    /// Its digest and the upper part of its tree.
    pub summary: Summary,
}

impl Run {
    /// Reads the whole table; `between` is called now and then.
    pub fn of_table(relation: pg_sys::Oid, between: impl FnMut()) -> Run {
        // SAFETY: belongs to the current resource owner, which closes it if an
        // error ends the transaction; its memory to the current context, which
        // outlives the run in both callers.
        let file = unsafe { pg_sys::BufFileCreateTemp(false) };
        let mut run = Run {
            file,
            len: 0,
            summary: Builder::new(Prefix::ROOT, 0).finish(),
        };
        let mut builder = Builder::new(Prefix::ROOT, KEEP);
        each_row(
            relation,
            |entry, place| {
                push(&mut builder, entry);
                run.append(&entry, place);
            },
            between,
        );
        run.summary = builder.finish();
        run
    }

    fn append(&mut self, entry: &Entry, (block, offset): Place) {
        let mut record = entry_bytes(entry);
        record.extend(block.to_be_bytes());
        record.extend(offset.to_be_bytes());
        record.resize(RECORD, 0);
        // SAFETY: an open file; the buffer has RECORD bytes.
        unsafe { pg_sys::BufFileWrite(self.file, record.as_mut_ptr().cast(), RECORD) };
        self.len += 1;
    }

    /// Up to `count` records from place `first` on.
    fn records(&self, first: u64, count: u64) -> Vec<u8> {
        let count = count.min(self.len.saturating_sub(first));
        if count == 0 {
            return Vec::new();
        }
        let offset = i64::try_from(first * RECORD as u64).or_corrupt("a temporary file's size");
        let mut bytes = vec![0; count as usize * RECORD];
        // SAFETY: an open file; the buffer has as many bytes as are read.
        let read = unsafe {
            if pg_sys::BufFileSeek(self.file, 0, offset, libc::SEEK_SET) != 0 {
                corrupt("a temporary file is shorter than was written");
            }
            pg_sys::BufFileRead(self.file, bytes.as_mut_ptr().cast(), bytes.len())
        };
        if read != bytes.len() {
            corrupt("a temporary file is shorter than was written");
        }
        bytes
    }

    /// Digests and place of a row by its number in the order.
    pub fn row(&self, number: u64) -> Option<(Entry, Place)> {
        let record = self.records(number, 1);
        let (entry, rest) = record.split_at_checked(64)?;
        let [a, b, c, d, e, f, ..] = *rest else {
            return None;
        };
        let place = (u32::from_be_bytes([a, b, c, d]), u16::from_be_bytes([e, f]));
        Some((entry_of(entry), place))
    }
}

impl Sorted for Run {
    fn len(&self) -> u64 {
        self.len
    }

    fn read(&self, first: u64, count: u64) -> Vec<Entry> {
        pgrx::check_for_interrupts!();
        let records = self.records(first, count);
        let entries = records.chunks_exact(RECORD).map(entry_of);
        entries.collect()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // SAFETY: opened by `of_table`, closed once.
        unsafe { pg_sys::BufFileClose(self.file) }
    }
}
