//! Entry bundles: leaves as they were hashed, rebuilt from ops and headers. The tables are not
//! trusted: what does not hash to the stored tile is not served.

use super::pages::{self, Altered, hashes};
use crate::catalog;
use crate::worker::log;
use crate::worker::origins::Origins;
use ledger::merkle::{TILE_WIDTH, entry_bundle};
use ledger::{ChainId, Hash, Header, Leaf};
use std::collections::VecDeque;
use transport::Page;

/// Bytes of payload that one turn hashes, unless a single op has more.
const BYTES_PER_TURN: i64 = 4 << 20;

/// A bundle in the making.
pub struct Bundle {
    index: u64,
    width: u16,
    /// The hashes that the leaves must have.
    hashes: Vec<u8>,
    leaves: Vec<Vec<u8>>,
    plan: VecDeque<Run>,
}

/// Leaves that follow each other.
enum Run {
    /// Headers of blocks, from this height on.
    Headers { height: u64, count: u64 },
    /// Ops of one origin behind this number.
    Ops { origin: i32, after: u64, count: u64 },
}

/// A row of `crdt.block_range`.
struct Range {
    origin: i32,
    first_seq: u64,
    last_seq: u64,
    height: u64,
    first_leaf: u64,
}

impl Bundle {
    /// The bundle of tile `index` with its first `width` entries.
    ///
    /// # Errors
    /// [`Altered`] if the tables do not have them.
    pub fn plan(chain: &ChainId, index: u64, width: u16) -> Result<Bundle, Altered> {
        let first = index.saturating_mul(TILE_WIDTH);
        let bundle = Bundle {
            index,
            width,
            hashes: hashes(0, index, width)?,
            leaves: Vec::with_capacity(usize::from(width)),
            plan: runs(chain, first, first.saturating_add(width.into()))?,
        };
        Ok(bundle)
    }

    /// Makes some of the leaves. Returns whether that were the last ones.
    ///
    /// # Errors
    /// [`Altered`] if a leaf is not what was hashed.
    pub fn go_on(&mut self, chain: &ChainId, origins: &mut Origins) -> Result<bool, Altered> {
        let mut room = BYTES_PER_TURN;
        while room > 0
            && let Some(run) = self.plan.pop_front()
        {
            match run {
                Run::Headers { height, count } => self.headers(chain, height, count)?,
                Run::Ops {
                    origin,
                    after,
                    count,
                } => {
                    let (taken, bytes) = within(origin, after, count, room);
                    self.ops(chain, origins, origin, after, taken)?;
                    room = room.saturating_sub(bytes);
                    if taken < count {
                        self.plan.push_front(Run::Ops {
                            origin,
                            after: after.saturating_add(taken),
                            count: count - taken,
                        });
                        break;
                    }
                }
            }
        }
        Ok(self.plan.is_empty())
    }

    /// The finished bundle; none if leaves are missing.
    pub fn finish(self) -> Option<Page> {
        if self.leaves.len() != usize::from(self.width) {
            return None;
        }
        let bundle = entry_bundle(&self.leaves)?;
        Some(pages::of_bundle(self.index, self.width, bundle))
    }

    /// The index in the log of the next leaf.
    fn next_index(&self) -> u64 {
        self.index * TILE_WIDTH + self.leaves.len() as u64
    }

    fn push(&mut self, leaf: &Leaf) -> Result<(), Altered> {
        let place = self.leaves.len() * 32;
        let expected = self.hashes.get(place..place + 32);
        if expected != Some(leaf.hash().as_slice()) {
            return Err(altered_leaf(leaf.index));
        }
        self.leaves.push(leaf.to_bytes());
        Ok(())
    }

    fn headers(&mut self, chain: &ChainId, height: u64, count: u64) -> Result<(), Altered> {
        for height in height..height.saturating_add(count) {
            let index = self.next_index();
            let header = header(chain, height).ok_or_else(|| altered_leaf(index))?;
            self.push(&Leaf::of_header(&header, &header.hash(), index))?;
        }
        Ok(())
    }

    fn ops(
        &mut self,
        chain: &ChainId,
        origins: &mut Origins,
        origin: i32,
        after: u64,
        count: u64,
    ) -> Result<(), Altered> {
        let node = origins.node_id(origin);
        let missing = altered_leaf(self.next_index());
        let mut prev: Hash = match after {
            0 => [0; 32],
            _ => log::op_hash(origin, after).ok_or(missing)?,
        };
        for (core, this) in log::op_cores(origins, origin, after, after.saturating_add(count)) {
            let leaf = Leaf::of_op(chain, self.next_index(), &node, &core, &prev, &this);
            self.push(&leaf)?;
            prev = this;
        }
        Ok(())
    }
}

