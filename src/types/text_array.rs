//! An array of texts where SQL declares any array: PostgreSQL's own operators
//! on arrays take anyarray, and ours must not be preferred to them.

use super::value::declared_in_sql;
use crate::error::{OrCorrupt, raise};
use crate::function::argument;
use pgrx::callconv::{Arg, ArgAbi};
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{FromDatum, PgSqlErrorCode, pg_sys};
use std::collections::BTreeSet;

/// The elements of a text[] or varchar[]; an array of another type raises an
/// error.
pub struct TextArray(Vec<Option<String>>);

impl TextArray {
    /// The elements, None for NULL.
    pub fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        self.0.iter().map(Option::as_deref)
    }

    /// Each element once; None if one is NULL.
    pub fn distinct(&self) -> Option<BTreeSet<String>> {
        self.0.iter().cloned().collect()
    }
}

// SAFETY: the datum is read as the array that each SQL declaration promises,
// its elements only if they are texts.
unsafe impl<'fcx> ArgAbi<'fcx> for TextArray {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        let index = arg.index();
        // SAFETY: as above; the call is running.
        unsafe {
            let datum = argument(arg.unbox_unchecked(), index).or_corrupt("an array");
            let array = pg_sys::pg_detoast_datum(datum.cast_mut_ptr()).cast::<pg_sys::ArrayType>();
            if ![pg_sys::TEXTOID, pg_sys::VARCHAROID].contains(&(*array).elemtype) {
                raise(
                    PgSqlErrorCode::ERRCODE_DATATYPE_MISMATCH,
                    "a set of texts is compared with an array of another type",
                    "Cast the array to text[].",
                );
            }
            Self(Vec::from_datum(array.into(), false).or_corrupt("an array"))
        }
    }
}

declared_in_sql!(TextArray);
