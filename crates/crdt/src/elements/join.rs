//! The living elements of a join: two sorted runs become one.
//!
//! Long stretches of one kind are copied at once. Where the two sides alternate, each element
//! costs a comparison of two words and a copy of fixed length, without a branch that depends on
//! which side is next: that is what nobody can foresee.

use std::ops::Range;

use super::live::Live;
use super::pair::{Pair, Side, Step};

/// So many elements in a row of one kind are a stretch.
const STRETCH: u32 = 16;

/// How many bytes of a text are copied at least.
const CHUNK: usize = 32;

impl Side<'_> {
    /// Copies elements that the other side does not have, less the dots that it has seen.
    fn copy(&self, elements: Range<usize>, out: &mut Live) {
        let mut from = elements.start;
        while let Some(at) = self.first_seen(from..elements.end) {
            out.push_run(self.live, from..at, &self.to, self.is_same);
            out.push(self.live.bytes(at), self.kept_dots(at));
            from = at + 1;
        }
        out.push_run(self.live, from..elements.end, &self.to, self.is_same);
    }
}

impl Pair<'_> {
    /// The living elements of the join: of the dots those that both have, and those that one
    /// has and the other has not seen.
    pub fn join(&self) -> Live {
        let (left, right) = (self.left.live, self.right.live);
        let bytes = left.texts.len() + right.texts.len() + CHUNK;
        let mut out = Live::with_capacity(left.len() + right.len(), bytes);
        let alternating = Alternating::new(self);
        let (mut i, mut j) = (0, 0);
        loop {
            if let Some(alternating) = &alternating {
                (i, j) = alternating.join(i, j, &mut out);
            }
            match self.step(i, j) {
                Some(Step::Left(elements)) => {
                    i = elements.end;
                    self.left.copy(elements, &mut out);
                }
                Some(Step::Right(elements)) => {
                    j = elements.end;
                    self.right.copy(elements, &mut out);
                }
                Some(Step::Both(count)) => {
                    self.copy_both(i, j, count, &mut out);
                    (i, j) = (i + count, j + count);
                }
                None => return out,
            }
        }
    }

    fn copy_both(&self, i: usize, j: usize, count: usize, out: &mut Live) {
        let mut done = 0;
        while done < count {
            let same = self.equal_dots(i + done, j + done, count - done);
            let alike = i + done..i + done + same;
            out.push_run(self.left.live, alike, &self.left.to, self.left.is_same);
            done += same;
            if done < count {
                let dots = self.joined_dots(i + done, j + done);
                out.push(self.left.live.bytes(i + done), dots);
                done += 1;
            }
        }
    }
}

/// Two sides whose elements have one dot each.
struct Alternating<'a> {
    left: Column<'a>,
    right: Column<'a>,
}

/// One side, element by element.
struct Column<'a> {
    side: &'a Side<'a>,
    /// Bytes that all texts of both sides begin with.
    shared: usize,
    /// Of each replica the place in the joint table, and whether the other side can have seen its
    /// dots.
    authors: Vec<(u16, bool)>,
}

/// An element: what to compare and what to copy.
#[derive(Clone, Copy)]
struct Item {
    /// The eight bytes after the shared ones, 0 where the text ends.
    key: u64,
    start: usize,
    end: usize,
    counter: u64,
    /// In the joint table.
    author: u16,
    may_be_seen: bool,
}

impl<'a> Alternating<'a> {
    fn new(pair: &'a Pair<'a>) -> Option<Self> {
        let (left, right) = (pair.left.live, pair.right.live);
        if !left.is_single() || !right.is_single() || left.is_empty() || right.is_empty() {
            return None;
        }
        // What the least and the greatest texts share, all share.
        let first = left.bytes(0);
        let others = [
            left.bytes(left.len() - 1),
            right.bytes(0),
            right.bytes(right.len() - 1),
        ];
        let shared = others.iter().map(|other| {
            let mut pairs = first.iter().zip(*other);
            let differ = pairs.position(|(a, b)| a != b);
            differ.unwrap_or(first.len().min(other.len()))
        });
        let shared = shared.min().unwrap_or_default();
        let column = |side: &'a Side<'a>| Column {
            side,
            shared,
            authors: (0..side.to.len())
                .map(|author| (side.place(author as u16), side.may_be_seen(author as u16)))
                .collect(),
        };
        Some(Self {
            left: column(&pair.left),
            right: column(&pair.right),
        })
    }

