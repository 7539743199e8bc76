//! The unsettled edits upon a state: which of its elements go, and what comes in between.

use super::content::{Content, Hunk};
use super::span::Piece;
use crate::CrdtError;

/// New elements that one part holds at most, so that an edit moves few of them.
const MAX_NEW: usize = 1024;

/// A part of the edited value.
#[derive(Clone, Debug)]
enum Part<C> {
    /// Living elements of the state, from this place on; places count deleted elements too.
    Kept { at: usize, len: usize },
    /// New ones, behind the state's element before place `gap`.
    New { gap: usize, len: usize, content: C },
}

impl<C> Part<C> {
    fn len(&self) -> usize {
        match self {
            Self::Kept { len, .. } | Self::New { len, .. } => *len,
        }
    }
}

/// The edits in one form, whatever the order in which they were made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Edits<C> {
    /// First place and count of living elements that go, ascending; a range ends where a living
    /// element stays or a deleted one stands.
    pub deleted: Vec<(usize, usize)>,
    /// What comes, and the place before which: ascending, no content empty.
    pub inserted: Vec<(usize, C)>,
}

impl<C> Default for Edits<C> {
    fn default() -> Self {
        Self {
            deleted: Vec::new(),
            inserted: Vec::new(),
        }
    }
}

impl<C> Edits<C> {
    pub fn is_empty(&self) -> bool {
        self.deleted.is_empty() && self.inserted.is_empty()
    }
}

/// The edited value, to be edited further.
#[derive(Clone, Debug)]
pub(super) struct Draft<C> {
    parts: Vec<Part<C>>,
    /// How many elements.
    len: usize,
    /// How many living elements the state has.
    base: usize,
    /// A part and how many elements stand before it: where the last edit was.
    cursor: (usize, usize),
}

