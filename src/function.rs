//! Functions that PostgreSQL calls by its own convention, where the wrappers of
//! `#[pg_extern]` do not fit: triggers, support functions of aggregates and
//! indexes.

use crate::error::raise;
use pgrx::{PgSqlErrorCode, pg_sys};

/// Declares a function of PostgreSQL's version 1 call convention under
/// `$symbol`; `$finfo` must be `pg_finfo_$symbol`. `$body` is a
/// `unsafe fn(FunctionCallInfo) -> Datum`; its safety is that of a C function:
/// the SQL declaration must give it the arguments that it reads.
macro_rules! v1_function {
    ($symbol:ident, $finfo:ident, $body:path) => {
        #[doc(hidden)]
        #[unsafe(no_mangle)]
        pub extern "C" fn $finfo() -> &'static ::pgrx::pg_sys::Pg_finfo_record {
            const V1: ::pgrx::pg_sys::Pg_finfo_record =
                ::pgrx::pg_sys::Pg_finfo_record { api_version: 1 };
            &V1
        }

        #[doc(hidden)]
        #[::pgrx::pg_guard]
        #[unsafe(no_mangle)]
        pub unsafe extern "C-unwind" fn $symbol(
            fcinfo: ::pgrx::pg_sys::FunctionCallInfo,
        ) -> ::pgrx::pg_sys::Datum {
            // SAFETY: PostgreSQL calls this as a V1 function.
            unsafe { $body(fcinfo) }
        }
    };
}
pub(crate) use v1_function;

/// An argument of a call; None for NULL and beyond the last.
///
/// # Safety
/// `fcinfo` must be that of a running call.
pub unsafe fn argument(fcinfo: pg_sys::FunctionCallInfo, index: usize) -> Option<pg_sys::Datum> {
    // SAFETY: nargs arguments follow the structure.
    unsafe {
        if index >= usize::try_from((*fcinfo).nargs).unwrap_or_default() {
            return None;
        }
        let argument = (*fcinfo).args.as_ptr().add(index);
        (!(*argument).isnull).then(|| (*argument).value)
    }
}

/// The result NULL.
///
/// # Safety
/// `fcinfo` must be that of a running call.
pub unsafe fn null(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: by the contract.
    unsafe { (*fcinfo).isnull = true };
    pg_sys::Datum::null()
}

/// The rows of a set-returning function, kept by PostgreSQL, which moves them
/// to disk when there are many.
pub struct ResultRows {
    store: *mut pg_sys::Tuplestorestate,
    descriptor: pg_sys::TupleDesc,
    scratch: pg_sys::MemoryContext,
}

impl ResultRows {
    /// Begins the result of a call.
    ///
    /// # Safety
    /// `fcinfo` must be that of a running call of a function that is declared
    /// to return a set of a composite type.
    pub unsafe fn begin(fcinfo: pg_sys::FunctionCallInfo) -> Self {
        // SAFETY: by the contract; the result lives as long as the query.
        unsafe {
            let info = (*fcinfo).resultinfo.cast::<pg_sys::ReturnSetInfo>();
            let materialize = pg_sys::SetFunctionReturnMode::SFRM_Materialize;
            if info.is_null()
                || (*info).type_ != pg_sys::NodeTag::T_ReturnSetInfo
                || (*info).allowedModes as u32 & materialize == 0
            {
                raise(
                    PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
                    "a function that returns a set was called where no set can be taken",
                    "Call it in the FROM clause.",
                );
            }
            let scratch = pg_sys::AllocSetContextCreateExtended(
                pg_sys::CurrentMemoryContext,
                c"a row of a result".as_ptr(),
                0,
                8 << 10,
                8 << 20,
            );
            let before = pg_sys::MemoryContextSwitchTo((*(*info).econtext).ecxt_per_query_memory);
            let mut descriptor = std::ptr::null_mut();
            pg_sys::get_call_result_type(fcinfo, std::ptr::null_mut(), &mut descriptor);
            let descriptor = pg_sys::CreateTupleDescCopy(descriptor);
            let random = pg_sys::SetFunctionReturnMode::SFRM_Materialize_Random;
            let store = pg_sys::tuplestore_begin_heap(
                (*info).allowedModes as u32 & random != 0,
                false,
                pg_sys::work_mem,
            );
            pg_sys::MemoryContextSwitchTo(before);
            (*info).returnMode = materialize;
            (*info).setResult = store;
            (*info).setDesc = descriptor;
            Self {
                store,
                descriptor,
                scratch,
            }
        }
    }

    /// Adds the row that `make` gives: a value or NULL for each column. What it
    /// allocates is freed with it.
    pub fn add<const N: usize>(&mut self, make: impl FnOnce() -> [Option<pg_sys::Datum>; N]) {
        self.add_if(|| Some(make()));
    }

    /// Adds the row that `make` gives, if it gives one. What it allocates is
    /// freed in either case.
    pub fn add_if<const N: usize>(
        &mut self,
        make: impl FnOnce() -> Option<[Option<pg_sys::Datum>; N]>,
    ) {
        // SAFETY: the row is copied into the store before its memory is reset.
        unsafe {
            let before = pg_sys::MemoryContextSwitchTo(self.scratch);
            if let Some(row) = make() {
                assert_eq!(
                    (*self.descriptor).natts as usize,
                    N,
                    "one value for each column"
                );
                let mut values = row.map(|value| value.unwrap_or(pg_sys::Datum::null()));
                let mut nulls = row.map(|value| value.is_none());
                pg_sys::tuplestore_putvalues(
                    self.store,
                    self.descriptor,
                    values.as_mut_ptr(),
                    nulls.as_mut_ptr(),
                );
            }
            pg_sys::MemoryContextSwitchTo(before);
            pg_sys::MemoryContextReset(self.scratch);
        }
    }
}
