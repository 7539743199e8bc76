//! Two states side by side: their join, and what one has beyond the other.
//!
//! Both are walked in stretches: elements that only one has are found by galloping and copied
//! at once, elements that both have are compared many at a time.

use std::cmp::Ordering;
use std::ops::Range;

use super::AwSet;
use super::live::Live;
use crate::context::Span;
use crate::{CausalContext, ReplicaId};

/// Two states and the context that joins theirs.
pub(super) struct Pair<'a> {
    pub context: CausalContext,
    pub left: Side<'a>,
    pub right: Side<'a>,
}

/// One of two states.
pub(super) struct Side<'a> {
    pub live: &'a Live,
    /// Of each replica in its context the place in the joint context.
    pub to: Vec<u16>,
    /// Whether all places stay.
    pub is_same: bool,
    /// Of each replica in its context what the other side has seen.
    seen: Vec<&'a [Span]>,
    /// Whether the two contexts overlap at all: a delta has seen nothing of its row but the dots
    /// that it removes.
    may_be_seen: bool,
}

impl<'a> Side<'a> {
    fn new(set: &'a AwSet, other: &'a AwSet, context: &CausalContext) -> Self {
        let place = |(replica, _)| context.index(&replica).unwrap_or_default() as u16;
        let to: Vec<u16> = set.context.iter().map(place).collect();
        let is_same = to.iter().enumerate().all(|(a, b)| a == usize::from(*b));
        let seen = |(replica, _)| other.context.spans(&replica);
        let is_disjoint = |(replica, spans): (ReplicaId, &[Span])| {
            let seen = other.context.spans(&replica);
            seen.iter().all(|seen| {
                let at = spans.partition_point(|span| span.upto <= seen.after);
                spans.get(at).is_none_or(|span| span.after >= seen.upto)
            })
        };
        Self {
            live: &set.live,
            is_same,
            seen: set.context.iter().map(seen).collect(),
            may_be_seen: !set.context.iter().all(is_disjoint),
            to,
        }
    }

    /// Whether the other side has seen a dot of this one.
    #[inline]
    pub fn is_seen(&self, author: u16, counter: u64) -> bool {
        self.is_seen_near(author, counter, &mut 0)
    }

    /// The same with the place of the span that answered last: neighbours mostly share it.
    #[inline]
    fn is_seen_near(&self, author: u16, counter: u64, near: &mut usize) -> bool {
        let seen = self.seen.get(usize::from(author));
        let spans = seen.copied().unwrap_or_default();
        if spans.last().is_none_or(|last| counter > last.upto) {
            return false;
        }
        let ends_before = |at: usize| spans.get(at).is_none_or(|span| span.upto < counter);
        let is_near = !ends_before(*near) && (*near == 0 || ends_before(*near - 1));
        if !is_near {
            *near = match !ends_before(*near + 1) && ends_before(*near) {
                true => *near + 1,
                false => spans.partition_point(|span| span.upto < counter),
            };
        }
        spans.get(*near).is_some_and(|span| span.after < counter)
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
        if !self.may_be_seen {
            return None;
        }
        let dots = self.live.dots(elements.clone());
        let counters = self.live.counters.get(dots.clone()).unwrap_or_default();
        let authors = self.live.authors.get(dots).unwrap_or_default();
        let mut dots = authors.iter().zip(counters);
        let mut near = 0;
        let at =
            dots.position(|(author, counter)| self.is_seen_near(*author, *counter, &mut near))?;
        if self.live.is_single() {
            return Some(elements.start + at);
        }
        let at = self.live.dots(elements.clone()).start + at;
        elements
            .into_iter()
            .find(|element| self.live.dots(*element..*element + 1).end > at)
    }

    /// Copies elements that the other side does not have, less the dots that it has seen.
    fn copy(&self, elements: Range<usize>, out: &mut Live) {
        let mut from = elements.start;
        while let Some(at) = self.first_seen(from..elements.end) {
            out.push_run(self.live, from..at, &self.to, self.is_same);
            let dots = self.live.dots(at..at + 1).map(|dot| self.live.dot(dot));
            let kept = dots.filter(|(author, counter)| !self.is_seen(*author, *counter));
            out.push(
                self.live.bytes(at),
                kept.map(|(author, counter)| (self.place(author), counter)),
            );
            from = at + 1;
        }
        out.push_run(self.live, from..elements.end, &self.to, self.is_same);
    }
}

/// A stretch of elements.
pub(super) enum Step {
    /// Only the left side has them.
    Left(Range<usize>),
    /// Only the right side has them.
    Right(Range<usize>),
    /// Both have them: first left, first right, how many.
    Both(usize, usize, usize),
}

impl<'a> Pair<'a> {
    pub fn new(left: &'a AwSet, right: &'a AwSet) -> Self {
        let context = left.context.join(&right.context);
        Self {
            left: Side::new(left, right, &context),
            right: Side::new(right, left, &context),
            context,
        }
    }

