//! The bytes of a sequence, numbers in LEB128. A whole one has those of its document
//! ([`super::document`]), a part of one:
//!
//! ```text
//! u8 version = 1 ‖ u8 flags (0 settled, 1 edits, 2 assigned; 4 not whole)
//! content of the living elements, ascending by id
//! replicas: count, then (replica16 ‖ count ≥ 1 ‖ first tick ‖ distances from the one before, less 1)
//! spans, of each operation: count, then (length less 1 ‖ left ‖ right)
//!     left, right: 0 none, 1 (right only) the element after left,
//!     else 2 + zigzag(own operation's index less that of the element's) ‖ its offset
//! pieces: count, then (operation's index less the one before, × 2 + deleted
//!         ‖ offset less the end of the one before if of the same ‖ length less 1)
//! ```
//!
//! Behind either:
//!
//! ```text
//! edits: deleted: count, then (place less the end before ‖ length less 1)
//!        inserted: count, then (place less the one before ‖ content)
//! assigned: content
//! ```

use super::Sequence;
use super::content::Content;
use super::document;
use super::draft::{Draft, Edits};
use super::order::order;
use super::settled::Settled;
use super::span::{Id, Piece, Span, push_piece};
use super::state::State;
use crate::codec::{MAX_STATE_BYTES, Reader, at_most, put_varint};
use crate::{Change, CrdtError, DecodeError, Dot};

const CHANGE: u8 = 3;
const PARTIAL: u8 = 4;

/// Refuses a sequence whose encoding could not be read back.
pub(super) fn check_size<C: Content>(sequence: &mut Sequence<C>) -> Result<(), CrdtError> {
    let change = match &sequence.change {
        Change::None => 0,
        Change::Add(draft) => draft.size(),
        Change::Assign(content) => content.size(),
    };
    let state = match &mut sequence.state {
        Settled::Whole(document) => document.size(),
        Settled::Part(state) => {
            64 + state.content.size()
                + 29 * state.ops.len()
                + 25 * state.spans.len()
                + 17 * state.pieces.len()
        }
    };
    check_length(state.saturating_add(change))
}

/// Refuses what is too long to be read back.
pub(super) fn check_length(bytes: usize) -> Result<(), CrdtError> {
    if bytes > MAX_STATE_BYTES {
        return Err(CrdtError::TooLarge {
            what: "the sequence",
            limit: MAX_STATE_BYTES,
        });
    }
    Ok(())
}

pub(super) fn encode<C: Content>(sequence: &Sequence<C>) -> Vec<u8> {
    let code = sequence.change.code();
    let mut out = Vec::new();
    match &sequence.state {
        Settled::Whole(document) => {
            out.extend([1, code]);
            document.put(&mut out);
        }
        Settled::Part(state) => {
            out.extend([1, code | PARTIAL]);
            state.content.put(&mut out);
            put_ops(&mut out, &state.ops);
            put_spans(&mut out, state.ops.len(), &state.spans);
            put_pieces(&mut out, state);
        }
    }
    match &sequence.change {
        Change::None => (),
        Change::Add(draft) => put_edits(&mut out, &draft.edits(&sequence.state.pieces())),
        Change::Assign(content) => content.put(&mut out),
    }
    out
}

fn zigzag(from: u32, to: u32) -> u64 {
    let distance = i64::from(from) - i64::from(to);
    ((distance << 1) ^ (distance >> 63)) as u64
}

/// What [`zigzag`] came from, if it is an index below `count`.
fn unzigzag(from: u32, code: u64, count: usize) -> Result<u32, DecodeError> {
    let distance = i128::from(code >> 1) ^ -i128::from(code & 1);
    u32::try_from(i128::from(from) - distance)
        .ok()
        .filter(|to| (*to as usize) < count)
        .ok_or(DecodeError::NotCanonical("an operation that is not there"))
}

fn put_ops(out: &mut Vec<u8>, ops: &[Dot]) {
    let replicas = ops.chunk_by(|a, b| a.replica == b.replica);
    put_varint(out, replicas.clone().count() as u64);
    for dots in replicas {
        let mut next = 0;
        for (index, dot) in dots.iter().enumerate() {
            if index == 0 {
                out.extend_from_slice(&dot.replica.0);
                put_varint(out, dots.len() as u64);
            }
            put_varint(out, dot.counter - next);
            next = dot.counter.saturating_add(1);
        }
    }
}

