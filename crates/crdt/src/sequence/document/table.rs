//! Who made the elements of a whole sequence, and when.
//!
//! Of one replica: replica16 ‖ operations less 1 ‖ elements less 1 ‖ newest tick ‖ byte length of
//! its blocks ‖ those, newest first. Counted from the oldest operation on each block but the
//! newest is full; each but the oldest begins with (its elements ‖ distance from its newest tick
//! to that of the block before ‖ byte length of the rest). Then its operations, newest first:
//! (distance to the tick before / 2^16 × 4 + (rest ≠ 0) × 2 + (more than one element) ‖ that rest
//! ‖ elements less 2). The oldest of all has distance 0.

use std::sync::Arc;

use crate::codec::{Reader, put_bytes, put_varint};
use crate::{DecodeError, Dot, ReplicaId};

/// What one settling inserted.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Operation {
    tick: u64,
    /// The number after that of its last element.
    end: u32,
}

/// The operations of one replica, oldest first. Its elements are numbered through, in the order
/// of the operations and within one of the sequence: so what somebody types key by key has
/// numbers side by side, as what he types at once.
#[derive(Clone, Debug)]
pub(super) struct Replica<'a> {
    pub id: ReplicaId,
    /// If there are newer ones, full blocks.
    older: Older<'a>,
    newer: Arc<Vec<Operation>>,
}

/// Those that nobody looked at since they were stored, newest first.
#[derive(Clone, Copy, Default, Debug)]
struct Older<'a> {
    count: usize,
    newest: Operation,
    bytes: &'a [u8],
}

/// Elements `start..end` of one replica, made by the operation of a tick.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Made {
    pub tick: u64,
    pub start: u32,
    pub end: u32,
}

impl Made {
    fn operation(&self) -> Operation {
        Operation {
            tick: self.tick,
            end: self.end,
        }
    }
}

const OVER: DecodeError = DecodeError::NotCanonical("number over its range");

/// Operations that are read together; the newest is not full.
const BLOCK: usize = 256;

/// A block, newest operation first.
struct Block<'a> {
    count: usize,
    newest: Operation,
    bytes: &'a [u8],
}

impl<'a> Older<'a> {
    /// The newest block, and what is older.
    fn split(&self) -> Result<(Block<'a>, Self), DecodeError> {
        let Self {
            count,
            newest,
            bytes,
        } = *self;
        if count <= BLOCK {
            let block = Block {
                count,
                newest,
                bytes,
            };
            return Ok((block, Self::default()));
        }
        let mut reader = Reader::new(bytes);
        let elements = u32::try_from(reader.varint()?).map_err(|_| OVER)?;
        let distance = reader.varint()?;
        let block = Block {
            count: (count - 1) % BLOCK + 1,
            newest,
            bytes: reader.bytes()?,
        };
        let rest = Self {
            count: count - block.count,
            newest: Operation {
                tick: newest.tick.checked_sub(distance).ok_or(OVER)?,
                end: newest.end.checked_sub(elements).ok_or(OVER)?,
            },
            bytes: reader.rest(),
        };
        Ok((block, rest))
    }

    /// The operations of the newest block for which `is_sought` the newest of the block before is
    /// too old, from the newest to the oldest.
    fn seek(&self, is_sought: impl Fn(&Operation) -> bool) -> Result<Vec<Made>, DecodeError> {
        let mut older = *self;
        loop {
            let (block, rest) = older.split()?;
            if rest.count == 0 || is_sought(&rest.newest) {
                return block.operations(&rest);
            }
            older = rest;
        }
    }
}

