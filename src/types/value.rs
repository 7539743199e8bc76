//! How a value of a CRDT type lies in memory and on disk: a varlena that holds
//! exactly the canonical bytes of `crates/crdt`, so that whoever knows the
//! type may read the column as bytea.

use super::{kind, refusal};
use crate::error::OrCorrupt;
use crate::function::argument;
use crdt::{AnyState, ColumnKind, Crdt, CrdtError, Edit, MAX_STATE_BYTES};
use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::Datum;
use pgrx::nullable::Nullable;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{IntoDatum, pg_sys, varlena};

/// An argument of a CRDT type.
pub struct Value {
    kind: ColumnKind,
    varlena: *mut pg_sys::varlena,
    /// Whether detoasting made a copy: index builds compare often within one
    /// memory context, so copies must not pile up.
    owned: bool,
}

impl Value {
    /// An argument of a call; None for NULL.
    ///
    /// # Safety
    /// `fcinfo` is that of a running call, whose SQL function declares this
    /// argument as of a CRDT type.
    pub unsafe fn argument(fcinfo: pg_sys::FunctionCallInfo, index: usize) -> Option<Self> {
        // SAFETY: by the contract.
        unsafe {
            let kind = kind::of_call(fcinfo);
            argument(fcinfo, index).map(|datum| Self::of_datum(kind, datum))
        }
    }

    /// A state as SQL would hand it over.
    pub fn of_state(state: &AnyState) -> Self {
        let datum = state.encode().into_datum().or_corrupt("a CRDT value");
        // SAFETY: bytea and the CRDT types have one layout.
        unsafe { Self::of_datum(state.kind(), datum) }
    }

    unsafe fn of_datum(kind: ColumnKind, datum: pg_sys::Datum) -> Self {
        let given = datum.cast_mut_ptr::<pg_sys::varlena>();
        // SAFETY: all CRDT types are varlenas.
        let varlena = unsafe { pg_sys::pg_detoast_datum_packed(given) };
        Self {
            kind,
            varlena,
            owned: varlena != given,
        }
    }

    /// Its type.
    pub fn kind(&self) -> ColumnKind {
        self.kind
    }

    /// The canonical bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: a detoasted varlena that lives as long as `self`.
        unsafe { varlena::varlena_to_byte_slice(self.varlena) }
    }

    /// The value. What a column holds came through a checked constructor, so
    /// bytes that are none are damage.
    pub fn decode(&self) -> AnyState {
        AnyState::decode_stored(self.kind, self.bytes()).or_corrupt("a CRDT value")
    }

    /// The value as one of its own type `T`.
    pub fn decode_as<T: Crdt>(&self) -> T {
        T::decode_stored(self.bytes()).or_corrupt(T::NAME)
    }

    /// The value, of type `T`, after an operator.
    pub fn edited<T: Edit>(&self, edit: &T::Edit) -> Encoded {
        match T::edit_bytes(self.bytes(), edit) {
            Ok(bytes) => Encoded::new(bytes),
            Err(error) => refusal::change(&error),
        }
    }

    /// The value, of type `T`, after many, which are carried out in place.
    pub fn all_edited<T: Edit>(&self, edits: impl IntoIterator<Item = T::Edit>) -> Encoded {
        let mut value: T = self.decode_as();
        for edit in edits {
            if let Err(error) = value.edit(&edit) {
                refusal::change(&error);
            }
        }
        Encoded::of(&value)
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        if self.owned {
            // SAFETY: palloc'd by detoasting and not returned to PostgreSQL.
            unsafe { pg_sys::pfree(self.varlena.cast()) }
        }
    }
}

/// A result of a CRDT type: the canonical bytes.
pub struct Encoded(Vec<u8>);

impl Encoded {
    /// Canonical bytes; what could not be read back is refused.
    pub fn new(bytes: Vec<u8>) -> Self {
        if bytes.len() > MAX_STATE_BYTES {
            refusal::change(&CrdtError::TooLarge {
                what: "the value",
                limit: MAX_STATE_BYTES,
            });
        }
        Self(bytes)
    }

    /// The encoding of a value.
    pub fn of<T: Crdt>(value: &T) -> Self {
        Self::new(value.encode())
    }

    /// The encoding of what a change gave, or its error to the user.
    pub fn of_change<T: Crdt>(changed: Result<T, CrdtError>) -> Self {
        match changed {
            Ok(value) => Self::of(&value),
            Err(error) => refusal::change(&error),
        }
    }
}

// SAFETY: the datum is read as the varlena that each SQL declaration promises.
unsafe impl<'fcx> ArgAbi<'fcx> for Value {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        let index = arg.index();
        // SAFETY: as above; the call is running.
        unsafe { Self::argument(arg.unbox_unchecked(), index) }
            .unwrap_or_else(|| panic!("argument {index} must not be null"))
    }

    unsafe fn unbox_nullable_arg(arg: Arg<'_, 'fcx>) -> Nullable<Self> {
        let index = arg.index();
        // SAFETY: as above.
        unsafe { Self::argument(arg.unbox_unchecked(), index) }.into()
    }
}

// SAFETY: bytea and the CRDT types have one layout.
unsafe impl BoxRet for Encoded {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        // SAFETY: as above.
        unsafe { self.0.box_into(fcinfo) }
    }
}

/// The declarations are in sql/types, so the names here are of no account.
macro_rules! declared_in_sql {
    ($type:ident) => {
        // SAFETY: no SQL is generated from it.
        unsafe impl SqlTranslatable for $type {
            const TYPE_IDENT: &'static str = "anyelement";
            const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
            const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> =
                Ok(SqlMappingRef::As("anyelement"));
            const RETURN_SQL: Result<ReturnsRef, ReturnsError> =
                Ok(ReturnsRef::One(SqlMappingRef::As("anyelement")));
        }
    };
}
pub(super) use declared_in_sql;

declared_in_sql!(Value);
declared_in_sql!(Encoded);
