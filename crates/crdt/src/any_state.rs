//! A state of any CRDT type: treats a column by its kind.

use std::cmp::Ordering;

use crate::{
    Author, AwSet, BCounter, ColumnKind, Crdt, CrdtError, DecodeError, DeltaFault, GCounter, Hlc,
    HlcRegister, Lead, LwwMap, LwwRegister, LwwSet, MvRegister, OrCart, OrMap, OrSet, PnCounter,
    ReplicaId, Rga, RgaText, TextError, VectorClock, VersionVector,
};

/// One of the types that [`AnyState`] holds.
trait Member: Lead + Into<AnyState> {
    fn of(state: &AnyState) -> Option<&Self>;
}

/// Lists the types: each is a variant here and a kind of column, by the same name.
macro_rules! members {
    ($($(#[$doc:meta])* $type:ident),* $(,)?) => {
        /// A value of one of the CRDT types.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub enum AnyState {
            $($(#[$doc])* $type($type),)*
        }

        /// Runs one expression for whichever type a state has.
        macro_rules! each {
            ($state:expr, $value:ident => $result:expr) => {
                match $state {
                    $(AnyState::$type($value) => $result,)*
                }
            };
        }

        /// Runs one expression, with `T` for the type of a kind; None for a plain column.
        macro_rules! of_kind {
            ($kind:expr, $result:expr) => {
                match $kind {
                    ColumnKind::Plain => None,
                    $(ColumnKind::$type => {
                        type T = $type;
                        Some($result)
                    })*
                }
            };
        }

        impl AnyState {
            /// The kind of the columns of a SQL type; None if it is none of these.
            pub fn kind_of_type(name: &str) -> Option<ColumnKind> {
                $(if name == $type::NAME {
                    return Some(ColumnKind::$type);
                })*
                None
            }

            /// The kind of column that holds it.
            pub fn kind(&self) -> ColumnKind {
                match self {
                    $(Self::$type(_) => ColumnKind::$type,)*
                }
            }
        }

        $(
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
        )*
    };
}

members! {
    /// A counter.
    PnCounter,
    /// A set.
    OrSet,
    /// A register.
    LwwRegister,
    /// A counter that only grows.
    GCounter,
    /// A counter with a floor.
    BCounter,
    /// A register of all concurrent values.
    MvRegister,
    /// A set by timestamps.
    LwwSet,
    /// A set without tombstones.
    AwSet,
    /// A map by timestamps.
    LwwMap,
    /// A map of counters, registers, sets and maps.
    OrMap,
    /// A map of counters.
    OrCart,
    /// A list of JSON values.
    Rga,
    /// A text.
    RgaText,
    /// A vector clock.
    VectorClock,
    /// The latest time.
    HlcRegister,
}

/// `state` as the type that the context asks for; if it is of another, the name of that.
fn same<T: Member>(state: Option<&AnyState>) -> Result<Option<&T>, &'static str> {
    state
        .map(|state| T::of(state).ok_or(state.name()))
        .transpose()
}

impl AnyState {
    /// [`Crdt::decode`] by the kind of the column; a plain column is an error.
    pub fn decode(kind: ColumnKind, bytes: &[u8]) -> Result<Self, DecodeError> {
        of_kind!(kind, T::decode(bytes).map(Self::from)).unwrap_or(Err(DecodeError::PlainColumn))
    }

    /// The SQL type of a kind of column; of a plain column there is no telling.
    pub fn type_of_kind(kind: ColumnKind) -> &'static str {
        of_kind!(kind, T::NAME).unwrap_or("plain")
    }

    /// [`Crdt::decode_stored`] by the kind of the column; a plain column is an error.
    pub fn decode_stored(kind: ColumnKind, bytes: &[u8]) -> Result<Self, DecodeError> {
        of_kind!(kind, T::decode_stored(bytes).map(Self::from))
            .unwrap_or(Err(DecodeError::PlainColumn))
    }

    /// [`Crdt::join_bytes`] by the kind of the column; a plain column is an error.
    pub fn join_bytes(kind: ColumnKind, stored: &[u8], other: &[u8]) -> Result<Vec<u8>, CrdtError> {
        of_kind!(kind, T::join_bytes(stored, other)).unwrap_or(Err(DecodeError::PlainColumn.into()))
    }

    /// [`Crdt::settle_bytes`] by the kind of the column; a plain column is an error.
    pub fn settle_bytes(
        kind: ColumnKind,
        old: Option<&[u8]>,
        new: &[u8],
        author: &mut dyn Author,
    ) -> Result<Vec<u8>, CrdtError> {
        of_kind!(kind, T::settle_bytes(old, new, author))
            .unwrap_or(Err(DecodeError::PlainColumn.into()))
    }

    /// [`Crdt::delta_bytes`] by the kind of the column; a plain column is an error.
    pub fn delta_bytes(
        kind: ColumnKind,
        old: Option<&[u8]>,
        new: &[u8],
    ) -> Result<Option<Vec<u8>>, CrdtError> {
        of_kind!(kind, T::delta_bytes(old, new)).unwrap_or(Err(DecodeError::PlainColumn.into()))
    }

    /// The empty state of a kind; None for a plain column.
    pub fn bottom(kind: ColumnKind) -> Option<Self> {
        of_kind!(kind, T::default().into())
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

    /// [`Crdt::version`].
    pub fn version(&self) -> VersionVector {
        each!(self, state => state.version())
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

    /// [`Crdt::plain_text`].
    pub fn plain_text(&self) -> Result<String, CrdtError> {
        each!(self, state => state.plain_text())
    }

    /// [`Crdt::keys`].
    pub fn keys(&self) -> Vec<String> {
        each!(self, state => state.keys())
    }

    /// [`Crdt::to_text`].
    pub fn to_text(&self) -> String {
        each!(self, state => state.to_text())
    }

    /// [`Crdt::from_text`] by the kind of the column; a plain column is an error.
    pub fn from_text(kind: ColumnKind, text: &str) -> Result<Self, TextError> {
        of_kind!(kind, T::from_text(text).map(Self::from)).unwrap_or(Err(TextError::PlainColumn))
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

    /// [`Crdt::hash_key`].
    pub fn hash_key(&self) -> Vec<u8> {
        each!(self, state => state.hash_key())
    }

    /// [`Crdt::reset`].
    pub fn reset(&self) -> Result<Self, CrdtError> {
        each!(self, state => state.reset().map(Self::from))
    }

    /// [`Crdt::compact`].
    pub fn compact(&self, stable: &VersionVector) -> Result<Self, CrdtError> {
        each!(self, state => state.compact(stable).map(Self::from))
    }

    /// [`Lead::led_to`] the plain value of another state of the type.
    pub fn led_to(&self, value: &Self) -> Result<Self, CrdtError> {
        fn led<T: Member>(state: &T, value: &AnyState) -> Option<Result<T, CrdtError>> {
            let value = T::of(value)?;
            Some(value.value().and_then(|plain| state.led_to(plain)))
        }
        let mismatch = || CrdtError::KindMismatch(self.name(), value.name());
        each!(self, state => led(state, value).ok_or_else(mismatch)?.map(Self::from))
    }
}
