//! One live row against what the log says of it.

use super::bounds::{Bounds, Part};
use super::fold::Fold;
use super::shape::{Shape, hex_text};
use super::subject::Subject;
use crate::track::table::META;
use crdt::{AnyState, ColumnKind, Hlc, PlainRow, ReplicaId, RowMeta, RowState, Stamp};

/// A row of the table, as it lies there.
pub struct LiveRow {
    /// Its name.
    pub name: Vec<u8>,
    /// The column `crdt_meta`.
    pub meta: Option<Vec<u8>>,
    /// By place in the schema: states as stored, plain columns in binary form.
    pub values: Vec<Option<Vec<u8>>>,
}

impl LiveRow {
    /// The binary key.
    pub fn key(&self, subject: &Subject) -> Vec<Vec<u8>> {
        let places = subject.schema().key.iter();
        let value = |at: &u16| self.values.get(usize::from(*at)).cloned().flatten();
        places.map(|at| value(at).unwrap_or_default()).collect()
    }

    fn value(&self, at: u16) -> Option<&[u8]> {
        self.values.get(usize::from(at))?.as_deref()
    }

    /// As far as it can be read.
    fn state(&self, subject: &Subject) -> RowState {
        let meta = self.meta.as_deref().and_then(|it| RowMeta::decode(it).ok());
        let meta = meta.unwrap_or_default();
        let mut row = RowState {
            meta,
            ..RowState::default()
        };
        for (at, column) in (0u16..).zip(&subject.schema().columns) {
            if column.kind != ColumnKind::Plain
                && let Some(bytes) = self.value(at)
                && let Ok(state) = AnyState::decode(column.kind, bytes)
            {
                row.states.insert(at, state);
            }
        }
        row.plain = meta.stamp.map(|stamp| self.plain(subject, stamp));
        row
    }

    fn plain(&self, subject: &Subject, stamp: Stamp) -> PlainRow {
        let places = subject.schema().plain_columns();
        let values = places.map(|at| (at, self.value(at).map(<[u8]>::to_vec)));
        PlainRow {
            stamp,
            values: values.collect(),
        }
    }

    /// As people see it.
    fn shown(&self, subject: &Subject) -> String {
        let mut row = self.state(subject);
        // Whenever they were written.
        let stamp = Stamp {
            hlc: Hlc::default(),
            replica: ReplicaId::default(),
        };
        row.plain = Some(self.plain(subject, stamp));
        subject.shape.json(&self.key(subject), &row)
    }
}

/// Something that is not as the log has it. The row is named by whoever
/// compares.
#[derive(Default)]
pub struct Difference {
    /// What is wrong.
    pub kind: &'static str,
    /// In which column.
    pub column: Option<String>,
    /// What the log leads to.
    pub expected: Option<String>,
    /// What is there.
    pub found: Option<String>,
    /// For people.
    pub detail: String,
}

/// What came of comparing.
#[derive(Default)]
pub struct Verdict {
    /// What is wrong, if anything.
    pub differences: Vec<Difference>,
    /// Nothing that is left of the log contradicts the row, but it does not
    /// say all of it either.
    pub uncheckable: bool,
}

impl Verdict {
    fn one(
        kind: &'static str,
        expected: Option<String>,
        found: Option<String>,
        detail: &str,
    ) -> Self {
        Self {
            differences: vec![Difference {
                kind,
                column: None,
                expected,
                found,
                detail: detail.to_owned(),
            }],
            uncheckable: false,
        }
    }
}

/// Holds a live row, or its absence, against the log.
pub fn compare(
    subject: &Subject,
    fold: &Fold,
    live: Option<&LiveRow>,
    tombstone: Option<u32>,
) -> Verdict {
    let exact = row(subject, &fold.present, &fold.key, live);
    let mut verdict = if exact.is_empty() || (fold.closed == 0 && fold.most.is_none()) {
        Verdict {
            differences: exact,
            uncheckable: false,
        }
    } else {
        within_bounds(subject, fold, live, tombstone, exact)
    };
    if !verdict.uncheckable {
        verdict
            .differences
            .extend(tombstone_difference(fold, tombstone));
    }
    verdict
}

/// The row against one state that it should have.
fn row(
    subject: &Subject,
    expected: &RowState,
    key: &[Vec<u8>],
    live: Option<&LiveRow>,
) -> Vec<Difference> {
    let shape = &subject.shape;
    match (expected.meta.exists(), live) {
        (false, None) => Vec::new(),
        (true, None) => {
            Verdict::one(
                "row_missing",
                Some(shape.json(key, expected)),
                None,
                "the log has this row, the table does not",
            )
            .differences
        }
        (false, Some(live)) => {
            let detail = match (expected.meta.causal_length, &live.meta) {
                (0, None) => {
                    "no op speaks of this row: it was put into the table behind the triggers, or stood there before the table was tracked here"
                }
                (0, Some(_)) => "no op speaks of this row",
                _ => "the log has this row deleted",
            };
            Verdict::one("row_extra", None, Some(live.shown(subject)), detail).differences
        }
        (true, Some(live)) => columns(subject, expected, live, |_| false),
    }
}

