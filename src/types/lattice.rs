//! What every type has for being a lattice: its state for people, merge,
//! difference, settling.

use super::json::Jsonb;
use super::refusal;
use super::stored::Stored;
use crate::error::raise;
use crate::track::guard::ThisNode;
use crdt::Crdt;
use pgrx::PgSqlErrorCode;

/// `crdt_state(x)`.
pub fn state<T: Crdt>(value: &Stored<T>) -> Jsonb {
    Jsonb(value.decode().to_json())
}

/// `crdt_merge(a, b)`.
pub fn merge<T: Crdt>(a: Stored<T>, b: Stored<T>) -> Stored<T> {
    if a.bytes() == b.bytes() {
        return a;
    }
    match a.decode().join(&b.decode()) {
        Ok(joined) => Stored::new(&joined),
        Err(error) => refusal::change(&error),
    }
}

/// `crdt_delta(old, new)`: what merged into `old` gives `new`; NULL if they
/// are equal. All of `new` if `old` is NULL.
pub fn delta<T: Crdt>(old: Option<Stored<T>>, new: Option<Stored<T>>) -> Option<Stored<T>> {
    let new = settled(new?);
    let old = old.map(settled);
    if let Some(old) = &old
        && old.join(&new).as_ref() != Ok(&new)
    {
        raise(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            "the new state does not descend from the old one",
            "crdt_delta(old, crdt_merge(old, new)) gives what merging would bring.",
        );
    }
    T::delta(old.as_ref(), &new).map(|delta| Stored::new(&delta))
}

fn settled<T: Crdt>(value: Stored<T>) -> T {
    let value = value.decode();
    if !value.is_settled() {
        raise(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            "a difference is taken between settled states",
            "crdt_settle(x) carries out a change; a tracked table does so at each write.",
        );
    }
    value
}

/// `crdt_reset(x)` and `!x`.
pub fn reset<T: Crdt>(value: &Stored<T>) -> Stored<T> {
    match value.decode().reset() {
        Ok(reset) => Stored::new(&reset),
        Err(error) => refusal::change(&error),
    }
}

/// `crdt_settle(x)`: carries the change out upon the value's own state.
pub fn settle<T: Crdt>(value: Stored<T>) -> Stored<T> {
    let wanted = value.decode();
    if wanted.is_settled() {
        return value;
    }
    let state = T::delta(None, &wanted);
    match T::settle(state.as_ref(), &wanted, &mut ThisNode::of_value()) {
        Ok(settled) => Stored::new(&settled),
        Err(error) => refusal::change(&error),
    }
}

/// Declares what a type has for being a lattice; `$sql` holds its operator `!`
/// and the aggregate.
macro_rules! lattice_functions {
    (
        $type:ident, $name:literal;
        $state:ident, $merge:ident, $delta:ident, $settle:ident, $reset:ident;
        $lattice:literal $sql:literal
    ) => {
        #[::pgrx::pg_extern(immutable, parallel_safe, name = "crdt_state")]
        fn $state(value: $type) -> $crate::types::json::Jsonb {
            $crate::types::lattice::state(&value)
        }

        #[::pgrx::pg_extern(immutable, parallel_safe, name = "crdt_merge")]
        fn $merge(a: $type, b: $type) -> $type {
            $crate::types::lattice::merge(a, b)
        }

        #[::pgrx::pg_extern(immutable, parallel_safe, name = "crdt_delta")]
        fn $delta(old: Option<$type>, new: Option<$type>) -> Option<$type> {
            $crate::types::lattice::delta(old, new)
        }

        #[::pgrx::pg_extern(volatile, parallel_unsafe, name = "crdt_settle")]
        fn $settle(value: $type) -> $type {
            $crate::types::lattice::settle(value)
        }

        #[::pgrx::pg_extern(immutable, parallel_safe, name = "crdt_reset")]
        fn $reset(value: $type) -> $type {
            $crate::types::lattice::reset(&value)
        }

        ::pgrx::extension_sql!(
            $sql,
            name = $lattice,
            requires = [$name, "merge_support", $reset]
        );
    };
}
pub(super) use lattice_functions;