fn put_spans(out: &mut Vec<u8>, ops: usize, spans: &[Span]) {
    let mut rest = spans;
    for op in 0..ops as u32 {
        let count = rest.partition_point(|span| span.op == op);
        let (own, after) = rest.split_at_checked(count).unwrap_or_default();
        rest = after;
        put_varint(out, own.len() as u64);
        for span in own {
            put_varint(out, u64::from(span.len - 1));
            put_id(out, op, span.left);
            match next(span.left) {
                follows if span.right.is_some() && span.right == follows => put_varint(out, 1),
                _ => put_id(out, op, span.right),
            }
        }
    }
}

/// The element that is numbered after this one.
fn next(id: Option<Id>) -> Option<Id> {
    let id = id?;
    let offset = id.offset.checked_add(1)?;
    Some(Id { offset, ..id })
}

fn put_id(out: &mut Vec<u8>, op: u32, id: Option<Id>) {
    match id {
        None => put_varint(out, 0),
        Some(id) => {
            put_varint(out, 2 + zigzag(op, id.op));
            put_varint(out, u64::from(id.offset));
        }
    }
}

fn put_pieces<C>(out: &mut Vec<u8>, state: &State<C>) {
    // Pieces ascend and hold something; what damaged bytes gave may not, and is then no state.
    put_varint(out, state.pieces.len() as u64);
    let (mut op, mut end) = (0, 0);
    for piece in &state.pieces {
        let deleted = u64::from(piece.deleted);
        put_varint(out, u64::from(piece.op.saturating_sub(op)) << 1 | deleted);
        end = if piece.op == op { end } else { 0 };
        put_varint(out, u64::from(piece.offset).saturating_sub(end));
        end = piece.end();
        put_varint(out, u64::from(piece.len.saturating_sub(1)));
        op = piece.op;
    }
}

pub(super) fn put_edits<C: Content>(out: &mut Vec<u8>, edits: &Edits<C>) {
    put_varint(out, edits.deleted.len() as u64);
    let mut last = 0;
    for (at, len) in &edits.deleted {
        put_varint(out, (at - last) as u64);
        put_varint(out, *len as u64 - 1);
        last = at + len;
    }
    put_varint(out, edits.inserted.len() as u64);
    let mut last = 0;
    for (gap, content) in &edits.inserted {
        put_varint(out, (gap - last) as u64);
        content.put(out);
        last = *gap;
    }
}

/// The content of a settled sequence, without reading the rest.
pub(super) fn settled_content<'a>(bytes: &'a [u8]) -> Result<Option<Reader<'a>>, DecodeError> {
    let mut reader = Reader::new(bytes);
    reader.version()?;
    Ok((reader.u8()? == 0).then_some(reader))
}

pub(super) fn decode<C: Content>(bytes: &[u8]) -> Result<Sequence<C>, DecodeError> {
    at_most("bytes of a sequence", bytes.len(), MAX_STATE_BYTES)?;
    let mut reader = Reader::new(bytes);
    reader.version()?;
    let flags = reader.u8()?;
    let code = flags & CHANGE;
    if flags & !(CHANGE | PARTIAL) != 0 || code == 3 {
        return Err(DecodeError::UnknownCode {
            what: "flags",
            code: flags,
        });
    }
    let state = match flags & PARTIAL {
        0 => Settled::Whole(document::decode(&mut reader)?),
        _ => Settled::Part(read_part(&mut reader)?),
    };
    let change = match (code, &state) {
        (0, _) => Change::None,
        (1, Settled::Part(_)) => return Err(DecodeError::NotCanonical("edits upon a part")),
        (1, Settled::Whole(document)) => {
            let edits = read_edits(&mut reader)?;
            let pieces = document.pieces();
            let draft = Draft::of(&pieces, &edits);
            if draft.edits(&pieces) != edits || edits.is_empty() {
                return Err(DecodeError::NotCanonical("edits of what is not there"));
            }
            check_gaps(document.len(), &edits)?;
            Change::Add(draft)
        }
        _ => Change::Assign(C::read(&mut reader)?),
    };
    reader.finish()?;
    Ok(Sequence { state, change })
}

