//! `or_set`: a set of texts that all nodes add to and remove from. `definition`
//! declares the type, the other files its functions by concern.

mod casts;
mod comparison;
mod definition;
mod lattice;
mod operators;

use super::stored::Stored;
use crdt::OrSet;

/// A plain literal, for hints.
const EXAMPLE: &str = "'{a,\"b c\"}'";

/// The SQL type.
type Set = Stored<OrSet>;
