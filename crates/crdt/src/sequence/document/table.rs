//! Who made the elements of a whole sequence, and when.
//!
//! Of one replica: replica16 ‖ operations less 1 ‖ elements less 1 ‖ newest tick ‖ byte length of
//! ‖ the operations, newest first: (distance to the tick before / 2^16 × 4 + (rest ≠ 0) × 2 +
//! (more than one element) ‖ that rest ‖ elements less 2). The oldest has distance 0.

use crate::codec::{Reader, put_varint};
use crate::{DecodeError, Dot, ReplicaId};

/// What one settling inserted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
    older: Older<'a>,
    newer: Vec<Operation>,
}

/// Those that nobody looked at since they were stored, newest first.
#[derive(Clone, Copy, Default, Debug)]
struct Older<'a> {
    count: usize,
    newest: Operation,
    bytes: &'a [u8],
}

impl Default for Operation {
    fn default() -> Self {
        Self { tick: 0, end: 0 }
    }
}

/// Elements `start..end` of one replica, made by the operation of a tick.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Made {
    pub tick: u64,
    pub start: u32,
    pub end: u32,
}

const OVER: DecodeError = DecodeError::NotCanonical("number over its range");

impl Older<'_> {
    /// From the newest to the oldest.
    fn walk(&self) -> impl Iterator<Item = Result<Made, DecodeError>> {
        let mut reader = Reader::new(self.bytes);
        let mut left = self.count;
        let Operation { mut tick, mut end } = self.newest;
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let mut next = || {
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
                let made = Made { tick, start, end };
                let far = (code >> 2).checked_mul(1 << 16).ok_or(OVER)?;
                let distance = far.checked_add(rest).ok_or(OVER)?;
                tick = tick.checked_sub(distance).ok_or(OVER)?;
                end = start;
                match (left, distance, end) {
                    (0, 0, 0) => reader.clone().finish()?,
                    (0, ..) | (_, 0, _) => return Err(OVER),
                    _ => (),
                }
                Ok(made)
            };
            Some(next())
        })
    }
}

fn put_operation(out: &mut Vec<u8>, distance: u64, count: u32) {
    let rest = distance & 0xffff;
    let code = distance >> 16 << 2 | u64::from(rest != 0) << 1 | u64::from(count > 1);
    put_varint(out, code);
    if rest != 0 {
        put_varint(out, rest);
    }
    if count > 1 {
        put_varint(out, u64::from(count - 2));
    }
}

impl<'a> Replica<'a> {
    pub fn new(id: ReplicaId) -> Self {
        Self {
            id,
            older: Older::default(),
            newer: Vec::new(),
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
        self.newer.push(Operation { tick, end });
        Some(())
    }

    /// What the operation of a tick made.
    pub fn of_tick(&self, tick: u64) -> Result<Option<Made>, DecodeError> {
        let first_newer = self.newer.first().map_or(u64::MAX, |first| first.tick);
        if tick >= first_newer {
            let found = self.newer.binary_search_by_key(&tick, |made| made.tick);
            return Ok(found.ok().and_then(|at| self.newer_at(at)));
        }
        for made in self.older.walk() {
            let made = made?;
            if made.tick <= tick {
                return Ok((made.tick == tick).then_some(made));
            }
        }
        Ok(None)
    }

    /// What made the element of a number.
    pub fn of_number(&self, number: u32) -> Result<Option<Made>, DecodeError> {
        if number >= self.older.newest.end {
            let at = self.newer.partition_point(|made| made.end <= number);
            return Ok(self.newer_at(at));
        }
        for made in self.older.walk() {
            let made = made?;
            if made.start <= number {
                return Ok((number < made.end).then_some(made));
            }
        }
        Ok(None)
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
        let mut all: Vec<Made> = Vec::with_capacity(self.count());
        for made in self.older.walk() {
            all.push(made?);
        }
        all.reverse();
        all.extend((0..self.newer.len()).filter_map(|at| self.newer_at(at)));
        Ok(all)
    }

    /// With nothing left in bytes.
    pub fn opened(&self) -> Result<Replica<'static>, DecodeError> {
        let operation = |made: &Made| Operation {
            tick: made.tick,
            end: made.end,
        };
        Ok(Replica {
            id: self.id,
            older: Older::default(),
            newer: self.operations()?.iter().map(operation).collect(),
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
        let mut operations = Vec::with_capacity(4 * self.newer.len() + self.older.bytes.len());
        for (at, made) in self.newer.iter().enumerate().rev() {
            let before = match at.checked_sub(1) {
                Some(before) => self.newer.get(before).copied().unwrap_or_default(),
                None => self.older.newest,
            };
            let is_oldest = at == 0 && self.older.count == 0;
            let distance = if is_oldest {
                0
            } else {
                made.tick - before.tick
            };
            put_operation(&mut operations, distance, made.end - before.end);
        }
        operations.extend_from_slice(self.older.bytes);
        put_varint(out, operations.len() as u64);
        out.extend_from_slice(&operations);
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
            newer: Vec::new(),
        })
    }
}

impl PartialEq for Replica<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
            && self.count() == other.count()
            && self.newest() == other.newest()
            && match (self.operations(), other.operations()) {
                (Ok(a), Ok(b)) => a == b,
                _ => false,
            }
    }
}
