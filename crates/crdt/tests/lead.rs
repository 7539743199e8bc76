//! Whole values written by two who read the same state.

mod world;

use crdt::{AnyState, ColumnKind};
use world::Clock;

/// A form filled in by two people at once: each changed something, nothing of it may be lost.
#[test]
fn what_others_did_since_the_read_survives() {
    for (kind, read, theirs, mine, both) in [
        (ColumnKind::GCounter, "10", "12", "15", "17"),
        (ColumnKind::PnCounter, "10", "15", "8", "13"),
        (ColumnKind::BCounter, "10 floor 2", "7", "11", "8 floor 2"),
        (ColumnKind::LwwRegister, "1", "2", "3", "3"),
        (ColumnKind::OrSet, "{a,b}", "{a,b,c}", "{b,d}", "{b,c,d}"),
        (ColumnKind::AwSet, "{a,b}", "{a,b,c}", "{b,d}", "{b,c,d}"),
        (ColumnKind::LwwSet, "{a,b}", "{a,b,c}", "{b,d}", "{b,c,d}"),
        (
            ColumnKind::LwwMap,
            r#"{"a": 1, "b": 1}"#,
            r#"{"a": 2, "b": 1}"#,
            r#"{"a": 1, "c": 3}"#,
            r#"{"a": 2, "c": 3}"#,
        ),
        (
            ColumnKind::OrMap,
            r#"{"a":1,"b":{"c":1}}"#,
            r#"{"a":2,"b":{"c":1}}"#,
            r#"{"a":1,"b":{"c":1,"d":2}}"#,
            r#"{"a":2,"b":{"c":1,"d":2}}"#,
        ),
        (
            ColumnKind::OrCart,
            r#"{"a":5,"b":1}"#,
            r#"{"a":7,"b":1}"#,
            r#"{"a":6}"#,
            r#"{"a":8}"#,
        ),
        (
            ColumnKind::Rga,
            "[1,2,3]",
            "[1,2,3,4]",
            "[0,1,3]",
            "[0,1,3,4]",
        ),
        (
            ColumnKind::RgaText,
            "the cat sat",
            "the cat sat down",
            "the black cat sat",
            "the black cat sat down",
        ),
        (
            ColumnKind::HlcRegister,
            "1970-01-01T00:00:00.000Z",
            "1970-01-01T00:00:00.000Z/2",
            "1970-01-01T00:00:00.000Z/1",
            "1970-01-01T00:00:00.000Z/2",
        ),
    ] {
        // One node: the harder case, where both write in the name of one replica.
        let mut author = Clock::new(1);
        let literal = |text: &str| AnyState::from_text(kind, text).unwrap();
        let read = AnyState::settle(None, &literal(read), &mut author).unwrap();
        let led = |text: &str| read.led_to(&literal(text)).unwrap();
        let row = AnyState::settle(Some(&read), &led(theirs), &mut author).unwrap();
        assert!(row.cmp_by_value(&literal(theirs)).is_eq(), "{row:?}");
        let row = AnyState::settle(Some(&row), &led(mine), &mut author).unwrap();
        assert!(row.cmp_by_value(&literal(both)).is_eq(), "{row:?}");
        let same = read.led_to(&read).unwrap();
        assert_eq!(
            same, read,
            "{kind:?}: what is there already changes nothing"
        );
    }
}

/// A conflict register must show both, a write over what was read is no decision over the other.
#[test]
fn two_writes_over_one_read_are_a_conflict() {
    let literal = |text: &str| AnyState::from_text(ColumnKind::MvRegister, text).unwrap();
    let read = AnyState::settle(None, &literal("1"), &mut Clock::new(1)).unwrap();
    let led = |text: &str| read.led_to(&literal(text)).unwrap();
    let row = AnyState::settle(Some(&read), &led("2"), &mut Clock::new(2)).unwrap();
    let row = AnyState::settle(Some(&row), &led("3"), &mut Clock::new(3)).unwrap();
    assert_eq!(row.plain_text().unwrap(), "2 | 3");
}

/// Two who write one row of a plain view at once must not undo each other.
#[test]
fn two_changes_of_a_plain_value_are_both_made() {
    for (kind, read, now, wanted, both) in [
        (ColumnKind::OrSet, "{a,b}", "{a,b,c}", "{b,d}", "{b,c,d}"),
        (ColumnKind::LwwSet, "{a,b}", "{a,b,c}", "{b,d}", "{b,c,d}"),
        (
            ColumnKind::LwwMap,
            r#"{"a":1,"b":1}"#,
            r#"{"a":2,"b":1}"#,
            r#"{"a":1,"c":3}"#,
            r#"{"a":2,"c":3}"#,
        ),
        (
            ColumnKind::OrMap,
            r#"{"a":1,"b":{"c":1},"n":1}"#,
            r#"{"a":2,"b":{"c":1},"n":2}"#,
            r#"{"a":1,"b":{"d":2},"n":5}"#,
            r#"{"a":2,"b":{"d":2},"n":5}"#,
        ),
        (
            ColumnKind::OrCart,
            r#"{"a":5}"#,
            r#"{"a":7}"#,
            r#"{"a":4}"#,
            r#"{"a":6}"#,
        ),
        (ColumnKind::LwwRegister, "1", "2", "3", "3"),
        (
            ColumnKind::Rga,
            "[1,2,3]",
            "[1,2,3,4]",
            "[0,1,3]",
            "[0,1,3,4]",
        ),
        (
            ColumnKind::RgaText,
            "the cat",
            "the cat sat",
            "the black cat",
            "the black cat sat",
        ),
    ] {
        let mut author = Clock::new(1);
        let literal = |text: &str| AnyState::from_text(kind, text).unwrap();
        let row = AnyState::settle(None, &literal(now), &mut author).unwrap();
        let led = row.led_from(&literal(read), &literal(wanted)).unwrap();
        let row = AnyState::settle(Some(&row), &led, &mut author).unwrap();
        assert!(row.cmp_by_value(&literal(both)).is_eq(), "{row:?}");
    }
}
