//! lww_set and lww_map: laws, the guard, folding, and bytes of those who mean harm.

mod world;

use std::collections::BTreeMap;
use std::fmt::Debug;

use crdt::lww_table::{Entry, KeyEdit, TableKind};
use crdt::{
    Crdt, CrdtError, DecodeError, DeltaFault, Dot, Edit, Hlc, Lead, LwwMap, LwwSet, LwwTable,
    ReplicaId, Stamp, VersionVector, json,
};
use proptest::prelude::{ProptestConfig, any, prop, prop_assert_eq};
use world::laws::laws;
use world::{Clock, Driven, World, events};

laws! {
    lww_set: LwwSet;
    lww_map: LwwMap;
}

fn value(seed: u8) -> String {
    match seed % 4 {
        0 => "null".to_owned(),
        1 => format!("[{{\"a\\n\":\"{{{seed}\"}}]"),
        _ => (seed % 8).to_string(),
    }
}

impl<K: TableKind> Driven for LwwTable<K> {
    // An element of a set that is written without a value keeps its own.
    const IS_TAKEN_BY_VALUE: bool = matches!(K::NAME.as_bytes(), b"lww_map");

    fn literal(seed: u8) -> Self {
        let member = |bit: u8| {
            let carried = if seed > 128 {
                value(seed / 3 + bit)
            } else {
                "null".to_owned()
            };
            (seed >> bit & 1 == 1).then(|| (format!("k {bit}"), carried))
        };
        Self::assign((0..4).filter_map(member).collect())
    }

    fn operated(&self, seed: u8) -> Self {
        let key = format!("k {}", seed >> 2 & 3);
        match seed % 4 {
            0 => self.remove(&key),
            1 if seed > 230 => self.reset(),
            _ => self.put(&key, &value(seed / 5)),
        }
        .unwrap()
    }
}

fn settle<T: Crdt>(old: Option<&T>, new: &T, author: &mut Clock) -> T {
    T::settle(old, new, author).unwrap()
}

fn map(text: &str) -> LwwMap {
    LwwMap::from_text(text).unwrap()
}

fn put(old: &LwwMap, key: &str, json: &str, author: &mut Clock) -> LwwMap {
    settle(Some(old), &old.put(key, json).unwrap(), author)
}

fn remove(old: &LwwMap, key: &str, author: &mut Clock) -> LwwMap {
    settle(Some(old), &old.remove(key).unwrap(), author)
}

fn version(ticks: &[(u8, u64)]) -> VersionVector {
    let dot = |(name, counter): &(u8, u64)| Dot {
        replica: ReplicaId([*name; 16]),
        counter: *counter,
    };
    ticks.iter().map(dot).collect()
}

/// Random bytes and good ones with a few changed, cut or repeated.
fn survives<K: TableKind>(bytes: &[u8]) {
    let Ok(table) = LwwTable::<K>::decode(bytes) else {
        return;
    };
    assert_eq!(table.encode(), bytes);
    assert_eq!(LwwTable::from_text(&table.to_text()), Ok(table.clone()));
    assert_eq!(json::canonical(&table.to_json()).map(drop), Ok(()));
    assert_eq!(table.join(&table), Ok(table.clone()));
    let settled = settle(None, &table, &mut Clock::new(1));
    assert_eq!(settled.value(), table.value());
    if let Ok(over) = LwwTable::settle(Some(&table), &settled, &mut Clock::new(2)) {
        assert!(over.is_settled());
    }
    let _ = LwwTable::check_delta(&table, ReplicaId([1; 16]), Some(&settled));
    let folded = table.compact(&table.version()).unwrap();
    assert_eq!(LwwTable::decode(&folded.encode()), Ok(folded.clone()));
    assert_eq!(folded.value(), table.value());
}

