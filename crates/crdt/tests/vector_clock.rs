//! Vector clocks: what came first.

mod world;

use std::cmp::Ordering;

use crdt::{
    Crdt, CrdtError, DeltaFault, Dot, Hlc, ReplicaId, TextError, VectorClock, VersionVector,
};
use proptest::prelude::*;
use world::hostile::hostile;
use world::laws::laws;
use world::{Clock, Driven, World, events, oracle};

impl Driven for VectorClock {
    /// Another's entry cannot be copied in.
    const MAY_REFUSE: bool = true;
    const IS_TAKEN_BY_VALUE: bool = false;

    fn literal(seed: u8) -> Self {
        let empty = Self::assign(VersionVector::default());
        if seed.is_multiple_of(2) {
            empty
        } else {
            empty.ticked()
        }
    }

    fn operated(&self, seed: u8) -> Self {
        if seed.is_multiple_of(8) {
            self.clone()
        } else {
            self.ticked()
        }
    }
}

laws! { laws_of_the_type: VectorClock; }
hostile! { bytes: VectorClock; }

fn vector(entries: &[(u8, u64)]) -> VersionVector {
    let dot = |(replica, counter): &(u8, u64)| Dot {
        replica: ReplicaId([*replica; 16]),
        counter: *counter,
    };
    entries.iter().map(dot).collect()
}

fn literal(entries: &[(u8, u64)]) -> VectorClock {
    VectorClock::assign(vector(entries))
}

fn ticked(row: &VectorClock, author: &mut Clock) -> VectorClock {
    VectorClock::settle(Some(row), &row.ticked(), author).unwrap()
}

proptest! {
    /// Deltas lost, repeated and late: of each replica the latest tick that arrived.
    #[test]
    fn shows_exactly_what_arrived(steps in oracle::steps()) {
        oracle::run::<VectorClock>(
            &steps,
            |row, _| row.ticked(),
            |row, seen, log| {
                let expected: VersionVector = (1..=3u8).zip(log.iter().zip(seen))
                    .filter_map(|(name, (writes, seen))| {
                        let (_, delta) = writes[..seen].last()?;
                        let replica = ReplicaId([name; 16]);
                        Some(Dot { replica, counter: delta.latest().0 })
                    })
                    .collect();
                assert_eq!(row.value(), Ok(expected));
            },
        );
    }

    /// An index that puts an effect before its cause lists history in the wrong order.
    #[test]
    fn the_total_order_agrees_with_the_partial_one(events in events()) {
        let mut world = World::<VectorClock>::new(1);
        world.run(&events);
        let values = world.values();
        for a in &values {
            for b in &values {
                match a.compare(b) {
                    None | Some(Ordering::Equal) => (),
                    order => prop_assert_eq!(Some(a.cmp_by_value(b)), order),
                }
                prop_assert_eq!(a.compare(b), b.compare(a).map(Ordering::reverse));
            }
        }
    }
}

/// Whoever takes concurrent for later drops the other's write.
#[test]
fn writes_side_by_side_are_concurrent() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let row = ticked(&VectorClock::default(), &mut here);
    let (a, b) = (ticked(&row, &mut here), ticked(&row, &mut there));
    assert_eq!(row.compare(&a), Some(Ordering::Less));
    assert_eq!(b.compare(&row), Some(Ordering::Greater));
    assert_eq!(a.compare(&b), None);
    let both = a.join(&b).unwrap();
    assert_eq!(both.compare(&a), Some(Ordering::Greater));
    assert_eq!(both.compare(&both.clone()), Some(Ordering::Equal));
    let (lesser, greater) = (literal(&[(2, 9)]), literal(&[(1, 1), (2, 9)]));
    assert_eq!(lesser.cmp_by_value(&greater), Ordering::Less);
}

/// A node that writes another's entry makes it seem to have done what it never did.
#[test]
fn only_the_own_entry_rises() {
    let mut author = Clock::new(1);
    let foreign = |held| CrdtError::ForeignEntry {
        replica: ReplicaId([2; 16]),
        wanted: 7,
        held,
    };
    let inserted = VectorClock::settle(None, &literal(&[(2, 7)]), &mut author);
    assert_eq!(inserted, Err(foreign(0)));
    assert_eq!(
        foreign(3).to_string(),
        "the entry of replica 02020202020202020202020202020202 is 7, but the row has 3: \
         only that replica may raise it"
    );
    let mut other = Clock {
        last: Hlc(2),
        ..Clock::new(2)
    };
    let row = ticked(&VectorClock::default(), &mut other);
    assert_eq!(row.value(), Ok(vector(&[(2, 3)])));
    let over = VectorClock::settle(Some(&row), &literal(&[(2, 7)]), &mut author);
    assert_eq!(over, Err(foreign(3)));
    assert_eq!(author.ticks, 0);
    for behind in [literal(&[(2, 3)]), literal(&[(2, 1)]), literal(&[])] {
        assert_eq!(
            VectorClock::settle(Some(&row), &behind, &mut author).as_ref(),
            Ok(&row)
        );
    }
    let both = VectorClock::settle(Some(&row), &literal(&[(2, 1)]).ticked(), &mut author);
    assert_eq!(both.unwrap().value(), Ok(vector(&[(1, 2), (2, 3)])));
}

