//! Two sets side by side: what one has beyond the other, stretch by stretch.
//!
//! Elements that only one has are found by galloping, elements that both have are compared many
//! at a time.

use std::cmp::Ordering;
use std::ops::Range;

use super::live::Live;
use crate::context::Span;

/// The living elements of two sets. Of the dots that only one has, its join keeps those that the
/// other has not seen.
pub(crate) struct Pair<'a> {
    pub left: Side<'a>,
    pub right: Side<'a>,
}

/// One of two sets.
pub(crate) struct Side<'a> {
    pub live: &'a Live,
    /// Of each replica in its table the place in the joint table.
    pub to: Vec<u16>,
    /// Whether all places stay.
    pub is_same: bool,
    /// Of each replica in its table what the other side has seen.
    seen: Vec<Seen<'a>>,
    /// Of each replica whether that is anything at all.
    may_be_seen: Vec<bool>,
    /// Whether it is of any: a delta has seen nothing of its row but the dots that it removes.
    may_any: bool,
    /// Of the counters that the other side has seen, if they are few.
    few: Option<Few>,
}

/// What a set has seen of a replica's dots, so that it has removed those that it does not hold.
#[derive(Clone, Copy)]
pub(crate) enum Seen<'a> {
    /// All in these spans.
    Spans(&'a [Span]),
    /// All up to a tick, and some more, ascending.
    Removed(u64, &'a [u64]),
}

impl Seen<'_> {
    pub const NOTHING: Self = Self::Spans(&[]);

    fn is_nothing(&self) -> bool {
        match self {
            Self::Spans(spans) => spans.is_empty(),
            Self::Removed(upto, ticks) => *upto == 0 && ticks.is_empty(),
        }
    }

    /// Whether it has a dot; `near` is the place that answered last: neighbours mostly share it.
    #[inline]
    fn has(&self, counter: u64, near: &mut usize) -> bool {
        match self {
            Self::Spans(spans) => {
                is_in(spans.len(), near, counter, |at| {
                    spans.get(at).map_or(u64::MAX, |span| span.upto)
                }) && spans.get(*near).is_some_and(|span| span.after < counter)
            }
            Self::Removed(upto, ticks) => {
                let tick = |at: usize| ticks.get(at).copied().unwrap_or(u64::MAX);
                counter <= *upto
                    || is_in(ticks.len(), near, counter, tick) && ticks.get(*near) == Some(&counter)
            }
        }
    }
}

/// Leads `near` to the first of `count` ascending ends that is not less; whether there is one.
#[inline]
fn is_in(count: usize, near: &mut usize, counter: u64, end: impl Fn(usize) -> u64) -> bool {
    if count == 0 || end(count - 1) < counter {
        return false;
    }
    let is_before = |at: usize| end(at) < counter;
    if is_before(*near) || *near > 0 && !is_before(*near - 1) {
        if is_before(*near) && !is_before(*near + 1) {
            *near += 1;
        } else {
            let (mut low, mut high) = (0, count);
            while low < high {
                let middle = low + (high - low) / 2;
                match is_before(middle) {
                    true => low = middle + 1,
                    false => high = middle,
                }
            }
            *near = low;
        }
    }
    *near < count
}

/// To look through so many dots a filter is worth its while.
const MANY: usize = 1 << 10;

/// So many dots are looked at together.
const CHUNK: usize = 16;

#[inline]
fn any<T: Copy>(some: &[T], is_one: impl Fn(T) -> bool) -> bool {
    some.iter().fold(false, |any, item| any | is_one(*item))
}

/// A filter: which counters may be among a few thousand, told by a hash of 16 bits.
struct Few {
    bits: Box<[u64; WORDS]>,
}

/// Bits of the filter in words.
const WORDS: usize = 1 << 10;

impl Few {
    /// None if there are too many for the filter to tell much.
    fn of(seen: &[Seen<'_>]) -> Option<Self> {
        const MOST: u64 = 1 << 13;
        let mut few = Self {
            bits: Box::new([0; WORDS]),
        };
        let mut count = 0u64;
        for seen in seen {
            match seen {
                Seen::Spans(spans) => {
                    for span in *spans {
                        count = count.saturating_add(span.upto - span.after);
                        if count > MOST {
                            return None;
                        }
                        (span.after + 1..=span.upto).for_each(|counter| few.note(counter));
                    }
                }
                Seen::Removed(upto, ticks) => {
                    count += ticks.len() as u64;
                    if *upto > 0 || count > MOST {
                        return None;
                    }
                    ticks.iter().for_each(|counter| few.note(*counter));
                }
            }
        }
        Some(few)
    }

    #[inline]
    fn place(counter: u64) -> (usize, u64) {
        let hash = counter.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
        ((hash >> 6) as usize % WORDS, 1 << (hash & 63))
    }

    fn note(&mut self, counter: u64) {
        let (word, bit) = Self::place(counter);
        if let Some(word) = self.bits.get_mut(word) {
            *word |= bit;
        }
    }

    #[inline]
    fn may_have(&self, counter: u64) -> bool {
        let (word, bit) = Self::place(counter);
        self.bits.get(word).is_some_and(|word| word & bit != 0)
    }
}

impl<'a> Side<'a> {
    /// `to` and `seen` have one item for each replica in the table of `live`.
    pub fn new(live: &'a Live, to: Vec<u16>, seen: Vec<Seen<'a>>) -> Self {
        Self {
            live,
            is_same: to.iter().enumerate().all(|(a, b)| a == usize::from(*b)),
            may_any: seen.iter().any(|seen| !seen.is_nothing()),
            may_be_seen: seen.iter().map(|seen| !seen.is_nothing()).collect(),
            few: match live.counters.len() < MANY {
                true => None,
                false => Few::of(&seen),
            },
            to,
            seen,
        }
    }

