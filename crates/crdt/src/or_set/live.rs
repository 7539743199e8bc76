//! The living elements: each with the dots of its additions that nobody has removed.

use std::cmp::Ordering;

use super::dots::DotSet;
use crate::elements::{Texts, merged};
use crate::{Dot, VersionVector};

/// Elements ascending by bytes, each with at least one dot; dots ascending.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Live {
    elements: Texts,
    /// Where each element's dots end in `dots`.
    ends: Vec<u32>,
    dots: Vec<Dot>,
}

impl Live {
    pub(super) fn with_capacity(elements: usize, bytes: usize) -> Self {
        Self {
            elements: Texts::with_capacity(elements, bytes),
            ends: Vec::with_capacity(elements),
            dots: Vec::with_capacity(elements),
        }
    }

    /// The elements without their dots.
    pub fn elements(&self) -> &Texts {
        &self.elements
    }

    /// All dots, in the order of the elements.
    pub(super) fn all_dots(&self) -> &[Dot] {
        &self.dots
    }

    /// The dots of the element at `index`.
    fn dots_at(&self, index: usize) -> &[Dot] {
        let start = match index.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or_default(),
            None => 0,
        };
        let end = self.ends.get(index).copied().unwrap_or_default();
        self.dots
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }

    /// The dots of `element`.
    pub fn dots_of(&self, element: &str) -> &[Dot] {
        self.elements
            .find(element)
            .map_or(&[], |index| self.dots_at(index))
    }

    /// Elements with their dots, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Dot])> {
        (0..self.ends.len()).map(|index| (self.elements.get(index), self.dots_at(index)))
    }

    /// Appends an element greater than all before with ascending dots; without dots, nothing.
    pub(super) fn push(&mut self, element: &str, dots: impl Iterator<Item = Dot>) {
        let before = self.dots.len();
        self.dots.extend(dots);
        if self.dots.len() > before {
            self.elements.push(element);
            self.ends.push(self.dots.len() as u32);
        }
    }

    /// Like [`Live::push`] with at least one dot, which may fail.
    pub(super) fn try_push<E>(
        &mut self,
        element: &str,
        dots: impl Iterator<Item = Result<Dot, E>>,
    ) -> Result<(), E> {
        for dot in dots {
            self.dots.push(dot?);
        }
        self.elements.push(element);
        self.ends.push(self.dots.len() as u32);
        Ok(())
    }

    /// Makes room for `count` dots, growing by halves but never beyond the `most` that can
    /// still come: hostile bytes get no more memory than their dots would take.
    pub(super) fn reserve_dots(&mut self, count: usize, most: usize) {
        if self.dots.capacity() - self.dots.len() < count {
            self.dots
                .reserve_exact(count.max(self.dots.len() / 2).min(most));
        }
    }

    /// Takes an element out in place; its dots.
    pub(super) fn remove(&mut self, element: &str) -> Vec<Dot> {
        let Some(index) = self.elements.find(element) else {
            return Vec::new();
        };
        let count = self.dots_at(index).len();
        let end = self.ends.remove(index) as usize;
        self.elements.remove_at(index);
        let moved = self.ends.get_mut(index..).unwrap_or_default();
        moved.iter_mut().for_each(|moved| *moved -= count as u32);
        self.dots.drain(end - count..end).collect()
    }

    /// The elements of both under the dots of both, less what is removed.
    pub(super) fn join(&self, other: &Self, removed: &DotSet) -> Self {
        let mut joined =
            Self::with_capacity(self.ends.len().max(other.ends.len()), self.elements.bytes());
        let (mut left, mut right) = (self.iter().peekable(), other.iter().peekable());
        loop {
            let order = match (left.peek(), right.peek()) {
                (Some((a, _)), Some((b, _))) => a.cmp(b),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => return joined,
            };
            let first = if order.is_le() { left.next() } else { None };
            let second = if order.is_ge() { right.next() } else { None };
            let Some((element, _)) = first.or(second) else {
                return joined;
            };
            let (a, b) = (dots_of(first), dots_of(second));
            joined.push(element, merged(a, b).filter(|dot| !removed.contains(dot)));
        }
    }

    /// What remains after `removed`.
    pub(super) fn without(&self, removed: &DotSet) -> Self {
        self.join(&Self::default(), removed)
    }

    /// The dots that `floor` does not cover, and of the others those that `held` has as well.
    pub(super) fn above(&self, floor: &VersionVector, held: &Self) -> Self {
        let mut left = Self::default();
        let mut held_of = held.lookup();
        for (element, dots) in self.iter() {
            let held = held_of(element);
            let is_left = |dot: &&Dot| !floor.covers(dot) || held.binary_search(dot).is_ok();
            left.push(element, dots.iter().filter(is_left).copied());
        }
        left
    }

    /// What this has beyond `other`.
    pub(super) fn beyond(&self, other: &Self) -> Self {
        let mut left = Self::default();
        let mut held_of = other.lookup();
        for (element, dots) in self.iter() {
            let held = held_of(element);
            left.push(
                element,
                dots.iter()
                    .filter(|dot| held.binary_search(dot).is_err())
                    .copied(),
            );
        }
        left
    }

    /// Finds the dots of elements that are asked for in ascending order, in one pass over all.
    pub(super) fn lookup<'a>(&'a self) -> impl FnMut(&str) -> &'a [Dot] {
        let mut rest = self.iter().peekable();
        move |element| {
            while rest.next_if(|(held, _)| *held < element).is_some() {}
            rest.next_if(|(held, _)| *held == element)
                .map_or(&[], |(_, dots)| dots)
        }
    }
}

fn dots_of<'a>(side: Option<(&str, &'a [Dot])>) -> impl Iterator<Item = Dot> + use<'a> {
    side.map_or(&[][..], |(_, dots)| dots).iter().copied()
}
