//! The settled state: spans, the order of their elements, which of them live, their content.

use super::content::Content;
use super::order::order;
use super::span::{Id, Piece, Span, locate, push_piece};
use crate::{CrdtError, Dot};

/// A lattice element: a set of spans and a set of deleted elements.
///
/// It is whole if all that it stands beside and all that it deletes is in it; then `pieces` are
/// in the order of the sequence. A delta need not be whole; its pieces ascend by id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct State<C> {
    /// What the ids count: ascending, each of them used.
    pub ops: Vec<Dot>,
    /// Ascending by id; those of one operation start at 0 and leave no gap.
    pub spans: Vec<Span>,
    /// Of each operation the elements come in ascending order.
    pub pieces: Vec<Piece>,
    /// That of the living pieces, in their order.
    pub content: C,
    pub whole: bool,
}

impl<C: Default> Default for State<C> {
    fn default() -> Self {
        Self {
            ops: Vec::new(),
            spans: Vec::new(),
            pieces: Vec::new(),
            content: C::default(),
            whole: true,
        }
    }
}

/// A piece with what it holds.
struct Held<'a, C: Content> {
    piece: Piece,
    content: &'a C::Slice,
}

/// Walks over the pieces of one state, which ascend by id.
struct Known<'a, C: Content> {
    held: Vec<Held<'a, C>>,
}

impl<'a, C: Content> Known<'a, C> {
    fn new(state: &'a State<C>, map: &[u32]) -> Self {
        let mut rest = state.content.slice();
        let mut held = Vec::with_capacity(state.pieces.len());
        for piece in &state.pieces {
            let count = if piece.deleted { 0 } else { piece.len as usize };
            let (content, after) = C::split(rest, count);
            rest = after;
            let op = mapped(map, piece.op);
            held.push(Held {
                piece: Piece { op, ..*piece },
                content,
            });
        }
        held.sort_unstable_by_key(|held| (held.piece.op, held.piece.offset));
        Self { held }
    }

    /// From `id` on, at most `len`: how many elements share one fate, and which.
    fn at(&self, id: Id, len: u32) -> (u32, Fate<'a, C>) {
        let after = self
            .held
            .partition_point(|held| (held.piece.op, held.piece.offset) <= (id.op, id.offset));
        if let Some(held) = after.checked_sub(1).and_then(|index| self.held.get(index)) {
            let piece = &held.piece;
            if piece.op == id.op && u64::from(id.offset) < piece.end() {
                let skip = id.offset - piece.offset;
                let len = len.min(piece.len - skip);
                if piece.deleted {
                    return (len, Fate::Deleted);
                }
                let (_, rest) = C::split(held.content, skip as usize);
                let (content, _) = C::split(rest, len as usize);
                return (len, Fate::Living(content));
            }
        }
        let gap = match self.held.get(after) {
            Some(next) if next.piece.op == id.op => len.min(next.piece.offset - id.offset),
            _ => len,
        };
        (gap, Fate::Unknown)
    }
}

enum Fate<'a, C: Content> {
    Unknown,
    Deleted,
    Living(&'a C::Slice),
}

fn mapped(map: &[u32], op: u32) -> u32 {
    map.get(op as usize).copied().unwrap_or(u32::MAX)
}

fn mapped_id(map: &[u32], id: Option<Id>) -> Option<Id> {
    id.map(|id| Id {
        op: mapped(map, id.op),
        ..id
    })
}

fn mapped_spans<'a>(spans: &'a [Span], map: &'a [u32]) -> impl Iterator<Item = Span> + 'a {
    spans.iter().map(|span| Span {
        op: mapped(map, span.op),
        left: mapped_id(map, span.left),
        right: mapped_id(map, span.right),
        ..*span
    })
}

/// Both tables in one, and where each entry of either went.
fn merged_ops(a: &[Dot], b: &[Dot]) -> (Vec<Dot>, Vec<u32>, Vec<u32>) {
    let mut ops: Vec<Dot> = a.iter().chain(b).copied().collect();
    ops.sort_unstable();
    ops.dedup();
    let map = |table: &[Dot]| {
        let mut at = 0;
        let place = |dot: &Dot| {
            while ops.get(at).is_some_and(|op| op < dot) {
                at += 1;
            }
            at as u32
        };
        table.iter().map(place).collect()
    };
    let (from_a, from_b) = (map(a), map(b));
    (ops, from_a, from_b)
}

