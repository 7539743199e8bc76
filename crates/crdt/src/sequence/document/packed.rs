//! The bytes of a chunk's entries, numbers in LEB128; nothing in them hangs on other chunks:
//!
//! ```text
//! author × 64 + right × 8 + left × 2 + deleted ‖ zigzag(number less what is expected)
//! ‖ length less 1 ‖ left if it is spelt out ‖ right if it is spelt out
//! left:  0 none, 1 the last element of the entry before, 2 the number before, 3 spelt out
//! right: 0 none, 1 the number after left, 2 the first element of the entry after,
//!        3 as of the entry before, 4 as of its kin, 5 spelt out
//! spelt out: zigzag(number less the entry's) × 2 + whether it has another author ‖ that author
//! ```
//!
//! An entry's kin is the latest of the four entries before it that has the same author; behind
//! the kin's last number its own is expected, or 0.

use super::entry::{Element, Entry};
use crate::DecodeError;
use crate::codec::{Reader, put_varint};

const NEAR: usize = 4;

fn kin(before: &[Entry], author: u32) -> Option<&Entry> {
    let near = before.iter().rev().take(NEAR);
    near.into_iter().find(|entry| entry.first.author == author)
}

fn zigzag(number: u32, base: u32) -> u64 {
    let distance = i64::from(number) - i64::from(base);
    ((distance << 1) ^ (distance >> 63)) as u64
}

fn unzigzag(code: u64, base: u32) -> Result<u32, DecodeError> {
    let distance = (code >> 1) as i64 ^ -((code & 1) as i64);
    distance
        .checked_add(i64::from(base))
        .and_then(|number| u32::try_from(number).ok())
        .ok_or(OVER)
}

const OVER: DecodeError = DecodeError::NotCanonical("number over 32 bits");

fn put_element(out: &mut Vec<u8>, own: Element, element: Element) {
    let foreign = element.author != own.author;
    put_varint(
        out,
        zigzag(element.number, own.number) << 1 | u64::from(foreign),
    );
    if foreign {
        put_varint(out, u64::from(element.author));
    }
}

pub(super) fn pack(out: &mut Vec<u8>, entries: &[Entry]) {
    for (index, entry) in entries.iter().enumerate() {
        let (before, after) = entries.split_at(index);
        let previous = before.last();
        let kin = kin(before, entry.first.author);
        let left = match entry.left {
            None => 0,
            left if previous.is_some_and(|previous| left == Some(previous.last())) => 1,
            left if left == entry.first.previous() => 2,
            Some(_) => 3,
        };
        let follows = |entry: &Entry| entry.left.and_then(Element::next);
        let right = match entry.right {
            None => 0,
            right if right == follows(entry) => 1,
            right if after.get(1).is_some_and(|next| right == Some(next.first)) => 2,
            right if previous.is_some_and(|previous| right == previous.right) => 3,
            right if kin.is_some_and(|kin| right == kin.right) => 4,
            Some(_) => 5,
        };
        let code = u64::from(entry.first.author) << 6 | right << 3 | left << 1;
        put_varint(out, code | u64::from(entry.deleted));
        let expected = kin.map_or(0, Entry::end);
        put_varint(out, zigzag(entry.first.number, expected));
        put_varint(out, u64::from(entry.len - 1));
        if let (3, Some(element)) = (left, entry.left) {
            put_element(out, entry.first, element);
        }
        if let (5, Some(element)) = (right, entry.right) {
            put_element(out, entry.first, element);
        }
    }
}

/// What an entry begins with.
struct Head {
    code: u64,
    first: Element,
    len: u32,
}

/// Walks over entries, of which it remembers as much as the next ones hang on.
struct Heads<'a> {
    reader: Reader<'a>,
    /// The latest entries: the element after each; the oldest is overwritten next.
    near: [Option<Element>; NEAR],
    next: usize,
}

