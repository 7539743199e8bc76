//! State, merge, difference, settling.

use super::Register;
use crate::types::json::Jsonb;
use crate::types::lattice;
use pgrx::prelude::*;

#[pg_extern(immutable, parallel_safe, name = "crdt_state")]
fn lww_register_state(register: Register) -> Jsonb {
    lattice::state(&register)
}

#[pg_extern(immutable, parallel_safe, name = "crdt_merge")]
fn lww_register_merge(a: Register, b: Register) -> Register {
    lattice::merge(a, b)
}

#[pg_extern(immutable, parallel_safe, name = "crdt_delta")]
fn lww_register_delta(old: Option<Register>, new: Option<Register>) -> Option<Register> {
    lattice::delta(old, new)
}

#[pg_extern(volatile, parallel_unsafe, name = "crdt_settle")]
fn lww_register_settle(register: Register) -> Register {
    lattice::settle(register)
}

extension_sql!(
    r#"
CREATE AGGREGATE crdt_merge(lww_register) (
    SFUNC = crdt_merge, STYPE = lww_register, COMBINEFUNC = crdt_merge, PARALLEL = SAFE
);
"#,
    name = "lww_register_aggregates",
    requires = [lww_register_merge]
);
