//! The counter that only grows.

mod world;

use crdt::{Crdt, CrdtError, DeltaFault, Edit, GCounter, ReplicaId, TextError, g_counter};
use proptest::prelude::*;
use world::hostile::hostile;
use world::laws::laws;
use world::{Clock, Driven, oracle};

impl Driven for GCounter {
    const MAY_REFUSE: bool = true;
    const IS_TAKEN_BY_VALUE: bool = false;

    fn literal(seed: u8) -> Self {
        Self::assign(i64::from(seed))
    }

    fn operated(&self, seed: u8) -> Self {
        self.add(i64::from(seed)).unwrap()
    }
}

laws! { laws_of_the_type: GCounter; }
hostile! { bytes: GCounter; }

fn counter(value: i64, author: &mut Clock) -> GCounter {
    GCounter::settle(None, &GCounter::assign(value), author).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

proptest! {
    /// A lost, repeated or late delta must neither lose a count nor count it twice.
    #[test]
    fn shows_exactly_what_arrived(steps in oracle::steps()) {
        oracle::run::<GCounter>(
            &steps,
            |row, seed| row.add(1 + i64::from(seed)).unwrap(),
            |row, seen, log| {
                let sums = log.iter().zip(seen).map(|(writes, seen)| {
                    writes[..seen].iter().map(|(seed, _)| 1 + i64::from(*seed)).sum::<i64>()
                });
                assert_eq!(row.value(), Ok(sums.sum()));
            },
        );
    }
}

/// A count that went down would be lost in every join.
#[test]
fn nothing_makes_it_smaller() {
    let mut author = Clock::new(1);
    let row = counter(10, &mut author);
    let by = |amount| Err(CrdtError::Shrinks { amount });
    assert_eq!(row.add(-3), by(-3));
    let lower = GCounter::assign(4);
    assert_eq!(GCounter::settle(Some(&row), &lower, &mut author), by(-6));
    let other = counter(7, &mut Clock::new(2));
    assert_eq!(GCounter::settle(Some(&row), &other, &mut author), by(-3));
    let negative = GCounter::from_text("-5").unwrap();
    assert_eq!(GCounter::settle(None, &negative, &mut author), by(-5));
    assert_eq!(row.reset(), Err(CrdtError::OnlyGrows("g_counter")));
    assert_eq!(
        row.add(-3).unwrap_err().to_string(),
        "a g_counter only grows: it cannot change by -3"
    );
}

/// An ORM's absolute value, a stale copy and another counter each count once.
#[test]
fn writes_are_differences() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let first = counter(10, &mut here);
    let second = GCounter::settle(Some(&first), &first.add(5).unwrap(), &mut here).unwrap();
    let stale = GCounter::settle(Some(&second), &first.add(7).unwrap(), &mut here).unwrap();
    assert_eq!((stale.value(), stale.slots().len()), (Ok(22), 1));
    let assigned = GCounter::settle(Some(&first), &GCounter::assign(12), &mut here).unwrap();
    let counted = GCounter::settle(Some(&first), &first.add(100).unwrap(), &mut there).unwrap();
    assert_eq!(assigned.join(&counted).unwrap().value(), Ok(112));
    let other = counter(30, &mut here).add(1).unwrap();
    let copied = GCounter::settle(Some(&first), &other, &mut here).unwrap();
    assert_eq!((copied.value(), copied.slots().len()), (Ok(31), 1));
}

/// A slot that claims less under a known dot is a stale copy; one that claims more is not.
#[test]
fn a_forged_slot_is_taken_by_value() {
    let mut author = Clock::new(1);
    let row = counter(10, &mut author);
    let mut forged = row.encode();
    *forged.last_mut().unwrap() = 50;
    let forged = GCounter::decode(&forged).unwrap();
    let settled = GCounter::settle(Some(&row), &forged, &mut author).unwrap();
    assert_eq!(settled.value(), Ok(50));
    assert_eq!(settled.slots()[0].dot, row.slots()[0].dot);
}

/// Two sessions that settle one loose value must both count.
#[test]
fn authors_side_by_side_lose_nothing() {
    let mut author = Clock::new(1);
    let row = counter(10, &mut author);
    author.exclusive = false;
    let mut add = |n| GCounter::settle(Some(&row), &row.add(n).unwrap(), &mut author).unwrap();
    let (one, two) = (add(3), add(4));
    assert_eq!(one.join(&two).unwrap().value(), Ok(17));
}

