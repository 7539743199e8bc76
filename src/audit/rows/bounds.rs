//! What a row may be when the log does not say all of it: it must hold all that
//! is sure, and nothing beyond what the log can have led to.

use super::fold::Fold;
use crdt::RowState;
use std::collections::BTreeSet;

/// A part of a row that is compared.
#[derive(Clone, Copy)]
pub enum Part {
    /// A CRDT column, by its place in the schema.
    State(u16),
    /// The plain columns.
    Plain,
    /// The column `crdt_meta`.
    Meta,
}

/// Between what a row has to be.
pub struct Bounds<'a> {
    least: &'a RowState,
    /// `None`: nobody knows.
    most: Option<RowState>,
    /// Columns of which nothing is known.
    unknown: &'a BTreeSet<u16>,
}

impl<'a> Bounds<'a> {
    /// Of what the log says of a row.
    pub fn of(fold: &'a Fold) -> Self {
        Self {
            least: &fold.present,
            most: (fold.closed == 0).then(|| fold.at_most()),
            unknown: &fold.unknown,
        }
    }

    /// Whether a row may have this causal length.
    pub fn allow_length(&self, found: u32) -> bool {
        let most = self.most.as_ref().map(|most| most.meta.causal_length);
        found >= self.least.meta.causal_length && most.is_none_or(|most| found <= most)
    }

    /// Whether a part of a row of the same causal length as the least is
    /// within the bounds.
    pub fn allow(&self, part: Part, found: &RowState) -> bool {
        match part {
            Part::State(at) => {
                let holds = |row: &RowState, other: &RowState| match (
                    row.states.get(&at),
                    other.states.get(&at),
                ) {
                    (_, None) => true,
                    (None, Some(_)) => false,
                    (Some(state), Some(other)) => state.join(other).is_ok_and(|it| it == *state),
                };
                // Bytes that are no state are left out of what was found.
                let readable = found.states.contains_key(&at);
                readable && self.unknown.contains(&at)
                    || readable
                        && holds(found, self.least)
                        && self.most.as_ref().is_none_or(|most| holds(most, found))
            }
            Part::Plain | Part::Meta => {
                let most = self.most.as_ref().map(|most| most.meta.stamp);
                found.meta.stamp > self.least.meta.stamp
                    && most.is_none_or(|most| found.meta.stamp <= most)
            }
        }
    }
}