    /// Whether the other side has seen a dot of this one.
    #[inline]
    pub fn is_seen(&self, author: u16, counter: u64) -> bool {
        self.is_seen_near(author, counter, &mut 0)
    }

    #[inline]
    fn is_seen_near(&self, author: u16, counter: u64, near: &mut usize) -> bool {
        let seen = self.seen.get(usize::from(author));
        seen.is_some_and(|seen| seen.has(counter, near))
    }

    /// Whether the other side can have seen dots of a replica.
    #[inline]
    pub fn may_be_seen(&self, author: u16) -> bool {
        let may = self.may_be_seen.get(usize::from(author));
        may.copied().unwrap_or_default()
    }

    #[inline]
    pub fn place(&self, author: u16) -> u16 {
        self.to
            .get(usize::from(author))
            .copied()
            .unwrap_or_default()
    }

    /// The first of some elements of which the other side has seen a dot.
    pub fn first_seen(&self, elements: Range<usize>) -> Option<usize> {
        if !self.may_any {
            return None;
        }
        let dots = self.live.dots(elements.clone());
        let counters = self.live.counters.get(dots.clone()).unwrap_or_default();
        let authors = self.live.authors.get(dots.clone()).unwrap_or_default();
        let (mut near, mut before) = (0, 0);
        let mut chunks = authors.chunks(CHUNK).zip(counters.chunks(CHUNK));
        let at = chunks.find_map(|(authors, counters)| {
            let at = match &self.few {
                // Without a branch for each.
                Some(few) => any(counters, |counter| few.may_have(counter)).then(|| {
                    authors.iter().zip(counters).position(|(author, counter)| {
                        few.may_have(*counter) && self.is_seen_near(*author, *counter, &mut near)
                    })
                }),
                None => any(authors, |author| self.may_be_seen(author)).then(|| {
                    authors.iter().zip(counters).position(|(author, counter)| {
                        self.is_seen_near(*author, *counter, &mut near)
                    })
                }),
            };
            before += CHUNK;
            Some(before - CHUNK + at.flatten()?)
        })?;
        if self.live.is_single() {
            return Some(elements.start + at);
        }
        let at = (dots.start + at) as u32;
        Some(self.live.dot_ends.partition_point(|end| *end <= at))
    }

    /// The dots of an element that the other side does not have, less those that it has seen,
    /// with their places in the joint table.
    pub fn kept_dots(&self, element: usize) -> impl Iterator<Item = (u16, u64)> {
        let dots = self.live.dots(element..element + 1);
        let dots = dots.map(|dot| self.live.dot(dot));
        dots.filter(|(author, counter)| !self.is_seen(*author, *counter))
            .map(|(author, counter)| (self.place(author), counter))
    }

    /// The dots of an element with their places in the joint table.
    pub fn placed(&self, element: usize) -> impl Iterator<Item = (u16, u64)> {
        let dots = self.live.dots(element..element + 1);
        dots.map(|at| {
            let (author, counter) = self.live.dot(at);
            (self.place(author), counter)
        })
    }

    fn each_dot(&self, element: usize, mut each: impl FnMut((u16, u64), u16)) {
        for at in self.live.dots(element..element + 1) {
            let (author, counter) = self.live.dot(at);
            each((self.place(author), counter), author);
        }
    }
}

/// A stretch of elements.
pub(super) enum Step {
    /// Only the left side has them.
    Left(Range<usize>),
    /// Only the right side has them.
    Right(Range<usize>),
    /// Both have so many.
    Both(usize),
}

/// Who has a dot; of one side with the place of its replica in that side's table.
#[derive(Clone, Copy)]
pub(crate) enum Held {
    Both,
    Left(u16),
    Right(u16),
}

impl<'a> Pair<'a> {
    /// The stretch that begins at these two elements; None at the end of both.
    pub(super) fn step(&self, i: usize, j: usize) -> Option<Step> {
        let (left, right) = (self.left.live, self.right.live);
        let order = match (i < left.len(), j < right.len()) {
            (true, true) => left.bytes(i).cmp(right.bytes(j)),
            (true, false) => return Some(Step::Left(i..left.len())),
            (false, true) => return Some(Step::Right(j..right.len())),
            (false, false) => return None,
        };
        Some(match order {
            Ordering::Less => Step::Left(i..left.seek(right.bytes(j), i + 1)),
            Ordering::Greater => Step::Right(j..right.seek(left.bytes(i), j + 1)),
            Ordering::Equal => Step::Both(equal_texts(left, i, right, j)),
        })
    }

