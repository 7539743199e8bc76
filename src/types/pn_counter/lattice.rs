//! State, merge, difference, settling.

use super::Counter;
use crate::types::json::Jsonb;
use crate::types::lattice;
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
    lattice::settle(counter)
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
