//! The guard: what a tracked row stores when it is written, type by type.

mod world;

use std::collections::BTreeSet;

use crdt::pn_counter::Step;
use crdt::{AnyState, ColumnKind, Crdt, CrdtError, Edit, Hlc, LwwRegister, OrSet, PnCounter};
use world::Clock;

fn counter(value: i64, author: &mut Clock) -> PnCounter {
    PnCounter::settle(None, &PnCounter::assign(value), author).unwrap()
}

fn literal(elements: &[&str]) -> OrSet {
    OrSet::assign(
        elements
            .iter()
            .map(|element| (*element).to_owned())
            .collect(),
    )
}

fn set(elements: &[&str], author: &mut Clock) -> OrSet {
    OrSet::settle(None, &literal(elements), author).unwrap()
}

fn register(json: &str, author: &mut Clock) -> LwwRegister {
    LwwRegister::settle(None, &LwwRegister::assign(Some(json.to_owned())), author).unwrap()
}

fn elements(set: &OrSet) -> Vec<&str> {
    set.elements().collect()
}

/// A plan's cached constant must not add twice under one author: each write takes its own slot
/// value on top of what is there.
#[test]
fn a_counter_adds_to_the_latest_row_not_to_the_stale_one() {
    let mut author = Clock::new(1);
    let first = counter(10, &mut author);
    let second = PnCounter::settle(Some(&first), &first.add(5).unwrap(), &mut author).unwrap();
    let stale = first.add(7).unwrap();
    let third = PnCounter::settle(Some(&second), &stale, &mut author).unwrap();
    assert_eq!(third.value(), Ok(22));
    assert_eq!(third.slots().len(), 1);
}

/// An ORM that writes absolute values must not undo what others counted meanwhile elsewhere.
#[test]
fn a_literal_over_a_counter_is_a_difference() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let row = counter(10, &mut here);
    let assigned = PnCounter::settle(Some(&row), &PnCounter::assign(12), &mut here).unwrap();
    let counted = PnCounter::settle(Some(&row), &row.add(100).unwrap(), &mut there).unwrap();
    assert_eq!(assigned.join(&counted).unwrap().value(), Ok(112));
}

/// `UPDATE t SET total = other.views` on one node: lower numbers of the same replica are not a
/// stale copy but another counter, and the assignment must not vanish.
#[test]
fn another_counter_of_the_same_replica_is_taken_by_value() {
    let mut author = Clock::new(1);
    let (total, views, zero) = (
        counter(10, &mut author),
        counter(5, &mut author),
        counter(0, &mut author),
    );
    for (other, value) in [(&views, 5), (&zero, 0), (&views.add(2).unwrap(), 7)] {
        let row = PnCounter::settle(Some(&total), other, &mut author).unwrap();
        assert_eq!(row.value(), Ok(value));
        assert_eq!(row.slots().len(), 1, "in the slot that this counter has");
    }
}

/// A row restored by hand from a later dump of the same counter must show what the dump shows.
#[test]
fn a_later_copy_of_a_counter_is_taken_by_value() {
    let mut author = Clock::new(1);
    let old = counter(10, &mut author);
    let later = PnCounter::settle(Some(&old), &old.add(5).unwrap(), &mut author).unwrap();
    let row = PnCounter::settle(Some(&old), &later, &mut author).unwrap();
    assert_eq!(row.value(), Ok(15));
}

/// A counter that would leave bigint is an error at the write, and one that others drove out
/// can be brought back.
#[test]
fn counters_never_wrap() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let full = counter(i64::MAX, &mut here);
    let over = full.add(1).unwrap();
    assert_eq!(over.value(), Err(CrdtError::Overflow));
    assert_eq!(
        PnCounter::settle(Some(&full), &over, &mut here),
        Err(CrdtError::Overflow)
    );
    let other = PnCounter::settle(Some(&full), &full.sub(9).unwrap(), &mut there).unwrap();
    let other = PnCounter::settle(Some(&other), &other.add(9).unwrap(), &mut there).unwrap();
    let more = PnCounter::settle(
        Some(&full),
        &full.sub(5).unwrap().add(5).unwrap(),
        &mut Clock::new(3),
    )
    .unwrap();
    assert_eq!(other.join(&more).unwrap().value(), Ok(i64::MAX));

    let up = |author: &mut Clock| {
        let zero = counter(0, &mut Clock::new(9));
        PnCounter::settle(Some(&zero), &zero.add(i64::MAX).unwrap(), author).unwrap()
    };
    let beyond = up(&mut here).join(&up(&mut there)).unwrap();
    assert_eq!(beyond.value(), Err(CrdtError::Overflow));
    assert_eq!(PnCounter::from_text(&beyond.to_text()), Ok(beyond.clone()));
    let back = PnCounter::settle(Some(&beyond), &PnCounter::assign(3), &mut here).unwrap();
    assert_eq!(back.value(), Ok(3));
    let less = PnCounter::settle(Some(&beyond), &beyond.sub(1).unwrap(), &mut here);
    assert!(less.is_ok(), "towards the range");
    let more = PnCounter::settle(Some(&beyond), &beyond.add(1).unwrap(), &mut here);
    assert_eq!(more, Err(CrdtError::Overflow));
    assert_eq!(PnCounter::assign(i64::MIN).sub(1), Err(CrdtError::Overflow));
    assert_eq!(PnCounter::assign(0).sub(i64::MIN), Err(CrdtError::Overflow));
    assert_eq!(
        PnCounter::default().sub(i64::MIN).unwrap().value(),
        Err(CrdtError::Overflow)
    );
}

