//! A change under another schema of the same table: columns are known by their names.

use super::{PlainRow, RowChange};
use crate::{ColumnKind, TableSchema};

impl RowChange {
    /// This change of a table of shape `from`, as one of shape `to`. Columns keep their name and
    /// kind; what `to` does not have is left out, a plain column that `from` does not have is
    /// NULL. The key stays as it is.
    pub fn translated(&self, from: &TableSchema, to: &TableSchema) -> Self {
        let place = |column: u16, plain: bool| {
            let old = from.column(column)?;
            let same = |it: &&crate::Column| it.name == old.name && it.kind == old.kind;
            let at = to.columns.iter().position(|it| same(&it))?;
            let is_plain = old.kind == ColumnKind::Plain;
            u16::try_from(at).ok().filter(|_| is_plain == plain)
        };
        let mut deltas: Vec<_> = self
            .deltas
            .iter()
            .filter_map(|(column, delta)| Some((place(*column, false)?, delta.clone())))
            .collect();
        deltas.sort_by_key(|(column, _)| *column);
        let plain = self.plain.as_ref().map(|plain| {
            let values = to.plain_columns().map(|column| {
                let old = plain
                    .values
                    .iter()
                    .find(|(old, _)| place(*old, true) == Some(column));
                (column, old.and_then(|(_, value)| value.clone()))
            });
            PlainRow {
                stamp: plain.stamp,
                values: values.collect(),
            }
        });
        Self {
            deltas,
            plain,
            ..self.clone()
        }
    }
}