impl Block<'_> {
    /// From the newest to the oldest; `before` is what the next block begins with.
    fn operations(&self, before: &Older<'_>) -> Result<Vec<Made>, DecodeError> {
        let mut reader = Reader::new(self.bytes);
        let Operation { mut tick, mut end } = self.newest;
        let mut made = Vec::with_capacity(self.count.min(self.bytes.len()));
        for left in (0..self.count).rev() {
            let code = reader.varint()?;
            let rest = match code & 2 {
                0 => 0,
                _ => reader.varint()?,
            };
            let count = match code & 1 {
                0 => 1,
                _ => reader.varint()?.checked_add(2).ok_or(OVER)?,
            };
            let count = u32::try_from(count).map_err(|_| OVER)?;
            let start = end.checked_sub(count).ok_or(OVER)?;
            made.push(Made { tick, start, end });
            let far = (code >> 2).checked_mul(1 << 16).ok_or(OVER)?;
            let distance = far.checked_add(rest).ok_or(OVER)?;
            let is_oldest = left == 0 && before.count == 0;
            if (distance == 0) != is_oldest {
                return Err(OVER);
            }
            tick = tick.checked_sub(distance).ok_or(OVER)?;
            end = start;
        }
        reader.finish()?;
        let is_joined = before.count == 0 || before.newest.tick == tick;
        if !is_joined || before.newest.end != end {
            return Err(OVER);
        }
        Ok(made)
    }
}

/// A block behind the operation `before`, with its head if there is one.
fn packed(block: &[Operation], before: Option<Operation>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4 * block.len());
    for (at, made) in block.iter().enumerate().rev() {
        let earlier = match at.checked_sub(1) {
            Some(earlier) => block.get(earlier).copied(),
            None => before,
        };
        let distance = earlier.map_or(0, |earlier| made.tick - earlier.tick);
        let count = made.end - earlier.map_or(0, |earlier| earlier.end);
        let rest = distance & 0xffff;
        let code = distance >> 16 << 2 | u64::from(rest != 0) << 1 | u64::from(count > 1);
        put_varint(&mut bytes, code);
        if rest != 0 {
            put_varint(&mut bytes, rest);
        }
        if count > 1 {
            put_varint(&mut bytes, u64::from(count - 2));
        }
    }
    let (Some(before), Some(newest)) = (before, block.last()) else {
        return bytes;
    };
    let mut headed = Vec::with_capacity(bytes.len() + 16);
    put_varint(&mut headed, u64::from(newest.end - before.end));
    put_varint(&mut headed, newest.tick - before.tick);
    put_bytes(&mut headed, &bytes);
    headed
}

impl<'a> Replica<'a> {
    pub fn new(id: ReplicaId) -> Self {
        Self {
            id,
            older: Older::default(),
            newer: Arc::default(),
        }
    }

    fn newest(&self) -> Operation {
        self.newer.last().copied().unwrap_or(self.older.newest)
    }

    /// The tick of the last operation; 0 if there is none.
    pub fn last_tick(&self) -> u64 {
        self.newest().tick
    }

    /// How many elements it made.
    pub fn elements(&self) -> u32 {
        self.newest().end
    }

    /// How many operations.
    pub fn count(&self) -> usize {
        self.older.count + self.newer.len()
    }

    /// Adds an operation later than all, of `count` ≥ 1 elements; None if it is not later or the
    /// elements are too many.
    pub fn push(&mut self, tick: u64, count: u32) -> Option<()> {
        let newest = self.newest();
        let end = newest.end.checked_add(count)?;
        if count == 0 || self.count() > 0 && tick <= newest.tick {
            return None;
        }
        if self.newer.is_empty() && !self.older.count.is_multiple_of(BLOCK) {
            // The block that is not full is written anew.
            let (block, full) = self.older.split().ok()?;
            let made = block.operations(&full).ok()?;
            let made = made.iter().rev().map(Made::operation);
            self.newer = Arc::new(made.collect());
            self.older = full;
        }
        Arc::make_mut(&mut self.newer).push(Operation { tick, end });
        Some(())
    }

    /// What the operation of a tick made.
    pub fn of_tick(&self, tick: u64) -> Result<Option<Made>, DecodeError> {
        let first_newer = self.newer.first().map_or(u64::MAX, |first| first.tick);
        if tick >= first_newer {
            let found = self.newer.binary_search_by_key(&tick, |made| made.tick);
            return Ok(found.ok().and_then(|at| self.newer_at(at)));
        }
        if self.older.count == 0 {
            return Ok(None);
        }
        let block = self.older.seek(|before| before.tick < tick)?;
        Ok(block.into_iter().find(|made| made.tick == tick))
    }

