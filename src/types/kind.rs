//! Which CRDT type a call is about. One function of this library serves all
//! types of a family; each SQL function that is declared for it names its type.

use crate::error::OrCorrupt;
use crdt::{AnyState, ColumnKind};
use pgrx::pg_sys;

/// Runs `$result` with `$T` for the type of a kind, one of those named.
macro_rules! dispatch {
    ($kind:expr, [$($type:ident)|+], $T:ident => $result:expr) => {
        match $kind {
            $(::crdt::ColumnKind::$type => {
                type $T = ::crdt::$type;
                $result
            })+
            _ => $crate::error::corrupt("a function that is declared for another type"),
        }
    };
}
pub(super) use dispatch;

/// The first CRDT type among the types of the called function's arguments and
/// its result.
///
/// # Safety
/// `fcinfo` must be that of a running call of one of this library's SQL
/// functions.
pub unsafe fn of_call(fcinfo: pg_sys::FunctionCallInfo) -> ColumnKind {
    // SAFETY: flinfo outlives the call. Nobody else uses fn_extra of these
    // functions; it keeps the code of the kind, which is no address, and is
    // NULL at first.
    unsafe {
        let flinfo = (*fcinfo).flinfo;
        let known = (*flinfo).fn_extra.addr();
        if let Some(kind) = u8::try_from(known).ok().filter(|code| *code > 0) {
            return ColumnKind::of(kind).or_corrupt("the kind of a call");
        }
        let kind = declared((*flinfo).fn_oid);
        (*flinfo).fn_extra = std::ptr::without_provenance_mut(usize::from(kind as u8));
        kind
    }
}

unsafe fn declared(function: pg_sys::Oid) -> ColumnKind {
    let (mut types, mut count) = (std::ptr::null_mut(), 0);
    // SAFETY: a look-up in the catalog cache; `types` is a palloc'd copy of
    // `count` oids.
    let types = unsafe {
        let result = pg_sys::get_func_signature(function, &mut types, &mut count);
        let count = usize::try_from(count).unwrap_or_default();
        let arguments = match types.is_null() {
            true => &[][..],
            false => std::slice::from_raw_parts(types, count),
        };
        [arguments, &[result]].concat()
    };
    types
        .into_iter()
        .find_map(of_type)
        .or_corrupt("a function that is declared for no CRDT type")
}

/// The kind of a SQL type by its name; None for other types.
pub fn of_type(oid: pg_sys::Oid) -> Option<ColumnKind> {
    // SAFETY: a look-up in the type cache; the name is read before release.
    unsafe {
        let cache = i32::try_from(pg_sys::SysCacheIdentifier::TYPEOID).unwrap_or_default();
        let tuple = pg_sys::SearchSysCache1(cache, oid.into());
        if tuple.is_null() {
            return None;
        }
        let form = pg_sys::GETSTRUCT(tuple).cast::<pg_sys::FormData_pg_type>();
        let kind = AnyState::kind_of_type(pgrx::name_data_to_str(&(*form).typname));
        pg_sys::ReleaseSysCache(tuple);
        kind
    }
}
