//! Functions that PostgreSQL calls by its own convention, where the wrappers of
//! `#[pg_extern]` do not fit: triggers, support functions of aggregates and
//! indexes.

use pgrx::pg_sys;

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
