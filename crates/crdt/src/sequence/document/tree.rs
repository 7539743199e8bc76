//! Where in a document what comes belongs: its place in the FugueMax tree (see
//! [`crate::sequence::order`]), found from its neighbours without walking over all of the tree.
//!
//! Mostly nothing came between its origins meanwhile, and it belongs there. Else it has siblings:
//! what stands between is searched for those, and it goes before the first of them that the
//! order puts behind it, with all that hangs on that to the left; or behind all of them.

use super::entry::{Element, Entry};
use super::place::{LOST, Place};
use super::{Content, Document};
use crate::DecodeError;

/// What stands at one place: an element and its origins.
struct Node {
    element: Element,
    left: Option<Element>,
    right: Option<Element>,
}

impl Node {
    fn of(entry: &Entry, skip: u32) -> Self {
        Self {
            element: entry.at(skip),
            left: entry.left_of(skip),
            right: entry.right,
        }
    }
}

/// A right origin by place: the later, the greater; none, the end, is the greatest.
type Rank = (bool, Option<Place>);

impl<C: Content> Document<'_, C> {
    /// Before which place elements with these origins belong, of which the first is `new` and
    /// the author's newest. None if only the order of the whole tree can tell, or refuse, it:
    /// then one of the origins is none that an honest author could have seen side by side.
    pub(super) fn belongs(
        &mut self,
        new: Element,
        left: Option<Element>,
        right: Option<Element>,
    ) -> Result<Option<Place>, DecodeError> {
        let start = match left {
            None => self.start(),
            Some(left) => {
                let at = self.find(left)?;
                self.after(at)?
            }
        };
        let next = self.node(start)?;
        if next.as_ref().map(|next| next.element) == right {
            return Ok(Some(start));
        }
        if let Some(right) = right
            && self.left_of(right)? == left
        {
            return self.among_left(new, start, left, right).map(Some);
        }
        if next.is_none_or(|next| next.left != left) {
            return Ok(Some(start));
        }
        self.among_right(new, start, left, right)
    }

    fn node(&mut self, at: Place) -> Result<Option<Node>, DecodeError> {
        Ok(self.entry(at)?.map(|entry| Node::of(&entry, at.skip)))
    }

    fn left_of(&mut self, element: Element) -> Result<Option<Element>, DecodeError> {
        let at = self.find(element)?;
        Ok(self.entry(at)?.ok_or(LOST)?.left_of(at.skip))
    }

    /// Among what hangs on `right` to the left, ascending by id; it stands from `start` on.
    fn among_left(
        &mut self,
        new: Element,
        start: Place,
        left: Option<Element>,
        right: Element,
    ) -> Result<Place, DecodeError> {
        let end = self.find(right)?;
        let mut later: Option<(Element, Place)> = None;
        let mut at = start;
        while at < end {
            let node = self.node(at)?.ok_or(LOST)?;
            if node.left == left
                && node.right == Some(right)
                && node.element > new
                && later.is_none_or(|(least, _)| node.element < least)
            {
                later = Some((node.element, at));
            }
            at = self.next_entry(at)?;
        }
        match later {
            None => Ok(end),
            Some((_, at)) => self.leftmost(start, at, left),
        }
    }

    /// Where what hangs to the left of the element at `at` begins; nothing of it stands before
    /// `start`, and that element and all on its left have the left origin `left`.
    fn leftmost(
        &mut self,
        start: Place,
        at: Place,
        left: Option<Element>,
    ) -> Result<Place, DecodeError> {
        let (mut first, mut before) = (at, at);
        while before > start {
            let Some(place) = self.entry_before(before)? else {
                break;
            };
            before = place.max(start);
            let node = self.node(before)?.ok_or(LOST)?;
            if node.left != left {
                continue;
            }
            let Some(right) = node.right else {
                break;
            };
            let place = self.find(right)?;
            if place < first || place > at || self.left_of(right)? != left {
                break;
            }
            first = before;
        }
        Ok(first)
    }

    /// Among what hangs on `left` to the right, of which `start` is the first place: the later a
    /// right origin the sooner, of equal ones the lesser id.
    fn among_right(
        &mut self,
        new: Element,
        start: Place,
        left: Option<Element>,
        right: Option<Element>,
    ) -> Result<Option<Place>, DecodeError> {
        let base = match left {
            None => None,
            Some(left) => Some(self.find(left)?),
        };
        if let Some(left) = left
            && self.is_inside_run(left)?
        {
            return Ok(None);
        }
        let Some(rank) = self.rank(base, right)? else {
            return Ok(None);
        };
        let mut at = start;
        while let Some(node) = self.node(at)? {
            if node.left == left {
                let hangs_on_right = match node.right {
                    None => false,
                    Some(right) => self.left_of(right)? == left,
                };
                if !hangs_on_right {
                    let Some(held) = self.rank(base, node.right)? else {
                        return Ok(None);
                    };
                    if held < rank || held == rank && node.element > new {
                        return self.leftmost(start, at, left).map(Some);
                    }
                }
            } else if !self.is_behind(base, node.left)? {
                break;
            }
            at = self.next_entry(at)?;
        }
        Ok(Some(at))
    }

    /// Whether an origin stands at `base` or later.
    fn is_behind(
        &mut self,
        base: Option<Place>,
        origin: Option<Element>,
    ) -> Result<bool, DecodeError> {
        match (base, origin) {
            (None, _) => Ok(true),
            (Some(_), None) => Ok(false),
            (Some(base), Some(origin)) => Ok(self.find(origin)? >= base),
        }
    }

    /// The rank of a right origin among those of what hangs on the element at `base`; None if
    /// it is not behind all of that, as honest ones are.
    fn rank(
        &mut self,
        base: Option<Place>,
        right: Option<Element>,
    ) -> Result<Option<Rank>, DecodeError> {
        let Some(right) = right else {
            return Ok(Some((true, None)));
        };
        let at = self.find(right)?;
        let left = self.left_of(right)?;
        let is_outside = base.is_some_and(|base| at > base) && !self.is_behind(base, left)?;
        Ok(is_outside.then_some((false, Some(at))))
    }

    /// Whether the one after an element was typed with it: nothing else can hang there.
    fn is_inside_run(&mut self, element: Element) -> Result<bool, DecodeError> {
        let Some(next) = element.next() else {
            return Ok(false);
        };
        let Some(replica) = self.replicas.get(element.author as usize) else {
            return Ok(false);
        };
        let made = replica.of_number(element.number)?;
        if made.is_none_or(|made| next.number >= made.end) {
            return Ok(false);
        }
        let (at, behind) = (self.find(element)?, self.find(next)?);
        let held = self.node(at)?.ok_or(LOST)?;
        let next = self.node(behind)?.ok_or(LOST)?;
        Ok(next.left == Some(element) && next.right == held.right)
    }
}
