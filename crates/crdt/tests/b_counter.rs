//! The counter that never falls below its floor.

mod world;

use std::collections::BTreeSet;

use crdt::{BCounter, Crdt, CrdtError, DeltaFault, Dot, ReplicaId, TextError};
use proptest::prelude::*;
use world::hostile::{altered, edits, hostile};
use world::laws::laws;
use world::{Clock, Driven, World, events};

const A: ReplicaId = ReplicaId([1; 16]);
const B: ReplicaId = ReplicaId([2; 16]);

impl Driven for BCounter {
    const MAY_REFUSE: bool = true;
    const IS_TAKEN_BY_VALUE: bool = false;

    fn literal(seed: u8) -> Self {
        let value = i64::from(seed);
        if seed.is_multiple_of(2) {
            Self::assign(value)
        } else {
            Self::with_floor(value, value / 2).unwrap()
        }
    }

    fn operated(&self, seed: u8) -> Self {
        let amount = i64::from(seed >> 2);
        match seed % 4 {
            0 => self.add(amount),
            1 => self.transfer(ReplicaId([1 + seed / 4 % 3; 16]), amount as u64),
            _ => self.sub(amount),
        }
        .unwrap_or_else(|_| self.clone())
    }
}

laws! { laws_of_the_type: BCounter; }
hostile! { bytes: BCounter; }

fn counter(value: i64, floor: i64, author: &mut Clock) -> BCounter {
    let literal = BCounter::with_floor(value, floor).unwrap();
    BCounter::settle(None, &literal, author).unwrap()
}

fn written(row: &BCounter, new: Result<BCounter, CrdtError>, author: &mut Clock) -> BCounter {
    BCounter::settle(Some(row), &new.unwrap(), author).unwrap()
}