    /// How many of the elements from these two on have the same dots, `count` at most.
    pub(super) fn equal_dots(&self, i: usize, j: usize, count: usize) -> usize {
        let (left, right) = (&self.left, &self.right);
        if left.live.is_single() && right.live.is_single() {
            let counters = |live: &'a Live, from: usize| {
                let counters = live.counters.get(from..from + count).unwrap_or_default();
                let authors = live.authors.get(from..from + count).unwrap_or_default();
                counters.iter().zip(authors)
            };
            let mut pairs = counters(left.live, i).zip(counters(right.live, j));
            let differ = pairs.position(|((a, from), (b, since))| {
                a != b || left.place(*from) != right.place(*since)
            });
            return differ.unwrap_or(count);
        }
        (0..count)
            .find(|at| !left.placed(i + at).eq(right.placed(j + at)))
            .unwrap_or(count)
    }

    /// The dots that two equal elements have in the join, ascending.
    pub(super) fn joined_dots(&self, i: usize, j: usize) -> Vec<(u16, u64)> {
        let mut dots: Vec<(u16, u64)> = Vec::new();
        self.compare_dots(i, j, |dot, sides| {
            let is_kept = match sides {
                Held::Both => true,
                Held::Left(author) => !self.left.is_seen(author, dot.1),
                Held::Right(author) => !self.right.is_seen(author, dot.1),
            };
            if is_kept {
                dots.push(dot);
            }
        });
        dots
    }

    /// Calls with every dot of two equal elements, ascending.
    fn compare_dots(&self, i: usize, j: usize, mut each: impl FnMut((u16, u64), Held)) {
        let (left, right) = (&self.left, &self.right);
        let mut a = left.live.dots(i..i + 1).peekable();
        let mut b = right.live.dots(j..j + 1).peekable();
        let placed = |side: &Side<'_>, at: Option<&usize>| {
            let (author, counter) = side.live.dot(*at?);
            Some(((side.place(author), counter), author))
        };
        loop {
            match (placed(left, a.peek()), placed(right, b.peek())) {
                (Some((dot, author)), other) if other.is_none_or(|(other, _)| dot < other) => {
                    a.next();
                    each(dot, Held::Left(author));
                }
                (other, Some((dot, author))) if other.is_none_or(|(other, _)| dot < other) => {
                    b.next();
                    each(dot, Held::Right(author));
                }
                (Some((dot, _)), _) => {
                    a.next();
                    b.next();
                    each(dot, Held::Both);
                }
                (None, _) => return,
            }
        }
    }

    /// Calls with every dot that one side alone has under an element: the element's text, the
    /// dot with its place in the joint table, and the side.
    pub fn differences(&self, mut each: impl FnMut(&'a [u8], (u16, u64), Held)) {
        let (mut i, mut j) = (0, 0);
        while let Some(step) = self.step(i, j) {
            match step {
                Step::Left(elements) => {
                    i = elements.end;
                    for element in elements {
                        self.left.each_dot(element, |dot, author| {
                            each(self.left.live.bytes(element), dot, Held::Left(author));
                        });
                    }
                }
                Step::Right(elements) => {
                    j = elements.end;
                    for element in elements {
                        self.right.each_dot(element, |dot, author| {
                            each(self.right.live.bytes(element), dot, Held::Right(author));
                        });
                    }
                }
                Step::Both(count) => {
                    let mut done = 0;
                    while done < count {
                        done += self.equal_dots(i + done, j + done, count - done);
                        if done < count {
                            self.compare_dots(i + done, j + done, |dot, held| match held {
                                Held::Both => (),
                                _ => each(self.left.live.bytes(i + done), dot, held),
                            });
                            done += 1;
                        }
                    }
                    (i, j) = (i + count, j + count);
                }
            }
        }
    }
}

/// How many elements from two equal ones on are equal.
fn equal_texts(left: &Live, i: usize, right: &Live, j: usize) -> usize {
    let most = (left.len() - i).min(right.len() - j);
    let (mut count, mut step) = (1, 1);
    // Ever more at a time while they are equal, then ever less.
    while count < most && step > 0 {
        let length = step.min(most - count);
        if is_equal(left, i + count, right, j + count, length) {
            count += length;
            step *= 2;
        } else {
            step = length / 2;
        }
    }
    count
}

fn is_equal(left: &Live, i: usize, right: &Live, j: usize, count: usize) -> bool {
    let (from, since) = (left.start(i), right.start(j));
    let a = left.ends.get(i..i + count).unwrap_or_default();
    let b = right.ends.get(j..j + count).unwrap_or_default();
    let upto = |start: usize, ends: &[u32]| start..ends.last().map_or(start, |end| *end as usize);
    let shift = (from as u32).wrapping_sub(since as u32);
    left.texts.get(upto(from, a)) == right.texts.get(upto(since, b))
        && a.iter().zip(b).all(|(a, b)| a.wrapping_sub(*b) == shift)
}
