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

/// `crdt_merge(a, b)`, and what the aggregate runs for each row and for each
/// two partial results.
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