fn is_sound(row: &BCounter) -> bool {
    row.rights().values().all(|rights| *rights >= 0)
        && i128::from(row.value().unwrap()) >= row.floor()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// The promise of the type: whoever writes what in whichever partition, nobody ever sees a
    /// stock below its floor, not even who sees everything.
    #[test]
    fn never_below_the_floor(first: u8, events in events()) {
        let mut world = World::<BCounter>::new(first);
        let floor = world.row(0).floor();
        world.run(&events);
        for row in world.versions.iter().flatten() {
            prop_assert!(is_sound(row));
            prop_assert_eq!(row.floor(), floor);
        }
        let everything = (1..3).try_fold(world.row(0).clone(), |all, at| all.join(world.row(at)));
        prop_assert!(is_sound(&everything.unwrap()));
    }

    /// Each accepted write counts once, wherever it has arrived, perhaps twice; each refused one
    /// nowhere. The model is a ledger: who added what and gave what to whom.
    #[test]
    fn is_a_ledger(
        writes in prop::collection::vec((0..3usize, -60..40i64, 0..3usize, 0..30u64), 1..40),
        syncs in prop::collection::vec((0..3usize, 0..3usize, any::<prop::sample::Index>()), 40),
    ) {
        let mut clocks: Vec<Clock> = (1..=3).map(Clock::new).collect();
        let first = counter(100, 0, &mut clocks[0]);
        let mut rows = vec![first; 3];
        let mut ledger: Vec<(usize, i64, usize, i64, BCounter)> = Vec::new();
        let mut seen = vec![BTreeSet::new(); 3];
        for ((at, amount, to, gift), (from, target, again)) in writes.into_iter().zip(syncs) {
            let row = rows[at].clone();
            let new = row.add(amount).unwrap().transfer(clocks[to].replica, gift).unwrap();
            let mut rights = [100, 0, 0];
            for index in &seen[at] {
                let (author, amount, to, gift, _): &(usize, i64, usize, i64, BCounter) =
                    &ledger[*index];
                rights[*author] += amount - gift;
                rights[*to] += gift;
            }
            let gift = if to == at { 0 } else { gift as i64 };
            let settled = BCounter::settle(Some(&row), &new, &mut clocks[at]);
            prop_assert_eq!(settled.is_ok(), rights[at] + amount >= gift);
            if let Ok(written) = settled
                && let Some(delta) = BCounter::delta(Some(&row), &written)
            {
                seen[at].insert(ledger.len());
                ledger.push((at, amount, to, gift, delta));
                rows[at] = written;
            }
            let missing: Vec<usize> = seen[from].difference(&seen[target]).copied().collect();
            for index in missing {
                let (author, .., delta) = &ledger[index];
                let author = clocks[*author].replica;
                prop_assert_eq!(BCounter::check_delta(delta, author, Some(&rows[target])), Ok(()));
                rows[target] = rows[target].join(delta).unwrap();
                seen[target].insert(index);
            }
            if let Some(index) = seen[target].iter().nth(again.index(seen[target].len().max(1))) {
                rows[target] = rows[target].join(&ledger[*index].4).unwrap();
            }
            for (row, seen) in rows.iter().zip(&seen) {
                let sum: i64 = seen.iter().map(|index| ledger[*index].1).sum();
                prop_assert_eq!(row.value(), Ok(100 + sum));
                prop_assert!(is_sound(row));
            }
        }
    }

    /// A peer that alters its deltas cannot drive a row below the floor either: what passes the
    /// check keeps the promise.
    #[test]
    fn what_passes_the_check_keeps_the_promise(
        first: u8, events in events(), pick: prop::sample::Index, edits in edits(),
    ) {
        let mut world = World::<BCounter>::new(first);
        world.run(&events);
        for at in 0..3 {
            let Some(delta) = world.deltas[at].get(pick.index(world.deltas[at].len().max(1))) else {
                continue;
            };
            let Ok(delta) = BCounter::decode(&altered(&delta.encode(), &edits)) else {
                continue;
            };
            let author = world.clocks[at].replica;
            for row in world.versions.iter().flatten() {
                if BCounter::check_delta(&delta, author, Some(row)).is_ok() {
                    let row = row.join(&delta).unwrap();
                    let sum: i128 = row.rights().values().sum();
                    prop_assert!(row.rights().values().all(|rights| *rights >= 0));
                    prop_assert!(sum >= 0);
                }
            }
        }
    }
}

/// Two shops that sell the last piece at once would both have sold it.
#[test]
fn the_last_piece_is_sold_once() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let stock = counter(1, 0, &mut here);
    let sold = written(&stock, stock.sub(1), &mut here);
    assert_eq!(sold.value(), Ok(0));
    let refused = BCounter::settle(Some(&stock), &stock.sub(1).unwrap(), &mut there).unwrap_err();
    assert_eq!(
        refused,
        CrdtError::NoRights {
            wanted: 1,
            held: 0,
            elsewhere: vec![(A, 1)]
        }
    );
    assert_eq!(
        refused.to_string(),
        "1 rights are needed and 0 are held here; \
         replica 01010101010101010101010101010101 holds 1"
    );
    let more = written(&stock, stock.add(2), &mut there);
    let both = sold.join(&more).unwrap();
    assert_eq!((both.value(), both.rights_of(&B)), (Ok(2), 2));
    let none = BCounter::settle(Some(&both), &both.sub(3).unwrap(), &mut here).unwrap_err();
    assert!(
        none.to_string()
            .ends_with("replica 02020202020202020202020202020202 holds 2")
    );
    let alone = BCounter::settle(Some(&sold), &sold.sub(1).unwrap(), &mut here).unwrap_err();
    assert!(alone.to_string().ends_with("no other replica holds any"));
}

