//! What every type has for being a lattice: its state for people, merge,
//! difference, settling, reset, compaction.

use super::json::Jsonb;
use super::refusal;
use super::value::{Encoded, Value};
use crate::error::raise;
use crate::track::guard::ThisNode;
use crdt::{AnyState, Crdt, CrdtError, VectorClock};
use pgrx::prelude::*;

/// `crdt_state(x)`.
#[pg_extern(sql = false)]
fn crdt_state_json(value: Value) -> Jsonb {
    Jsonb(value.decode().to_json())
}

/// `crdt_merge(a, b)`.
#[pg_extern(sql = false)]
fn crdt_least_upper_bound(a: Value, b: Value) -> Encoded {
    if a.bytes() == b.bytes() {
        return Encoded::new(a.bytes().to_vec());
    }
    encoded(a.decode().join(&b.decode()))
}

fn encoded(result: Result<AnyState, CrdtError>) -> Encoded {
    match result {
        Ok(state) => Encoded::new(state.encode()),
        Err(error) => refusal::change(&error),
    }
}

/// `crdt_delta(old, new)`: what merged into `old` gives `new`; NULL if they
/// are equal. All of `new` if `old` is NULL.
#[pg_extern(sql = false)]
fn crdt_difference(old: Option<Value>, new: Option<Value>) -> Option<Encoded> {
    let new = settled(&new?);
    let old = old.as_ref().map(settled);
    if let Some(old) = &old
        && old.join(&new).as_ref() != Ok(&new)
    {
        raise(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            "the new state does not descend from the old one",
            "crdt_delta(old, crdt_merge(old, new)) gives what merging would bring.",
        );
    }
    AnyState::delta(old.as_ref(), &new).map(|delta| Encoded::new(delta.encode()))
}

fn settled(value: &Value) -> AnyState {
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

/// `crdt_assign(read, value)`: the state that was read, led to a plain value.
#[pg_extern(sql = false)]
fn crdt_led(read: Value, value: Value) -> Encoded {
    encoded(read.decode().led_to(&value.decode()))
}

/// `crdt.led_from(now, read, wanted)`: what a view of plain values writes.
#[pg_extern(sql = false)]
fn crdt_led_from(now: Value, read: Value, wanted: Value) -> Encoded {
    encoded(now.decode().led_from(&read.decode(), &wanted.decode()))
}

/// `crdt_reset(x)` and `!x`.
#[pg_extern(sql = false)]
fn crdt_emptied(value: Value) -> Encoded {
    encoded(value.decode().reset())
}

/// `crdt_settle(x)`: carries the change out upon the value's own state.
#[pg_extern(sql = false)]
fn crdt_settled(value: Value) -> Encoded {
    let wanted = value.decode();
    if wanted.is_settled() {
        return Encoded::new(value.bytes().to_vec());
    }
    // Over nothing at all a literal may say more than over an empty state.
    let state = AnyState::delta(None, &wanted);
    let state = state.filter(|state| AnyState::bottom(value.kind()).as_ref() != Some(state));
    encoded(AnyState::settle(
        state.as_ref(),
        &wanted,
        &mut ThisNode::of_value(),
    ))
}

/// `crdt_version(x)`: of each replica the latest event that the state shows.
#[pg_extern(sql = false)]
fn crdt_seen(value: Value) -> Encoded {
    Encoded::of(&VectorClock::assign(value.decode().version()))
}

/// `crdt_compact(x, seen)`: folds what removed elements and departed replicas
/// left behind, given what all nodes have seen.
#[pg_extern(sql = false)]
fn crdt_folded(value: Value, seen: &[u8]) -> Encoded {
    let seen = VectorClock::decode(seen).unwrap_or_else(|error| crate::error::corrupt(error));
    encoded(value.decode().compact(&seen.vector()))
}
