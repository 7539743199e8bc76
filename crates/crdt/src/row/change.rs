//! What one transaction did to one row.

use std::collections::BTreeMap;

use super::{PlainRow, layout};
use crate::{AnyState, CrdtError, DecodeError, EncodeError, Hlc, ReplicaId, RowFault, TableSchema};

/// Whether the row stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum RowAction {
    /// Inserted or updated; the causal length is odd.
    Upsert = 1,
    /// Deleted; the causal length is even and there are no values.
    Delete = 2,
}

/// The change of one row; the payload of an op of kind delta. Columns are known by their place
/// in [`TableSchema::columns`], from 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowChange {
    /// Whether the row stays.
    pub action: RowAction,
    /// Of the row after the change.
    pub causal_length: u32,
    /// The binary value of each column of the key, in the key's order.
    pub key: Vec<Vec<u8>>,
    /// CRDT column and encoded settled delta, columns ascending.
    pub deltas: Vec<(u16, Vec<u8>)>,
    /// The plain columns, if one of them changed.
    pub plain: Option<PlainRow>,
    /// Who did it: the database role.
    pub actor: String,
    /// From which application: application_name.
    pub application: String,
    /// The origin's transaction id: changes of one transaction share it.
    pub transaction: u64,
}

impl RowChange {
    /// The canonical encoding.
    ///
    /// # Errors
    /// What could not be read back: beyond the limits, columns out of order, a delete with
    /// values.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        layout::encode(self)
    }

    /// From [`RowChange::encode`]; anything else, or beyond the limits, is an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        layout::decode(bytes)
    }

    /// Both changes as one. The greater causal length wins whole; at equal ones deltas join by
    /// their types and the plain columns by [`PlainRow::rank`]. Actor, application and
    /// transaction are those of the winner, at equal causal lengths of `later`.
    ///
    /// # Errors
    /// Different keys, columns that the schema does not have, deltas that are no states.
    pub fn join(&self, later: &Self, schema: &TableSchema) -> Result<Self, CrdtError> {
        if self.key != later.key {
            return Err(CrdtError::KeyMismatch);
        }
        if self.causal_length != later.causal_length {
            let later_wins = self.causal_length < later.causal_length;
            return Ok(if later_wins {
                later.clone()
            } else {
                self.clone()
            });
        }
        let mut deltas: BTreeMap<u16, Vec<u8>> = self.deltas.iter().cloned().collect();
        for (column, delta) in &later.deltas {
            let joined = match deltas.get(column) {
                Some(held) => {
                    let kind = schema
                        .crdt_kind(*column)
                        .ok_or(CrdtError::NoCrdtColumn(*column))?;
                    AnyState::decode(kind, held)?
                        .join(&AnyState::decode(kind, delta)?)?
                        .encode()
                }
                None => delta.clone(),
            };
            deltas.insert(*column, joined);
        }
        let plain = match (&self.plain, &later.plain) {
            (Some(a), Some(b)) => Some(if a.rank(b).is_lt() { b } else { a }),
            (a, b) => a.as_ref().or(b.as_ref()),
        };
        Ok(Self {
            deltas: deltas.into_iter().collect(),
            plain: plain.cloned(),
            ..later.clone()
        })
    }

    /// Whether `author` may have made this change to a table of this shape, at the time
    /// `until` of its op, on top of the receiver's states in `row` (empty if the row is new or
    /// of a lesser causal length). Returns the deltas, decoded.
    pub fn check(
        &self,
        schema: &TableSchema,
        author: ReplicaId,
        until: Hlc,
        row: &BTreeMap<u16, AnyState>,
    ) -> Result<Vec<(u16, AnyState)>, RowFault> {
        let (actual, expected) = (self.key.len(), schema.key.len());
        if actual != expected {
            return Err(RowFault::KeyColumns { actual, expected });
        }
        if let Some(plain) = &self.plain {
            check_plain(plain, schema, author)?;
        }
        let mut latest = self
            .plain
            .as_ref()
            .map_or(Hlc::default(), |plain| plain.stamp.hlc);
        let mut deltas = Vec::with_capacity(self.deltas.len());
        for (column, bytes) in &self.deltas {
            let column = *column;
            let kind = schema
                .crdt_kind(column)
                .ok_or(RowFault::NoCrdtColumn(column))?;
            let delta = AnyState::decode(kind, bytes)
                .map_err(|fault| RowFault::Decode { column, fault })?;
            AnyState::check_delta(&delta, author, row.get(&column))
                .map_err(|fault| RowFault::Delta { column, fault })?;
            latest = latest.max(delta.latest());
            deltas.push((column, delta));
        }
        if latest > until {
            return Err(RowFault::Late {
                actual: latest,
                limit: until,
            });
        }
        Ok(deltas)
    }
}

fn check_plain(plain: &PlainRow, schema: &TableSchema, author: ReplicaId) -> Result<(), RowFault> {
    if plain.stamp.replica != author {
        return Err(RowFault::ForeignStamp(plain.stamp.replica));
    }
    let mut expected = schema.plain_columns();
    for (column, value) in &plain.values {
        match expected.next() {
            Some(next) if next == *column => (),
            Some(next) if next < *column => return Err(RowFault::MissingPlainColumn(next)),
            _ => return Err(RowFault::NoPlainColumn(*column)),
        }
        let not_null = schema.column(*column).is_some_and(|column| column.not_null);
        if value.is_none() && not_null {
            return Err(RowFault::NullValue(*column));
        }
    }
    match expected.next() {
        Some(next) => Err(RowFault::MissingPlainColumn(next)),
        None => Ok(()),
    }
}
