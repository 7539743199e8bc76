//! How a value of a CRDT type lies in memory and on disk: a varlena that holds
//! exactly the canonical bytes of `crates/crdt`, so that whoever knows the
//! type may read the column as bytea.

use crate::error::OrCorrupt;
use crdt::Crdt;
use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::{Datum, FromDatum};
use pgrx::nullable::Nullable;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{pg_sys, varlena};
use std::marker::PhantomData;
use std::mem;

/// A value of the SQL type of `T`: an argument, or a result in the making.
pub struct Stored<T> {
    varlena: *mut pg_sys::varlena,
    /// Whether it was palloc'd here: index builds compare often within one
    /// memory context, so copies must not pile up.
    owned: bool,
    of: PhantomData<T>,
}

impl<T: Crdt> Stored<T> {
    /// The encoding of a value.
    pub fn new(value: &T) -> Self {
        Self::from_bytes(&value.encode())
    }

    /// From bytes that are an encoding already.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let varlena = varlena::rust_byte_slice_to_bytea(bytes).into_pg();
        Self {
            varlena,
            owned: true,
            of: PhantomData,
        }
    }

    /// The canonical bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: a detoasted varlena that lives as long as `self`.
        unsafe { varlena::varlena_to_byte_slice(self.varlena) }
    }

    /// The value. What a column holds came through a checked constructor, so
    /// bytes that are none are damage.
    pub fn decode(&self) -> T {
        T::decode(self.bytes()).or_corrupt(T::NAME)
    }
}

impl<T> Drop for Stored<T> {
    fn drop(&mut self) {
        if self.owned {
            // SAFETY: palloc'd here and not returned to PostgreSQL.
            unsafe { pg_sys::pfree(self.varlena.cast()) }
        }
    }
}

impl<T> FromDatum for Stored<T> {
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        _type: pg_sys::Oid,
    ) -> Option<Self> {
        if is_null || datum.is_null() {
            return None;
        }
        let given = datum.cast_mut_ptr::<pg_sys::varlena>();
        // SAFETY: the caller passes a datum of the type, hence a varlena.
        let varlena = unsafe { pg_sys::pg_detoast_datum_packed(given) };
        Some(Self {
            varlena,
            owned: varlena != given,
            of: PhantomData,
        })
    }
}

// SAFETY: the datum is read as what `SqlTranslatable` declares it to be.
unsafe impl<'fcx, T> ArgAbi<'fcx> for Stored<T> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        let index = arg.index();
        // SAFETY: the SQL declaration gives the argument this type.
        unsafe { arg.unbox_arg_using_from_datum() }
            .unwrap_or_else(|| panic!("argument {index} must not be null"))
    }

    unsafe fn unbox_nullable_arg(arg: Arg<'_, 'fcx>) -> Nullable<Self> {
        // SAFETY: as above.
        unsafe { arg.unbox_arg_using_from_datum() }.into()
    }
}

// SAFETY: the datum points to a varlena in the caller's memory context.
unsafe impl<T> BoxRet for Stored<T> {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        let datum = pg_sys::Datum::from(self.varlena);
        mem::forget(self);
        // SAFETY: a valid varlena, as the SQL declaration promises.
        unsafe { fcinfo.return_raw_datum(datum) }
    }
}

// SAFETY: the datum of the SQL type with this name is this type's varlena.
unsafe impl<T: Crdt> SqlTranslatable for Stored<T> {
    const TYPE_IDENT: &'static str = T::NAME;
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::ThisExtension;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::As(T::NAME));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> =
        Ok(ReturnsRef::One(SqlMappingRef::As(T::NAME)));
}