fn read_part<C: Content>(reader: &mut Reader<'_>) -> Result<State<C>, DecodeError> {
    let content = C::read(reader)?;
    let ops = read_ops(reader)?;
    let spans = read_spans(reader, &ops)?;
    let pieces = read_pieces(reader, ops.len())?;
    let state = State {
        ops,
        spans,
        pieces,
        content,
        whole: false,
    };
    check(&state)?;
    Ok(state)
}

fn read_ops(reader: &mut Reader<'_>) -> Result<Vec<Dot>, DecodeError> {
    const OVER: DecodeError = DecodeError::NotCanonical("tick over 64 bits");
    let replicas = reader.count(18)?;
    let mut ops: Vec<Dot> = Vec::new();
    for _ in 0..replicas {
        let replica = reader.replica()?;
        if ops.last().is_some_and(|last| last.replica >= replica) {
            return Err(DecodeError::NotCanonical("replicas must ascend"));
        }
        let count = reader.count(4)?;
        if count == 0 {
            return Err(DecodeError::NotCanonical("a replica without an operation"));
        }
        // Its tick, how many spans, and at least two bytes that name it: all yet to come.
        if ops.len() > reader.remaining() / 3 {
            return Err(DecodeError::Truncated);
        }
        let mut last: Option<u64> = None;
        ops.reserve(count);
        for _ in 0..count {
            let base = match last {
                Some(last) => last.checked_add(1).ok_or(OVER)?,
                None => 0,
            };
            let counter = base.checked_add(reader.varint()?).ok_or(OVER)?;
            ops.push(Dot { replica, counter });
            last = Some(counter);
        }
    }
    Ok(ops)
}

fn read_u32(reader: &mut Reader<'_>) -> Result<u32, DecodeError> {
    u32::try_from(reader.varint()?).map_err(|_| DecodeError::NotCanonical("number over 32 bits"))
}

/// A length that is written less one.
fn read_len(reader: &mut Reader<'_>) -> Result<u32, DecodeError> {
    let less = read_u32(reader)?;
    less.checked_add(1)
        .ok_or(DecodeError::NotCanonical("number over 32 bits"))
}

fn read_id(
    reader: &mut Reader<'_>,
    op: u32,
    code: u64,
    ops: usize,
) -> Result<Option<Id>, DecodeError> {
    let Some(code) = code.checked_sub(2) else {
        return match code {
            0 => Ok(None),
            _ => Err(DecodeError::NotCanonical("an element after none")),
        };
    };
    Ok(Some(Id {
        op: unzigzag(op, code, ops)?,
        offset: read_u32(reader)?,
    }))
}

fn read_spans(reader: &mut Reader<'_>, ops: &[Dot]) -> Result<Vec<Span>, DecodeError> {
    let mut spans: Vec<Span> = Vec::new();
    for op in 0..ops.len() as u32 {
        let count = reader.count(3)?;
        spans.reserve(count);
        let mut offset = 0u32;
        for index in 0..count {
            let len = read_len(reader)?;
            let code = reader.varint()?;
            let left = read_id(reader, op, code, ops.len())?;
            let right = match reader.varint()? {
                1 => Some(next(left).ok_or(DecodeError::NotCanonical("an element after none"))?),
                code => {
                    let right = read_id(reader, op, code, ops.len())?;
                    if right.is_some() && right == next(left) {
                        return Err(DecodeError::NotCanonical("a neighbour spelt out"));
                    }
                    right
                }
            };
            if index > 0
                && next(left) == Some(Id { op, offset })
                && spans.last().is_some_and(|last| last.right == right)
            {
                return Err(DecodeError::NotCanonical("a span in two parts"));
            }
            spans.push(Span {
                op,
                offset,
                len,
                left,
                right,
            });
            offset = offset
                .checked_add(len)
                .ok_or(DecodeError::NotCanonical("number over 32 bits"))?;
        }
    }
    Ok(spans)
}

