//! The settled state in the form that suits it: a whole sequence as a document, a part of one
//! flat. What the document does not do itself is done upon the flat state.

use std::borrow::Cow;

use super::content::Content;
use super::document::Document;
use super::span::{Id, Piece, Span, locate};
use super::state::State;
use crate::{CrdtError, Dot, Hlc, VersionVector};

/// A lattice element; see [`State`].
#[derive(Clone, Debug)]
pub(super) enum Settled<C> {
    Whole(Document<'static, C>),
    /// It does not hold all that it stands beside or deletes.
    Part(State<C>),
}

impl<C> Default for Settled<C> {
    fn default() -> Self {
        Self::Whole(Document::default())
    }
}

impl<C: Content> PartialEq for Settled<C> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => a == b,
            (Self::Part(a), Self::Part(b)) => a == b,
            _ => false,
        }
    }
}

impl<C: Content> Settled<C> {
    /// From a flat state.
    pub fn of(state: State<C>) -> Result<Self, CrdtError> {
        Ok(match state.whole {
            true => Self::Whole(Document::of_state(&state)?),
            false => Self::Part(state),
        })
    }

    /// The same as a flat state.
    pub fn flat(&self) -> Result<Cow<'_, State<C>>, CrdtError> {
        Ok(match self {
            Self::Whole(document) => Cow::Owned(document.to_state()?),
            Self::Part(state) => Cow::Borrowed(state),
        })
    }

    /// The document.
    ///
    /// # Errors
    /// [`CrdtError::MissingOrigin`] with what is missing of a part.
    pub fn whole(&self) -> Result<&Document<'static, C>, CrdtError> {
        match self {
            Self::Whole(document) => Ok(document),
            Self::Part(state) => {
                let missing = first_missing(state).unwrap_or(Id { op: 0, offset: 0 });
                Err(CrdtError::MissingOrigin(state.dot(missing.op)?))
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Whole(document) if document.is_empty())
    }

    /// What lives and what is deleted, in order; of a part, by id.
    pub fn pieces(&self) -> Cow<'_, [Piece]> {
        match self {
            Self::Whole(document) => Cow::Owned(document.pieces()),
            Self::Part(state) => Cow::Borrowed(&state.pieces),
        }
    }

    pub fn living(&self) -> usize {
        match self {
            Self::Whole(document) => document.living(),
            Self::Part(state) => state.living(),
        }
    }

    /// Whether the operation of a dot made elements here.
    pub fn is_made(&self, dot: &Dot) -> bool {
        match self {
            Self::Whole(document) => document.made(dot).is_ok_and(|made| made.is_some()),
            Self::Part(state) => state.made(dot).is_some(),
        }
    }

    /// Whether the element of an operation, by its number there, is here.
    pub fn holds(&self, dot: &Dot, offset: u32) -> bool {
        match self {
            Self::Whole(document) => {
                let made = document.made(dot).ok().flatten();
                made.is_some_and(|made| offset < made)
            }
            Self::Part(state) => {
                let op = state.made(dot);
                op.is_some_and(|op| locate(&state.spans, Id { op, offset }).is_some())
            }
        }
    }

    /// The greatest tick under which something was inserted.
    pub fn latest(&self) -> Hlc {
        match self {
            Self::Whole(document) => document.latest(),
            Self::Part(state) => {
                let made = state.spans.iter();
                let ticks = made.filter_map(|span| state.ops.get(span.op as usize));
                Hlc(ticks.map(|dot| dot.counter).max().unwrap_or_default())
            }
        }
    }

    /// Of each replica the greatest tick that is named.
    pub fn version(&self) -> VersionVector {
        match self {
            Self::Whole(document) => document.version(),
            Self::Part(state) => state.ops.iter().copied().collect(),
        }
    }

    /// The least upper bound.
    pub fn join(&self, other: &Self) -> Result<Self, CrdtError> {
        match (self, other) {
            (Self::Whole(document), Self::Part(delta))
            | (Self::Part(delta), Self::Whole(document)) => {
                let mut joined = document.clone();
                if joined.take_in(delta).is_ok() {
                    return Ok(Self::Whole(joined));
                }
            }
            _ if other.is_empty() => return Ok(self.clone()),
            _ if self.is_empty() => return Ok(other.clone()),
            _ if self == other => return Ok(self.clone()),
            _ => (),
        }
        let (a, b) = (self.flat()?, other.flat()?);
        Self::of(a.join(&b)?)
    }

    /// Becomes the join, if that can be done in place; else it is as before.
    pub fn takes_in(&mut self, other: &Self) -> bool {
        let (Self::Whole(document), Self::Part(delta)) = (self, other) else {
            return false;
        };
        let op = |span: Option<&Span>| span.map(|span| span.op);
        // After an error a delta of several operations would leave something behind.
        op(delta.spans.first()) == op(delta.spans.last()) && document.take_in(delta).is_ok()
    }

    /// The smallest state that brings `old` to this one; bottom if there is no difference.
    pub fn beyond(&self, old: &Self) -> Result<Self, CrdtError> {
        if let (Self::Whole(new), Self::Whole(old)) = (self, old)
            && let Ok(delta) = new.beyond(old)
        {
            return Ok(Self::Part(delta));
        }
        Self::of(self.flat()?.beyond(&*old.flat()?)?)
    }
}

/// Something that a part stands beside or deletes, and does not hold.
fn first_missing<C>(state: &State<C>) -> Option<Id> {
    let spans = &state.spans;
    let origins = spans.iter().flat_map(|span| [span.left, span.right]);
    let pieces = state.pieces.iter().map(Piece::last);
    origins
        .flatten()
        .chain(pieces)
        .find(|id| locate(spans, *id).is_none())
}