/// One's own entry is a tick and never a number that somebody wrote down.
#[test]
fn an_own_entry_ahead_asks_for_a_tick() {
    let mut author = Clock {
        last: Hlc(40),
        ..Clock::new(1)
    };
    let row = VectorClock::settle(None, &literal(&[(1, 5)]), &mut author).unwrap();
    assert_eq!(row.value(), Ok(vector(&[(1, 41)])));
    let future = VectorClock::settle(Some(&row), &literal(&[(1, 99)]), &mut author);
    assert_eq!(
        future,
        Err(CrdtError::FutureTick {
            wanted: Hlc(99),
            now: Hlc(42)
        })
    );
}

/// Ticks of two sessions upon one value must both be covered by their join.
#[test]
fn authors_side_by_side_lose_nothing() {
    let mut author = Clock {
        exclusive: false,
        ..Clock::new(1)
    };
    let row = VectorClock::default();
    let (one, two) = (ticked(&row, &mut author), ticked(&row, &mut author));
    assert_eq!(one.join(&two).as_ref(), Ok(&two));
    assert_eq!(one.compare(&two), Some(Ordering::Less));
}

/// A member could claim that another had seen a write.
#[test]
fn only_the_authors_entry_travels() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let row = ticked(&VectorClock::default(), &mut here);
    let both = ticked(&row, &mut there);
    let delta = VectorClock::delta(Some(&row), &both).unwrap();
    assert_eq!(
        VectorClock::check_delta(&delta, there.replica, Some(&row)),
        Ok(())
    );
    let fault = Err(DeltaFault::ForeignEntry(here.replica));
    assert_eq!(
        VectorClock::check_delta(&both, there.replica, Some(&row)),
        fault
    );
    let unsettled = VectorClock::check_delta(&row.ticked(), here.replica, None);
    assert_eq!(unsettled, Err(DeltaFault::Unsettled));
    assert_eq!(row.reset(), Err(CrdtError::OnlyGrows("vector_clock")));
}

/// Yesterday's rows must read the same tomorrow.
#[test]
fn golden_bytes_and_texts() {
    const ONES: &str = "01010101010101010101010101010101";
    let hex = |value: &VectorClock| -> String {
        value
            .encode()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    };
    let row = ticked(&VectorClock::default(), &mut Clock::new(1));
    assert_eq!(hex(&VectorClock::default()), "010000");
    assert_eq!(hex(&row), format!("010001{ONES}0000000000000002"));
    assert_eq!(hex(&row.ticked()), format!("010101{ONES}0000000000000002"));
    let wish = literal(&[(1, 5)]);
    assert_eq!(hex(&wish), format!("01020001{ONES}0000000000000005"));
    assert_eq!(wish.to_text(), format!(r#"{{"{ONES}": 5}}"#));
    assert_eq!(VectorClock::default().to_text(), "{}");
    assert!(
        row.to_text()
            .starts_with(&format!(r#"{{"{ONES}": 2}} @v1:AQAB"#))
    );
    assert_eq!(
        row.ticked().to_json(),
        format!(
            r#"{{"type":"vector_clock","value":{{"{ONES}": 2}},"entries":{{"{ONES}": 2}},"change":{{"tick":true,"assign":{{}}}}}}"#
        )
    );
}

/// A literal with a typing error must not become another vector.
#[test]
fn literals() {
    const ONES: &str = "01010101010101010101010101010101";
    const ABS: &str = "ABABABABABABABABABABABABABABABAB";
    let both = format!(r#" {{ "{ABS}" :7,"{ONES}":5 }} "#);
    assert_eq!(
        VectorClock::from_text(&both),
        Ok(literal(&[(1, 5), (0xab, 7)]))
    );
    let zero = format!(r#"{{"{ONES}": 0}}"#);
    assert_eq!(VectorClock::from_text(&zero), Ok(VectorClock::default()));
    for bad in ["", "[]", "5", "null", r#"{"a": 1}"#, r#"{"a": {"b": 1}}"#] {
        let fault = VectorClock::from_text(bad);
        assert!(matches!(fault, Err(TextError::Syntax { .. })), "{bad}");
    }
    for tick in ["-1", "1.5", "\"5\"", "{}", "null", "\"a, b\""] {
        let fault = VectorClock::from_text(&format!(r#"{{"{ONES}": {tick}}}"#));
        assert!(matches!(fault, Err(TextError::Syntax { .. })), "{tick}");
    }
    let large = VectorClock::from_text(&format!(r#"{{"{ONES}": 18446744073709551616}}"#));
    assert!(matches!(large, Err(TextError::OutOfRange { .. })));
}
