//! State, merge, difference, settling.

use super::Set;
use crate::types::json::Jsonb;
use crate::types::lattice;
use pgrx::prelude::*;

#[pg_extern(immutable, parallel_safe, name = "crdt_state")]
fn or_set_state(set: Set) -> Jsonb {
    lattice::state(&set)
}

#[pg_extern(immutable, parallel_safe, name = "crdt_merge")]
fn or_set_merge(a: Set, b: Set) -> Set {
    lattice::merge(a, b)
}

#[pg_extern(immutable, parallel_safe, name = "crdt_delta")]
fn or_set_delta(old: Option<Set>, new: Option<Set>) -> Option<Set> {
    lattice::delta(old, new)
}

#[pg_extern(volatile, parallel_unsafe, name = "crdt_settle")]
fn or_set_settle(set: Set) -> Set {
    lattice::settle(set)
}

extension_sql!(
    r#"
CREATE AGGREGATE crdt_merge(or_set) (
    SFUNC = crdt_merge, STYPE = or_set, COMBINEFUNC = crdt_merge, PARALLEL = SAFE
);
"#,
    name = "or_set_aggregates",
    requires = [or_set_merge]
);
