//! Element ids, spans and pieces.

/// An element: which operation of the state's table made it, and its place among what that
/// operation inserted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Id {
    pub op: u32,
    pub offset: u32,
}

/// Elements that were typed side by side: the first stands between `left` and `right`, each
/// other one between the one before it and `right`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    pub op: u32,
    pub offset: u32,
    /// At least 1.
    pub len: u32,
    pub left: Option<Id>,
    pub right: Option<Id>,
}

/// Elements that stand side by side, all living or all deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    pub op: u32,
    pub offset: u32,
    pub len: u32,
    pub deleted: bool,
}

impl Piece {
    pub fn first(&self) -> Id {
        Id {
            op: self.op,
            offset: self.offset,
        }
    }

    pub fn last(&self) -> Id {
        Id {
            op: self.op,
            offset: self.offset + (self.len - 1),
        }
    }

    /// The number after that of the last element.
    pub fn end(&self) -> u64 {
        u64::from(self.offset) + u64::from(self.len)
    }
}

/// Appends a piece, to the last one if it goes on there.
pub(super) fn push_piece(pieces: &mut Vec<Piece>, piece: Piece) {
    if piece.len == 0 {
        return;
    }
    match pieces.last_mut() {
        Some(last)
            if last.op == piece.op
                && last.end() == u64::from(piece.offset)
                && last.deleted == piece.deleted =>
        {
            last.len += piece.len;
        }
        _ => pieces.push(piece),
    }
}

/// The span that holds an element; spans ascend by id.
pub(super) fn locate(spans: &[Span], id: Id) -> Option<usize> {
    let after = spans.partition_point(|span| (span.op, span.offset) <= (id.op, id.offset));
    let index = after.checked_sub(1)?;
    let span = spans.get(index)?;
    (span.op == id.op && id.offset - span.offset < span.len).then_some(index)
}

/// The left origin of an element of `span`.
pub(super) fn element_before(span: &Span, id: Id) -> Option<Id> {
    if id.offset == span.offset {
        span.left
    } else {
        Some(Id {
            op: id.op,
            offset: id.offset - 1,
        })
    }
}
