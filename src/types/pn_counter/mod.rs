//! `pn_counter`: a bigint that all nodes add to. `definition` declares the
//! type, the other files its functions by concern.

mod casts;
mod comparison;
mod definition;
mod lattice;
mod operators;

use super::refusal;
use super::stored::Stored;
use crdt::{CrdtError, PnCounter};

/// A plain literal, for hints.
const EXAMPLE: &str = "'12'";

/// The SQL type.
type Counter = Stored<PnCounter>;

/// The value, read without building the counter.
fn value(counter: &Counter) -> Result<i64, CrdtError> {
    crdt::pn_counter::value_of_bytes(counter.bytes())
}

/// The value, or the error that it is beyond bigint.
fn need_value(counter: &Counter) -> i64 {
    value(counter).unwrap_or_else(|error| refusal::change(&error))
}