/// A row from before tracking holds a literal: its first write must count from its value.
#[test]
fn an_unsettled_row_is_authored_first() {
    let mut author = Clock::new(1);
    let old = PnCounter::assign(5);
    let row = PnCounter::settle(Some(&old), &old.add(2).unwrap(), &mut author).unwrap();
    assert_eq!((row.value(), row.is_settled()), (Ok(7), true));
    assert_eq!(PnCounter::delta(Some(&old), &row), Some(row));
    let old = literal(&["a"]);
    let row = OrSet::settle(Some(&old), &old.add("b").unwrap(), &mut author).unwrap();
    assert_eq!((elements(&row), row.is_settled()), (vec!["a", "b"], true));
    let old = LwwRegister::assign(Some("1".to_owned()));
    let row = LwwRegister::settle(Some(&old), &old, &mut author).unwrap();
    assert_eq!((row.get(), row.is_settled()), (Some("1"), true));
}

/// A row that was never settled and asks for more by now must not count the earlier wish twice.
#[test]
fn a_wish_that_grew_counts_once() {
    let mut author = Clock::new(1);
    let old = counter(10, &mut author).add(5).unwrap();
    for (amount, expected) in [(2, 17), (-7, 8), (0, 15)] {
        let new = old.add(amount).unwrap();
        let row = PnCounter::settle(Some(&old), &new, &mut author).unwrap();
        assert_eq!(row.value(), Ok(expected));
    }
}

/// Reading from bytes must say what the value says.
#[test]
fn counters_are_read_and_moved_as_bytes() {
    let mut author = Clock::new(1);
    let row = counter(-4, &mut author);
    for value in [
        row.clone(),
        row.add(9).unwrap(),
        PnCounter::assign(8),
        PnCounter::default(),
    ] {
        let bytes = value.encode();
        assert_eq!(crdt::pn_counter::value_of_bytes(&bytes), value.value());
        for amount in [0, 1, -1, -9, i64::MIN, i64::MAX] {
            assert_eq!(
                PnCounter::edit_bytes(&bytes, &Step::by(amount)),
                value.add(amount).map(|value| value.encode())
            );
        }
        for cut in 0..bytes.len() {
            assert!(crdt::pn_counter::value_of_bytes(&bytes[..cut]).is_err());
            assert!(PnCounter::edit_bytes(&bytes[..cut], &Step::by(1)).is_err());
        }
    }
}

/// Who tags a page while another untags it keeps the tag: also if the tag was there already.
#[test]
fn an_addition_wins_over_a_concurrent_removal() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let row = set(&["news", "old"], &mut here);
    let added = OrSet::settle(Some(&row), &row.add("news").unwrap(), &mut here).unwrap();
    let removed = OrSet::settle(Some(&row), &row.remove("news").unwrap(), &mut there).unwrap();
    assert_eq!(elements(&removed), ["old"]);
    assert_eq!(there.ticks, 0, "a removal needs no dot");
    let joined = added.join(&removed).unwrap();
    assert_eq!(elements(&joined), ["news", "old"]);
    let gone = OrSet::settle(Some(&joined), &joined.remove("news").unwrap(), &mut here).unwrap();
    assert_eq!(elements(&gone), ["old"]);
}

/// A stale client that removes a tag takes what it saw, not what others added since.
#[test]
fn a_stale_removal_takes_only_what_it_saw() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let seen = set(&["a", "b"], &mut here);
    let grown = OrSet::settle(Some(&seen), &seen.add("a").unwrap(), &mut there).unwrap();
    let grown = OrSet::settle(Some(&grown), &grown.add("c").unwrap(), &mut there).unwrap();
    let stale = seen
        .remove("a")
        .unwrap()
        .remove("b")
        .unwrap()
        .add("d")
        .unwrap();
    let row = OrSet::settle(Some(&grown), &stale, &mut here).unwrap();
    assert_eq!(elements(&row), ["a", "c", "d"]);
    // What the stale copy still shows but the row has lost stays lost.
    let again = OrSet::settle(Some(&row), &seen, &mut here).unwrap();
    assert_eq!(again, row);
}

