//! How edits become state, and whether a peer may have made them.

use super::Sequence;
use super::content::Content;
use super::draft::{Draft, Edits};
use super::settled::Settled;
use super::span::{Id, Piece, Span, locate, push_piece};
use super::state::State;
use crate::{Author, Change, CrdtError, DeltaFault, Dot, ReplicaId};

/// `base` led to hold exactly `value`.
pub(super) fn led<C: Content>(
    base: &Settled<C>,
    value: &C,
    author: &mut dyn Author,
) -> Result<Sequence<C>, CrdtError> {
    let document = base.whole()?;
    let hunks = C::hunks(document.content().slice(), value.slice());
    if hunks.is_empty() {
        return Ok(Sequence::settled(base.clone()));
    }
    let pieces = document.pieces();
    let mut draft = Draft::new(&pieces);
    draft.apply(&hunks, value)?;
    let edits = draft.edits(&pieces);
    carried_out(base, edits, author).map(Sequence::settled)
}

/// The whole state `base` with `edits` upon it, what they insert under one fresh dot.
pub(super) fn carried_out<C: Content>(
    base: &Settled<C>,
    edits: Edits<C>,
    author: &mut dyn Author,
) -> Result<Settled<C>, CrdtError> {
    let document = base.whole()?;
    let dot = fresh_dot(&edits, author);
    let mut out = document.clone();
    if out.carry_out(&edits, dot)? {
        return Ok(Settled::Whole(out));
    }
    Settled::of(carried_out_flat(&document.to_state()?, edits, dot)?)
}

/// The dot under which edits insert; none if they only delete.
pub(super) fn fresh_dot<C>(edits: &Edits<C>, author: &mut dyn Author) -> Option<Dot> {
    (!edits.inserted.is_empty()).then(|| Dot {
        replica: author.replica(),
        counter: author.tick().0,
    })
}

/// [`carried_out`] where the dot comes between others.
pub(super) fn carried_out_flat<C: Content>(
    base: &State<C>,
    edits: Edits<C>,
    dot: Option<Dot>,
) -> Result<State<C>, CrdtError> {
    const TOO_LONG: CrdtError = CrdtError::TooLarge {
        what: "what one change inserts",
        limit: u32::MAX as usize,
    };
    let mut ops = base.ops.clone();
    let mut op = u32::MAX;
    if let Some(dot) = dot {
        let at = match ops.binary_search(&dot) {
            Ok(_) => return Err(CrdtError::Forked(dot)),
            Err(at) => at,
        };
        ops.insert(at, dot);
        op = at as u32;
    }
    let shifted = |held: u32| held + u32::from(held >= op);
    let shifted_id = |id: Id| Id {
        op: shifted(id.op),
        ..id
    };
    let mut made: Vec<Span> = Vec::with_capacity(edits.inserted.len());
    let mut out = State {
        ops,
        spans: Vec::with_capacity(base.spans.len() + edits.inserted.len()),
        pieces: Vec::with_capacity(base.pieces.len() + 2 * edits.inserted.len() + 2),
        content: C::default(),
        whole: true,
    };
    let mut inserted = edits.inserted.iter().peekable();
    let mut deleted = edits.deleted.iter().copied().peekable();
    let mut rest = base.content.slice();
    let (mut place, mut left, mut offset) = (0usize, None, 0u32);
    let mut put = |out: &mut State<C>, left: Option<Id>, right: Option<Id>, content: &C| {
        let len = u32::try_from(C::count(content.slice())).map_err(|_| TOO_LONG)?;
        let span = Span {
            op,
            offset,
            len,
            left,
            right,
        };
        made.push(span);
        let piece = Piece {
            op,
            offset,
            len,
            deleted: false,
        };
        offset = offset.checked_add(len).ok_or(TOO_LONG)?;
        push_piece(&mut out.pieces, piece);
        content.check()?;
        out.content.push(content.slice());
        Ok::<(), CrdtError>(())
    };
    for piece in &base.pieces {
        let mut piece = Piece {
            op: shifted(piece.op),
            ..*piece
        };
        while piece.len > 0 {
            if let Some((_, content)) = inserted.next_if(|(gap, _)| *gap <= place) {
                put(&mut out, left, Some(piece.first()), content)?;
            }
            while deleted.next_if(|(at, len)| at + len <= place).is_some() {}
            let mut stop = place + piece.len as usize;
            if let Some((gap, _)) = inserted.peek() {
                stop = stop.min(*gap);
            }
            let mut gone = false;
            match deleted.peek() {
                Some((at, len)) if *at <= place => {
                    stop = stop.min(at + len);
                    gone = true;
                }
                Some((at, _)) => stop = stop.min(*at),
                None => (),
            }
            let count = stop - place;
            if !piece.deleted {
                let (content, after) = C::split(rest, count);
                rest = after;
                if !gone {
                    out.content.push(content);
                }
            }
            let part = Piece {
                len: count as u32,
                deleted: piece.deleted || gone,
                ..piece
            };
            push_piece(&mut out.pieces, part);
            left = Some(part.last());
            piece.offset += part.len;
            piece.len -= part.len;
            place = stop;
        }
    }
    if let Some((_, content)) = inserted.next() {
        put(&mut out, left, None, content)?;
    }
    let shifted_span = |span: &Span| Span {
        op: shifted(span.op),
        left: span.left.map(shifted_id),
        right: span.right.map(shifted_id),
        ..*span
    };
    let before = base.spans.partition_point(|span| span.op < op);
    let (earlier, later) = base.spans.split_at_checked(before).unwrap_or_default();
    out.spans.extend(earlier.iter().map(shifted_span));
    out.spans.extend(made);
    out.spans.extend(later.iter().map(shifted_span));
    Ok(out)
}