/// A shop that sells out can be given more; what was given away cannot be sold here as well.
#[test]
fn rights_move() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let stock = counter(10, 4, &mut here);
    let given = written(&stock, stock.transfer(B, 5), &mut here);
    assert_eq!(
        (given.value(), given.rights_of(&A), given.rights_of(&B)),
        (Ok(10), 1, 5)
    );
    let over = BCounter::settle(Some(&given), &given.sub(2).unwrap(), &mut here);
    assert!(matches!(
        over,
        Err(CrdtError::NoRights {
            wanted: 2,
            held: 1,
            ..
        })
    ));
    let again = BCounter::settle(Some(&given), &given.transfer(B, 2).unwrap(), &mut here);
    assert!(matches!(
        again,
        Err(CrdtError::NoRights {
            wanted: 2,
            held: 1,
            ..
        })
    ));
    let sold = written(&given, given.sub(3), &mut there);
    let back = written(&sold, sold.transfer(A, 2), &mut there);
    assert_eq!(
        (back.value(), back.rights_of(&A), back.rights_of(&B)),
        (Ok(7), 3, 0)
    );
    let ticks = here.ticks;
    let own = written(&back, back.transfer(A, 99), &mut here);
    assert_eq!((&own, here.ticks), (&back, ticks), "to oneself is nothing");
    let twice = back.transfer(B, 1).unwrap().transfer(B, 2).unwrap();
    assert_eq!(written(&back, Ok(twice), &mut here).rights_of(&B), 3);
}

/// A literal, a stale copy and another counter are differences, within one's rights.
#[test]
fn writes_are_differences() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let row = counter(10, 5, &mut here);
    let assigned = written(&row, Ok(BCounter::assign(7)), &mut here);
    let counted = written(&row, row.add(100), &mut there);
    assert_eq!(assigned.join(&counted).unwrap().value(), Ok(107));
    let stale = written(&assigned, row.sub(1), &mut here);
    assert_eq!((stale.value(), stale.slots().len()), (Ok(6), 1));
    let other = counter(6, 0, &mut here);
    assert_eq!(written(&row, Ok(other.clone()), &mut here).value(), Ok(6));
    assert!(BCounter::settle(Some(&row), &other, &mut there).is_err());
    let below = BCounter::settle(Some(&row), &BCounter::assign(4), &mut here);
    assert!(matches!(
        below,
        Err(CrdtError::NoRights {
            wanted: 6,
            held: 5,
            ..
        })
    ));
    // A forged copy: the same dot with more rights.
    let mut forged = row.encode();
    let floor = forged.len() - 1;
    forged[floor] = 0;
    let forged = BCounter::decode(&forged).unwrap().sub(8).unwrap();
    assert!(BCounter::settle(Some(&row), &forged, &mut here).is_err());
}

/// A floor that a later literal could move would be none.
#[test]
fn the_floor_is_fixed() {
    let mut author = Clock::new(1);
    let row = counter(10, 5, &mut author);
    let literal = |text: &str| BCounter::from_text(text).unwrap();
    let fault = BCounter::settle(Some(&row), &literal("10 floor 0"), &mut author);
    assert_eq!(fault, Err(CrdtError::FloorIsFixed { held: 5, wanted: 0 }));
    assert_eq!(
        written(&row, Ok(literal("9 floor 5")), &mut author).value(),
        Ok(9)
    );
    let below = CrdtError::BelowFloor {
        value: -1,
        floor: 0,
    };
    assert_eq!(
        BCounter::settle(None, &literal("-1"), &mut author),
        Err(below)
    );
    assert!(BCounter::with_floor(4, 5).is_err());
    let fault = BCounter::from_text("4 floor 5");
    assert!(matches!(fault, Err(TextError::Syntax { .. })));
    assert!(literal("6 floor 5").sub(2).is_err());
    let debt = BCounter::settle(None, &literal("-3 floor -5"), &mut author).unwrap();
    assert_eq!((debt.value(), debt.rights_of(&A)), (Ok(-3), 2));
}

