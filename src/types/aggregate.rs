//! The support functions of the aggregate `crdt_merge(x)`, one set for all types.

use super::{kind, refusal};
use crate::error::OrCorrupt;
use crate::function::{argument, null, v1_function};
use crate::track::table::bytes_of;
use crdt::{AnyState, Cascade, ColumnKind};
use pgrx::{FromDatum, IntoDatum, PgMemoryContexts, PgSqlErrorCode, pg_sys};

v1_function!(crdt_merge_step, pg_finfo_crdt_merge_step, step);
v1_function!(crdt_merge_combine, pg_finfo_crdt_merge_combine, combine);
v1_function!(
    crdt_merge_serialize,
    pg_finfo_crdt_merge_serialize,
    serialize
);
v1_function!(
    crdt_merge_deserialize,
    pg_finfo_crdt_merge_deserialize,
    deserialize
);
v1_function!(crdt_merge_final, pg_finfo_crdt_merge_final, finish);

/// What an aggregate holds between rows.
struct Merging {
    kind: ColumnKind,
    states: Cascade,
}

impl Merging {
    fn push(&mut self, state: AnyState) {
        self.states
            .push(state)
            .unwrap_or_else(|error| refusal::change(&error));
    }

    fn finish(&self) -> Option<AnyState> {
        self.states
            .finish()
            .unwrap_or_else(|error| refusal::change(&error))
    }

    /// Lays it into the memory of the aggregate.
    unsafe fn keep(self, fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
        let mut context = std::ptr::null_mut();
        // SAFETY: `fcinfo` is that of a running call; the context outlives it.
        unsafe {
            if pg_sys::AggCheckCallContext(fcinfo, &mut context) == 0 {
                crate::error::raise(
                    PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
                    "this function works only within an aggregate",
                    "SELECT crdt_merge(column) FROM table uses it.",
                );
            }
            PgMemoryContexts::For(context)
                .leak_and_drop_on_delete(self)
                .into()
        }
    }
}

/// (internal, anyelement) → internal.
unsafe fn step(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the first argument is what `keep` made, the second a value of
    // one of our types.
    unsafe {
        let held = argument(fcinfo, 0);
        let Some(value) = argument(fcinfo, 1) else {
            return held.unwrap_or_else(|| null(fcinfo));
        };
        let mut fresh = None;
        let merging = match held {
            Some(held) => &mut *held.cast_mut_ptr::<Merging>(),
            None => fresh.insert(Merging {
                kind: kind::of_type(pg_sys::get_fn_expr_argtype((*fcinfo).flinfo, 1))
                    .or_corrupt("the type of an aggregate's argument"),
                states: Cascade::default(),
            }),
        };
        merging.push(AnyState::decode(merging.kind, &bytes_of(value)).or_corrupt("a CRDT value"));
        match (held, fresh) {
            (Some(held), _) => held,
            (None, Some(fresh)) => fresh.keep(fcinfo),
            (None, None) => null(fcinfo),
        }
    }
}

/// (internal, internal) → internal.
unsafe fn combine(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: both arguments are what `keep` made.
    unsafe {
        let (left, right) = (argument(fcinfo, 0), argument(fcinfo, 1));
        let Some(other) = right.map(|right| &*right.cast_mut_ptr::<Merging>()) else {
            return left.unwrap_or_else(|| null(fcinfo));
        };
        let Some(left) = left else {
            let states = other.states.clone();
            let kind = other.kind;
            return Merging { kind, states }.keep(fcinfo);
        };
        if let Some(state) = other.finish() {
            (*left.cast_mut_ptr::<Merging>()).push(state);
        }
        left
    }
}

/// (internal) → bytea: u8 kind ‖ encoded state.
unsafe fn serialize(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the argument is what `keep` made.
    unsafe {
        let Some(held) = argument(fcinfo, 0) else {
            return null(fcinfo);
        };
        let merging = &*held.cast_mut_ptr::<Merging>();
        let mut bytes = vec![merging.kind as u8];
        if let Some(state) = merging.finish() {
            bytes.extend_from_slice(&state.encode());
        }
        bytes.into_datum().unwrap_or_else(|| null(fcinfo))
    }
}

/// (bytea, internal) → internal.
unsafe fn deserialize(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the argument is what `serialize` made in another process.
    unsafe {
        let Some(bytes) = argument(fcinfo, 0).and_then(|it| Vec::<u8>::from_datum(it, false))
        else {
            return null(fcinfo);
        };
        let (code, state) = bytes.split_first().or_corrupt("a partial aggregate");
        let kind = ColumnKind::of(*code).or_corrupt("a partial aggregate");
        let mut merging = Merging {
            kind,
            states: Cascade::default(),
        };
        merging.push(AnyState::decode(kind, state).or_corrupt("a partial aggregate"));
        merging.keep(fcinfo)
    }
}

/// (internal, anyelement) → anyelement.
unsafe fn finish(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the argument is what `keep` made; the result is of the type of
    // the aggregate's argument.
    unsafe {
        argument(fcinfo, 0)
            .and_then(|held| (*held.cast_mut_ptr::<Merging>()).finish())
            .and_then(|state| state.encode().into_datum())
            .unwrap_or_else(|| null(fcinfo))
    }
}
