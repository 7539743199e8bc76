//! A row as its changes lead to it: the one place that says what a change does to a row,
//! whether it is applied to a table or the log is read again.

use std::collections::{BTreeMap, BTreeSet};

use super::{PlainRow, RowAction, RowChange, RowMeta};
use crate::{AnyState, CrdtError, TableSchema};

/// What is known of a row. Default: never heard of.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RowState {
    /// Causal length and stamp of the plain columns.
    pub meta: RowMeta,
    /// CRDT columns by their place in the schema; those that are NULL are left out.
    pub states: BTreeMap<u16, AnyState>,
    /// The plain columns, where they are known; then `meta.stamp` is theirs.
    pub plain: Option<PlainRow>,
}

/// What a change did to a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Joined {
    /// It speaks of an earlier life of the row, which is over.
    Nothing,
    /// It begins another life: nothing of the one before is left, and columns without a state
    /// are NULL.
    Life,
    /// These CRDT columns have another state; the plain columns are the change's if `plain`.
    Columns {
        /// Places in the schema.
        states: BTreeSet<u16>,
        /// Whether the change's plain columns are the newer ones.
        plain: bool,
    },
}

impl RowState {
    /// Joins a change, with its deltas decoded.
    ///
    /// The greater causal length wins whole. At equal ones the deltas join by their types and
    /// the plain columns by their stamps; a tie of stamps goes by [`PlainRow::rank`] if the
    /// row's own are known, and else to the row.
    ///
    /// # Errors
    /// Deltas that do not fit what is there; the row is then as before.
    pub fn join(
        &mut self,
        change: &RowChange,
        deltas: Vec<(u16, AnyState)>,
    ) -> Result<Joined, CrdtError> {
        if change.causal_length < self.meta.causal_length {
            return Ok(Joined::Nothing);
        }
        if change.causal_length > self.meta.causal_length {
            *self = Self {
                meta: RowMeta {
                    causal_length: change.causal_length,
                    stamp: change.plain.as_ref().map(|plain| plain.stamp),
                },
                states: deltas.into_iter().collect(),
                plain: change.plain.clone(),
            };
            return Ok(Joined::Life);
        }
        let mut joined = Vec::with_capacity(deltas.len());
        for (column, delta) in deltas {
            let state = match self.states.get(&column) {
                Some(before) => before.join(&delta)?,
                None => delta,
            };
            if self.states.get(&column) != Some(&state) {
                joined.push((column, state));
            }
        }
        let states = joined.iter().map(|(column, _)| *column).collect();
        self.states.extend(joined);
        let newer = change.plain.as_ref().filter(|plain| self.is_older(plain));
        if let Some(plain) = newer {
            self.meta.stamp = Some(plain.stamp);
            self.plain = Some(plain.clone());
        }
        Ok(Joined::Columns {
            states,
            plain: newer.is_some(),
        })
    }

    fn is_older(&self, plain: &PlainRow) -> bool {
        match (&self.plain, self.meta.stamp) {
            (Some(own), _) => own.rank(plain).is_lt(),
            (None, stamp) => stamp.is_none_or(|stamp| stamp < plain.stamp),
        }
    }

    /// Joins all that is known of the row elsewhere.
    ///
    /// # Errors
    /// States of different types.
    pub fn join_state(&mut self, other: &Self) -> Result<Joined, CrdtError> {
        let change = RowChange {
            action: if other.meta.exists() {
                RowAction::Upsert
            } else {
                RowAction::Delete
            },
            causal_length: other.meta.causal_length,
            key: Vec::new(),
            deltas: Vec::new(),
            plain: other.plain.clone(),
            actor: String::new(),
            application: String::new(),
            transaction: 0,
        };
        let states = other.states.clone();
        self.join(&change, states.into_iter().collect())
    }
}

impl RowChange {
    /// The deltas, decoded but not checked against their author.
    ///
    /// # Errors
    /// A column that is no CRDT column of the schema, bytes that are no state of its type.
    pub fn states(&self, schema: &TableSchema) -> Result<Vec<(u16, AnyState)>, CrdtError> {
        let states = self.deltas.iter().map(|(column, bytes)| {
            let kind = schema
                .crdt_kind(*column)
                .ok_or(CrdtError::NoCrdtColumn(*column))?;
            Ok((*column, AnyState::decode(kind, bytes)?))
        });
        states.collect()
    }
}
