//! `pn_counter`: a bigint that all nodes add to. `definition` declares the
//! type, the other files its functions by concern.

mod aggregates;
mod casts;
mod comparison;
mod definition;
mod lattice;
mod operators;

use super::stored::Stored;
use super::{refusal, text_binary};
use crdt::{CrdtError, PnCounter};
use std::ffi::CStr;

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

/// Reads the text form.
fn input(text: &CStr) -> Counter {
    Stored::new(&text_binary::input(text, EXAMPLE))
}
