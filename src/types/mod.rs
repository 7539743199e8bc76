//! What SQL sees of the CRDT types: one folder per type, its files by concern.
//!
//! A value is settled state plus an unsettled change. Operators, casts and
//! literals only write the change, so they are pure and IMMUTABLE; the guard of
//! a tracked table settles it under the row lock. Comparison is by value: two
//! states with one value are equal, as `WHERE title = 'x'` asks for.
//!
//! `stored` is the datum; `text_binary`, `lattice` and `comparison` hold what
//! all types have alike, `aggregate` the aggregates, `gin` the inverted indexes; `json` passes JSON through without loss; `refusal`
//! words the errors.

mod aggregate;
mod comparison;
mod gin;
mod json;
mod lattice;
mod lww_register;
mod or_set;
mod pn_counter;
pub mod refusal;
mod stored;
mod text_binary;

use pgrx::prelude::*;

extension_sql!(
    r#"
CREATE TYPE pn_counter;
CREATE TYPE or_set;
CREATE TYPE lww_register;
"#,
    name = "shell_types"
);
