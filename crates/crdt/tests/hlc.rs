//! The latest tick as a value.

mod world;

use crdt::{Crdt, CrdtError, DeltaFault, Hlc, HlcRegister, ReplicaId, TextError};
use proptest::prelude::*;
use world::hostile::hostile;
use world::laws::laws;
use world::{Clock, Driven};

impl Driven for HlcRegister {
    /// A small world's clocks are near 0: many ticks are yet to come.
    const MAY_REFUSE: bool = true;
    const IS_TAKEN_BY_VALUE: bool = false;

    fn literal(seed: u8) -> Self {
        match seed % 4 {
            0 => Self::default(),
            tick => Self::assign(Some(Hlc(u64::from(tick) - 1))),
        }
    }

    fn operated(&self, seed: u8) -> Self {
        let held = self.get().unwrap_or_default();
        self.raised(Hlc((held.0 + u64::from(seed % 8)).saturating_sub(3)))
    }
}

laws! { laws_of_the_type: HlcRegister; }
hostile! { bytes: HlcRegister; }

fn clock(name: u8, millis: u64) -> Clock {
    Clock {
        last: Hlc::from_parts(millis, 0),
        ..Clock::new(name)
    }
}

fn at(millis: u64) -> HlcRegister {
    HlcRegister::assign(Some(Hlc::from_parts(millis, 0)))
}

proptest! {
    /// Deltas lost, repeated and late: a replica shows the greatest tick that reached it.
    #[test]
    fn shows_the_greatest_that_arrived(
        writes in prop::collection::vec((0..3usize, 0..2_000u64), 1..20),
        deliveries in prop::collection::vec(any::<(prop::sample::Index, prop::sample::Index)>(), 0..40),
    ) {
        let mut author = clock(1, 1_000);
        let mut deltas: Vec<(Hlc, HlcRegister)> = Vec::new();
        for (replica, millis) in writes {
            author.replica = ReplicaId([replica as u8; 16]);
            match HlcRegister::settle(None, &at(millis), &mut author) {
                Ok(row) => deltas.push((Hlc::from_parts(millis, 0), row)),
                Err(error) => {
                    let is_future = matches!(error, CrdtError::FutureTick { .. });
                    prop_assert!(is_future && millis > 1_000);
                }
            }
        }
        prop_assume!(!deltas.is_empty());
        let mut rows = [HlcRegister::default(); 3];
        let mut model = [None; 3];
        for (delta, to) in deliveries {
            let ((tick, delta), to) = (*delta.get(&deltas), to.index(3));
            rows[to] = rows[to].join(&delta).unwrap();
            model[to] = model[to].max(Some(tick));
            prop_assert_eq!(rows[to].value(), Ok(model[to]));
        }
    }
}

/// A stale client's lower time must not take back a later one, nor cost a tick.
#[test]
fn a_lower_time_changes_nothing() {
    let mut author = clock(1, 100);
    let row = HlcRegister::settle(None, &at(50), &mut author).unwrap();
    let ticks = author.ticks;
    for lower in [at(49), at(50), HlcRegister::default(), row] {
        let same = HlcRegister::settle(Some(&row), &lower, &mut author).unwrap();
        assert_eq!(same, row);
        assert_eq!(HlcRegister::delta(Some(&row), &same), None);
    }
    assert_eq!(author.ticks, ticks);
    let later = HlcRegister::settle(Some(&row), &row.raised(Hlc(60 << 16)), &mut author).unwrap();
    assert_eq!(later.value(), Ok(Some(Hlc(60 << 16))));
    assert_eq!(later.latest(), Hlc(60 << 16));
    assert_eq!(row.reset(), Err(CrdtError::OnlyGrows("hlc")));
}

/// A time beyond the node's clock would be refused by every peer, for good: refuse it here.
#[test]
fn the_future_is_refused_where_it_is_written() {
    let mut author = clock(1, 100);
    let row = HlcRegister::settle(None, &at(50), &mut author).unwrap();
    for old in [None, Some(&row), Some(&at(200))] {
        let fault = HlcRegister::settle(old, &at(200), &mut author).unwrap_err();
        let wanted = Hlc::from_parts(200, 0);
        assert_eq!(
            fault,
            CrdtError::FutureTick {
                wanted,
                now: author.last
            }
        );
        assert!(
            fault
                .to_string()
                .starts_with("the time 1970-01-01T00:00:00.200Z is later")
        );
    }
}

/// What was never settled has no author.
#[test]
fn only_settled_ticks_travel() {
    let unsettled = HlcRegister::check_delta(&at(1), ReplicaId([1; 16]), None);
    assert_eq!(unsettled, Err(DeltaFault::Unsettled));
}

/// Yesterday's rows must read the same tomorrow.
#[test]
fn golden_bytes_and_texts() {
    let time = "2026-11-21T12:00:00.123Z/5";
    let tick = Hlc::from_parts(1_795_262_400_123, 5);
    let literal = HlcRegister::assign(Some(tick));
    let row = HlcRegister::settle(None, &literal, &mut clock(1, tick.millis() + 1)).unwrap();
    let hex = |value: &HlcRegister| -> String {
        value
            .encode()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    };
    let digits = "01a1fdfa467b0005";
    assert_eq!(hex(&HlcRegister::default()), "0100");
    assert_eq!(hex(&literal), format!("0102{digits}"));
    assert_eq!(hex(&row), format!("0101{digits}"));
    assert_eq!(
        hex(&row.raised(Hlc(7))),
        format!("0103{digits}0000000000000007")
    );
    assert_eq!(HlcRegister::from_text(time), Ok(literal));
    assert_eq!(literal.to_text(), time);
    assert!(row.to_text().starts_with(&format!("{time} @v1:AQE")));
    assert_eq!(HlcRegister::default().to_text(), "-infinity");
    assert_eq!(
        row.to_json(),
        format!(
            r#"{{"type":"hlc","value":"{time}","tick":{{"time":"{time}","millis":1795262400123,"logical":5}},"change":null}}"#
        )
    );
    assert!(matches!(
        HlcRegister::from_text("5"),
        Err(TextError::Syntax { .. })
    ));
}
