//! `c + 5`, `5 + c`, `c - 5`, `#c`.

use super::{Counter, need_value};
use crate::types::refusal;
use crate::types::stored::Stored;
use pgrx::prelude::*;

#[pg_operator(immutable, parallel_safe)]
#[opname(+)]
#[commutator(+)]
fn pn_counter_add(counter: Counter, amount: i64) -> Counter {
    match crdt::pn_counter::add_to_bytes(counter.bytes(), amount) {
        Ok(bytes) => Stored::from_bytes(&bytes),
        Err(error) => refusal::change(&error),
    }
}

#[pg_operator(immutable, parallel_safe)]
#[opname(+)]
#[commutator(+)]
fn bigint_add_pn_counter(amount: i64, counter: Counter) -> Counter {
    pn_counter_add(counter, amount)
}

#[pg_operator(immutable, parallel_safe)]
#[opname(-)]
fn pn_counter_sub(counter: Counter, amount: i64) -> Counter {
    match amount.checked_neg() {
        Some(amount) => pn_counter_add(counter, amount),
        None => match counter.decode().sub(amount) {
            Ok(lowered) => Stored::new(&lowered),
            Err(error) => refusal::change(&error),
        },
    }
}

#[pg_extern(immutable, parallel_safe, name = "crdt_value")]
fn pn_counter_value(counter: Counter) -> i64 {
    need_value(&counter)
}

extension_sql!(
    r#"
CREATE OPERATOR # (FUNCTION = crdt_value, RIGHTARG = pn_counter);
"#,
    name = "pn_counter_operators",
    requires = [pn_counter_value]
);
