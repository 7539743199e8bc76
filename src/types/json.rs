//! JSON in and out of SQL as text, so that no digit of a number is lost on the
//! way, and PostgreSQL's own canonical form of it.

use crate::error::OrCorrupt;
use crdt::json;
use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::{Datum, FromDatum, IntoDatum};
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{direct_function_call, direct_function_call_as_datum, pg_sys};
use std::cmp::Ordering;
use std::ffi::{CStr, CString};

/// A jsonb value by its text.
pub struct Jsonb(pub String);

/// A json value by its text.
pub struct Json(pub String);

impl Jsonb {
    /// The value as PostgreSQL holds it; what is no jsonb raises its error.
    pub fn datum(&self) -> pg_sys::Datum {
        let text = CString::new(self.0.as_str()).or_corrupt("JSON with a NUL character");
        // SAFETY: jsonb_in takes a C string.
        unsafe { direct_function_call_as_datum(pg_sys::jsonb_in, &[text.as_c_str().into_datum()]) }
            .or_corrupt("jsonb_in returned null")
    }

    /// The text that PostgreSQL prints: numbers in its notation, so that equal
    /// values written in different ways become equal text.
    pub fn canonical(&self) -> String {
        // SAFETY: a datum of jsonb.
        unsafe { Self::from_datum(self.datum(), false) }
            .or_corrupt("jsonb is null")
            .0
    }
}

/// How a value's JSON compares with one from SQL; what nests too deep for our
/// types equals none of them.
pub fn compare(shown: &str, value: &Jsonb) -> Ordering {
    match (json::canonical(shown), json::canonical(&value.0)) {
        (Ok(shown), Ok(value)) => json::compare(&shown, &value),
        _ => Ordering::Less,
    }
}

impl FromDatum for Jsonb {
    unsafe fn from_polymorphic_datum(
        datum: pg_sys::Datum,
        is_null: bool,
        _type: pg_sys::Oid,
    ) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: the caller passes a jsonb; the C string is copied and freed.
        unsafe {
            let text = direct_function_call::<&CStr>(pg_sys::jsonb_out, &[Some(datum)])?;
            let value = Self(text.to_string_lossy().into_owned());
            pg_sys::pfree(text.as_ptr().cast_mut().cast());
            Some(value)
        }
    }
}

impl IntoDatum for Jsonb {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        Some(self.datum())
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::JSONBOID
    }
}

// SAFETY: the datum is read as the jsonb that it is declared to be.
unsafe impl<'fcx> ArgAbi<'fcx> for Jsonb {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        let index = arg.index();
        // SAFETY: the SQL declaration gives the argument this type.
        unsafe { arg.unbox_arg_using_from_datum() }
            .unwrap_or_else(|| panic!("argument {index} must not be null"))
    }
}

// SAFETY: jsonb_in made the datum in the caller's memory context.
unsafe impl BoxRet for Jsonb {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        // SAFETY: a datum of jsonb.
        unsafe { fcinfo.return_raw_datum(self.datum()) }
    }
}

// SAFETY: text and json have one layout; the text is JSON.
unsafe impl BoxRet for Json {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        // SAFETY: as above.
        unsafe { self.0.box_into(fcinfo) }
    }
}

// SAFETY: read and made as jsonb above.
unsafe impl SqlTranslatable for Jsonb {
    const TYPE_IDENT: &'static str = "jsonb";
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::As("jsonb"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> =
        Ok(ReturnsRef::One(SqlMappingRef::As("jsonb")));
}

// SAFETY: made as json above; never an argument.
unsafe impl SqlTranslatable for Json {
    const TYPE_IDENT: &'static str = "json";
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> =
        Err(ArgumentError::NotValidAsArgument("json"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> =
        Ok(ReturnsRef::One(SqlMappingRef::As("json")));
}
