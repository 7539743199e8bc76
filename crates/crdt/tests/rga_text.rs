//! rga_text: the laws, and what people who type into one text rely on.

mod world;

use crdt::{Crdt, CrdtError, DeltaFault, RgaText};
use world::{Clock, Driven, World, events, laws::laws};

impl Driven for RgaText {
    fn literal(seed: u8) -> Self {
        let line = ["abc", "äöü", "x\ny", "hello"][usize::from(seed) % 4];
        Self::assign(format!("{line}{}", seed % 16))
    }

    fn operated(&self, seed: u8) -> Self {
        let length = self.length();
        let at = usize::from(seed >> 2) % (length + 1);
        match seed % 4 {
            0 => self.insert(at, "é".to_owned()).unwrap(),
            1 => self.insert(at, format!("w{seed}")).unwrap(),
            2 => self.delete(at, (length - at).min(3)).unwrap(),
            _ => {
                let cut = self.delete(at, (length - at).min(1)).unwrap();
                let at = at.min(cut.length());
                cut.insert(at, "Z".to_owned())
                    .and_then(|put| put.insert(0, "^".to_owned()))
                    .unwrap()
            }
        }
    }
}

laws! {
    rga_text: RgaText;
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn literal(text: &str) -> RgaText {
    RgaText::assign(text.to_owned())
}

fn settle(old: &RgaText, new: &RgaText, clock: &mut Clock) -> RgaText {
    RgaText::settle(Some(old), new, clock).unwrap()
}

fn text(row: &RgaText) -> String {
    row.value().unwrap()
}

/// A release that reads yesterday's rows differently loses them.
#[test]
fn golden_bytes() {
    assert_eq!(
        hex(&RgaText::default().encode()),
        "01000000".to_owned() + "0000"
    );
    assert_eq!(
        hex(&literal("hé").encode()),
        "010200000000".to_owned() + "0368c3a9"
    );
    let mut clock = Clock::new(1);
    let one = RgaText::settle(None, &literal("hello"), &mut clock).unwrap();
    let ones = "01".repeat(16);
    // One operation of tick 2 with 5 elements.
    let replicas = format!("01{ones}0004020201") + "03";
    assert_eq!(
        hex(&one.encode()),
        format!("01000568656c6c6f{replicas}010403050000") + "000004"
    );
    let two = settle(&one, &one.delete(1, 2).unwrap(), &mut clock);
    let state = format!("03686c6f{replicas}010409030002") + "000000" + "030001" + "020001";
    assert_eq!(hex(&two.encode()), format!("0100{state}"));
    let delta = RgaText::delta(Some(&one), &two).unwrap();
    let op = format!("01{ones}0102");
    assert_eq!(hex(&delta.encode()), format!("010400{op}0001010101"));
    let edited = two.insert(1, "x".to_owned()).unwrap().delete(2, 1).unwrap();
    assert_eq!(
        hex(&edited.encode()),
        format!("0101{state}010300010101") + "78"
    );
    // Another replica's: its tick, 2^16 and more later, and that between which it stands.
    let mut other = Clock::new(2);
    other.observe(crdt::Hlc(0x1_0001));
    let three = settle(&two, &two.insert(1, "y".to_owned()).unwrap(), &mut other);
    let twos = "02".repeat(16);
    let replicas = format!("02{}{twos}000082800401", &replicas[2..]) + "00";
    let entries = "000000".to_owned() + "4e00000100" + "050201" + "020001";
    assert_eq!(
        hex(&three.encode()),
        format!("01000468796c6f{replicas}0208030100000b030002{entries}")
    );
    let delta = RgaText::delta(Some(&two), &three).unwrap();
    let ops = format!("02{ones}0102{twos}01828004");
    assert_eq!(
        hex(&delta.encode()),
        format!("01040179{ops}0001000400010102") + "0000"
    );
}

/// What both wrote apart must both be there, also where an application writes whole texts.
#[test]
fn two_writes_by_value_both_survive() {
    let (mut a, mut b) = (Clock::new(1), Clock::new(2));
    let row = RgaText::settle(None, &literal("the cat sat\non the mat\n"), &mut a).unwrap();
    let here = settle(&row, &literal("the black cat sat\non the mat\n"), &mut a);
    let there = settle(&row, &literal("the cat sat\non a mat!\n"), &mut b);
    let both = here.join(&there).unwrap();
    assert_eq!(text(&both), "the black cat sat\non a mat!\n");
}

/// A plan's cached value, or one that a session read long ago, must not undo later writes.
#[test]
fn edits_of_a_stale_copy_land_where_they_were_meant() {
    let mut clock = Clock::new(1);
    let first = RgaText::settle(None, &literal("one two"), &mut clock).unwrap();
    let second = settle(
        &first,
        &first.insert(0, "zero ".to_owned()).unwrap(),
        &mut clock,
    );
    let stale = first
        .insert(7, " three".to_owned())
        .unwrap()
        .delete(0, 3)
        .unwrap();
    let third = settle(&second, &stale, &mut clock);
    assert_eq!(text(&third), "zero  two three");
    assert_eq!(
        settle(&third, &first, &mut clock),
        third,
        "an old copy without edits"
    );
}

/// A literal that claims someone's elements with another text must not pass for a copy.
#[test]
fn forged_literals_are_taken_by_value() {
    let mut clock = Clock::new(1);
    let row = RgaText::settle(None, &literal("pay 10"), &mut clock).unwrap();
    let mut bytes = row.encode();
    let digit = bytes.iter().position(|byte| *byte == b'1').unwrap_or(7);
    assert_eq!(bytes[digit], b'1');
    bytes[digit] = b'9';
    let forged = RgaText::decode(&bytes).unwrap();
    assert!(matches!(row.join(&forged), Err(CrdtError::Forked(_))));
    let written = settle(&row, &forged, &mut clock);
    assert_eq!(text(&written), "pay 90");
    assert_ne!(written.encode(), forged.encode());
}

/// Two sessions that settle from one value must not make one id twice.
#[test]
fn an_author_that_is_not_alone_loses_nothing() {
    let mut clock = Clock {
        exclusive: false,
        ..Clock::new(1)
    };
    let row = RgaText::settle(None, &literal("ab"), &mut clock).unwrap();
    let one = settle(&row, &row.insert(1, "x".to_owned()).unwrap(), &mut clock);
    let two = settle(&row, &row.insert(1, "y".to_owned()).unwrap(), &mut clock);
    assert_eq!(text(&one.join(&two).unwrap()), "axyb");
}

/// A position beyond the end is an error that names it, and leaves the value as it was.
#[test]
fn positions_are_checked() {
    let row = literal("äö");
    let settled = settle(&RgaText::default(), &row, &mut Clock::new(1));
    for value in [&row, &settled, &settled.insert(1, String::new()).unwrap()] {
        let beyond = Err(CrdtError::OutOfRange { at: 3, length: 2 });
        assert_eq!(value.insert(3, "x".to_owned()), beyond);
        let error = CrdtError::OutOfRange { at: 2, length: 2 };
        assert_eq!(value.delete(1, 2), Err(error.clone()));
        assert_eq!(value.delete(0, usize::MAX), Err(error));
        assert_eq!(
            value.insert(0, "\0".to_owned()),
            Err(CrdtError::InvalidText)
        );
        assert_eq!(text(&value.insert(2, "!".to_owned()).unwrap()), "äö!");
    }
}

/// What is typed and taken back leaves nothing, and what is reset lets others' text live.
#[test]
fn edits_that_cancel_are_none() {
    let (mut a, mut b) = (Clock::new(1), Clock::new(2));
    let row = RgaText::settle(None, &literal("abc"), &mut a).unwrap();
    let none = row
        .insert(2, "xy".to_owned())
        .unwrap()
        .delete(2, 2)
        .unwrap();
    assert_eq!(none, row);
    assert!(none.is_settled());
    let reset = settle(&row, &row.reset().unwrap(), &mut a);
    assert_eq!(text(&reset), "");
    let there = settle(&row, &row.insert(3, "d".to_owned()).unwrap(), &mut b);
    assert_eq!(text(&reset.join(&there).unwrap()), "d");
}

/// A peer must not write in another's name, twice under one dot, or beside the unknown.
#[test]
fn deltas_are_checked() {
    let (mut a, mut b) = (Clock::new(1), Clock::new(2));
    let first = RgaText::settle(None, &literal("abc"), &mut a).unwrap();
    let second = settle(&first, &first.insert(1, "x".to_owned()).unwrap(), &mut b);
    let third = settle(&second, &second.insert(2, "y".to_owned()).unwrap(), &mut a);
    let delta = RgaText::delta(Some(&second), &third).unwrap();
    let check =
        |author: &Clock, row: Option<&RgaText>| RgaText::check_delta(&delta, author.replica, row);
    assert_eq!(check(&a, Some(&second)), Ok(()));
    assert!(matches!(
        check(&b, Some(&second)),
        Err(DeltaFault::ForeignDot(_))
    ));
    assert!(matches!(
        check(&a, Some(&third)),
        Err(DeltaFault::RepeatedDot(_))
    ));
    assert!(matches!(
        check(&a, Some(&first)),
        Err(DeltaFault::MissingOrigin(_))
    ));
    assert!(matches!(check(&a, None), Err(DeltaFault::MissingOrigin(_))));
    assert!(matches!(
        first.join(&delta),
        Err(CrdtError::MissingOrigin(_))
    ));
    let cut = settle(&third, &third.delete(1, 1).unwrap(), &mut a);
    let cut = RgaText::delta(Some(&third), &cut).unwrap();
    let check = |row| RgaText::check_delta(&cut, a.replica, Some(row));
    assert_eq!(check(&third), Ok(()));
    assert!(matches!(check(&first), Err(DeltaFault::UnknownDot(_))));
    assert!(matches!(first.join(&cut), Err(CrdtError::MissingOrigin(_))));
    let unsettled = first.insert(0, "x".to_owned()).unwrap();
    let fault = RgaText::check_delta(&unsettled, a.replica, Some(&first));
    assert_eq!(fault, Err(DeltaFault::Unsettled));
}

fn decodes_canonically_or_not_at_all(bytes: &[u8]) {
    if let Ok(value) = RgaText::decode(bytes) {
        assert_eq!(value.encode(), bytes);
        let _ = value.to_json();
        let _ = value.cmp_by_value(&RgaText::default());
        assert!(RgaText::from_text(&value.to_text()).is_ok());
        assert_eq!(value.join(&value).unwrap().encode(), bytes);
        let other = RgaText::settle(None, &literal("abc"), &mut Clock::new(1)).unwrap();
        let _ = RgaText::settle(Some(&other), &value, &mut Clock::new(2));
        let _ = RgaText::settle(Some(&value), &other, &mut Clock::new(2));
        let _ = RgaText::check_delta(&value, Clock::new(1).replica, Some(&other));
    }
}

/// An application that writes a whole new text over a large one must not stop the database.
#[test]
fn unlike_texts_are_told_apart_in_bounded_time() {
    let unlike = |factor: u64| -> String {
        let mut seed = factor;
        let mut letter = || {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(factor);
            char::from(b'a' + (seed >> 59) as u8 % 26)
        };
        (0..1_000_000)
            .map(|at| if at % 70 == 69 { '\n' } else { letter() })
            .collect()
    };
    let mut clock = Clock::new(1);
    let (first, second) = (unlike(3), unlike(5));
    let row = RgaText::settle(None, &literal(&first), &mut clock).unwrap();
    let begun = std::time::Instant::now();
    let row = settle(&row, &literal(&second), &mut clock);
    assert!(begun.elapsed().as_secs() < 60);
    assert_eq!(text(&row), second);
}

mod random {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Bytes of those who mean harm must not bring a node down, nor give one state two forms.
        #[test]
        fn altered_bytes_never_panic(
            events in events(),
            pick: prop::sample::Index,
            edits in prop::collection::vec(any::<(prop::sample::Index, u8, u8)>(), 1..4),
        ) {
            let mut world = World::<RgaText>::new(5);
            world.run(&events);
            let mut values = world.values();
            values.extend(world.deltas.iter().flatten().cloned());
            let mut bytes = pick.get(&values).encode();
            decodes_canonically_or_not_at_all(&bytes);
            for (index, kind, byte) in edits {
                if bytes.is_empty() {
                    break;
                }
                let at = index.index(bytes.len());
                match kind % 5 {
                    0 => bytes[at] = byte,
                    1 => bytes[at] = bytes[at].wrapping_add(1),
                    2 => bytes.insert(at, byte % 3),
                    3 => drop(bytes.remove(at)),
                    _ => bytes.truncate(at),
                }
            }
            decodes_canonically_or_not_at_all(&bytes);
        }

        #[test]
        fn random_bytes_never_panic(mut bytes in prop::collection::vec(0..8u8, 0..80)) {
            decodes_canonically_or_not_at_all(&bytes);
            if let Some(version) = bytes.first_mut() {
                *version = 1;
            }
            decodes_canonically_or_not_at_all(&bytes);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// Whatever is edited in a row, one after another, must read as a plain text would, also
        /// once it is settled, and where the parts of a draft overflow.
        #[test]
        fn edits_do_what_they_do_to_a_plain_text(
            steps in prop::collection::vec(
                (any::<prop::sample::Index>(), 0..900usize, 0..1_500usize, any::<bool>()),
                1..30,
            ),
        ) {
            let mut clock = Clock::new(1);
            let mut row = RgaText::default();
            let mut value = row.clone();
            let mut plain: Vec<char> = Vec::new();
            for (step, (at, gone, come, is_settled)) in steps.into_iter().enumerate() {
                let at = at.index(plain.len() + 1);
                let gone = gone.min(plain.len() - at);
                let come = if step % 3 == 0 { come } else { come % 4 };
                let added: String = "aé1".chars().cycle().skip(step).take(come).collect();
                value = value.delete(at, gone).unwrap().insert(at, added.clone()).unwrap();
                plain.splice(at..at + gone, added.chars());
                let expected: String = plain.iter().collect();
                prop_assert_eq!(value.value(), Ok(expected));
                prop_assert_eq!(value.length(), plain.len());
                prop_assert_eq!(&RgaText::decode(&value.encode()).unwrap(), &value);
                if is_settled {
                    row = RgaText::settle(Some(&row), &value, &mut clock).unwrap();
                    prop_assert_eq!(row.value(), value.value());
                    value = row.clone();
                }
            }
        }
    }
}