proptest::proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A node that folds removals and one that does not must show the same, whatever either
    /// still sends to the other; and folded alike they hold the same bytes.
    #[test]
    fn folding_changes_nothing_that_is_shown(events in events(), folds in prop::collection::vec(any::<bool>(), 30)) {
        let mut world = World::<LwwMap>::new(7);
        let mut folded: Vec<LwwMap> = vec![world.row(0).clone(); 3];
        for (event, fold) in events.iter().zip(folds) {
            let before: Vec<usize> = world.versions.iter().map(Vec::len).collect();
            world.run(std::slice::from_ref(event));
            for at in 0..3 {
                for version in &world.versions[at][before[at]..] {
                    folded[at] = folded[at].join(version).unwrap();
                }
            }
            if fold {
                // All hear of all, as of a time at which all have nothing left to send.
                let early: Vec<LwwMap> = folded.clone();
                world.settle_down();
                let stable = world.row(0).version();
                for at in 0..3 {
                    let whole = folded[at].join(world.row(at)).unwrap();
                    folded[at] = whole.compact(&stable).unwrap();
                    let stale = folded[at].join(&early[(at + 1) % 3]).unwrap();
                    prop_assert_eq!(&stale, &folded[at], "what was folded stays so");
                }
                prop_assert_eq!(folded[0].encode(), folded[1].encode());
                prop_assert_eq!(folded[0].encode(), folded[2].encode());
            }
            for (at, folded) in folded.iter().enumerate() {
                prop_assert_eq!(folded.value(), world.row(at).value());
            }
        }
    }

    /// Bytes of a peer or a damaged page must not bring a backend down.
    #[test]
    fn altered_bytes_never_panic(
        events in events(),
        pick: prop::sample::Index,
        edits in prop::collection::vec(any::<(prop::sample::Index, u8, u8)>(), 0..4),
        mut noise in prop::collection::vec(any::<u8>(), 2..80),
    ) {
        let mut world = World::<LwwMap>::new(5);
        world.run(&events);
        let mut bytes = pick.get(&world.values()).encode();
        for (index, kind, byte) in edits {
            let at = index.index(bytes.len().max(1));
            match kind % 4 {
                _ if bytes.is_empty() => (),
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte % 3),
                2 => drop(bytes.remove(at)),
                _ => bytes.truncate(at),
            }
        }
        noise[0] = 1;
        noise[1] %= 3;
        for bytes in [bytes, noise] {
            survives::<crdt::lww_set::SetKind>(&bytes);
            survives::<crdt::lww_map::MapKind>(&bytes);
        }
    }
}

