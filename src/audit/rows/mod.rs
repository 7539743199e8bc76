//! Tracked rows as the log tells them: `verify_table`, `crdt_history`,
//! `crdt_as_of_block` and the like.
//!
//! `subject` is the table that is asked about, `shape` puts it into words.
//! `ops` reads what the log and the outbox say of it, `eras` tells what was
//! said before it was last untracked, `fold` joins it to a row. `compare` holds
//! a folded row against the live one, `bounds` where the log does not say all; `verify` does so for a whole table, row by
//! row; `history` and `as_of` show rows as they were.

mod as_of;
mod bounds;
mod compare;
mod eras;
mod fold;
mod history;
mod names;
mod ops;
mod shape;
mod subject;
mod verify;

pub use shape::Shape;
pub use subject::Subject;