/// Operators in one expression apply in their order.
#[test]
fn set_operators_apply_in_order() {
    let mut author = Clock::new(1);
    let row = set(&["a"], &mut author);
    let off_on = row.remove("a").unwrap().add("a").unwrap();
    assert!(off_on.contains("a"));
    let on_off = row.add("b").unwrap().remove("b").unwrap();
    assert_eq!(on_off, row);
    assert_eq!(row.add("b").unwrap().cardinality(), 2);
    assert!(row.add("b").unwrap().contains_all(["a", "b"]));
    assert!(!row.contains_all(["a", "b"]));
    let literal = literal(&["x", "y"]).remove("x").unwrap().add("z").unwrap();
    assert_eq!(elements(&literal), ["y", "z"]);
    assert_eq!(literal.to_text(), "{y,z}");
    assert_eq!(row.add("a\0"), Err(CrdtError::InvalidElement));
}

/// Assigning another row's set takes its elements, and an emptied one empties.
#[test]
fn another_set_is_taken_by_value() {
    let mut author = Clock::new(1);
    let row = set(&["a", "b"], &mut author);
    let other = set(&["b", "c"], &mut author);
    let taken = OrSet::settle(Some(&row), &other, &mut author).unwrap();
    assert_eq!(elements(&taken), ["b", "c"]);
    assert_eq!(
        taken.live().dots_of("b"),
        row.live().dots_of("b"),
        "what both have stays"
    );
    let emptied = OrSet::settle(Some(&other), &literal(&[]), &mut author).unwrap();
    let taken = OrSet::settle(Some(&row), &emptied, &mut author).unwrap();
    assert_eq!(elements(&taken), Vec::<&str>::new());
}

/// A hand-made literal that claims a known dot for another element must not slip it in.
#[test]
fn a_forged_literal_is_taken_by_value() {
    let mut author = Clock::new(1);
    let row = set(&["a"], &mut author);
    let forged = set(&["admin"], &mut Clock::new(1));
    assert_eq!(row.live().dots_of("a"), forged.live().dots_of("admin"));
    let taken = OrSet::settle(Some(&row), &forged, &mut author).unwrap();
    assert_ne!(taken.live().dots_of("admin"), row.live().dots_of("a"));
    assert_eq!(elements(&taken), ["admin"]);
}

/// NUL cannot be in a text of PostgreSQL: a row with it could not be read.
#[test]
fn set_literals_with_nul_are_refused() {
    let literal = OrSet::assign(BTreeSet::from(["a\0".to_owned()]));
    let settled = OrSet::settle(None, &literal, &mut Clock::new(1));
    assert_eq!(settled, Err(CrdtError::InvalidElement));
}

/// `UPDATE page SET title = draft.title`: a draft older than the title must still be taken; a
/// stale copy of the title itself must not undo what another wrote.
#[test]
fn a_register_tells_a_stale_copy_from_another_register() {
    let mut author = Clock::new(1);
    let draft = register("\"draft\"", &mut author);
    let first = register("\"first\"", &mut author);
    let second = LwwRegister::settle(Some(&first), &first.set("2").unwrap(), &mut author).unwrap();
    let stale = LwwRegister::settle(Some(&second), &first, &mut author).unwrap();
    assert_eq!(stale, second);
    let taken = LwwRegister::settle(Some(&second), &draft, &mut author).unwrap();
    assert_eq!(taken.get(), Some("\"draft\""));
    assert!(taken.latest() > second.latest());
    let copied = LwwRegister::settle(None, &draft, &mut author).unwrap();
    assert_ne!(
        copied.written(),
        draft.written(),
        "an insert is authored anew"
    );
}

/// A write after a value from a fast clock must win over it, or the user's update vanishes.
#[test]
fn a_register_steps_over_a_later_stamp() {
    let mut fast = Clock {
        last: Hlc::from_parts(1 << 40, 0),
        ..Clock::new(2)
    };
    let row = register("1", &mut fast);
    let written =
        LwwRegister::settle(Some(&row), &row.set("2").unwrap(), &mut Clock::new(1)).unwrap();
    assert_eq!(row.join(&written).unwrap().get(), Some("2"));
    let mut last = Clock {
        last: Hlc(u64::MAX),
        ..Clock::new(2)
    };
    let row = register("1", &mut last);
    let written = LwwRegister::settle(Some(&row), &row.set("2").unwrap(), &mut Clock::new(1));
    assert_eq!(written, Err(CrdtError::ClockExhausted));
}

