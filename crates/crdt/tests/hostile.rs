//! Bytes, texts and deltas of those who mean harm.

mod world;

use crdt::{
    AnyState, ColumnKind, Crdt, DeltaFault, Dot, LwwRegister, OrSet, PnCounter, ReplicaId, RgaText,
    RowChange, RowMeta, SchemaChange, TableSchema, TextError,
};
use proptest::prelude::*;
use world::hostile::{altered_state, decodes_canonically_or_not_at_all, edits};
use world::{Clock, Driven, events};

fn everything_decodes_or_fails(bytes: &[u8]) {
    decodes_canonically_or_not_at_all::<PnCounter>(bytes);
    decodes_canonically_or_not_at_all::<OrSet>(bytes);
    decodes_canonically_or_not_at_all::<LwwRegister>(bytes);
    if let Ok(meta) = RowMeta::decode(bytes) {
        assert_eq!(meta.encode(), bytes);
    }
    if let Ok(change) = RowChange::decode(bytes) {
        assert_eq!(change.encode().as_deref(), Ok(bytes));
    }
    if let Ok(schema) = TableSchema::decode(bytes) {
        assert_eq!(schema.encode(), bytes);
    }
    if let Ok(change) = SchemaChange::decode(bytes) {
        assert_eq!(change.encode().as_deref(), Ok(bytes));
    }
}

fn altered_states<T: Driven>(
    events: &[world::Event],
    pick: &prop::sample::Index,
    edits: &[(prop::sample::Index, u8, u8)],
) {
    for folded in [false, true] {
        everything_decodes_or_fails(&altered_state::<T>(events, pick, edits, folded));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn random_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        everything_decodes_or_fails(&bytes);
        if let Some(version) = bytes.first_mut() {
            *version = 1;
        }
        if let Some(flags) = bytes.get_mut(1) {
            *flags %= 8;
        }
        everything_decodes_or_fails(&bytes);
    }

    #[test]
    fn altered_counters_never_panic(events in events(), pick: prop::sample::Index, edits in edits()) {
        altered_states::<PnCounter>(&events, &pick, &edits);
    }

    #[test]
    fn altered_sets_never_panic(events in events(), pick: prop::sample::Index, edits in edits()) {
        altered_states::<OrSet>(&events, &pick, &edits);
    }

    #[test]
    fn altered_registers_never_panic(events in events(), pick: prop::sample::Index, edits in edits()) {
        altered_states::<LwwRegister>(&events, &pick, &edits);
    }

    #[test]
    fn random_text_never_panics(text in "\\PC{0,40}( @v1:[A-Za-z0-9_-]{0,60})?") {
        for kind in [ColumnKind::PnCounter, ColumnKind::OrSet, ColumnKind::LwwRegister] {
            if let Ok(value) = AnyState::from_text(kind, &text) {
                prop_assert_eq!(AnyState::decode(kind, &value.encode()).unwrap(), value);
            }
        }
    }
}

/// A removed dot that lives again, or a replica that nobody uses, is no state.
#[test]
fn contradictory_sets_are_refused() {
    let id = [1u8; 16];
    let state = |base: u8, live: &[u8], removed: &[u8]| {
        let mut bytes = vec![1, 0, 1];
        bytes.extend(id);
        bytes.push(base);
        bytes.extend(live);
        bytes.extend(removed);
        OrSet::decode(&bytes)
    };
    assert!(state(5, &[1, 1, b'a', 1, 0, 0], &[1, 1]).is_ok());
    assert!(
        state(5, &[1, 1, b'a', 1, 0, 0], &[1, 0]).is_err(),
        "removed and living"
    );
    assert!(
        state(5, &[1, 1, b'a', 1, 0, 1], &[0]).is_err(),
        "a base that no dot has"
    );
    assert!(state(5, &[0], &[0]).is_err(), "an unused replica");
    assert!(
        state(0, &[1, 1, b'a', 1, 0, 0], &[0]).is_err(),
        "tick 0, which any floor would seem to cover"
    );
    assert!(
        state(5, &[1, 1, b'a', 0], &[1, 0]).is_err(),
        "an element without a dot"
    );
    assert!(state(5, &[1, 1, 0, 1, 0, 0], &[0]).is_err(), "NUL");
    assert!(state(5, &[1, 1, 0xff, 1, 0, 0], &[0]).is_err(), "not UTF-8");
    assert!(
        state(5, &[2, 1, b'b', 1, 0, 0, 1, b'a', 1, 0, 1], &[0]).is_err(),
        "disorder"
    );
    assert!(
        state(5, &[1, 1, b'a', 1, 1, 0], &[0]).is_err(),
        "no such replica"
    );
}