/// An ORM that saves the whole map must not undo what others wrote to other keys meanwhile.
#[test]
fn a_literal_over_a_map_is_a_difference() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let row = settle(None, &map(r#"{"a": 1, "b": 2, "c": 3}"#), &mut here);
    let aside = put(&put(&row, "d", "4", &mut there), "a", "9", &mut there);
    here.observe(row.latest());
    let saved = settle(Some(&row), &map(r#"{"a": 1, "b": 5}"#), &mut here);
    let joined = saved.join(&aside).unwrap();
    assert_eq!(
        joined.to_text().split(" @").next(),
        Some(r#"{"a": 9, "b": 5, "d": 4}"#)
    );
}

/// A client that writes to what it read a while ago changes the keys that it names, no others.
#[test]
fn edits_of_a_stale_copy_are_carried_out_upon_the_row() {
    let mut author = Clock::new(1);
    let old = settle(None, &map(r#"{"a": 1, "b": 2}"#), &mut author);
    let row = remove(&put(&old, "a", "7", &mut author), "b", &mut author);
    let ticks = author.ticks;
    assert_eq!(settle(Some(&row), &old, &mut author), row, "nothing asked");
    assert_eq!(author.ticks, ticks);
    let written = settle(Some(&row), &old.put("c", "3").unwrap(), &mut author);
    assert_eq!(written.plain_text().unwrap(), r#"{"a": 7, "c": 3}"#);
    let folded = row.compact(&row.version()).unwrap();
    assert_eq!(
        settle(Some(&folded), &old, &mut author),
        folded,
        "folded since"
    );
    let reset = settle(Some(&written), &old.reset().unwrap(), &mut author);
    assert_eq!(
        reset.plain_text().unwrap(),
        r#"{"c": 3}"#,
        "what the copy showed"
    );
}

/// `UPDATE t SET a = b`: another map with older stamps is no stale copy, the assignment must
/// not vanish; nor may a forged state bring in entries in another's name.
#[test]
fn another_map_is_taken_by_value() {
    let mut author = Clock::new(1);
    let other = settle(None, &map(r#"{"a": 1}"#), &mut author);
    let row = settle(None, &map(r#"{"a": 2, "b": 3}"#), &mut author);
    let copied = settle(Some(&row), &other, &mut author);
    assert_eq!(copied.plain_text().unwrap(), r#"{"a": 1}"#);
    assert_eq!(copied.births(), row.births());
    let later = put(&row, "a", "8", &mut Clock::new(7));
    let taken = settle(Some(&row), &later, &mut author);
    assert_eq!(taken.get("a"), Some("8"));
    assert_eq!(
        taken.entries().get("a").unwrap().stamp.replica,
        author.replica
    );
    let forged = settle(
        None,
        &map(r#"{"a": 5, "b": 3}"#),
        &mut Clock {
            last: Hlc(row.latest().0 - 1),
            ..author.clone()
        },
    );
    assert_eq!(forged.births(), row.births());
    let taken = settle(Some(&row), &forged, &mut author);
    assert_eq!(
        (taken.get("a"), taken.entries().get("a").unwrap().stamp.hlc),
        (Some("5"), author.last)
    );
}

/// Rows inserted on two nodes at once: an early copy of either is still known as a copy.
#[test]
fn a_table_may_have_two_births() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let left = settle(None, &map(r#"{"a": 1}"#), &mut here);
    let right = settle(None, &map(r#"{"b": 2}"#), &mut there);
    let row = left.join(&right).unwrap();
    for copy in [&left, &right] {
        assert_eq!(settle(Some(&row), copy, &mut here), row);
    }
}

/// A clock that lags must not make a user's write vanish; one at its end must say so.
#[test]
fn a_write_steps_over_what_is_there() {
    let row = settle(
        None,
        &map(r#"{"a": 1}"#),
        &mut Clock {
            last: Hlc(1_000),
            ..Clock::new(2)
        },
    );
    let mut lagging = Clock::new(1);
    assert_eq!(put(&row, "a", "2", &mut lagging).get("a"), Some("2"));
    let gone = remove(&row, "a", &mut lagging);
    let folded = gone.compact(&version(&[(1, 2_000), (2, 2_000)])).unwrap();
    assert_eq!(folded.floor(), 1_002);
    let again = put(&folded, "a", "3", &mut lagging);
    assert_eq!(again.join(&gone).unwrap(), again, "above the floor");
    let end = settle(
        None,
        &map(r#"{"a": 1}"#),
        &mut Clock {
            last: Hlc(u64::MAX - 1),
            ..Clock::new(2)
        },
    );
    let late = LwwMap::settle(Some(&end), &end.put("a", "2").unwrap(), &mut lagging);
    assert_eq!(late, Err(CrdtError::ClockExhausted));
}

/// Two writes under one stamp, which only a replica that lies makes: all must agree on one.
#[test]
fn equal_stamps_are_decided_alike() {
    let write = |text: &str| settle(None, &map(text), &mut Clock::new(1));
    let (one, two) = (write(r#"{"a": 1}"#), write(r#"{"a": 2}"#));
    assert_eq!(one.join(&two), two.join(&one));
    let base = write(r#"{"a": 1}"#);
    let (kept, gone) = (
        put(
            &base,
            "a",
            "2",
            &mut Clock {
                last: Hlc(9),
                ..Clock::new(1)
            },
        ),
        remove(
            &base,
            "a",
            &mut Clock {
                last: Hlc(9),
                ..Clock::new(1)
            },
        ),
    );
    assert_eq!(kept.latest(), gone.latest());
    assert_eq!(
        gone.join(&kept).unwrap(),
        kept,
        "a value wins over a removal"
    );
    assert_eq!(kept.join(&gone).unwrap(), kept);
}

/// Two sessions that settle a loose value from one state must not erase each other.
#[test]
fn authors_that_share_a_state_lose_nothing() {
    let mut author = Clock::new(1);
    author.exclusive = false;
    let row = settle(None, &map(r#"{"a": 1}"#), &mut author);
    let (one, two) = (
        put(&row, "b", "2", &mut author),
        put(&row, "c", "3", &mut author),
    );
    assert_eq!(
        one.join(&two).unwrap().plain_text().unwrap(),
        r#"{"a": 1, "b": 2, "c": 3}"#
    );
    let loose = |author: &mut Clock| settle(None, &map(r#"{"x": 1}"#), author);
    let (one, two) = (loose(&mut author), loose(&mut author));
    assert_eq!(one.join(&two).unwrap().births().len(), 2);
}

/// A key removed everywhere must stay removed when a node that slept sends its old state; and
/// a state that was folded before all had seen everything must not decide silently.
#[test]
fn folded_removals_stay_removed() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let row = settle(None, &map(r#"{"a": 1, "b": 2}"#), &mut here);
    let gone = remove(&row, "a", &mut here);
    let tick = gone.latest().0;
    assert_eq!(
        gone.compact(&version(&[(1, tick), (2, tick - 1)])),
        Ok(gone.clone())
    );
    assert_eq!(gone.compact(&VersionVector::default()), Ok(gone.clone()));
    let folded = gone.compact(&version(&[(1, tick), (2, tick + 5)])).unwrap();
    assert_eq!((folded.floor(), folded.entries().len()), (tick, 1));
    assert_eq!(folded.plain_text(), gone.plain_text());
    for stale in [&row, &gone] {
        assert_eq!(folded.join(stale).as_ref(), Ok(&folded));
        assert_eq!(stale.join(&folded).as_ref(), Ok(&folded));
    }
    let delta = LwwMap::delta(Some(&gone), &folded).unwrap();
    assert_eq!(gone.join(&delta).unwrap(), folded);
    // The other node wrote b at a tick below the floor, unseen: `stable` was wrong.
    let unseen = put(
        &row,
        "b",
        "3",
        &mut Clock {
            last: Hlc(row.latest().0),
            ..there.clone()
        },
    );
    let error = CrdtError::StaleEntry {
        key: "b".to_owned(),
        tick: unseen.latest().0,
        floor: tick,
    };
    assert_eq!(folded.join(&unseen), Err(error.clone()));
    assert_eq!(unseen.join(&folded), Err(error));
    // Each folded what the other had not heard of: they disagree on both keys.
    let mut aside = there.clone();
    aside.observe(row.latest());
    let other = remove(&row, "b", &mut aside);
    let stable = version(&[(1, tick), (2, other.latest().0)]);
    let other = other.compact(&stable).unwrap();
    assert_eq!(other.floor(), folded.floor());
    for (one, two) in [(&other, &folded), (&folded, &other)] {
        assert!(matches!(one.join(two), Err(CrdtError::StaleEntry { .. })));
    }
    there.observe(folded.latest());
    let fresh = put(&folded, "a", "4", &mut there);
    assert_eq!(fresh.join(&gone).unwrap().get("a"), Some("4"));
}

/// A member that writes in another's name, in the past, or folds in the name of all.
#[test]
fn forged_deltas_are_refused() {
    let (mut author, mut victim) = (Clock::new(1), Clock::new(2));
    let row = settle(None, &map(r#"{"a": 1}"#), &mut victim);
    let check =
        |delta: &LwwMap, row: Option<&LwwMap>| LwwMap::check_delta(delta, ReplicaId([1; 16]), row);
    let foreign = Err(DeltaFault::ForeignStamp(victim.replica));
    assert_eq!(check(&row, None), foreign);
    assert_eq!(
        check(&row.put("b", "1").unwrap(), Some(&row)),
        Err(DeltaFault::Unsettled)
    );
    let next = put(&row, "b", "2", &mut author);
    let honest = LwwMap::delta(Some(&row), &next).unwrap();
    assert_eq!(check(&honest, Some(&row)), Ok(()));
    assert_eq!(check(&honest, Some(&next)), Ok(()), "again");
    assert_eq!(check(&next, Some(&row)), foreign, "not a delta");
    let gone = remove(&next, "b", &mut author);
    let floor = gone.latest().0;
    let folded = gone.compact(&version(&[(1, floor), (2, floor)])).unwrap();
    let folding = LwwMap::delta(Some(&gone), &folded).unwrap();
    let fault = DeltaFault::ForeignFloor {
        actual: floor,
        limit: 0,
    };
    assert_eq!(check(&folding, Some(&gone)), Err(fault));
    let tick = honest.latest().0;
    assert_eq!(
        check(&honest, Some(&folded)),
        Err(DeltaFault::BelowFloor { tick, floor })
    );
}

/// A loop over many keys in PL/pgSQL must cost as much as the keys, and one value that could
/// not be read back must be refused and leave the map as it was.
#[test]
fn edits_are_made_in_place_and_bounded() {
    let mut table = LwwMap::default();
    for index in 0..50_000 {
        let edit = KeyEdit::put(&format!("k{index}"), &index.to_string()).unwrap();
        table.edit(&edit).unwrap();
    }
    assert_eq!(table.cardinality(), 50_000);
    let before = table.clone();
    let large = KeyEdit::put("k1", &format!("\"{}\"", "x".repeat(crdt::MAX_STATE_BYTES))).unwrap();
    assert!(matches!(
        table.edit(&large),
        Err(CrdtError::TooLarge { .. })
    ));
    assert_eq!(
        table.edit(&KeyEdit::Remove("a\0".to_owned())),
        Err(CrdtError::InvalidKey)
    );
    assert_eq!(table, before);
    let mut author = Clock {
        last: Hlc::from_parts(1_700_000_000_000, 0),
        ..Clock::new(1)
    };
    let mut row = settle(None, &table, &mut author);
    assert_eq!(author.ticks, 1, "one stamp for all keys of a write");
    author.last = Hlc::from_parts(1_700_000_000_000 + 86_400_000 * 30, 0);
    row = settle(Some(&row), &table.put("k7", "0").unwrap(), &mut author);
    let mut late = row.clone();
    for index in 0..50_000 {
        late.edit(&KeyEdit::put(&format!("k{index}"), "0").unwrap())
            .unwrap();
    }
    row = settle(Some(&row), &late, &mut author);
    let content: usize = row.iter().map(|(key, value)| key.len() + value.len()).sum();
    let overhead = (row.encode().len() - content) / row.cardinality();
    assert!(
        overhead <= 16,
        "{overhead} bytes an entry beside key and value"
    );
}

/// Literals as people and ORMs write them.
#[test]
fn literals_are_read() {
    let set = |text: &str| LwwSet::from_text(text).map(|set| set.to_text());
    assert_eq!(set(r#"{b,"a c"}"#).unwrap(), r#"{"a c",b}"#);
    assert_eq!(set("{}").unwrap(), "{}");
    assert_eq!(
        set(r#"{"a": 1, "b,}": null}"#).unwrap(),
        r#"{"a": 1, "b,}": null}"#
    );
    assert_eq!(set(r#"{"a": null}"#).unwrap(), "{a}");
    let text = r#" {"b" : [1, {"x": "\"}"}], "a\n": "é", "b": {"k": [",", "]"]}} "#;
    assert_eq!(map(text).to_text(), r#"{"a\n": "é", "b": {"k":[",","]"]}}"#);
    assert_eq!(map(text).get("a\n"), Some("\"é\""));
    for text in [
        "",
        "1",
        "[1]",
        "{a}",
        r#"{"a"}"#,
        r#"{"a\u0000": 1}"#,
        "{\"a\": 1} x",
    ] {
        assert!(LwwMap::from_text(text).is_err(), "{text}");
    }
    for text in ["", "a", r#"{"a": }"#, "[1]"] {
        assert!(set(text).is_err(), "{text}");
    }
    let nul = BTreeMap::from([("a\0".to_owned(), "1".to_owned())]);
    let refused = LwwMap::settle(None, &LwwMap::assign(nul), &mut Clock::new(1));
    assert_eq!(refused, Err(CrdtError::InvalidKey));
}

fn golden<T: Crdt + Debug>(value: &T, expected: &[&str], text: &str) {
    let bytes = value.encode();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, expected.concat());
    assert_eq!(T::decode(&bytes).as_ref(), Ok(value));
    assert_eq!(value.to_text(), text);
    assert_eq!(T::from_text(text).as_ref(), Ok(value));
}

/// A release that reads yesterday's rows differently loses them.
#[test]
fn golden_bytes() {
    let (ones, twos) = ("01".repeat(16), "02".repeat(16));
    let empty = ["0100", "00", "00", "00", "00"];
    golden(&LwwSet::default(), &empty, "{} @v1:AQAAAAAAep5yBg");
    let plain = LwwSet::assign(
        [
            ("a".to_owned(), "null".to_owned()),
            ("b".to_owned(), "[1]".to_owned()),
        ]
        .into(),
    );
    let values = ["02", "016101", "0162045b315d"].concat();
    golden(
        &plain,
        &["0102", "00", "00", "00", "00", &values],
        r#"{"a": null, "b": [1]}"#,
    );
    let one = settle(None, &map(r#"{"a": 1, "b": 2}"#), &mut Clock::new(1));
    let two = remove(
        &one,
        "a",
        &mut Clock {
            last: Hlc(300),
            ..Clock::new(2)
        },
    );
    let replicas = ["02", &ones, "02", &twos, "ad02"].concat();
    let entries = ["02", "0161010000", "016200000232"].concat();
    golden(
        &two,
        &["0100", "00", &replicas, "01", "0000", &entries],
        r#"{"b": 2} @v1:AQAAAgEBAQEBAQEBAQEBAQEBAQECAgICAgICAgICAgICAgICAq0CAQAAAgFhAQAAAWIAAAIypTkxaQ"#,
    );
    let folded = two.compact(&version(&[(1, 400), (2, 301)])).unwrap();
    let replicas = ["01", &ones, "02"].concat();
    let state = ["ad02", &replicas, "01", "0000", "01", "016200000232"].concat();
    golden(
        &folded,
        &["0100", &state],
        r#"{"b": 2} @v1:AQCtAgEBAQEBAQEBAQEBAQEBAQEBAgEAAAEBYgAAAjJhUloA"#,
    );
    let asked = folded.put("c", "{}").unwrap().remove("b").unwrap();
    let edits = ["02", "016200", "0163037b7d"].concat();
    golden(
        &asked,
        &["0101", &state, &edits],
        r#"{"c": {}} @v1:AQGtAgEBAQEBAQEBAQEBAQEBAQEBAgEAAAEBYgAAAjICAWIAAWMDe33w9lrq"#,
    );
    let stamp = format!(r#"{{"millis":0,"logical":2,"replica":"{ones}"}}"#);
    assert_eq!(
        asked.to_json(),
        format!(
            r#"{{"type":"lww_map","value":{{"c": {{}}}},"entries":{{"b": {{"value":2,"stamp":{stamp}}}}},"births":[{stamp}],"floor":301,"change":{{"put":{{"c": {{}}}},"remove":["b"]}}}}"#
        )
    );
}

/// A state that an honest node never makes is none.
#[test]
fn contradictory_bytes_are_refused() {
    let decode = |floor: u8, base: u8, rest: &[u8]| {
        let mut bytes = vec![1, 0, floor, 1];
        bytes.extend([1; 16]);
        bytes.push(base);
        bytes.extend(rest);
        LwwMap::decode(&bytes)
    };
    let stamp = Stamp {
        hlc: Hlc(5),
        replica: ReplicaId([1; 16]),
    };
    let good = decode(0, 5, &[0, 1, 1, b'a', 0, 0, 0]).unwrap();
    assert_eq!(good.entries().get("a"), Some(&Entry { stamp, value: None }));
    for (floor, base, rest) in [
        (5, 5, &[0, 1, 1, b'a', 0, 0, 0][..]),
        (0, 0, &[0, 1, 1, b'a', 0, 0, 0]),
        (0, 5, &[0, 1, 1, b'a', 0, 1, 0]),
        (0, 5, &[0, 0]),
        (0, 5, &[0, 1, 1, b'a', 1, 0, 0]),
        (0, 5, &[0, 2, 1, b'b', 0, 0, 0, 1, b'a', 0, 0, 0]),
        (0, 5, &[0, 1, 1, b'a', 0, 0, 5, b'n', b'u', b'l', b'l']),
        (0, 5, &[2, 0, 0, 0, 0, 0]),
    ] {
        let refused = decode(floor, base, rest);
        assert!(
            matches!(refused, Err(DecodeError::NotCanonical(_))),
            "{floor} {base} {rest:?}"
        );
    }
    let edits_of_nothing = LwwMap::decode(&[1, 1, 0, 0, 0, 0, 0]);
    assert!(matches!(
        edits_of_nothing,
        Err(DecodeError::NotCanonical(_))
    ));
}

/// An application that writes the elements as an array must not wipe the values that others
/// gave them.
#[test]
fn an_element_written_without_a_value_keeps_its_own() {
    let mut author = Clock::new(1);
    let row = LwwSet::settle(
        None,
        &LwwSet::from_text(r#"{"a": 1}"#).unwrap(),
        &mut author,
    );
    let row = row.unwrap();
    let array = LwwSet::from_text("{a,b}").unwrap();
    let written = LwwSet::settle(Some(&row), &array, &mut author).unwrap();
    assert_eq!(
        (written.get("a"), written.get("b")),
        (Some("1"), Some("null"))
    );
    let led = row.led_to(array.value().unwrap()).unwrap();
    assert_eq!((led.get("a"), led.get("b")), (Some("1"), Some("null")));
    let null = LwwSet::settle(Some(&row), &row.put("a", "null").unwrap(), &mut author).unwrap();
    assert_eq!(null.get("a"), Some("null"), "an operator says it outright");
}