impl<C: Content> Draft<C> {
    /// No edits upon `pieces`.
    pub fn new(pieces: &[Piece]) -> Self {
        let mut parts: Vec<Part<C>> = Vec::new();
        let (mut place, mut total) = (0, 0);
        for piece in pieces {
            let count = piece.len as usize;
            if !piece.deleted {
                match parts.last_mut() {
                    Some(Part::Kept { at, len }) if *at + *len == place => *len += count,
                    _ => parts.push(Part::Kept {
                        at: place,
                        len: count,
                    }),
                }
                total += count;
            }
            place += count;
        }
        Self {
            parts,
            len: total,
            base: total,
            cursor: (0, 0),
        }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// At least the size of the encoded edits, in bytes.
    pub fn size(&self) -> usize {
        let part = |part: &Part<C>| match part {
            Part::Kept { .. } => 20,
            Part::New { content, .. } => 20 + content.size(),
        };
        20 + self.parts.iter().map(part).sum::<usize>()
    }

    /// Brings the cursor to the part that holds the element before `at`: the part and the
    /// offset of `at` in it, which is 0 only at the start.
    fn seek(&mut self, at: usize) -> (usize, usize) {
        let (mut index, mut before) = self.cursor;
        while before > 0 && before >= at {
            index -= 1;
            before -= self.parts.get(index).map_or(before, Part::len);
        }
        while let Some(part) = self.parts.get(index) {
            if before + part.len() >= at {
                break;
            }
            before += part.len();
            index += 1;
        }
        self.cursor = (index, before);
        (index, at - before)
    }

    pub fn insert(&mut self, at: usize, added: &C) -> Result<(), CrdtError> {
        if at > self.len {
            let length = self.len;
            return Err(CrdtError::OutOfRange { at, length });
        }
        let count = C::count(added.slice());
        if count == 0 {
            return Ok(());
        }
        let (mut index, mut offset) = self.seek(at);
        let is_start = at == 0;
        // Behind which element of the state the new ones stand; where that is the start of the
        // value, it is the start of the sequence.
        let gap = match self.parts.get(index) {
            _ if is_start => 0,
            Some(Part::Kept { at, .. }) => *at + offset,
            Some(Part::New { gap, .. }) => *gap,
            None => return Ok(()),
        };
        if let (false, Some(Part::Kept { len, .. })) = (is_start, self.parts.get_mut(index)) {
            let rest = *len - offset;
            *len = offset;
            index += 1;
            offset = 0;
            if rest > 0 {
                let behind = Part::Kept { at: gap, len: rest };
                self.parts.insert(index, behind);
            }
        }
        self.len += count;
        match self.parts.get_mut(index) {
            Some(Part::New {
                gap: held,
                len,
                content,
            }) if *held == gap => {
                content.splice(offset, 0, added.slice());
                *len += count;
            }
            _ => {
                let content = added.clone();
                let len = count;
                self.parts.insert(index, Part::New { gap, len, content });
            }
        }
        self.divide(index);
        Ok(())
    }

    /// Divides a part of new elements that has become too long.
    fn divide(&mut self, index: usize) {
        let Some(Part::New { gap, len, content }) = self.parts.get_mut(index) else {
            return;
        };
        if *len <= MAX_NEW {
            return;
        }
        // Half of what a part may hold, so that each has room to grow.
        let mut rest = content.slice();
        let mut parts: Vec<Part<C>> = Vec::with_capacity(*len / (MAX_NEW / 2) + 1);
        let mut left = *len;
        while left > 0 {
            let len = left.min(MAX_NEW / 2);
            let (head, after) = C::split(rest, len);
            let mut content = C::default();
            content.push(head);
            parts.push(Part::New {
                gap: *gap,
                len,
                content,
            });
            rest = after;
            left -= len;
        }
        self.parts.splice(index..=index, parts);
    }

    pub fn delete(&mut self, at: usize, count: usize) -> Result<(), CrdtError> {
        if count > self.len || at > self.len - count {
            let length = self.len;
            return Err(CrdtError::OutOfRange {
                at: at.max(length),
                length,
            });
        }
        if count == 0 {
            return Ok(());
        }
        let (mut index, mut offset) = self.seek(at);
        self.len -= count;
        let mut left = count;
        let first_gone = loop {
            let Some(part) = self.parts.get_mut(index) else {
                return Ok(());
            };
            if offset == part.len() {
                index += 1;
                offset = 0;
                continue;
            }
            if offset == 0 {
                break index;
            }
            // A part that is cut in its middle or at its end.
            let gone = left.min(part.len() - offset);
            left -= gone;
            match part {
                Part::New { len, content, .. } => {
                    content.splice(offset, gone, C::default().slice());
                    *len -= gone;
                }
                Part::Kept { at, len } => {
                    let behind = Part::Kept {
                        at: *at + offset + gone,
                        len: *len - offset - gone,
                    };
                    *len = offset;
                    if behind.len() > 0 {
                        self.parts.insert(index + 1, behind);
                    }
                }
            }
            if left == 0 {
                return Ok(());
            }
            index += 1;
            offset = 0;
        };
        let mut end = first_gone;
        while left > 0 {
            let Some(part) = self.parts.get_mut(end) else {
                break;
            };
            if part.len() <= left {
                left -= part.len();
                end += 1;
                continue;
            }
            match part {
                Part::New { len, content, .. } => {
                    content.splice(0, left, C::default().slice());
                    *len -= left;
                }
                Part::Kept { at, len } => {
                    *at += left;
                    *len -= left;
                }
            }
            left = 0;
        }
        self.parts.drain(first_gone..end);
        if self.cursor.0 >= first_gone {
            self.cursor = (0, 0);
        }
        Ok(())
    }

    /// Whether no edit is left of those that were made.
    pub fn is_untouched(&self) -> bool {
        let is_kept = |part: &Part<C>| matches!(part, Part::Kept { .. });
        self.len == self.base && self.parts.iter().all(is_kept)
    }

    /// The edits that this makes of `pieces`.
    pub fn edits(&self, pieces: &[Piece]) -> Edits<C> {
        let mut inserted: Vec<(usize, C)> = Vec::new();
        let mut kept: Vec<(usize, usize)> = Vec::new();
        for part in &self.parts {
            match part {
                Part::Kept { at, len } => kept.push((*at, *len)),
                Part::New { gap, content, .. } => match inserted.last_mut() {
                    Some((last, held)) if last == gap => held.push(content.slice()),
                    _ => inserted.push((*gap, content.clone())),
                },
            }
        }
        let mut deleted: Vec<(usize, usize)> = Vec::new();
        let mut gone = |from: usize, to: usize| {
            if from < to {
                match deleted.last_mut() {
                    Some((at, len)) if *at + *len == from => *len += to - from,
                    _ => deleted.push((from, to - from)),
                }
            }
        };
        let mut kept = kept.into_iter().peekable();
        let mut place = 0;
        for piece in pieces {
            let end = place + piece.len as usize;
            if !piece.deleted {
                while let Some((at, len)) = kept.next_if(|(at, len)| *at + *len <= end) {
                    gone(place.min(at), at);
                    place = at + len;
                }
                if let Some((at, len)) = kept.peek_mut()
                    && *at < end
                {
                    // It goes on in the next piece.
                    gone(place, *at);
                    *len -= end - *at;
                    *at = end;
                } else {
                    gone(place, end);
                }
            }
            place = end;
        }
        Edits { deleted, inserted }
    }

    /// The value that `edits` make of `pieces`.
    pub fn of(pieces: &[Piece], edits: &Edits<C>) -> Self {
        let mut draft = Self {
            parts: Vec::new(),
            len: 0,
            base: living(pieces),
            cursor: (0, 0),
        };
        let mut inserted = edits.inserted.iter().peekable();
        let mut deleted = edits.deleted.iter().copied().peekable();
        let mut place = 0;
        for piece in pieces {
            let end = place + piece.len as usize;
            while place < end {
                while let Some((gap, content)) = inserted.next_if(|(gap, _)| *gap <= place) {
                    draft.add(*gap, content);
                }
                while deleted.next_if(|(at, len)| at + len <= place).is_some() {}
                let mut stop = inserted.peek().map_or(end, |(gap, _)| end.min(*gap));
                let mut keep = !piece.deleted;
                match deleted.peek() {
                    Some((at, len)) if *at <= place => {
                        stop = stop.min(at + len);
                        keep = false;
                    }
                    Some((at, _)) => stop = stop.min(*at),
                    None => (),
                }
                if keep {
                    draft.keep(place, stop - place);
                }
                place = stop;
            }
        }
        for (gap, content) in inserted {
            draft.add(*gap, content);
        }
        draft
    }

    fn add(&mut self, gap: usize, content: &C) {
        let len = C::count(content.slice());
        self.len += len;
        let content = content.clone();
        self.parts.push(Part::New { gap, len, content });
        self.divide(self.parts.len() - 1);
    }

    fn keep(&mut self, place: usize, count: usize) {
        self.len += count;
        match self.parts.last_mut() {
            Some(Part::Kept { at, len }) if *at + *len == place => *len += count,
            _ => self.parts.push(Part::Kept {
                at: place,
                len: count,
            }),
        }
    }

    /// Applies the differences to `new`.
    pub fn apply(&mut self, hunks: &[Hunk], new: &C) -> Result<(), CrdtError> {
        for hunk in hunks.iter().rev() {
            self.delete(hunk.at, hunk.removed)?;
            let (_, rest) = C::split(new.slice(), hunk.from);
            let (added, _) = C::split(rest, hunk.added);
            let mut content = C::default();
            content.push(added);
            self.insert(hunk.at, &content)?;
        }
        Ok(())
    }
}

/// How many elements of `pieces` live.
fn living(pieces: &[Piece]) -> usize {
    let living = pieces.iter().filter(|piece| !piece.deleted);
    living.map(|piece| piece.len as usize).sum()
}

/// The content of the value that `edits` make of `pieces` with `content`.
pub(super) fn edited<C: Content>(pieces: &[Piece], content: &C, edits: &Edits<C>) -> C {
    let mut out = C::default();
    let mut rest = content.slice();
    let draft = Draft::of(pieces, edits);
    let mut living = Living {
        pieces: pieces.iter(),
        place: 0,
        end: 0,
    };
    for part in &draft.parts {
        match part {
            Part::New { content, .. } => out.push(content.slice()),
            Part::Kept { at, len } => {
                let (_, after) = C::split(rest, living.upto(*at));
                let (kept, after) = C::split(after, *len);
                out.push(kept);
                living.upto(*at + *len);
                rest = after;
            }
        }
    }
    out
}

/// Counts living elements on the way.
struct Living<'a> {
    pieces: std::slice::Iter<'a, Piece>,
    /// How far it is.
    place: usize,
    /// Where the piece in hand ends; it is a living one beyond `place`.
    end: usize,
}

impl Living<'_> {
    /// How many living elements there are from here to `place`.
    fn upto(&mut self, place: usize) -> usize {
        let mut count = 0;
        loop {
            let stop = self.end.min(place);
            count += stop.saturating_sub(self.place);
            self.place = self.place.max(stop);
            if self.end >= place {
                return count;
            }
            let Some(piece) = self.pieces.next() else {
                return count;
            };
            self.end += piece.len as usize;
            if piece.deleted {
                self.place = self.end;
            }
        }
    }
}