/// `edits` upon `from` told by the places of `to`, which holds all of it.
pub(super) fn moved<C: Content>(
    from: &State<C>,
    edits: &Edits<C>,
    to: &State<C>,
) -> Result<Edits<C>, CrdtError> {
    const GONE: CrdtError = CrdtError::Malformed("edits of what is not there");
    let places = to.places();
    let find = |piece: &Piece, skip: u32| {
        let op = to.made(&from.dot(piece.op)?).ok_or(GONE)?;
        let offset = piece.offset + skip;
        let after = places.partition_point(|(held, _)| (held.op, held.offset) <= (op, offset));
        let (held, at) = after
            .checked_sub(1)
            .and_then(|index| places.get(index))
            .filter(|(held, _)| held.op == op && u64::from(offset) < held.end())
            .ok_or(GONE)?;
        let skip = offset - held.offset;
        Ok::<_, CrdtError>((at + skip as usize, held.len - skip, held.deleted))
    };
    let mut moved: Edits<C> = Edits::default();
    let mut inserted = edits.inserted.iter().peekable();
    let mut deleted = edits.deleted.iter().peekable();
    while let Some((_, content)) = inserted.next_if(|(gap, _)| *gap == 0) {
        moved.inserted.push((0, content.clone()));
    }
    let mut start = 0;
    for piece in &from.pieces {
        let end = start + piece.len as usize;
        // Deleted elements of this piece, part by part as they stand in `to`.
        let mut place = start;
        while let Some((at, len)) = deleted.peek()
            && *at < end
        {
            place = place.max(*at);
            let stop = end.min(at + len);
            while place < stop {
                let (found, run, gone) = find(piece, (place - start) as u32)?;
                let count = (run as usize).min(stop - place);
                if !gone {
                    moved.deleted.push((found, count));
                }
                place += count;
            }
            if at + len > end {
                break;
            }
            deleted.next();
        }
        while let Some((gap, content)) = inserted.next_if(|(gap, _)| *gap <= end) {
            let (found, ..) = find(piece, (gap - start - 1) as u32)?;
            moved.inserted.push((found + 1, content.clone()));
        }
        start = end;
    }
    Ok(moved)
}

/// The join of edits upon one state: what either deletes goes; of two contents at one place the
/// greater comes.
pub(super) fn united<C: Content>(a: Edits<C>, b: Edits<C>) -> Edits<C> {
    let mut deleted: Vec<(usize, usize)> = a.deleted;
    deleted.extend(b.deleted);
    deleted.sort_unstable();
    let mut merged: Vec<(usize, usize)> = Vec::new();
    for (at, len) in deleted {
        match merged.last_mut() {
            Some((start, held)) if *start + *held >= at => {
                *held = (*held).max(at + len - *start);
            }
            _ => merged.push((at, len)),
        }
    }
    let mut inserted = a.inserted;
    inserted.extend(b.inserted);
    inserted.sort();
    // Of equal places the last, the greatest, stays.
    inserted.reverse();
    inserted.dedup_by_key(|(gap, _)| *gap);
    inserted.reverse();
    Edits {
        deleted: merged,
        inserted,
    }
}

/// See [`crate::Crdt::check_delta`].
pub(super) fn check<C: Content>(
    delta: &Sequence<C>,
    author: ReplicaId,
    row: Option<&Sequence<C>>,
) -> Result<(), DeltaFault> {
    if !matches!(delta.change, Change::None) {
        return Err(DeltaFault::Unsettled);
    }
    let Ok(state) = delta.state.flat() else {
        return Ok(());
    };
    let dot = |op: u32| state.ops.get(op as usize).copied();
    for span in &state.spans {
        let Some(dot) = dot(span.op) else {
            continue;
        };
        if dot.replica != author {
            return Err(DeltaFault::ForeignDot(dot));
        }
        if row.is_some_and(|row| row.state.is_made(&dot)) {
            return Err(DeltaFault::RepeatedDot(dot));
        }
    }
    let known = |id: Id| {
        locate(&state.spans, id).is_some()
            || row.is_some_and(|row| dot(id.op).is_some_and(|dot| row.state.holds(&dot, id.offset)))
    };
    for span in &state.spans {
        let origins = [span.left, span.right].into_iter().flatten();
        for id in origins {
            if !known(id)
                && let Some(dot) = dot(id.op)
            {
                return Err(DeltaFault::MissingOrigin(dot));
            }
        }
    }
    // An operation's elements leave no gap from 0 on, so the last one tells of all.
    for piece in &state.pieces {
        if !known(piece.last())
            && let Some(dot) = dot(piece.op)
        {
            return Err(DeltaFault::UnknownDot(dot));
        }
    }
    Ok(())
}