/// Who empties a stock empties what it may, down to the floor and no further.
#[test]
fn a_reset_goes_to_the_floor() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let row = counter(10, 5, &mut here);
    let reset = written(&row, row.reset(), &mut here);
    assert_eq!(reset.value(), Ok(5));
    let refused = BCounter::settle(Some(&row), &row.reset().unwrap(), &mut there);
    assert!(matches!(
        refused,
        Err(CrdtError::NoRights {
            wanted: 5,
            held: 0,
            ..
        })
    ));
}

/// Two nodes that insert one key at once each bring their stock and their floor.
#[test]
fn two_inserts_add_up() {
    let (a, b) = (
        counter(10, 4, &mut Clock::new(1)),
        counter(7, 2, &mut Clock::new(2)),
    );
    assert_eq!(BCounter::check_delta(&b, B, Some(&a)), Ok(()));
    let both = a.join(&b).unwrap();
    assert_eq!((both.value(), both.floor()), (Ok(17), 6));
    assert_eq!((both.rights_of(&A), both.rights_of(&B)), (6, 5));
}

/// A counter that was NULL in between starts with fresh transfers: were they taken for the old
/// ones, rights that the receiver has spent would come back to the giver.
#[test]
fn transfers_of_another_life_stay_apart() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let first = counter(10, 0, &mut here);
    let first = written(&first, first.transfer(B, 5), &mut here);
    let first = written(&first, first.sub(5), &mut there);
    let second = counter(10, 0, &mut here);
    let second = written(&second, second.transfer(B, 3), &mut here);
    let second = written(&second, second.sub(3), &mut there);
    let both = first.join(&second).unwrap();
    assert!(is_sound(&both));
    assert_eq!((both.rights_of(&A), both.rights_of(&B)), (12, 0));
}

/// Two sessions upon one loose value: what they add counts twice, what they would take twice
/// is refused.
#[test]
fn authors_side_by_side_lose_nothing_and_spend_nothing() {
    let mut author = Clock::new(1);
    let row = counter(10, 0, &mut author);
    author.exclusive = false;
    let (one, two) = (
        written(&row, row.add(3), &mut author),
        written(&row, row.add(4).unwrap().sub(1), &mut author),
    );
    assert_eq!(one.join(&two).unwrap().value(), Ok(16));
    let refused = BCounter::settle(Some(&row), &row.sub(1).unwrap(), &mut author);
    assert_eq!(refused, Err(CrdtError::NeedsRow("b_counter")));
}

/// A row from before tracking holds a literal, or asks for something.
#[test]
fn an_unsettled_row_is_authored_first() {
    let mut author = Clock::new(1);
    let old = BCounter::with_floor(5, 2).unwrap();
    let row = written(&old, old.sub(2), &mut author);
    assert_eq!((row.value(), row.floor()), (Ok(3), 2));
    let old = counter(10, 0, &mut author)
        .add(5)
        .unwrap()
        .transfer(B, 4)
        .unwrap();
    let row = written(&old, old.add(2).unwrap().transfer(B, 1), &mut author);
    assert_eq!((row.value(), row.rights_of(&B)), (Ok(17), 5), "each once");
}

/// What a member must not do in a delta.
#[test]
fn deltas_that_claim_too_much_are_refused() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let row = counter(10, 0, &mut here);
    let given = written(&row, row.transfer(B, 4), &mut here);
    let spent = written(&given, given.sub(4), &mut there);
    let delta = BCounter::delta(Some(&given), &spent).unwrap();
    let check = |delta: &BCounter, author, row| BCounter::check_delta(delta, author, Some(row));
    assert_eq!(check(&delta, B, &given), Ok(()));
    let overdrawn = DeltaFault::Overdrawn { replica: B, by: 4 };
    assert_eq!(check(&delta, B, &row), Err(overdrawn));
    assert_eq!(check(&delta, A, &given), Err(DeltaFault::ForeignSlot(B)));
    let gift = BCounter::delta(Some(&row), &given).unwrap();
    assert_eq!(check(&gift, B, &row), Err(DeltaFault::ForeignSlot(A)));
    let slot = row.slots()[0].dot;
    let moved = written(&row, row.sub(2), &mut here);
    assert_eq!(check(&row, A, &moved), Err(DeltaFault::Shrunk(slot)));
    let more = written(&given, given.transfer(B, 1), &mut here);
    let less = BCounter::delta(Some(&row), &given).unwrap();
    assert_eq!(check(&less, A, &more), Err(DeltaFault::Shrunk(slot)));
    let unsettled = row.transfer(B, 1).unwrap();
    assert_eq!(check(&unsettled, A, &row), Err(DeltaFault::Unsettled));
    assert!(matches!(
        BCounter::check_delta(&delta, B, None),
        Err(DeltaFault::Overdrawn { .. })
    ));
}