    /// What made the element of a number.
    pub fn of_number(&self, number: u32) -> Result<Option<Made>, DecodeError> {
        if number >= self.older.newest.end {
            let at = self.newer.partition_point(|made| made.end <= number);
            return Ok(self.newer_at(at));
        }
        let block = self.older.seek(|before| before.end <= number)?;
        let found = |made: &Made| (made.start..made.end).contains(&number);
        Ok(block.into_iter().find(found))
    }

    fn newer_at(&self, at: usize) -> Option<Made> {
        let made = self.newer.get(at)?;
        let before = at.checked_sub(1).and_then(|before| self.newer.get(before));
        Some(Made {
            tick: made.tick,
            start: before.map_or(self.older.newest.end, |before| before.end),
            end: made.end,
        })
    }

    pub fn dot(&self, made: &Made) -> Dot {
        Dot {
            replica: self.id,
            counter: made.tick,
        }
    }

    /// All operations, oldest first.
    pub fn operations(&self) -> Result<Vec<Made>, DecodeError> {
        let mut all: Vec<Made> = Vec::with_capacity(self.newer.len());
        let mut older = self.older;
        while older.count > 0 {
            let (block, rest) = older.split()?;
            all.extend(block.operations(&rest)?);
            older = rest;
        }
        all.reverse();
        all.extend((0..self.newer.len()).filter_map(|at| self.newer_at(at)));
        Ok(all)
    }

    /// With nothing left in bytes.
    pub fn opened(&self) -> Result<Replica<'static>, DecodeError> {
        if self.older.count == 0 {
            return Ok(Replica {
                id: self.id,
                older: Older::default(),
                newer: self.newer.clone(),
            });
        }
        Ok(Replica {
            id: self.id,
            older: Older::default(),
            newer: Arc::new(self.operations()?.iter().map(Made::operation).collect()),
        })
    }

    /// Whether it would be written as it was read.
    pub fn is_canonical(&self) -> bool {
        let (mut read, mut written) = (Vec::new(), Vec::new());
        self.put(&mut read);
        self.opened().is_ok_and(|opened| {
            opened.put(&mut written);
            read == written
        })
    }

    /// About how many bytes it takes, never less.
    pub fn size(&self) -> usize {
        56 + self.older.bytes.len() + 18 * (self.newer.len() + 1)
    }

    pub fn put(&self, out: &mut Vec<u8>) {
        let newest = self.newest();
        out.extend_from_slice(&self.id.0);
        put_varint(out, self.count() as u64 - 1);
        put_varint(out, u64::from(newest.end) - 1);
        put_varint(out, newest.tick);
        let mut before = (self.older.count > 0).then_some(self.older.newest);
        let mut blocks: Vec<Vec<u8>> = Vec::with_capacity(self.newer.len() / BLOCK + 1);
        for block in self.newer.chunks(BLOCK) {
            blocks.push(packed(block, before));
            before = block.last().copied();
        }
        let new: usize = blocks.iter().map(Vec::len).sum();
        put_varint(out, (new + self.older.bytes.len()) as u64);
        for block in blocks.iter().rev() {
            out.extend_from_slice(block);
        }
        out.extend_from_slice(self.older.bytes);
    }

    /// Reads the head of it; what it says of operations is not looked into.
    pub fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let id = reader.replica()?;
        let number = |reader: &mut Reader<'a>| reader.varint()?.checked_add(1).ok_or(OVER);
        let count = usize::try_from(number(reader)?).map_err(|_| OVER)?;
        let end = u32::try_from(number(reader)?).map_err(|_| OVER)?;
        let newest = Operation {
            tick: reader.varint()?,
            end,
        };
        let bytes = reader.bytes()?;
        if count > bytes.len() {
            return Err(DecodeError::Truncated);
        }
        Ok(Self {
            id,
            older: Older {
                count,
                newest,
                bytes,
            },
            newer: Arc::default(),
        })
    }
}

impl PartialEq for Replica<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
            && self.count() == other.count()
            && self.newest() == other.newest()
            && match (self.opened(), other.opened()) {
                (Ok(a), Ok(b)) => Arc::ptr_eq(&a.newer, &b.newer) || a.newer == b.newer,
                _ => false,
            }
    }
}