fn altered_leaf(index: u64) -> Altered {
    Altered(format!("leaf {index} is missing or not what was hashed"))
}

/// How many of `count` ops have at most `room` bytes, at least one, and how many bytes they have.
fn within(origin: i32, after: u64, count: u64, room: i64) -> (u64, i64) {
    let upto = after.saturating_add(count);
    let found = catalog::one(
        "SELECT count(*), coalesce(max(bytes), 0)::bigint
           FROM (SELECT seq, sum(octet_length(payload)) OVER (ORDER BY seq) AS bytes FROM crdt.op
                  WHERE origin = $1 AND seq > $2 AND seq <= $3) AS op
          WHERE bytes <= $4 OR seq = $2 + 1",
        &[
            origin.into(),
            (after as i64).into(),
            (upto as i64).into(),
            room.into(),
        ],
        |row| (row.need::<i64>(1), row.need::<i64>(2)),
    );
    let (ops, bytes) = found.unwrap_or_default();
    // Ops that are missing are found when their leaves are looked at.
    (ops.unsigned_abs().clamp(1, count.max(1)), bytes)
}

/// What the leaves `from..to` are made of. `crdt.block_range` is only an index: where it is wrong,
/// the leaves come out wrong.
fn runs(chain: &ChainId, from: u64, to: u64) -> Result<VecDeque<Run>, Altered> {
    let mut runs = VecDeque::new();
    let mut at = from;
    for range in ranges(from, to)? {
        // What no range covers are headers, the last of them that of the block before.
        let gap = range.first_leaf.min(to).saturating_sub(at);
        if gap > 0 {
            let before = range.first_leaf - at;
            let height = range.height.checked_sub(before);
            let height = height.ok_or_else(|| altered_leaf(at))?;
            runs.push_back(Run::Headers { height, count: gap });
            at += gap;
        }
        let count = (range.last_seq + 1).saturating_sub(range.first_seq);
        let end = range.first_leaf.saturating_add(count).min(to);
        if at < end {
            let skipped = at.saturating_sub(range.first_leaf);
            runs.push_back(Run::Ops {
                origin: range.origin,
                after: (range.first_seq + skipped).saturating_sub(1),
                count: end - at,
            });
            at = end;
        }
    }
    if at < to {
        // Headers at the end of the log, of blocks without ops.
        let (height, size) = tip(chain).ok_or_else(|| altered_leaf(at))?;
        let first = (height + 1).checked_sub(size.saturating_sub(at));
        let height = first.ok_or_else(|| altered_leaf(at))?;
        runs.push_back(Run::Headers {
            height,
            count: to - at,
        });
    }
    Ok(runs)
}

/// The ranges that touch the leaves `from..to`, and the one behind them.
fn ranges(from: u64, to: u64) -> Result<Vec<Range>, Altered> {
    let rows = catalog::query(
        "(SELECT origin, first_seq, last_seq, height, first_leaf FROM crdt.block_range
           WHERE first_leaf <= $1 ORDER BY first_leaf DESC LIMIT 1)
         UNION ALL
         (SELECT origin, first_seq, last_seq, height, first_leaf FROM crdt.block_range
           WHERE first_leaf > $1 AND first_leaf < $2 ORDER BY first_leaf LIMIT 1000)
         UNION ALL
         (SELECT origin, first_seq, last_seq, height, first_leaf FROM crdt.block_range
           WHERE first_leaf >= $2 ORDER BY first_leaf LIMIT 1)
         ORDER BY first_leaf",
        &[(from as i64).into(), (to as i64).into()],
        |row| {
            let number = |column| u64::try_from(row.need::<i64>(column)).ok();
            Some(Range {
                origin: row.need(1),
                first_seq: number(2)?,
                last_seq: number(3).filter(|n| *n < i64::MAX as u64)?,
                height: number(4)?,
                first_leaf: number(5)?,
            })
        },
    );
    rows.into_iter()
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| altered_leaf(from))
}

/// Height and tree size of the last block.
fn tip(chain: &ChainId) -> Option<(u64, u64)> {
    let header = header(chain, u64::try_from(catalog::last_height()?).ok()?)?;
    Some((header.height, header.tree_size))
}

fn header(chain: &ChainId, height: u64) -> Option<Header> {
    let header = match height {
        0 => catalog::chain()?.genesis.header(),
        _ => catalog::header(height as i64)?,
    };
    (header.chain_id == *chain && header.height == height).then_some(header)
}