/// A text whose parts disagree was edited by hand: neither part may be taken silently.
#[test]
fn edited_texts_name_what_differs() {
    let row = PnCounter::settle(None, &PnCounter::assign(12), &mut Clock::new(1)).unwrap();
    let text = row.to_text();
    let edited = text.replacen("12", "13", 1);
    assert_eq!(
        PnCounter::from_text(&edited),
        Err(TextError::Disagrees {
            readable: "13".to_owned(),
            state: "12".to_owned()
        })
    );
    let mut damaged = text.clone().into_bytes();
    damaged[20] ^= 1;
    let damaged = String::from_utf8(damaged).unwrap();
    assert!(matches!(
        PnCounter::from_text(&damaged),
        Err(TextError::Checksum { .. })
    ));
    let cut = &text[..text.len() - 1];
    assert!(matches!(
        PnCounter::from_text(cut),
        Err(TextError::Checksum { .. })
    ));
    assert!(matches!(
        OrSet::from_text(&text),
        Err(TextError::State { .. })
    ));
    assert!(matches!(
        PnCounter::from_text("12 @v1:AQ"),
        Err(TextError::Armour(_))
    ));
    assert!(matches!(
        PnCounter::from_text("12 @v1:"),
        Err(TextError::Syntax { .. })
    ));
    for (text, range) in [
        ("99999999999999999999", true),
        ("1.5", false),
        ("", false),
        ("x", false),
    ] {
        match PnCounter::from_text(text) {
            Err(TextError::OutOfRange { .. }) => assert!(range, "{text}"),
            Err(TextError::Syntax { .. }) => assert!(!range, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

/// A text that holds the marker itself must survive a dump.
#[test]
fn values_with_the_marker_inside_round_trip() {
    for value in [r#""a @v1:b""#, r#"{"k @v1:":1}"#] {
        let register = LwwRegister::default().set(value).unwrap();
        assert_eq!(LwwRegister::from_text(&register.to_text()), Ok(register));
    }
    let set = OrSet::assign(["x @v1:AAAA".to_owned()].into());
    assert_eq!(OrSet::from_text(&set.to_text()), Ok(set));
}

/// What people write must not be taken for a damaged state because of five characters in it.
#[test]
fn the_marker_in_a_text_is_text() {
    for text in [
        "x @v1:",
        "mail me @v1:home",
        " @v1: @v1:And so on",
        "a @v1:12",
    ] {
        let typed = RgaText::from_text(text).unwrap();
        assert_eq!(typed.plain_text().as_deref(), Ok(text));
        assert_eq!(RgaText::from_text(&typed.to_text()), Ok(typed));
        let quoted = LwwRegister::from_text(text).unwrap();
        assert_eq!(quoted.get(), Some(crdt::json::quote(text).as_str()));
    }
}

/// A member that counts in another's name, or takes all slots for itself.
#[test]
fn forged_counter_deltas_are_refused() {
    let (mut author, mut victim) = (Clock::new(1), Clock::new(2));
    let row = PnCounter::settle(None, &PnCounter::assign(5), &mut victim).unwrap();
    let check = |delta: &PnCounter, row: Option<&PnCounter>| {
        PnCounter::check_delta(delta, ReplicaId([1; 16]), row)
    };
    let foreign = PnCounter::settle(Some(&row), &row.add(1).unwrap(), &mut victim).unwrap();
    assert_eq!(
        check(&foreign, Some(&row)),
        Err(DeltaFault::ForeignSlot(victim.replica))
    );
    assert_eq!(
        check(&PnCounter::assign(1), Some(&row)),
        Err(DeltaFault::Unsettled)
    );
    let own = PnCounter::settle(None, &PnCounter::assign(1), &mut author).unwrap();
    assert_eq!(check(&own, None), Ok(()));
    let mut greedy = row.clone();
    let limit = crdt::pn_counter::MAX_SLOTS_PER_REPLICA;
    for _ in 0..limit {
        let slot = PnCounter::settle(None, &PnCounter::assign(0), &mut author).unwrap();
        assert_eq!(check(&slot, Some(&greedy)), Ok(()));
        greedy = greedy.join(&slot).unwrap();
    }
    assert_eq!(
        check(&greedy.clone(), None),
        Err(DeltaFault::ForeignSlot(victim.replica))
    );
    let more = PnCounter::settle(None, &PnCounter::assign(0), &mut author).unwrap();
    let fault = DeltaFault::TooManySlots {
        actual: limit + 1,
        limit,
    };
    assert_eq!(check(&more, Some(&greedy)), Err(fault));
}

/// A member that removes what it never saw (everything to come), or adds in another's name.
#[test]
fn forged_set_deltas_are_refused() {
    let (mut author, mut victim) = (Clock::new(1), Clock::new(2));
    let row = OrSet::settle(None, &OrSet::literal(1), &mut victim).unwrap();
    let check = |delta: &OrSet| OrSet::check_delta(delta, ReplicaId([1; 16]), Some(&row));
    let dot = Dot {
        replica: victim.replica,
        counter: victim.last.0,
    };
    assert_eq!(check(&row), Err(DeltaFault::ForeignDot(dot)));
    assert_eq!(check(&OrSet::literal(1)), Err(DeltaFault::Unsettled));
    let gone = OrSet::settle(Some(&row), &row.remove("e0").unwrap(), &mut author).unwrap();
    let honest = OrSet::delta(Some(&row), &gone).unwrap();
    assert_eq!(check(&honest), Ok(()));
    assert_eq!(
        OrSet::check_delta(&honest, author.replica, Some(&gone)),
        Ok(()),
        "again"
    );
    assert_eq!(
        OrSet::check_delta(&honest, author.replica, None),
        Err(DeltaFault::UnknownDot(dot)),
        "before its addition arrived"
    );
    let later = OrSet::settle(Some(&row), &row.add("e1").unwrap(), &mut victim).unwrap();
    let future = later.remove("e1").unwrap();
    let forged = OrSet::delta(Some(&row), &future).unwrap();
    assert!(matches!(check(&forged), Err(DeltaFault::UnknownDot(_))));
    let one = OrSet::settle(None, &OrSet::literal(1), &mut Clock::new(1)).unwrap();
    let same_dot = OrSet::settle(None, &OrSet::literal(2), &mut Clock::new(1)).unwrap();
    let twice = one.join(&same_dot).unwrap();
    assert!(matches!(check(&twice), Err(DeltaFault::RepeatedDot(_))));
    assert_eq!(OrSet::decode(&twice.encode()), Ok(twice.clone()));
    let brief = OrSet::settle(None, &OrSet::literal(1), &mut author).unwrap();
    assert_eq!(
        check(&brief.remove("e0").unwrap()),
        Ok(()),
        "added and removed by its author"
    );
}

/// A member that writes a register in another's name.
#[test]
fn forged_register_deltas_are_refused() {
    let row = LwwRegister::settle(None, &LwwRegister::literal(1), &mut Clock::new(2)).unwrap();
    let check = |delta: &LwwRegister| LwwRegister::check_delta(delta, ReplicaId([1; 16]), None);
    assert_eq!(
        check(&row),
        Err(DeltaFault::ForeignStamp(ReplicaId([2; 16])))
    );
    assert_eq!(check(&LwwRegister::literal(1)), Err(DeltaFault::Unsettled));
    let over = LwwRegister::settle(Some(&row), &row.operated(1), &mut Clock::new(1)).unwrap();
    assert_eq!(check(&over), Ok(()));
}

/// An element with NUL could not be read back: its row would be lost to the user.
#[test]
fn an_escaped_nul_is_refused_as_any_other() {
    for text in ["{\\\0}", "{\"\\\0\"}", "{\0}"] {
        assert!(OrSet::from_text(text).is_err(), "{text:?}");
    }
}