/// Two values under one stamp (a replica that lies) must resolve alike everywhere.
#[test]
fn equal_stamps_resolve_by_digest() {
    let one = register("1", &mut Clock::new(1));
    let two = register("2", &mut Clock::new(1));
    assert_eq!(one.latest(), two.latest());
    let joined = one.join(&two).unwrap();
    assert_eq!(joined, two.join(&one).unwrap());
    // SHA-256("2") = d473…, SHA-256("1") = 6b86…
    assert_eq!(joined.get(), Some("2"));
}

/// NULL is not the empty value: the empty one must reach the other members.
#[test]
fn an_empty_value_over_null_has_a_delta() {
    let mut author = Clock::new(1);
    for kind in [ColumnKind::OrSet, ColumnKind::LwwRegister] {
        let bottom = AnyState::bottom(kind).unwrap();
        let row = AnyState::settle(None, &bottom, &mut author).unwrap();
        assert_eq!(AnyState::delta(None, &row), Some(bottom));
    }
    let empty = AnyState::from(literal(&[]));
    let row = AnyState::settle(None, &empty, &mut author).unwrap();
    assert!(AnyState::delta(None, &row).is_some());
    assert_eq!(author.ticks, 0);
}

/// A column changed its type under a running cluster: an error, not a panic or a wrong join.
#[test]
fn states_of_two_types_do_not_mix() {
    let mut author = Clock::new(1);
    let counter = AnyState::from(counter(1, &mut author));
    let set = AnyState::from(set(&["a"], &mut author));
    let mismatch = CrdtError::KindMismatch("pn_counter", "or_set");
    assert_eq!(counter.join(&set), Err(mismatch.clone()));
    assert_eq!(
        AnyState::settle(Some(&counter), &set, &mut author),
        Err(mismatch)
    );
    assert_eq!(AnyState::delta(Some(&counter), &set), Some(set.clone()));
    assert!(AnyState::check_delta(&set, author.replica, Some(&counter)).is_err());
    assert!(counter.cmp_by_value(&set).is_lt());
    assert!(AnyState::decode(ColumnKind::Plain, &counter.encode()).is_err());
    assert_eq!(counter.plain_text().as_deref(), Ok("1"));
    assert_eq!(set.plain_text().as_deref(), Ok("{a}"));
}

/// Folded tombstones must still keep away what they removed, and old rows stay readable.
#[test]
fn a_floor_stands_for_the_tombstones_below_it() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let row = set(&["a", "b", "c"], &mut here);
    let removed = OrSet::settle(Some(&row), &row.remove("b").unwrap(), &mut here).unwrap();
    let folded = removed.compact(&removed.version()).unwrap();
    assert!(folded.to_json().contains(r#""removed_upto":[""#));
    assert!(!removed.to_json().contains("removed_upto"));
    assert!(folded.removed().is_empty() && !folded.floor().is_empty());
    assert!(folded.encode().starts_with(&[1, 4]) && removed.encode().starts_with(&[1, 0]));
    assert_eq!(OrSet::decode(&folded.encode()).as_ref(), Ok(&folded));
    assert_eq!(folded.version(), removed.version());
    assert_eq!(elements(&folded.join(&row).unwrap()), ["a", "c"]);
    assert_eq!(folded.join(&removed).unwrap(), folded);
    let grown = OrSet::settle(Some(&row), &row.add("b").unwrap(), &mut there).unwrap();
    assert_eq!(elements(&folded.join(&grown).unwrap()), ["a", "b", "c"]);
    let less = OrSet::settle(Some(&folded), &folded.remove("a").unwrap(), &mut there).unwrap();
    assert_eq!(elements(&less), ["c"]);
    let delta = OrSet::delta(Some(&folded), &less).unwrap();
    assert_eq!(folded.join(&delta).unwrap(), less);
    let check = |row| OrSet::check_delta(&delta, there.replica, Some(row));
    assert_eq!((check(&folded), check(&removed)), (Ok(()), Ok(())));
    let forged = OrSet::check_delta(&folded.reset().unwrap(), there.replica, None);
    assert!(forged.is_err(), "a floor beyond what the row has seen");
    // Another set of the same replica, older than the floor, is no stale copy.
    let mut early = Clock::new(1);
    let other = set(&["z"], &mut early);
    let taken = OrSet::settle(Some(&folded), &other, &mut here).unwrap();
    assert_eq!(elements(&taken), ["z"]);
}