/// Yesterday's rows must read the same tomorrow.
#[test]
fn golden_bytes_and_texts() {
    const ONES: &str = "01010101010101010101010101010101";
    const TWOS: &str = "02020202020202020202020202020202";
    let hex = |value: &BCounter| -> String {
        value
            .encode()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    };
    let row = counter(12, 5, &mut Clock::new(1));
    let slot =
        format!("{ONES} 0000000000000002 000000000000000c 0000000000000000 0000000000000005");
    let transfer = format!("{ONES} 0000000000000002 {TWOS} 0000000000000003");
    let given = written(&row, row.transfer(B, 3), &mut Clock::new(1));
    let asked = given.sub(1).unwrap().transfer(B, 2).unwrap();
    for (value, bytes) in [
        (BCounter::default(), "0100 0000 0000 0000".to_owned()),
        (
            BCounter::assign(12),
            "0102 0000 0000 0000 000000000000000c".to_owned(),
        ),
        (
            BCounter::with_floor(12, -1).unwrap(),
            "0103 0000 0000 0000 000000000000000c ffffffffffffffff".to_owned(),
        ),
        (row.clone(), format!("0100 0001 0000 0000 {slot}")),
        (
            given.clone(),
            format!("0100 0001 0001 0000 {slot} {transfer}"),
        ),
        (
            asked.clone(),
            format!(
                "0101 0001 0001 0001 {slot} {transfer} {TWOS} 0000000000000002 \
                 0000000000000000 0000000000000001"
            ),
        ),
    ] {
        assert_eq!(hex(&value), bytes.replace(' ', ""));
        assert_eq!(BCounter::decode(&value.encode()), Ok(value));
    }
    assert_eq!(BCounter::assign(12).to_text(), "12");
    assert_eq!(BCounter::with_floor(12, 5).unwrap().to_text(), "12 floor 5");
    assert!(row.to_text().starts_with("12 floor 5 @v1:AQAAAQ"));
    assert_eq!(
        asked.to_json(),
        format!(
            r#"{{"type":"b_counter","value":11,"floor":5,"slots":[{{"replica":"{ONES}","tick":2,"up":12,"down":0,"floor":5}}],"transfers":[{{"from":"{ONES}","tick":2,"to":"{TWOS}","amount":3}}],"rights":{{"{ONES}":4,"{TWOS}":3}},"change":{{"add":{{"up":0,"down":1}},"transfer":{{"{TWOS}":2}}}}}}"#
        )
    );
    let dot = Dot {
        replica: A,
        counter: 2,
    };
    assert_eq!(given.transfers().collect::<Vec<_>>(), [(dot, B, 3)]);
}

/// A literal with a typing error must not become another floor.
#[test]
fn literals() {
    for bad in [
        "",
        "floor 5",
        "12 floor",
        "12 floor x",
        "12 floor 5 6",
        "12 5",
        "1.5",
    ] {
        let fault = BCounter::from_text(bad);
        assert!(matches!(fault, Err(TextError::Syntax { .. })), "{bad}");
    }
    let large = BCounter::from_text("9223372036854775808");
    assert!(matches!(large, Err(TextError::OutOfRange { .. })));
}