impl<C: Content> State<C> {
    /// How many living elements.
    pub fn living(&self) -> usize {
        let living = self.pieces.iter().filter(|piece| !piece.deleted);
        living.map(|piece| piece.len as usize).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    pub fn dot(&self, op: u32) -> Result<Dot, CrdtError> {
        dot_of(&self.ops, op)
    }

    /// Whether the state's table has the operation and its elements.
    pub fn made(&self, dot: &Dot) -> Option<u32> {
        let op = self.ops.binary_search(dot).ok()? as u32;
        let at = self.spans.partition_point(|span| span.op < op);
        self.spans
            .get(at)
            .is_some_and(|span| span.op == op)
            .then_some(op)
    }

    /// The least upper bound.
    pub fn join(&self, other: &Self) -> Result<Self, CrdtError> {
        if other.is_empty() && other.whole || self == other {
            return Ok(self.clone());
        }
        if self.is_empty() && self.whole && other.whole {
            return Ok(other.clone());
        }
        let (ops, here, there) = merged_ops(&self.ops, &other.ops);
        let spans = merged_spans(&ops, self, &here, other, &there)?;
        let (a, b) = (Known::new(self, &here), Known::new(other, &there));
        let ordered = match order(&spans)? {
            Ok(pieces) => Some(pieces),
            Err(missing) if self.whole || other.whole => {
                return Err(CrdtError::MissingOrigin(dot_of(&ops, missing.op)?));
            }
            Err(_) => None,
        };
        let strays = strays(&spans, [&a, &b]);
        if let Some(stray) = strays.first()
            && (self.whole || other.whole)
        {
            return Err(CrdtError::MissingOrigin(dot_of(&ops, stray.op)?));
        }
        let whole = ordered.is_some() && strays.is_empty();
        let skeleton = match ordered {
            Some(pieces) if whole => pieces,
            _ => by_id(&spans, &strays),
        };
        let mut joined = Self {
            ops,
            spans,
            pieces: Vec::with_capacity(skeleton.len()),
            content: C::default(),
            whole,
        };
        joined.fill(&skeleton, &a, &b)?;
        joined.check_ascending()?;
        Ok(joined)
    }

    /// Takes the elements of `skeleton`, in this order, with what either state says of them.
    fn fill(
        &mut self,
        skeleton: &[Piece],
        a: &Known<'_, C>,
        b: &Known<'_, C>,
    ) -> Result<(), CrdtError> {
        for part in skeleton {
            let mut piece = *part;
            while piece.len > 0 {
                let id = piece.first();
                let (most, mut in_a) = a.at(id, piece.len);
                let (len, in_b) = b.at(id, most);
                if len < most {
                    in_a = a.at(id, len).1;
                }
                let living = match (in_a, in_b) {
                    (Fate::Living(a), Fate::Living(b)) => {
                        if !C::same(a, b) {
                            return Err(CrdtError::Forked(self.dot(piece.op)?));
                        }
                        Some(a)
                    }
                    (Fate::Living(content), Fate::Unknown)
                    | (Fate::Unknown, Fate::Living(content)) => Some(content),
                    _ => None,
                };
                if let Some(content) = living {
                    self.content.push(content);
                }
                push_piece(
                    &mut self.pieces,
                    Piece {
                        len,
                        deleted: living.is_none(),
                        ..piece
                    },
                );
                piece.offset += len;
                piece.len -= len;
            }
        }
        Ok(())
    }

    /// What an honest author's elements do, and the layout relies on: of one operation they
    /// stand in the order in which they are numbered.
    pub fn check_ascending(&self) -> Result<(), CrdtError> {
        let mut next = vec![0u64; self.ops.len()];
        for piece in &self.pieces {
            if let Some(next) = next.get_mut(piece.op as usize) {
                if self.whole && u64::from(piece.offset) != *next {
                    return Err(CrdtError::Malformed("elements out of order"));
                }
                *next = piece.end();
            }
        }
        Ok(())
    }

    /// The smallest state that brings `old` to this one; bottom if there is no difference.
    pub fn beyond(&self, old: &Self) -> Result<Self, CrdtError> {
        let (ops, here, there) = merged_ops(&self.ops, &old.ops);
        let known: Vec<Span> = mapped_spans(&old.spans, &there).collect();
        let spans: Vec<Span> = mapped_spans(&self.spans, &here)
            .filter(|span| {
                let at = known.binary_search_by_key(&(span.op, span.offset), |known| {
                    (known.op, known.offset)
                });
                at.is_err()
            })
            .collect();
        let (new, before) = (Known::new(self, &here), Known::<C>::new(old, &there));
        let mut skeleton: Vec<Piece> = Vec::new();
        for held in new.held.iter() {
            let mut piece = held.piece;
            while piece.len > 0 {
                let id = piece.first();
                let (len, fate) = before.at(id, piece.len);
                if match fate {
                    Fate::Unknown => true,
                    Fate::Deleted => false,
                    Fate::Living(_) => piece.deleted,
                } {
                    push_piece(&mut skeleton, Piece { len, ..piece });
                }
                piece.offset += len;
                piece.len -= len;
            }
        }
        let strays = skeleton
            .iter()
            .any(|piece| locate(&spans, piece.first()).is_none());
        let ordered = if strays { None } else { order(&spans)?.ok() };
        let whole = ordered.is_some();
        let skeleton = ordered.unwrap_or(skeleton);
        let mut delta = Self {
            ops,
            spans,
            pieces: Vec::with_capacity(skeleton.len()),
            content: C::default(),
            whole,
        };
        delta.fill(&skeleton, &new, &Known { held: Vec::new() })?;
        delta.drop_unused_ops();
        Ok(delta)
    }

    fn drop_unused_ops(&mut self) {
        let mut used = vec![false; self.ops.len()];
        let mut mark = |op: u32| {
            if let Some(used) = used.get_mut(op as usize) {
                *used = true;
            }
        };
        for span in &self.spans {
            mark(span.op);
            [span.left, span.right]
                .into_iter()
                .flatten()
                .for_each(|id| mark(id.op));
        }
        self.pieces.iter().for_each(|piece| mark(piece.op));
        let mut map = Vec::with_capacity(used.len());
        let mut count = 0;
        for used in &used {
            map.push(count);
            count += u32::from(*used);
        }
        let mut flags = used.iter();
        self.ops.retain(|_| flags.next().is_some_and(|used| *used));
        self.spans = mapped_spans(&self.spans, &map).collect();
        for piece in &mut self.pieces {
            piece.op = mapped(&map, piece.op);
        }
    }

    /// Where in the sequence each element stands: pieces with the place of their first element,
    /// ascending by id.
    pub fn places(&self) -> Vec<(Piece, usize)> {
        let mut at = 0;
        let mut places: Vec<(Piece, usize)> = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            places.push((*piece, at));
            at += piece.len as usize;
        }
        places.sort_unstable_by_key(|(piece, _)| (piece.op, piece.offset));
        places
    }
}

