//! Rows as their changes lead to them: what the applier writes and what the log says must be
//! one and the same.

mod world;

use crdt::{
    AnyState, Column, ColumnKind, Crdt, Hlc, Joined, PlainRow, PnCounter, ReplicaId, RowAction,
    RowChange, RowState, Stamp, TableSchema,
};
use proptest::prelude::*;
use world::Clock;

fn schema(names: &[(&str, ColumnKind)]) -> TableSchema {
    let column = |(name, kind): &(&str, ColumnKind)| Column {
        name: (*name).to_owned(),
        type_name: "text".to_owned(),
        kind: *kind,
        not_null: false,
    };
    TableSchema {
        schema: "public".to_owned(),
        table: "page".to_owned(),
        columns: names.iter().map(column).collect(),
        key: vec![0],
    }
}

fn page() -> TableSchema {
    schema(&[
        ("id", ColumnKind::Plain),
        ("views", ColumnKind::PnCounter),
        ("note", ColumnKind::Plain),
    ])
}

fn plain(time: u64, name: u8, note: &str) -> PlainRow {
    PlainRow {
        stamp: Stamp {
            hlc: Hlc(time),
            replica: ReplicaId([name; 16]),
        },
        values: vec![(2, Some(note.as_bytes().to_vec()))],
    }
}

/// Deletions have no values, as in every change that can be encoded.
fn change(causal_length: u32, views: Option<(i64, u8)>, plain: Option<PlainRow>) -> RowChange {
    let exists = causal_length % 2 == 1;
    let counter = |(value, name)| {
        PnCounter::settle(None, &PnCounter::assign(value), &mut Clock::new(name)).unwrap()
    };
    RowChange {
        action: if exists {
            RowAction::Upsert
        } else {
            RowAction::Delete
        },
        causal_length,
        key: vec![vec![1]],
        deltas: views
            .filter(|_| exists)
            .map(|views| (1, counter(views).encode()))
            .into_iter()
            .collect(),
        plain: plain.filter(|_| exists),
        actor: "app".to_owned(),
        application: "web".to_owned(),
        transaction: 1,
    }
}

fn fold<'a>(changes: impl IntoIterator<Item = &'a RowChange>) -> RowState {
    let mut row = RowState::default();
    for change in changes {
        row.join(change, change.states(&page()).unwrap()).unwrap();
    }
    row
}

fn any_change() -> impl Strategy<Value = RowChange> {
    let plain = prop::option::of(
        (1..4u64, 1..3u8, "[ab]").prop_map(|(time, name, note)| plain(time, name, &note)),
    );
    (1..5u32, prop::option::of((0..9i64, 1..3u8)), plain)
        .prop_map(|(length, views, plain)| change(length, views, plain))
}

proptest! {
    /// Members get the changes in different orders, and an auditor reads them in yet another:
    /// a row that depends on it would be taken for a forgery.
    #[test]
    fn the_order_of_changes_does_not_matter(
        (changes, mixed) in prop::collection::vec(any_change(), 0..12)
            .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))
    ) {
        prop_assert_eq!(fold(&changes), fold(&mixed));
    }

    /// A change that arrives again, alone or within a row, does nothing.
    #[test]
    fn what_is_in_it_already_changes_nothing(changes in prop::collection::vec(any_change(), 1..12)) {
        let row = fold(&changes);
        prop_assert_eq!(fold(changes.iter().chain(&changes)), row.clone());
        let (some, _) = changes.split_at(changes.len() / 2);
        let mut joined = row.clone();
        joined.join_state(&fold(some)).unwrap();
        prop_assert_eq!(joined, row);
    }

    /// Segments are joined in memory before they are applied, the log is read op by op: both
    /// must come to the same row.
    #[test]
    fn joined_changes_lead_where_single_ones_do(changes in prop::collection::vec(any_change(), 1..8)) {
        let (first, rest) = changes.split_first().unwrap();
        let joined = rest.iter().fold(first.clone(), |all, next| all.join(next, &page()).unwrap());
        prop_assert_eq!(fold([&joined]), fold(&changes));
    }
}

/// The applier writes the columns that it is told of, and no others.
#[test]
fn what_was_touched_is_told() {
    let mut row = RowState::default();
    let mut join = |change: RowChange| {
        let states = change.states(&page()).unwrap();
        row.join(&change, states).unwrap()
    };
    let columns = |states: &[u16], plain| Joined::Columns {
        states: states.iter().copied().collect(),
        plain,
    };
    assert_eq!(
        join(change(1, Some((5, 1)), Some(plain(5, 1, "a")))),
        Joined::Life
    );
    assert_eq!(join(change(1, Some((5, 2)), None)), columns(&[1], false));
    assert_eq!(join(change(1, Some((5, 2)), None)), columns(&[], false));
    assert_eq!(
        join(change(1, None, Some(plain(4, 2, "b")))),
        columns(&[], false)
    );
    assert_eq!(
        join(change(1, None, Some(plain(6, 2, "b")))),
        columns(&[], true)
    );
    assert_eq!(join(change(2, None, None)), Joined::Life);
    assert_eq!(join(change(1, Some((9, 3)), None)), Joined::Nothing);
    assert_eq!(join(change(3, None, None)), Joined::Life);
    assert!(row.states.is_empty() && row.plain.is_none() && row.meta.exists());
}

/// A table that got and lost columns: what was said of those that are left must be found in
/// their new places, and nothing of one column be read as another's.
#[test]
fn a_change_of_another_schema_finds_its_columns() {
    let new = schema(&[
        ("id", ColumnKind::Plain),
        ("likes", ColumnKind::PnCounter),
        ("title", ColumnKind::Plain),
        ("note", ColumnKind::Plain),
        ("views", ColumnKind::PnCounter),
    ]);
    let old = change(1, Some((5, 1)), Some(plain(5, 1, "a")));
    let translated = old.translated(&page(), &new);
    assert_eq!(translated.deltas, vec![(4, old.deltas[0].1.clone())]);
    let values = translated.plain.as_ref().unwrap().values.clone();
    assert_eq!(values, vec![(2, None), (3, Some(b"a".to_vec()))]);
    assert!(translated.encode().is_ok());
    // A column of the same name and another kind is another column.
    let other = schema(&[
        ("id", ColumnKind::Plain),
        ("views", ColumnKind::OrSet),
        ("note", ColumnKind::RgaText),
    ]);
    let translated = old.translated(&page(), &other);
    assert!(translated.deltas.is_empty() && translated.plain.unwrap().values.is_empty());
    assert_eq!(old.translated(&page(), &page()), old);
}

/// A delta of a plain column, or bytes that are no state, end the reading of that change and
/// not the process.
#[test]
fn deltas_that_are_none_are_errors() {
    let good = change(1, Some((5, 1)), None);
    let kind = good.states(&page()).unwrap().pop().map(|(_, state)| state);
    assert!(matches!(kind, Some(AnyState::PnCounter(_))));
    for deltas in [
        vec![(2, good.deltas[0].1.clone())],
        vec![(9, vec![])],
        vec![(1, vec![7])],
    ] {
        let broken = RowChange {
            deltas,
            ..good.clone()
        };
        assert!(broken.states(&page()).is_err());
    }
}