fn read_pieces(reader: &mut Reader<'_>, ops: usize) -> Result<Vec<Piece>, DecodeError> {
    const OVER: DecodeError = DecodeError::NotCanonical("number over 32 bits");
    let count = reader.count(3)?;
    let mut pieces: Vec<Piece> = Vec::with_capacity(count);
    let (mut op, mut end) = (0u32, 0u32);
    for _ in 0..count {
        let code = reader.varint()?;
        let distance = u32::try_from(code >> 1).map_err(|_| OVER)?;
        if distance > 0 {
            end = 0;
        }
        op = op
            .checked_add(distance)
            .filter(|op| (*op as usize) < ops)
            .ok_or(DecodeError::NotCanonical("an operation that is not there"))?;
        let offset = end.checked_add(read_u32(reader)?).ok_or(OVER)?;
        let len = read_len(reader)?;
        end = offset.checked_add(len).ok_or(OVER)?;
        let piece = Piece {
            op,
            offset,
            len,
            deleted: code & 1 == 1,
        };
        push_piece(&mut pieces, piece);
    }
    if pieces.len() != count {
        return Err(DecodeError::NotCanonical("a piece in two parts"));
    }
    Ok(pieces)
}

/// Whether the parts agree with each other.
fn check<C: Content>(state: &State<C>) -> Result<(), DecodeError> {
    if state.living() != C::count(state.content.slice()) {
        return Err(DecodeError::NotCanonical("content of another length"));
    }
    let mut used = vec![false; state.ops.len()];
    let mut mark = |op: u32| {
        if let Some(used) = used.get_mut(op as usize) {
            *used = true;
        }
    };
    state.pieces.iter().for_each(|piece| mark(piece.op));
    let mut ids = state.spans.iter().flat_map(|span| [span.left, span.right]);
    ids.by_ref().flatten().for_each(|id| mark(id.op));
    if used.contains(&false) {
        return Err(DecodeError::NotCanonical("an unused operation"));
    }
    let ordered = order(&state.spans)
        .map_err(|_| DecodeError::NotCanonical("no sequence has these origins"))?;
    let mut stray = false;
    let mut held = 0;
    for piece in &state.pieces {
        let (inside, outside) = covered(&state.spans, piece);
        held += inside;
        stray |= outside > 0;
        if outside > 0 && !piece.deleted {
            return Err(DecodeError::NotCanonical("content without a span"));
        }
    }
    let all: usize = state.spans.iter().map(|span| span.len as usize).sum();
    if held != all {
        return Err(DecodeError::NotCanonical("a span without pieces"));
    }
    if ordered.is_ok() && !stray {
        return Err(DecodeError::NotCanonical("it is whole"));
    }
    Ok(())
}

/// How many elements of a piece spans hold, and how many not. Those of one operation leave no
/// gap from 0 on.
fn covered(spans: &[Span], piece: &Piece) -> (usize, usize) {
    let after = spans.partition_point(|span| span.op <= piece.op);
    let end = after
        .checked_sub(1)
        .and_then(|last| spans.get(last))
        .filter(|last| last.op == piece.op)
        .map_or(0, |last| u64::from(last.offset) + u64::from(last.len));
    let inside = end
        .saturating_sub(u64::from(piece.offset))
        .min(u64::from(piece.len));
    (inside as usize, piece.len as usize - inside as usize)
}

pub(super) fn read_edits<C: Content>(reader: &mut Reader<'_>) -> Result<Edits<C>, DecodeError> {
    const OVER: DecodeError = DecodeError::NotCanonical("a place out of range");
    let place = |reader: &mut Reader<'_>, last: usize| {
        let distance = usize::try_from(reader.varint()?).map_err(|_| OVER)?;
        last.checked_add(distance).ok_or(OVER)
    };
    let mut edits = Edits {
        deleted: Vec::new(),
        inserted: Vec::new(),
    };
    let mut last = 0;
    for _ in 0..reader.count(2)? {
        let at = place(reader, last)?;
        last = place(reader, at)?.checked_add(1).ok_or(OVER)?;
        edits.deleted.push((at, last - at));
    }
    let mut last = 0;
    for index in 0..reader.count(3)? {
        let gap = place(reader, last)?;
        if index > 0 && gap == last {
            return Err(DecodeError::NotCanonical("two contents at one place"));
        }
        let content = C::read(reader)?;
        if C::count(content.slice()) == 0 {
            return Err(DecodeError::NotCanonical("nothing inserted"));
        }
        edits.inserted.push((gap, content));
        last = gap;
    }
    Ok(edits)
}

/// New elements stand inside the sequence.
fn check_gaps<C>(all: usize, edits: &Edits<C>) -> Result<(), DecodeError> {
    match edits.inserted.last() {
        Some((gap, _)) if *gap > all => Err(DecodeError::NotCanonical("a place out of range")),
        _ => Ok(()),
    }
}
