//! The ops of one row joined, as applying them did.

use super::eras::Era;
use super::ops::LoggedOp;
use super::shape::Shape;
use super::subject::Subject;
use crdt::{RowChange, RowState};
use std::rc::Rc;

/// What the log says of one row.
#[derive(Default)]
pub struct Fold {
    /// Number and shape of the schema that the row is told by: that of its
    /// first op that counts, unless it is given.
    pub schema: Option<(i32, Rc<Shape>)>,
    /// Its binary key, once an op said it.
    pub key: Vec<Vec<u8>>,
    /// What ops lead to that count for sure.
    pub present: RowState,
    /// What those lead to of which it is not sure whether they count.
    pub unsure: RowState,
    /// What those would have led to that were refused here.
    pub refused: RowState,
    /// One of those, and why.
    pub refusal: Option<String>,
    /// Ops whose payload is no longer here.
    pub closed: u64,
    /// The greatest causal length of all lives of the row, whatever the era.
    pub longest: u32,
    /// The greatest that a deletion has, which a tombstone may keep.
    pub deleted: u32,
    /// Whether any op speaks of the row.
    pub spoken_of: bool,
}

impl Fold {
    /// To be told by the schema that the table has now.
    pub fn as_now(subject: &Subject) -> Self {
        Self {
            schema: Some((subject.schema_id, Rc::clone(&subject.shape))),
            ..Self::default()
        }
    }

    /// Takes an op of this row, whose payload has been decoded.
    pub fn take(&mut self, subject: &Subject, op: &LoggedOp, change: &RowChange, era: Era) {
        self.spoken_of = true;
        if self.key.is_empty() {
            self.key.clone_from(&change.key);
        }
        if era != Era::Past && self.schema.is_none() {
            let shape = subject.shape_of(op.schema_id);
            self.schema = shape.map(|shape| (op.schema_id, shape));
        }
        if let Some(reason) = &op.refused {
            if era != Era::Past {
                self.refuse(op, reason);
                // What cannot even be read leads to nothing.
                let _unreadable = join(
                    &mut self.refused,
                    &self.schema,
                    subject,
                    op.schema_id,
                    change,
                );
            }
            return;
        }
        let is_deletion = change.causal_length.is_multiple_of(2);
        if is_deletion {
            self.deleted = self.deleted.max(change.causal_length);
        }
        if !is_deletion || era != Era::Unsure {
            self.longest = self.longest.max(change.causal_length);
        }
        let into = match era {
            Era::Present => &mut self.present,
            Era::Unsure => &mut self.unsure,
            Era::Past => return,
        };
        if let Err(reason) = join(into, &self.schema, subject, op.schema_id, change) {
            self.refuse(op, &reason);
        }
    }

    fn refuse(&mut self, op: &LoggedOp, reason: &str) {
        if self.refusal.is_none() {
            self.refusal = Some(format!("{} was refused: {reason}", op.name()));
        }
    }

    /// The row in plain types, with what is not sure; `None` if it does not exist.
    pub fn json(&self) -> Option<String> {
        let row = self.at_most();
        let (_, shape) = self.schema.as_ref().filter(|_| row.meta.exists())?;
        Some(shape.json(&self.key, &row))
    }

    /// The row with what is not sure.
    pub fn at_most(&self) -> RowState {
        let mut row = self.present.clone();
        // States that do not fit are no upper bound: the row then stays as it is.
        let _kinds_differ = row.join_state(&self.unsure);
        row
    }
}

/// Joins a change that was written for some schema of the table.
fn join(
    row: &mut RowState,
    schema: &Option<(i32, Rc<Shape>)>,
    subject: &Subject,
    written_for: i32,
    change: &RowChange,
) -> Result<(), String> {
    let unknown = "its schema is not known here";
    let (number, shape) = schema.as_ref().ok_or(unknown)?;
    let translated;
    let change = if *number == written_for {
        change
    } else {
        let from = subject.shape_of(written_for).ok_or(unknown)?;
        translated = change.translated(&from.schema, &shape.schema);
        &translated
    };
    let deltas = change.states(&shape.schema).map_err(|it| it.to_string())?;
    row.join(change, deltas).map_err(|it| it.to_string())?;
    Ok(())
}
