//! Row changes: joined before they are applied, checked before they are believed.

mod world;

use std::collections::BTreeMap;

use crdt::{
    AnyState, Column, ColumnKind, Crdt, CrdtError, EncodeError, Hlc, PlainRow, PnCounter,
    ReplicaId, RowAction, RowChange, RowFault, Stamp, TableSchema,
};
use proptest::prelude::*;
use world::Clock;

fn schema() -> TableSchema {
    let column = |name: &str, kind, not_null| Column {
        name: name.to_owned(),
        type_name: "pg_catalog.text".to_owned(),
        kind,
        not_null,
    };
    TableSchema {
        schema: "public".to_owned(),
        table: "page".to_owned(),
        columns: vec![
            column("note", ColumnKind::Plain, false),
            column("id", ColumnKind::Plain, true),
            column("views", ColumnKind::PnCounter, false),
            column("title", ColumnKind::Plain, true),
        ],
        key: vec![1],
    }
}

fn stamp(time: u64, name: u8) -> Stamp {
    Stamp {
        hlc: Hlc(time),
        replica: ReplicaId([name; 16]),
    }
}

fn plain(time: u64, name: u8, note: Option<&str>) -> PlainRow {
    let value = |text: &str| text.as_bytes().to_vec();
    PlainRow {
        stamp: stamp(time, name),
        values: vec![(0, note.map(value)), (3, Some(value("t")))],
    }
}

fn upsert(causal_length: u32, views: Option<&PnCounter>, plain: Option<PlainRow>) -> RowChange {
    RowChange {
        action: RowAction::Upsert,
        causal_length,
        key: vec![vec![1]],
        deltas: views.map(|views| (2, views.encode())).into_iter().collect(),
        plain,
        actor: "app".to_owned(),
        application: "web".to_owned(),
        transaction: 1,
    }
}

fn delete(causal_length: u32) -> RowChange {
    RowChange {
        action: RowAction::Delete,
        ..upsert(causal_length, None, None)
    }
}

fn counter(value: i64, name: u8) -> PnCounter {
    PnCounter::settle(None, &PnCounter::assign(value), &mut Clock::new(name)).unwrap()
}

/// A row deleted here and written there must end alike on both.
#[test]
fn the_greater_causal_length_wins_whole() {
    let written = upsert(1, Some(&counter(5, 1)), Some(plain(9, 1, None)));
    for (a, b) in [(&written, &delete(2)), (&delete(2), &written)] {
        assert_eq!(a.join(b, &schema()), Ok(delete(2)));
    }
    let again = upsert(3, None, None);
    assert_eq!(delete(2).join(&again, &schema()), Ok(again));
}

/// Changes of one row are joined in memory: nothing of either may be lost.
#[test]
fn equal_causal_lengths_join() {
    let a = upsert(1, Some(&counter(5, 1)), Some(plain(9, 1, Some("a"))));
    let b = upsert(1, Some(&counter(7, 2)), Some(plain(9, 2, Some("b"))));
    let joined = a.join(&b, &schema()).unwrap();
    assert_eq!(joined.deltas, b.join(&a, &schema()).unwrap().deltas);
    let views = PnCounter::decode(&joined.deltas[0].1).unwrap();
    assert_eq!(views.value(), Ok(12));
    assert_eq!(joined.plain, b.plain);
    let none = upsert(1, None, None);
    assert_eq!(none.join(&a, &schema()).unwrap().deltas, a.deltas);
    assert_eq!(a.join(&none, &schema()).unwrap().plain, a.plain);
}

/// One stamp on two values: both nodes must keep the same.
#[test]
fn equal_stamps_of_plain_columns_resolve_alike() {
    let a = upsert(1, None, Some(plain(9, 1, Some("a"))));
    let b = upsert(1, None, Some(plain(9, 1, None)));
    let joined = a.join(&b, &schema()).unwrap();
    assert_eq!(joined.plain, b.join(&a, &schema()).unwrap().plain);
    assert_eq!(joined.join(&a, &schema()).unwrap().plain, joined.plain);
}

/// Joining what does not belong together is an error that names it.
#[test]
fn strange_joins_are_errors() {
    let a = upsert(1, Some(&counter(1, 1)), None);
    let other = RowChange {
        key: vec![vec![2]],
        ..a.clone()
    };
    assert_eq!(a.join(&other, &schema()), Err(CrdtError::KeyMismatch));
    let on_plain = RowChange {
        deltas: vec![(0, a.deltas[0].1.clone())],
        ..a.clone()
    };
    assert_eq!(
        on_plain.join(&on_plain, &schema()),
        Err(CrdtError::NoCrdtColumn(0))
    );
    let broken = RowChange {
        deltas: vec![(2, vec![9])],
        ..a.clone()
    };
    assert!(matches!(
        a.join(&broken, &schema()),
        Err(CrdtError::Decode(_))
    ));
}