impl<'a> Heads<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            reader: Reader::new(bytes),
            near: [None; NEAR],
            next: 0,
        }
    }

    /// The next one; what it spells out is to be read then.
    #[inline]
    fn next(&mut self) -> Result<Option<Head>, DecodeError> {
        if self.reader.remaining() == 0 {
            return Ok(None);
        }
        let code = self.reader.varint()?;
        let author = u32::try_from(code >> 6).map_err(|_| OVER)?;
        let kin = (1..=NEAR)
            .filter_map(|back| *self.near.get((self.next + NEAR - back) % NEAR)?)
            .find(|end| end.author == author);
        let expected = kin.map_or(0, |end| end.number);
        let number = unzigzag(self.reader.varint()?, expected)?;
        let len = u32::try_from(self.reader.varint()?).map_err(|_| OVER)?;
        let len = len.checked_add(1).ok_or(OVER)?;
        let end = number.checked_add(len).ok_or(OVER)?;
        if let Some(oldest) = self.near.get_mut(self.next) {
            *oldest = Some(Element {
                author,
                number: end,
            });
        }
        self.next = (self.next + 1) % NEAR;
        let first = Element { author, number };
        Ok(Some(Head { code, first, len }))
    }

    fn spelt_out(&mut self, own: Element) -> Result<Element, DecodeError> {
        let code = self.reader.varint()?;
        let number = unzigzag(code >> 1, own.number)?;
        let author = match code & 1 {
            0 => own.author,
            _ => u32::try_from(self.reader.varint()?).map_err(|_| OVER)?,
        };
        Ok(Element { author, number })
    }
}

impl Head {
    fn left(&self) -> u64 {
        self.code >> 1 & 3
    }

    fn right(&self) -> u64 {
        self.code >> 3 & 7
    }
}

/// Which of the entries that [`pack`] wrote holds an element, and how many of its elements stand
/// before.
pub(super) fn find(bytes: &[u8], element: Element) -> Result<Option<(usize, u32)>, DecodeError> {
    let mut heads = Heads::new(bytes);
    let mut at = 0;
    while let Some(head) = heads.next()? {
        let skip = element.number.wrapping_sub(head.first.number);
        if head.first.author == element.author && skip < head.len {
            return Ok(Some((at, skip)));
        }
        if head.left() == 3 {
            heads.spelt_out(head.first)?;
        }
        if head.right() == 5 {
            heads.spelt_out(head.first)?;
        }
        at += 1;
    }
    Ok(None)
}

/// Reads what [`pack`] wrote. Codes that it would not have chosen pass too: who reads the bytes
/// of others packs again and compares.
pub(super) fn unpack(bytes: &[u8]) -> Result<Vec<Entry>, DecodeError> {
    const NOTHING: DecodeError = DecodeError::NotCanonical("an element beside nothing");
    let mut heads = Heads::new(bytes);
    let mut entries: Vec<Entry> = Vec::new();
    let mut awaits_next = false;
    while let Some(head) = heads.next()? {
        let first = head.first;
        if awaits_next && let Some(last) = entries.last_mut() {
            last.right = Some(first);
        }
        let previous = entries.last();
        let left = match head.left() {
            0 => None,
            1 => Some(previous.ok_or(NOTHING)?.last()),
            2 => Some(first.previous().ok_or(NOTHING)?),
            _ => Some(heads.spelt_out(first)?),
        };
        let right = match head.right() {
            0 | 2 => None,
            1 => Some(left.and_then(Element::next).ok_or(NOTHING)?),
            3 => previous.ok_or(NOTHING)?.right,
            4 => kin(&entries, first.author).ok_or(NOTHING)?.right,
            5 => Some(heads.spelt_out(first)?),
            _ => return Err(DecodeError::NotCanonical("an unknown right side")),
        };
        awaits_next = head.right() == 2;
        entries.push(Entry {
            first,
            len: head.len,
            deleted: head.code & 1 == 1,
            left,
            right,
        });
    }
    match awaits_next {
        true => Err(NOTHING),
        false => Ok(entries),
    }
}
