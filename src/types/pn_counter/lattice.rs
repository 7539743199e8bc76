//! State, merge, difference, settling.

use super::{Counter, need_value};
use crate::track::guard::ThisNode;
use crate::types::json::Jsonb;
use crate::types::stored::Stored;
use crate::types::{lattice, refusal};
use crdt::{Crdt, CrdtError, PnCounter};
use pgrx::prelude::*;

#[pg_extern(immutable, parallel_safe, name = "crdt_state")]
fn pn_counter_state(counter: Counter) -> Jsonb {
    lattice::state(&counter)
}

#[pg_extern(immutable, parallel_safe, name = "crdt_merge")]
fn pn_counter_merge(a: Counter, b: Counter) -> Counter {
    lattice::merge(a, b)
}

#[pg_extern(immutable, parallel_safe, name = "crdt_delta")]
fn pn_counter_delta(old: Option<Counter>, new: Option<Counter>) -> Option<Counter> {
    lattice::delta(old, new)
}

#[pg_extern(volatile, parallel_unsafe, name = "crdt_settle")]
fn pn_counter_settle(counter: Counter) -> Counter {
    let wanted = counter.decode();
    if wanted.is_settled() {
        return counter;
    }
    settled(&wanted, need_value(&counter))
        .map(|settled| Stored::new(&settled))
        .unwrap_or_else(|error| refusal::change(&error))
}

/// The state with the difference to `value` in a slot of its own. This node's
/// slot in the state must stay as it is: without a row lock two sessions might
/// move it from one state, and a merge would then keep only one of the moves.
fn settled(wanted: &PnCounter, value: i64) -> Result<PnCounter, CrdtError> {
    let state = PnCounter::delta(None, wanted).unwrap_or_default();
    let difference = value
        .checked_sub(state.value()?)
        .ok_or(CrdtError::Overflow)?;
    let added = PnCounter::assign(difference);
    state.join(&PnCounter::settle(None, &added, &mut ThisNode::author())?)
}

extension_sql!(
    r#"
CREATE AGGREGATE crdt_merge(pn_counter) (
    SFUNC = crdt_merge, STYPE = pn_counter, COMBINEFUNC = crdt_merge, PARALLEL = SAFE
);
"#,
    name = "pn_counter_aggregates",
    requires = [pn_counter_merge]
);
