//! The ops of one row joined, as applying them did.

use super::eras::Era;
use super::ops::LoggedOp;
use super::shape::Shape;
use super::subject::Subject;
use crdt::{RowChange, RowState};
use std::borrow::Cow;
use std::collections::BTreeSet;
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
    /// What they lead to together with those of which it is not sure.
    pub most: Option<RowState>,
    /// What they would lead to together with those that were refused here.
    pub wanted: Option<RowState>,
    /// One that was refused, and why.
    pub refusal: Option<String>,
    /// Ops that count, whose payload is no longer here.
    pub closed: u64,
    /// Whether there are such ops of any era.
    pub any_closed: bool,
    /// Columns whose states cannot be joined without those.
    pub unknown: BTreeSet<u16>,
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
        if op.refused.is_none() {
            self.live_through(change.causal_length, era);
        }
        if era == Era::Past {
            return;
        }
        let change = match self.translated(subject, op.schema_id, change) {
            Ok(change) => change,
            Err(reason) => return self.refuse(op, &reason),
        };
        if let Some(reason) = &op.refused {
            self.refuse(op, reason);
            let wanted = self.wanted.get_or_insert_with(|| self.present.clone());
            // What cannot even be joined leads to nothing.
            let _unjoinable = join(wanted, &self.schema, &change);
        } else if era == Era::Unsure {
            let most = self.most.get_or_insert_with(|| self.present.clone());
            let _unjoinable = join(most, &self.schema, &change);
        } else {
            self.count(op, &change);
        }
    }

    /// A causal length that the row had.
    fn live_through(&mut self, causal_length: u32, era: Era) {
        let is_deletion = causal_length.is_multiple_of(2);
        if is_deletion {
            self.deleted = self.deleted.max(causal_length);
        }
        if !is_deletion || era != Era::Unsure {
            self.longest = self.longest.max(causal_length);
        }
    }

    /// An op that counts for sure.
    fn count(&mut self, op: &LoggedOp, change: &RowChange) {
        for row in self.most.iter_mut().chain(&mut self.wanted) {
            let _unjoinable = join(row, &self.schema, change);
        }
        let Err(reason) = join(&mut self.present, &self.schema, change) else {
            return;
        };
        if self.closed == 0 {
            return self.refuse(op, &reason);
        }
        // It builds on what is no longer here: the columns that do not are told.
        let mut rest = change.clone();
        for delta in std::mem::take(&mut rest.deltas) {
            let column = delta.0;
            let alone = RowChange {
                deltas: vec![delta],
                ..rest.clone()
            };
            if join(&mut self.present, &self.schema, &alone).is_err() {
                self.unknown.insert(column);
            }
        }
    }

    /// The change as one of the schema that the row is told by.
    fn translated<'c>(
        &self,
        subject: &Subject,
        written_for: i32,
        change: &'c RowChange,
    ) -> Result<Cow<'c, RowChange>, String> {
        let unknown = "its schema is not known here";
        match &self.schema {
            Some((number, _)) if *number == written_for => Ok(Cow::Borrowed(change)),
            Some((_, shape)) => {
                let from = subject.shape_of(written_for).ok_or(unknown)?;
                let change = change.translated(&from.schema, &shape.schema);
                Ok(Cow::Owned(change))
            }
            None => Err(unknown.to_owned()),
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
        self.most.as_ref().unwrap_or(&self.present).clone()
    }
}

fn join(
    row: &mut RowState,
    schema: &Option<(i32, Rc<Shape>)>,
    change: &RowChange,
) -> Result<(), String> {
    let (_, shape) = schema.as_ref().ok_or("its schema is not known here")?;
    let deltas = change.states(&shape.schema).map_err(|it| it.to_string())?;
    row.join(change, deltas).map_err(|it| it.to_string())?;
    Ok(())
}