/// What is not as expected, but for the parts that are excused.
fn columns(
    subject: &Subject,
    expected: &RowState,
    live: &LiveRow,
    excused: impl Fn(Part) -> bool,
) -> Vec<Difference> {
    let shape = &subject.shape;
    let mut differences = Vec::new();
    let mut differs = |at: u16, expected: Option<String>, found: Option<String>| {
        differences.push(Difference {
            kind: "row_altered",
            column: Some(shape.name(at).to_owned()),
            expected,
            found,
            detail: "the column is not as the log leads to it".to_owned(),
        });
    };
    for (at, column) in (0u16..).zip(&subject.schema().columns) {
        if column.kind == ColumnKind::Plain {
            continue;
        }
        let state = expected.states.get(&at);
        let found = live.value(at);
        if state.map(AnyState::encode).as_deref() != found && !excused(Part::State(at)) {
            differs(
                at,
                state.map(AnyState::to_text),
                found.map(|it| state_text(column.kind, it)),
            );
        }
    }
    let plain = expected.plain.iter().flat_map(|plain| &plain.values);
    for (at, value) in plain.filter(|_| !excused(Part::Plain)) {
        if value.as_deref() != live.value(*at) {
            let text = |it: Option<&[u8]>| it.map(|it| shape.text(*at, Some(it)));
            differs(*at, text(value.as_deref()), text(live.value(*at)));
        }
    }
    let meta = expected.meta.encode();
    if live.meta.as_ref() != Some(&meta) && !excused(Part::Meta) {
        let detail = format!(
            "causal length {} and the stamp of the plain columns",
            expected.meta.causal_length
        );
        differences.push(meta_difference(Some(&expected.meta), live, detail));
    }
    differences
}

fn meta_difference(expected: Option<&RowMeta>, live: &LiveRow, detail: String) -> Difference {
    Difference {
        kind: "meta_altered",
        column: Some(META.to_owned()),
        expected: expected.map(|meta| hex_text(&meta.encode())),
        found: live.meta.as_deref().map(hex_text),
        detail,
    }
}

fn state_text(kind: ColumnKind, bytes: &[u8]) -> String {
    match AnyState::decode(kind, bytes) {
        Ok(state) => state.to_text(),
        Err(_) => hex_text(bytes),
    }
}

/// Some ops are closed, or it is not sure whether they count: the row must
/// hold all that is sure, and nothing beyond what the log can have led to.
fn within_bounds(
    subject: &Subject,
    fold: &Fold,
    live: Option<&LiveRow>,
    tombstone: Option<u32>,
    exact: Vec<Difference>,
) -> Verdict {
    let bounds = Bounds::of(fold);
    let uncheckable = Verdict {
        differences: Vec::new(),
        uncheckable: fold.closed > 0,
    };
    let Some(live) = live else {
        // Deleted by what is not sure or not here; then a tombstone says so.
        return match bounds.allow_length(tombstone.unwrap_or_default()) {
            true => uncheckable,
            false => Verdict {
                differences: exact,
                uncheckable: false,
            },
        };
    };
    let found = live.state(subject);
    if !found.meta.exists() || !bounds.allow_length(found.meta.causal_length) {
        let expected = fold.present.meta.exists().then_some(&fold.present.meta);
        return Verdict {
            differences: vec![meta_difference(
                expected,
                live,
                "the causal length of the row is none that the log leads to".to_owned(),
            )],
            uncheckable: false,
        };
    }
    if found.meta.causal_length != fold.present.meta.causal_length {
        return uncheckable;
    }
    let differences = columns(subject, &fold.present, live, |part| {
        bounds.allow(part, &found)
    });
    match differences.is_empty() {
        true => uncheckable,
        false => Verdict {
            differences,
            uncheckable: false,
        },
    }
}

/// A deleted row leaves its causal length, an existing one may have one from
/// an earlier life: whoever got a deletion and the insertion after it together
/// never had one.
fn tombstone_difference(fold: &Fold, tombstone: Option<u32>) -> Option<Difference> {
    let is_deleted = fold.longest.is_multiple_of(2) && fold.longest > 0;
    let expected = is_deleted.then_some(fold.longest);
    // Closed ops may have deleted the row later than those that are left.
    let closed = fold.any_closed;
    let fits = match (expected, tombstone) {
        (Some(expected), Some(found)) => found == expected || closed && found > expected,
        (Some(_), None) => false,
        (None, Some(found)) => found.is_multiple_of(2) && (found <= fold.deleted || closed),
        (None, None) => true,
    };
    // What no op speaks of is found among the tombstones of no row.
    if fits || !fold.spoken_of {
        return None;
    }
    let kind = match (expected, tombstone) {
        (Some(_), None) => "tombstone_missing",
        (None, Some(_)) if fold.deleted == 0 => "tombstone_extra",
        _ => "tombstone_altered",
    };
    Some(Difference {
        kind,
        column: None,
        expected: expected.map(|it| it.to_string()),
        found: tombstone.map(|it| it.to_string()),
        detail: "the causal length that a deleted row leaves behind".to_owned(),
    })
}

/// The row would be another if nothing had been refused.
pub fn refusal(subject: &Subject, fold: &Fold) -> Option<Difference> {
    let why = fold.refusal.as_ref()?;
    let wanted = fold.wanted.as_ref().unwrap_or(&fold.present);
    if fold.wanted.as_ref() == Some(&fold.present) {
        return None;
    }
    let shape: &Shape = &subject.shape;
    let shown = |row: &RowState| row.meta.exists().then(|| shape.json(&fold.key, row));
    Some(Difference {
        kind: "op_refused",
        column: None,
        expected: shown(wanted),
        found: shown(&fold.present),
        detail: format!("the row differs from the log because {why}"),
    })
}
