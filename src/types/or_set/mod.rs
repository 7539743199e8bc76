//! `or_set`: a set of texts that all nodes add to and remove from. `definition`
//! declares the type, the other files its functions by concern.

mod casts;
mod comparison;
mod definition;
mod index;
mod lattice;
mod operators;

use super::stored::Stored;
use super::text_binary;
use crdt::OrSet;
use std::ffi::CStr;

/// A plain literal, for hints.
const EXAMPLE: &str = "'{a,\"b c\"}'";

/// The SQL type.
type Set = Stored<OrSet>;

/// Reads the text form.
fn input(text: &CStr) -> Set {
    Stored::new(&text_binary::input(text, EXAMPLE))
}
