//! What the server asks of a value without knowing its type.

use crdt::{AnyState, ColumnKind, VersionVector};

fn state(kind: ColumnKind, literal: &str) -> AnyState {
    AnyState::from_text(kind, literal).unwrap()
}

/// An index that misses an element or a key misses rows.
#[test]
fn sets_and_maps_are_found_by_their_keys() {
    for (kind, literal) in [
        (ColumnKind::OrSet, "{b,a}"),
        (ColumnKind::AwSet, "{b,a}"),
        (ColumnKind::LwwSet, "{b,a}"),
        (ColumnKind::LwwMap, r#"{"b":1,"a":null}"#),
        (ColumnKind::OrMap, r#"{"b":1,"a":{"c":2}}"#),
        (ColumnKind::OrCart, r#"{"b":1,"a":2}"#),
    ] {
        assert_eq!(state(kind, literal).keys(), ["a", "b"], "{kind:?}");
    }
    assert!(state(ColumnKind::PnCounter, "5").keys().is_empty());
}

/// Values that SQL finds equal must meet in one bucket of a hash join.
#[test]
fn equal_values_hash_alike_whatever_their_state() {
    for (kind, a, b) in [
        (ColumnKind::LwwRegister, "1", "1.0"),
        (ColumnKind::MvRegister, "1e2", "100"),
        (ColumnKind::LwwMap, r#"{"a":1}"#, r#"{"a":1.00}"#),
        (ColumnKind::BCounter, "12", "12 floor 5"),
    ] {
        let (a, b) = (state(kind, a), state(kind, b));
        assert!(a.cmp_by_value(&b).is_eq(), "{kind:?}");
        assert_eq!(a.hash_key(), b.hash_key(), "{kind:?}");
    }
}

/// Compaction by what nobody has seen must fold nothing.
#[test]
fn a_literal_has_nothing_to_fold() {
    let set = state(ColumnKind::AwSet, "{a}");
    assert_eq!(set.compact(&VersionVector::default()), Ok(set.clone()));
    assert_eq!(set.reset().unwrap().keys(), Vec::<String>::new());
}
