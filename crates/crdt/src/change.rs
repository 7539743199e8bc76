//! The unsettled part of a value: what operators and plain literals ask for.

use std::cmp::Ordering;

/// The linear sum None < Add < Assign; inside, the parts have a join of their own.
///
/// An addition of nothing is [`Change::None`]; every constructor keeps to that.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Change<A, V> {
    /// Nothing is asked for: the value is settled.
    #[default]
    None,
    /// Relative: add this to whatever is there.
    Add(A),
    /// Absolute: make the value this.
    Assign(V),
}

impl<A: Clone, V: Clone> Change<A, V> {
    /// The join of two changes, given that of additions and the order of assignments.
    pub(crate) fn join(
        &self,
        other: &Self,
        additions: impl FnOnce(&A, &A) -> A,
        assignments: impl FnOnce(&V, &V) -> Ordering,
    ) -> Self {
        match (self, other) {
            (Self::Assign(a), Self::Assign(b)) => Self::Assign(if assignments(a, b).is_lt() {
                b.clone()
            } else {
                a.clone()
            }),
            (assign @ Self::Assign(_), _) | (_, assign @ Self::Assign(_)) => assign.clone(),
            (Self::Add(a), Self::Add(b)) => Self::Add(additions(a, b)),
            (add @ Self::Add(_), _) | (_, add @ Self::Add(_)) => add.clone(),
            (Self::None, Self::None) => Self::None,
        }
    }

    /// Whether nothing is asked for.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// The flags byte of the layouts.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::None => 0,
            Self::Add(_) => 1,
            Self::Assign(_) => 2,
        }
    }
}
