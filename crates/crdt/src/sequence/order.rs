//! The order of a sequence: the in-order walk of the FugueMax tree.
//!
//! A span stands between its left and its right origin, its neighbours when it was typed. It
//! hangs in the tree to the left of its right origin if that had the same left origin, else to
//! the right of its left origin. Siblings to the left ascend by id. Of siblings to the right
//! the one with the later right origin comes first; of equal ones the one with the lesser id.
//!
//! The walk goes from the end to the start, so that where a right origin stands is known by
//! the time that it decides.

use std::collections::BTreeMap;

use super::span::{Id, Piece, Span, element_before, locate};
use crate::CrdtError;

/// The pieces of `spans` in order, none deleted, not yet merged over borders of spans; Err with
/// the id of an origin that is not among them.
pub(super) fn order(spans: &[Span]) -> Result<Result<Vec<Piece>, Id>, CrdtError> {
    const LOOP: CrdtError = CrdtError::Malformed("origins go round in circles");
    let mut children = Vec::with_capacity(spans.len());
    for (index, span) in spans.iter().enumerate() {
        match hang(spans, span)? {
            Ok(place) => children.push((place, index)),
            Err(missing) => return Ok(Err(missing)),
        }
    }
    // Ascending by parent, offset, side; siblings by id, as spans are.
    children.sort_unstable();
    let mut starts = vec![0; spans.len() + 2];
    for ((parent, ..), _) in &children {
        if let Some(count) = starts.get_mut(slot(*parent) + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    let mut walk = Walk {
        spans,
        children: &children,
        starts,
        tasks: Vec::new(),
        out: Vec::with_capacity(spans.len() * 2),
        ranks: watched(spans, &children),
    };
    walk.run();
    let emitted: usize = walk.out.iter().map(|piece| piece.len as usize).sum();
    let mut pieces = walk.out;
    if emitted != spans.iter().map(|span| span.len as usize).sum() {
        return Err(LOOP);
    }
    pieces.reverse();
    Ok(Ok(pieces))
}

/// Where a span hangs: the parent's span (None: the root), the offset there, and whether right.
type Place = (Option<usize>, u32, bool);

/// Where a parent's children are counted: the root's first, as `children` has them.
fn slot(parent: Option<usize>) -> usize {
    parent.map_or(0, |index| index + 1)
}

fn hang(spans: &[Span], span: &Span) -> Result<Result<Place, Id>, CrdtError> {
    let find = |id: Option<Id>| match id {
        None => Ok(None),
        Some(id) => locate(spans, id).map(|index| Some((index, id))).ok_or(id),
    };
    let (left, right) = match (find(span.left), find(span.right)) {
        (Ok(left), Ok(right)) => (left, right),
        (Err(id), _) | (_, Err(id)) => return Ok(Err(id)),
    };
    if let Some((index, id)) = right
        && spans
            .get(index)
            .is_some_and(|right| element_before(right, id) == span.left)
    {
        return Ok(Ok((Some(index), id.offset, false)));
    }
    let Some((index, id)) = left else {
        return Ok(Ok((None, 0, true)));
    };
    if spans
        .get(index)
        .is_some_and(|left| left.offset + (left.len - 1) != id.offset)
    {
        return Err(CrdtError::Malformed("a branch inside a run"));
    }
    Ok(Ok((Some(index), id.offset, true)))
}

/// The spans whose place must be remembered: right origins of siblings to the right.
fn watched(spans: &[Span], children: &[(Place, usize)]) -> BTreeMap<usize, Vec<(u32, u64)>> {
    let mut watched = BTreeMap::new();
    for siblings in children.chunk_by(|a, b| a.0 == b.0) {
        if siblings.len() < 2 || siblings.first().is_none_or(|first| !first.0.2) {
            continue;
        }
        for (_, index) in siblings {
            let right = spans.get(*index).and_then(|span| span.right);
            if let Some(at) = right.and_then(|right| locate(spans, right)) {
                watched.insert(at, Vec::new());
            }
        }
    }
    watched
}

enum Task {
    /// A span with all that hangs on it.
    Enter(usize),
    /// The elements of a span below `end`, with what hangs on them.
    Rest(usize, u32),
}

struct Walk<'a> {
    spans: &'a [Span],
    children: &'a [(Place, usize)],
    /// Of each parent, by [`slot`], where its children start; then the end.
    starts: Vec<usize>,
    tasks: Vec<Task>,
    out: Vec<Piece>,
    /// Of watched spans: offset and rank of each piece, offsets descending, ranks ascending.
    ranks: BTreeMap<usize, Vec<(u32, u64)>>,
}

impl<'a> Walk<'a> {
    fn run(&mut self) {
        self.enter_right(None, 0);
        while let Some(task) = self.tasks.pop() {
            match task {
                Task::Enter(index) => {
                    if let Some(span) = self.spans.get(index) {
                        self.tasks.push(Task::Rest(index, span.len));
                        self.enter_right(Some(index), span.offset + (span.len - 1));
                    }
                }
                Task::Rest(index, end) => self.rest(index, end),
            }
        }
    }

    /// The children of all elements of one span.
    fn below(&self, parent: Option<usize>) -> &'a [(Place, usize)] {
        let slot = slot(parent);
        let bound = |slot: usize| self.starts.get(slot).copied().unwrap_or_default();
        self.children
            .get(bound(slot)..bound(slot + 1))
            .unwrap_or_default()
    }

    fn on(&self, place: Place) -> &'a [(Place, usize)] {
        let all = self.below(place.0);
        let from = all.partition_point(|child| child.0 < place);
        let rest = all.get(from..).unwrap_or_default();
        let count = rest.partition_point(|child| child.0 == place);
        rest.get(..count).unwrap_or_default()
    }

    fn enter_right(&mut self, parent: Option<usize>, offset: u32) {
        let siblings = self.on((parent, offset, true));
        let mut sorted: Vec<usize> = siblings.iter().map(|(_, index)| *index).collect();
        if sorted.len() > 1 {
            sorted.sort_by_cached_key(|index| {
                (
                    self.rank(self.spans.get(*index).and_then(|span| span.right)),
                    *index,
                )
            });
        }
        self.tasks.extend(sorted.into_iter().map(Task::Enter));
    }

    /// The later in the sequence, the less; what was not passed yet comes last.
    fn rank(&self, id: Option<Id>) -> (u64, u32) {
        let Some(id) = id else {
            return (0, 0);
        };
        let held = locate(self.spans, id).and_then(|index| self.ranks.get(&index));
        let Some(held) = held else {
            return (u64::MAX, 0);
        };
        let at = held.partition_point(|(offset, _)| *offset > id.offset);
        match held.get(at) {
            Some((_, rank)) => (*rank, u32::MAX - id.offset),
            None => (u64::MAX, 0),
        }
    }

    fn rest(&mut self, index: usize, end: u32) {
        let Some(span) = self.spans.get(index) else {
            return;
        };
        // The last element below `end` that something hangs on to the left.
        let below = (Some(index), span.offset + end, false);
        let all = self.below(Some(index));
        let upto = all.partition_point(|child| child.0 < below);
        let rest = all.get(..upto).unwrap_or_default();
        let last = rest.iter().rev().find(|(place, _)| !place.2);
        let start = match last {
            Some((place, _)) => place.1 - span.offset,
            None => {
                self.emit(index, span, 0, end);
                return;
            }
        };
        self.emit(index, span, start, end);
        self.tasks.push(Task::Rest(index, start));
        let children = self.on((Some(index), span.offset + start, false));
        self.tasks
            .extend(children.iter().map(|(_, child)| Task::Enter(*child)));
    }

    fn emit(&mut self, index: usize, span: &Span, start: u32, end: u32) {
        if start == end {
            return;
        }
        if let Some(ranks) = self.ranks.get_mut(&index) {
            ranks.push((span.offset + start, self.out.len() as u64 + 1));
        }
        self.out.push(Piece {
            op: span.op,
            offset: span.offset + start,
            len: end - start,
            deleted: false,
        });
    }
}