/// A row from before tracking holds a literal.
#[test]
fn an_unsettled_row_is_authored_first() {
    let mut author = Clock::new(1);
    let old = GCounter::assign(5);
    let row = GCounter::settle(Some(&old), &old.add(2).unwrap(), &mut author).unwrap();
    assert_eq!((row.value(), row.is_settled()), (Ok(7), true));
    assert_eq!(GCounter::delta(Some(&old), &row), Some(row));
    let old = counter(10, &mut author).add(5).unwrap();
    let row = GCounter::settle(Some(&old), &old.add(2).unwrap(), &mut author).unwrap();
    assert_eq!(row.value(), Ok(17), "what the row asked for counts once");
}

/// A sum beyond bigint must be an error at the write, not a wrap.
#[test]
fn never_wraps() {
    let mut author = Clock::new(1);
    let full = counter(i64::MAX, &mut author);
    let over = full.add(1).unwrap();
    assert_eq!(over.value(), Err(CrdtError::Overflow));
    let settled = GCounter::settle(Some(&full), &over, &mut author);
    assert_eq!(settled, Err(CrdtError::Overflow));
    assert_eq!(GCounter::assign(i64::MAX).add(1), Err(CrdtError::Overflow));
    let mut much = GCounter::default();
    much.edit(&u64::MAX).unwrap();
    assert_eq!(much.edit(&1), Err(CrdtError::Overflow));
    assert_eq!(much.value(), Err(CrdtError::Overflow));
    let both = full.join(&counter(1, &mut Clock::new(2))).unwrap();
    assert_eq!(both.value(), Err(CrdtError::Overflow));
    assert_eq!(GCounter::from_text(&both.to_text()), Ok(both));
}

/// Whoever could write another's slot could count in its name.
#[test]
fn only_the_authors_slot_travels() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let row = counter(1, &mut here);
    let both = GCounter::settle(Some(&row), &row.add(1).unwrap(), &mut there).unwrap();
    let fault = Err(DeltaFault::ForeignSlot(ReplicaId([1; 16])));
    assert_eq!(GCounter::check_delta(&both, there.replica, None), fault);
    let delta = GCounter::delta(Some(&row), &both).unwrap();
    assert_eq!(
        GCounter::check_delta(&delta, there.replica, Some(&row)),
        Ok(())
    );
    let unsettled = GCounter::check_delta(&row.add(1).unwrap(), here.replica, None);
    assert_eq!(unsettled, Err(DeltaFault::Unsettled));
}

/// Reading from bytes must say what the value says.
#[test]
fn is_read_from_bytes() {
    let row = counter(4, &mut Clock::new(1));
    for value in [
        row.add(9).unwrap(),
        GCounter::assign(-8),
        row,
        GCounter::default(),
    ] {
        let bytes = value.encode();
        assert_eq!(g_counter::value_of_bytes(&bytes), value.value());
        for cut in 0..bytes.len() {
            assert!(g_counter::value_of_bytes(&bytes[..cut]).is_err());
        }
    }
}

/// Yesterday's rows must read the same tomorrow.
#[test]
fn golden_bytes_and_texts() {
    let row = counter(12, &mut Clock::new(1));
    let slot = "01010101010101010101010101010101 0000000000000002 000000000000000c";
    for (value, bytes) in [
        (GCounter::default(), "01000000".to_owned()),
        (GCounter::assign(12), "01020000 000000000000000c".to_owned()),
        (row.clone(), format!("01000001 {slot}")),
        (
            row.add(5).unwrap(),
            format!("01010001 {slot} 0000000000000005"),
        ),
    ] {
        assert_eq!(hex(&value.encode()), bytes.replace(' ', ""));
    }
    assert_eq!(GCounter::assign(12).to_text(), "12");
    assert!(row.to_text().starts_with("12 @v1:AQAAAQ"));
    assert_eq!(
        row.add(5).unwrap().to_json(),
        r#"{"type":"g_counter","value":17,"slots":[{"replica":"01010101010101010101010101010101","tick":2,"total":12}],"change":{"add":5}}"#
    );
    let too_much = GCounter::from_text("9223372036854775808").unwrap_err();
    assert_eq!(
        too_much.to_string(),
        "value \"9223372036854775808\" is out of range for type g_counter"
    );
    assert!(matches!(
        GCounter::from_text("1.5"),
        Err(TextError::Syntax { .. })
    ));
}