/// A change that lies about table, author or time must name its fault, for the quarantine.
#[test]
fn forged_changes_are_refused() {
    let author = ReplicaId([1; 16]);
    let row = BTreeMap::new();
    let check = |change: &RowChange| change.check(&schema(), author, Hlc(10), &row);
    let good = upsert(1, Some(&counter(5, 1)), Some(plain(9, 1, None)));
    let views = AnyState::from(counter(5, 1));
    assert_eq!(check(&good), Ok(vec![(2, views)]));
    assert_eq!(check(&delete(2)), Ok(vec![]));

    let fault = |change: RowChange| check(&change).unwrap_err();
    let keyless = RowChange {
        key: vec![vec![], vec![]],
        ..good.clone()
    };
    assert_eq!(
        fault(keyless),
        RowFault::KeyColumns {
            actual: 2,
            expected: 1
        }
    );
    let foreign = upsert(1, Some(&counter(5, 2)), None);
    assert!(matches!(fault(foreign), RowFault::Delta { column: 2, .. }));
    let broken = RowChange {
        deltas: vec![(2, vec![1])],
        ..good.clone()
    };
    assert!(matches!(fault(broken), RowFault::Decode { column: 2, .. }));
    let on_plain = RowChange {
        deltas: vec![(0, good.deltas[0].1.clone())],
        ..good.clone()
    };
    assert_eq!(fault(on_plain), RowFault::NoCrdtColumn(0));
    let beyond = RowChange {
        deltas: vec![(4, good.deltas[0].1.clone())],
        ..good.clone()
    };
    assert_eq!(fault(beyond), RowFault::NoCrdtColumn(4));

    let with = |row: PlainRow| fault(upsert(1, None, Some(row)));
    assert_eq!(
        with(plain(9, 2, None)),
        RowFault::ForeignStamp(ReplicaId([2; 16]))
    );
    assert_eq!(
        with(plain(11, 1, None)),
        RowFault::Late {
            actual: Hlc(11),
            limit: Hlc(10)
        }
    );
    let values = |values| {
        with(PlainRow {
            stamp: stamp(9, 1),
            values,
        })
    };
    let some = || Some(vec![]);
    assert_eq!(values(vec![(0, some())]), RowFault::MissingPlainColumn(3));
    assert_eq!(values(vec![(3, some())]), RowFault::MissingPlainColumn(0));
    assert_eq!(
        values(vec![(0, some()), (1, some())]),
        RowFault::NoPlainColumn(1)
    );
    assert_eq!(values(vec![(0, some()), (3, None)]), RowFault::NullValue(3));
    assert_eq!(
        values(vec![(0, None), (3, some()), (4, None)]),
        RowFault::NoPlainColumn(4)
    );
}

/// What could not be read back must not be sealed into the ledger.
#[test]
fn what_cannot_be_read_back_is_not_encoded() {
    let good = upsert(1, Some(&counter(5, 1)), Some(plain(9, 1, None)));
    assert!(good.encode().is_ok());
    let delta = good.deltas[0].clone();
    let malformed = [
        RowChange {
            causal_length: 2,
            ..good.clone()
        },
        RowChange {
            action: RowAction::Delete,
            ..good.clone()
        },
        RowChange {
            action: RowAction::Delete,
            causal_length: 2,
            ..good.clone()
        },
        RowChange {
            causal_length: 0,
            ..delete(2)
        },
        RowChange {
            key: vec![],
            ..good.clone()
        },
        RowChange {
            deltas: vec![delta.clone(), delta.clone()],
            ..good.clone()
        },
        RowChange {
            actor: "a\0".to_owned(),
            ..good.clone()
        },
    ];
    for change in malformed {
        assert!(
            matches!(change.encode(), Err(EncodeError::Malformed(_))),
            "{change:?}"
        );
    }
    let large = [
        RowChange {
            key: vec![vec![]; 33],
            ..good.clone()
        },
        RowChange {
            actor: "a".repeat(1_025),
            ..good.clone()
        },
        RowChange {
            deltas: (0..1_601).map(|at| (at, vec![])).collect(),
            ..good.clone()
        },
        RowChange {
            deltas: vec![(2, vec![0; 64 << 20])],
            ..good.clone()
        },
    ];
    for change in large {
        assert!(matches!(change.encode(), Err(EncodeError::TooLarge { .. })));
    }
}

/// A schema whose key makes no sense would break every row change after it.
#[test]
fn senseless_schemas_are_refused() {
    for key in [vec![], vec![2], vec![9], vec![1, 1]] {
        let table = TableSchema { key, ..schema() };
        assert!(TableSchema::decode(&table.encode()).is_err());
    }
    assert_eq!(schema().plain_columns().collect::<Vec<_>>(), [0, 3]);
    assert_eq!(schema().crdt_kind(2), Some(ColumnKind::PnCounter));
    assert_eq!(schema().crdt_kind(0), None);
}

proptest! {
    /// A peer's bytes must be the one encoding of a change, or an error: never a panic.
    #[test]
    fn altered_changes_never_panic(
        note in prop::option::of(".{0,8}"),
        value: i64,
        edits in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 1..4),
    ) {
        let good = upsert(1, Some(&counter(value, 1)), Some(plain(9, 1, note.as_deref())));
        let mut bytes = good.encode().unwrap();
        prop_assert_eq!(RowChange::decode(&bytes), Ok(good));
        for cut in 0..bytes.len() {
            prop_assert!(RowChange::decode(&bytes[..cut]).is_err());
        }
        for (index, byte) in edits {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(change) = RowChange::decode(&bytes) {
            prop_assert_eq!(change.encode(), Ok(bytes));
            let _ = change.check(&schema(), ReplicaId([1; 16]), Hlc(10), &BTreeMap::new());
            let _ = change.join(&change, &schema());
        }
    }
}
