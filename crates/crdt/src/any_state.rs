//! A state of any CRDT type: treats a column by its kind.

use std::cmp::Ordering;

use crate::{
    Author, ColumnKind, Crdt, CrdtError, DecodeError, DeltaFault, LwwRegister, OrSet, PnCounter,
    ReplicaId, TextError,
};

/// A value of one of the CRDT types.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AnyState {
    /// A counter.
    PnCounter(PnCounter),
    /// A set.
    OrSet(OrSet),
    /// A register.
    LwwRegister(LwwRegister),
}

/// Runs one expression for whichever type a state has.
macro_rules! each {
    ($state:expr, $value:ident => $result:expr) => {
        match $state {
            AnyState::PnCounter($value) => $result,
            AnyState::OrSet($value) => $result,
            AnyState::LwwRegister($value) => $result,
        }
    };
}

/// Runs one expression for two states of one type; of different types, or without a second
/// one, the other two.
macro_rules! both {
    ($optional:expr, $state:expr, ($a:ident, $b:ident) => $result:expr, $mismatch:expr) => {
        match ($optional, $state) {
            (None, AnyState::PnCounter($b)) => {
                let $a = None;
                $result
            }
            (None, AnyState::OrSet($b)) => {
                let $a = None;
                $result
            }
            (None, AnyState::LwwRegister($b)) => {
                let $a = None;
                $result
            }
            (Some(AnyState::PnCounter(a)), AnyState::PnCounter($b)) => {
                let $a = Some(a);
                $result
            }
            (Some(AnyState::OrSet(a)), AnyState::OrSet($b)) => {
                let $a = Some(a);
                $result
            }
            (Some(AnyState::LwwRegister(a)), AnyState::LwwRegister($b)) => {
                let $a = Some(a);
                $result
            }
            (Some(_), _) => $mismatch,
        }
    };
}

impl From<PnCounter> for AnyState {
    fn from(state: PnCounter) -> Self {
        Self::PnCounter(state)
    }
}

impl From<OrSet> for AnyState {
    fn from(state: OrSet) -> Self {
        Self::OrSet(state)
    }
}

impl From<LwwRegister> for AnyState {
    fn from(state: LwwRegister) -> Self {
        Self::LwwRegister(state)
    }
}

impl AnyState {
    /// [`Crdt::decode`] by the kind of the column; a plain column is an error.
    pub fn decode(kind: ColumnKind, bytes: &[u8]) -> Result<Self, DecodeError> {
        match kind {
            ColumnKind::Plain => Err(DecodeError::PlainColumn),
            ColumnKind::PnCounter => PnCounter::decode(bytes).map(Self::from),
            ColumnKind::OrSet => OrSet::decode(bytes).map(Self::from),
            ColumnKind::LwwRegister => LwwRegister::decode(bytes).map(Self::from),
        }
    }

    /// The empty state of a kind; None for a plain column.
    pub fn bottom(kind: ColumnKind) -> Option<Self> {
        match kind {
            ColumnKind::Plain => None,
            ColumnKind::PnCounter => Some(PnCounter::default().into()),
            ColumnKind::OrSet => Some(OrSet::default().into()),
            ColumnKind::LwwRegister => Some(LwwRegister::default().into()),
        }
    }

    /// The kind of column that holds it.
    pub fn kind(&self) -> ColumnKind {
        match self {
            Self::PnCounter(_) => ColumnKind::PnCounter,
            Self::OrSet(_) => ColumnKind::OrSet,
            Self::LwwRegister(_) => ColumnKind::LwwRegister,
        }
    }

    /// The name of the SQL type.
    pub fn name(&self) -> &'static str {
        fn name<T: Crdt>(_: &T) -> &'static str {
            T::NAME
        }
        each!(self, state => name(state))
    }

    /// [`Crdt::encode`].
    pub fn encode(&self) -> Vec<u8> {
        each!(self, state => state.encode())
    }

    /// [`Crdt::is_settled`].
    pub fn is_settled(&self) -> bool {
        each!(self, state => state.is_settled())
    }

    /// [`Crdt::join`]; two types cannot be joined.
    pub fn join(&self, other: &Self) -> Result<Self, CrdtError> {
        match (self, other) {
            (Self::PnCounter(a), Self::PnCounter(b)) => a.join(b).map(Self::from),
            (Self::OrSet(a), Self::OrSet(b)) => a.join(b).map(Self::from),
            (Self::LwwRegister(a), Self::LwwRegister(b)) => a.join(b).map(Self::from),
            _ => Err(CrdtError::KindMismatch(self.name(), other.name())),
        }
    }

    /// [`Crdt::settle`]; both must be of one type.
    pub fn settle(
        old: Option<&Self>,
        new: &Self,
        author: &mut dyn Author,
    ) -> Result<Self, CrdtError> {
        both!(
            old, new,
            (old, new) => Crdt::settle(old, new, author).map(Self::from),
            Err(CrdtError::KindMismatch(old.map_or("NULL", Self::name), new.name()))
        )
    }

    /// [`Crdt::delta`]; over another type all of `new` is the difference.
    pub fn delta(old: Option<&Self>, new: &Self) -> Option<Self> {
        both!(
            old, new,
            (old, new) => Crdt::delta(old, new).map(Self::from),
            Self::delta(None, new)
        )
    }

    /// [`Crdt::check_delta`]; both must be of one type.
    pub fn check_delta(
        delta: &Self,
        author: ReplicaId,
        row: Option<&Self>,
    ) -> Result<(), DeltaFault> {
        both!(
            row, delta,
            (row, delta) => Crdt::check_delta(delta, author, row),
            Err(DeltaFault::KindMismatch(delta.name(), row.map_or("NULL", Self::name)))
        )
    }

    /// The value as text without state: `12`, `{a,"b c"}`, JSON (`null` if never set).
    ///
    /// # Errors
    /// A counter beyond bigint.
    pub fn plain_text(&self) -> Result<String, CrdtError> {
        match self {
            Self::PnCounter(state) => state.value().map(|value| value.to_string()),
            Self::OrSet(state) => Ok(crate::array_text::print(state.elements())),
            Self::LwwRegister(state) => Ok(state.get().unwrap_or("null").to_owned()),
        }
    }

    /// [`Crdt::to_text`].
    pub fn to_text(&self) -> String {
        each!(self, state => state.to_text())
    }

    /// [`Crdt::from_text`] by the kind of the column; None for a plain column.
    pub fn from_text(kind: ColumnKind, text: &str) -> Option<Result<Self, TextError>> {
        match kind {
            ColumnKind::Plain => None,
            ColumnKind::PnCounter => Some(PnCounter::from_text(text).map(Self::from)),
            ColumnKind::OrSet => Some(OrSet::from_text(text).map(Self::from)),
            ColumnKind::LwwRegister => Some(LwwRegister::from_text(text).map(Self::from)),
        }
    }

    /// [`Crdt::to_json`].
    pub fn to_json(&self) -> String {
        each!(self, state => state.to_json())
    }

    /// [`Crdt::cmp_by_value`]; types sort by their kind.
    pub fn cmp_by_value(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::PnCounter(a), Self::PnCounter(b)) => a.cmp_by_value(b),
            (Self::OrSet(a), Self::OrSet(b)) => a.cmp_by_value(b),
            (Self::LwwRegister(a), Self::LwwRegister(b)) => a.cmp_by_value(b),
            _ => self.kind().cmp(&other.kind()),
        }
    }
}
