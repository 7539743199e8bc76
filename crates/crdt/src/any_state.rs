//! A state of any CRDT type: treats a column by its kind.

use std::cmp::Ordering;

use crate::{
    Author, ColumnKind, Crdt, CrdtError, DecodeError, DeltaFault, Hlc, LwwRegister, OrSet,
    PnCounter, ReplicaId, TextError,
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

/// One of the types that [`AnyState`] holds.
trait Member: Crdt + Into<AnyState> {
    fn of(state: &AnyState) -> Option<&Self>;
}

macro_rules! members {
    ($($type:ident),*) => {$(
        impl From<$type> for AnyState {
            fn from(state: $type) -> Self {
                Self::$type(state)
            }
        }

        impl Member for $type {
            fn of(state: &AnyState) -> Option<&Self> {
                match state {
                    AnyState::$type(state) => Some(state),
                    _ => None,
                }
            }
        }
    )*};
}

members!(PnCounter, OrSet, LwwRegister);

/// `state` as the type that the context asks for; if it is of another, the name of that.
fn same<T: Member>(state: Option<&AnyState>) -> Result<Option<&T>, &'static str> {
    state
        .map(|state| T::of(state).ok_or(state.name()))
        .transpose()
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

    /// [`Crdt::latest`].
    pub fn latest(&self) -> Hlc {
        each!(self, state => state.latest())
    }

    /// [`Crdt::join`]; two types cannot be joined.
    pub fn join(&self, other: &Self) -> Result<Self, CrdtError> {
        each!(self, state => match Member::of(other) {
            Some(other) => state.join(other).map(Self::from),
            None => Err(CrdtError::KindMismatch(self.name(), other.name())),
        })
    }

    /// [`Crdt::settle`]; both must be of one type.
    pub fn settle(
        old: Option<&Self>,
        new: &Self,
        author: &mut dyn Author,
    ) -> Result<Self, CrdtError> {
        each!(new, state => match same(old) {
            Ok(old) => Crdt::settle(old, state, author).map(Self::from),
            Err(other) => Err(CrdtError::KindMismatch(other, new.name())),
        })
    }

    /// [`Crdt::delta`]; over another type all of `new` is the difference.
    pub fn delta(old: Option<&Self>, new: &Self) -> Option<Self> {
        each!(new, new => Crdt::delta(same(old).unwrap_or_default(), new).map(Self::from))
    }

    /// [`Crdt::check_delta`]; both must be of one type.
    pub fn check_delta(
        delta: &Self,
        author: ReplicaId,
        row: Option<&Self>,
    ) -> Result<(), DeltaFault> {
        each!(delta, state => match same(row) {
            Ok(row) => Crdt::check_delta(state, author, row),
            Err(other) => Err(DeltaFault::KindMismatch(delta.name(), other)),
        })
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

    /// [`Crdt::from_text`] by the kind of the column; a plain column is an error.
    pub fn from_text(kind: ColumnKind, text: &str) -> Result<Self, TextError> {
        match kind {
            ColumnKind::Plain => Err(TextError::PlainColumn),
            ColumnKind::PnCounter => PnCounter::from_text(text).map(Self::from),
            ColumnKind::OrSet => OrSet::from_text(text).map(Self::from),
            ColumnKind::LwwRegister => LwwRegister::from_text(text).map(Self::from),
        }
    }

    /// [`Crdt::to_json`].
    pub fn to_json(&self) -> String {
        each!(self, state => state.to_json())
    }

    /// [`Crdt::cmp_by_value`]; types sort by their kind.
    pub fn cmp_by_value(&self, other: &Self) -> Ordering {
        each!(self, state => match Member::of(other) {
            Some(other) => state.cmp_by_value(other),
            None => self.kind().cmp(&other.kind()),
        })
    }
}
