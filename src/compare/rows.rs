//! Rows as people see them, by their places in the snapshot that was compared.

use super::digest::Place;
use super::row::RowState;
use crate::catalog;
use crate::track::table;
use crate::worker::subtransaction::attempt;
use ledger::digest_tree::Tag;
use pgrx::pg_sys;
use replica::message::MAX_TEXT_BYTES;

/// Longest key as text, in bytes; of a longer one the beginning.
const MAX_KEY_TEXT: usize = 2 << 10;

/// A row.
pub struct Shown {
    /// Its key.
    pub key_text: String,
    /// Its values as JSON text; `None` if that is too long, or cannot be had.
    pub values: Option<String>,
    /// Digests of its columns.
    pub columns: Vec<Tag>,
}

/// The row at a place. `None` if there is none, which cannot be while the
/// snapshot lasts.
pub fn show(relation: pg_sys::Oid, (block, offset): Place) -> Option<Shown> {
    let place = format!("({block},{offset})");
    let name = table::name_of(relation);
    let sql = format!("SELECT t FROM ONLY {name} t WHERE ctid = $1::text::tid");
    let mut shown = catalog::one(&sql, &[place.as_str().into()], |row| {
        // SAFETY: a whole row is a composite value, lent as long as the row.
        let state = unsafe { RowState::of_record(row.datum(1)?) };
        let mut key_text = state.key_text();
        key_text.truncate(key_text.floor_char_boundary(MAX_KEY_TEXT));
        Some(Shown {
            key_text,
            values: None,
            columns: state.columns(),
        })
    })??;
    let sql = format!(
        "SELECT (to_jsonb(t) - '{}')::text FROM ONLY {name} t WHERE ctid = $1::text::tid",
        table::META
    );
    // A state that was tampered with may not be readable; that is shown by
    // having no values, and must not end the comparison.
    let _unreadable = attempt(|| {
        let text = catalog::one(&sql, &[place.as_str().into()], |row| row.get::<String>(1));
        shown.values = text.flatten().filter(|text| text.len() <= MAX_TEXT_BYTES);
        Ok(())
    });
    Some(shown)
}