fn dot_of(ops: &[Dot], op: u32) -> Result<Dot, CrdtError> {
    let dot = ops.get(op as usize).copied();
    dot.ok_or(CrdtError::Malformed("an operation without a dot"))
}

/// The spans of both; equal ids must have equal spans.
fn merged_spans<C: Content>(
    ops: &[Dot],
    a: &State<C>,
    here: &[u32],
    b: &State<C>,
    there: &[u32],
) -> Result<Vec<Span>, CrdtError> {
    let mut spans: Vec<Span> = mapped_spans(&a.spans, here)
        .chain(mapped_spans(&b.spans, there))
        .collect();
    spans.sort_by_key(|span| (span.op, span.offset));
    spans.dedup();
    // Honest states have all spans of an operation or none, so that those of both are equal.
    for [one, next] in spans.array_windows() {
        let forked = one.op == next.op
            && u64::from(one.offset) + u64::from(one.len) != u64::from(next.offset);
        if forked {
            return Err(CrdtError::Forked(dot_of(ops, one.op)?));
        }
    }
    Ok(spans)
}

/// The deleted elements that no span holds, ascending.
fn strays<C: Content>(spans: &[Span], known: [&Known<'_, C>; 2]) -> Vec<Piece> {
    let mut strays: Vec<Piece> = known
        .iter()
        .flat_map(|known| known.held.iter().map(|held| held.piece))
        .filter(|piece| locate(spans, piece.first()).is_none())
        .collect();
    strays.sort_unstable_by_key(|piece| (piece.op, piece.offset));
    let mut merged: Vec<Piece> = Vec::new();
    for mut piece in strays {
        if let Some(last) = merged.last().filter(|last| last.op == piece.op) {
            let covered = last.end().saturating_sub(u64::from(piece.offset));
            let skip = covered.min(u64::from(piece.len)) as u32;
            piece.offset += skip;
            piece.len -= skip;
        }
        push_piece(&mut merged, piece);
    }
    merged
}

/// All elements, ascending by id.
fn by_id(spans: &[Span], strays: &[Piece]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = spans
        .iter()
        .map(|span| Piece {
            op: span.op,
            offset: span.offset,
            len: span.len,
            deleted: false,
        })
        .chain(strays.iter().copied())
        .collect();
    pieces.sort_unstable_by_key(|piece| (piece.op, piece.offset));
    pieces
}