    /// The stretches, ascending.
    pub fn steps(&self) -> impl Iterator<Item = Step> + use<'a> {
        let (left, right) = (self.left.live, self.right.live);
        let (mut i, mut j) = (0, 0);
        std::iter::from_fn(move || {
            let (from, since) = (i, j);
            let order = match (i < left.len(), j < right.len()) {
                (true, true) => left.bytes(i).cmp(right.bytes(j)),
                (true, false) => {
                    i = left.len();
                    return Some(Step::Left(from..i));
                }
                (false, true) => {
                    j = right.len();
                    return Some(Step::Right(since..j));
                }
                (false, false) => return None,
            };
            Some(match order {
                Ordering::Less => {
                    i = left.seek(right.bytes(j), i + 1);
                    Step::Left(from..i)
                }
                Ordering::Greater => {
                    j = right.seek(left.bytes(i), j + 1);
                    Step::Right(since..j)
                }
                Ordering::Equal => {
                    let count = equal_texts(left, i, right, j);
                    (i, j) = (i + count, j + count);
                    Step::Both(from, since, count)
                }
            })
        })
    }

    /// How many of the elements from these two on have the same dots, `count` at most.
    pub fn equal_dots(&self, i: usize, j: usize, count: usize) -> usize {
        let (left, right) = (&self.left, &self.right);
        if left.live.is_single() && right.live.is_single() {
            let a = (left
                .live
                .counters
                .get(i..i + count)
                .unwrap_or_default()
                .iter())
            .zip(left.live.authors.get(i..i + count).unwrap_or_default());
            let b = (right
                .live
                .counters
                .get(j..j + count)
                .unwrap_or_default()
                .iter())
            .zip(right.live.authors.get(j..j + count).unwrap_or_default());
            let differ = a.zip(b).position(|((a, from), (b, since))| {
                a != b || left.place(*from) != right.place(*since)
            });
            return differ.unwrap_or(count);
        }
        let dots =
            |side: &Side<'_>, element: usize| -> Vec<(u16, u64)> { side.placed(element).collect() };
        (0..count)
            .find(|at| dots(left, i + at) != dots(right, j + at))
            .unwrap_or(count)
    }

    /// The living elements of the join: of the dots those that both have, and those that one
    /// has and the other has not seen.
    pub fn join(&self) -> Live {
        let (left, right) = (self.left.live, self.right.live);
        let mut out = Live::with_capacity(
            left.len() + right.len(),
            left.texts.len() + right.texts.len(),
        );
        for step in self.steps() {
            match step {
                Step::Left(elements) => self.left.copy(elements, &mut out),
                Step::Right(elements) => self.right.copy(elements, &mut out),
                Step::Both(i, j, count) => {
                    let mut done = 0;
                    while done < count {
                        let same = self.equal_dots(i + done, j + done, count - done);
                        let alike = i + done..i + done + same;
                        out.push_run(left, alike, &self.left.to, self.left.is_same);
                        done += same;
                        if done < count {
                            let dots = self.joined_dots(i + done, j + done);
                            out.push(left.bytes(i + done), dots);
                            done += 1;
                        }
                    }
                }
            }
        }
        out
    }

    fn joined_dots(&self, i: usize, j: usize) -> Vec<(u16, u64)> {
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
        let mut a = left
            .live
            .dots(i..i + 1)
            .map(|at| left.live.dot(at))
            .peekable();
        let mut b = right
            .live
            .dots(j..j + 1)
            .map(|at| right.live.dot(at))
            .peekable();
        loop {
            let first = a
                .peek()
                .map(|(author, counter)| (left.place(*author), *counter));
            let second = b
                .peek()
                .map(|(author, counter)| (right.place(*author), *counter));
            let order = match (first, second) {
                (Some(first), Some(second)) => first.cmp(&second),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return,
            };
            let from = if order.is_le() { a.next() } else { None };
            let since = if order.is_ge() { b.next() } else { None };
            match (first, second, from, since) {
                (Some(dot), _, Some(_), Some(_)) => each(dot, Held::Both),
                (Some(dot), _, Some((author, _)), None) => each(dot, Held::Left(author)),
                (_, Some(dot), None, Some((author, _))) => each(dot, Held::Right(author)),
                _ => return,
            }
        }
    }

    /// Calls with every dot that one side alone has under an element: the element's text, the
    /// dot with its place in the joint context, and the side.
    pub fn differences(&self, mut each: impl FnMut(&'a [u8], (u16, u64), Held)) {
        for step in self.steps() {
            match step {
                Step::Left(elements) => {
                    for element in elements {
                        self.left.each_dot(element, |dot, author| {
                            each(self.left.live.bytes(element), dot, Held::Left(author));
                        });
                    }
                }
                Step::Right(elements) => {
                    for element in elements {
                        self.right.each_dot(element, |dot, author| {
                            each(self.right.live.bytes(element), dot, Held::Right(author));
                        });
                    }
                }
                Step::Both(i, j, count) => {
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
                }
            }
        }
    }
}

impl Side<'_> {
    fn each_dot(&self, element: usize, mut each: impl FnMut((u16, u64), u16)) {
        for at in self.live.dots(element..element + 1) {
            let (author, counter) = self.live.dot(at);
            each((self.place(author), counter), author);
        }
    }

    fn placed(&self, element: usize) -> impl Iterator<Item = (u16, u64)> + '_ {
        let dots = self.live.dots(element..element + 1);
        dots.map(|at| {
            let (author, counter) = self.live.dot(at);
            (self.place(author), counter)
        })
    }
}

/// Who has a dot; of one side with the place of its replica in that side's context.
#[derive(Clone, Copy)]
pub(super) enum Held {
    Both,
    Left(u16),
    Right(u16),
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