    /// Joins elements from these two on, up to where a stretch of one kind has begun, or
    /// something else is to be looked at; the next two.
    fn join(&self, mut i: usize, mut j: usize, out: &mut Live) -> (usize, usize) {
        let (mut last, mut stretch) = (0, 0);
        let (mut from, mut since) = (self.left.side.live.start(i), self.right.side.live.start(j));
        while let (Some(a), Some(b)) = (self.left.item(i, from), self.right.item(j, since)) {
            let (is_left, is_right) = (a.key <= b.key, b.key <= a.key);
            let is_both = is_left & is_right;
            if is_both && (a.end - a.start).max(b.end - b.start) > self.left.shared + 8 {
                let texts = |column: &Column<'a>, item: &Item| {
                    column.side.live.texts.get(item.start..item.end)
                };
                if texts(&self.left, &a) != texts(&self.right, &b) {
                    break;
                }
            }
            let same_dot = (a.counter == b.counter) & (a.author == b.author);
            let kind = u32::from(is_left) | u32::from(is_right) << 1;
            let item = if is_left { a } else { b };
            let texts = if is_left { &self.left } else { &self.right };
            let is_odd = (is_both & !same_dot) | (!is_both & item.may_be_seen);
            stretch = (stretch + 1) * u32::from(kind == last);
            last = kind;
            if is_odd | (stretch > STRETCH) {
                break;
            }
            put_text(out, &texts.side.live.texts, item.start, item.end);
            out.ends.push(out.texts.len() as u32);
            out.counters.push(item.counter);
            out.authors.push(item.author);
            if !out.is_single() {
                out.dot_ends.push(out.counters.len() as u32);
            }
            i += usize::from(is_left);
            j += usize::from(is_right);
            from = if is_left { a.end } else { a.start };
            since = if is_right { b.end } else { b.start };
        }
        (i, j)
    }
}

impl Column<'_> {
    #[inline]
    fn item(&self, index: usize, start: usize) -> Option<Item> {
        let live = self.side.live;
        let end = *live.ends.get(index)? as usize;
        let author = *live.authors.get(index)?;
        let (author, may_be_seen) = *self.authors.get(usize::from(author))?;
        Some(Item {
            key: key(&live.texts, start + self.shared, end),
            start,
            end,
            counter: *live.counters.get(index)?,
            author,
            may_be_seen,
        })
    }
}

/// Eight bytes of a text; 0, which no text has, where it ends.
#[inline]
fn key(texts: &[u8], from: usize, end: usize) -> u64 {
    let word = match texts.get(from..).and_then(|rest| rest.first_chunk::<8>()) {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => {
            let mut bytes = [0; 8];
            let rest = texts.get(from..end).unwrap_or_default();
            bytes
                .iter_mut()
                .zip(rest)
                .for_each(|(to, byte)| *to = *byte);
            u64::from_be_bytes(bytes)
        }
    };
    let bits = 8 * (end - from).min(8) as u32;
    word & !u64::MAX.checked_shr(bits).unwrap_or_default()
}

/// Appends a text: a short one by a copy of fixed length, of which the rest is dropped.
#[inline]
fn put_text(out: &mut Live, texts: &[u8], start: usize, end: usize) {
    let length = end - start;
    let chunk = texts
        .get(start..)
        .and_then(|rest| rest.first_chunk::<CHUNK>());
    match chunk {
        Some(chunk) if length <= CHUNK => {
            let end = out.texts.len() + length;
            out.texts.extend_from_slice(chunk);
            out.texts.truncate(end);
        }
        _ => out
            .texts
            .extend_from_slice(texts.get(start..end).unwrap_or_default()),
    }
}
