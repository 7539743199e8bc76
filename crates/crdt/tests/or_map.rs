//! Maps of counters, registers, sets and maps, and carts.

mod world;

use crdt::or_map::{MapEdit, Nested};
use crdt::{Crdt, CrdtError, DeltaFault, Edit, OrMap};
use world::laws::laws;
use world::{Clock, Driven};

impl Driven for OrMap {
    /// What a person would write: numbers, arrays of texts and objects.
    fn literal(seed: u8) -> Self {
        let texts = [
            "{}",
            r#"{"a":1}"#,
            r#"{"a":5,"b":["x","y"]}"#,
            r#"{"b":["y"],"m":{"a":2,"b":"t"}}"#,
            r#"{"m":{"m":{"a":[1]}},"a":{"a":3}}"#,
            r#"{"a":"text","m":{"a":-4},"b":[]}"#,
            r#"{"b":{},"a":null}"#,
        ];
        Self::from_text(texts[usize::from(seed) % texts.len()]).unwrap()
    }

    fn operated(&self, seed: u8) -> Self {
        self.edited(&some_edit(seed)).unwrap()
    }
}

fn path(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

fn set(elements: &[&str]) -> Nested {
    Nested::Set(path(elements).into_iter().collect())
}

fn some_edit(seed: u8) -> MapEdit {
    let path = match seed & 3 {
        0 => path(&["a"]),
        1 => path(&["b"]),
        2 => path(&["m", "a"]),
        _ => path(&["m", "b"]),
    };
    let element = format!("e{}", seed >> 6);
    let amount = i64::from(seed >> 5) - 3;
    let value = match seed >> 6 {
        0 => Nested::Counter(i64::from(seed)),
        1 => Nested::Register(format!("[{}]", seed >> 5)),
        2 => set(&["x", "e1"]),
        _ => Nested::Map([("a".to_owned(), Nested::Counter(3))].into()),
    };
    match seed >> 2 & 7 {
        0 => MapEdit::Add { path, amount },
        1 if seed & 0x20 == 0 => MapEdit::Add { path, amount },
        1 => MapEdit::PutJson {
            path,
            json: [r#"{"a": 5}"#, "5", r#"["e1"]"#, "{}"][usize::from(seed >> 6)].to_owned(),
        },
        2 | 3 => MapEdit::SetAdd { path, element },
        4 => MapEdit::SetRemove { path, element },
        5 => MapEdit::Remove { path },
        6 => MapEdit::Put { path, value },
        _ => MapEdit::Remove {
            path: path[..1].to_vec(),
        },
    }
}

laws! { or_map: OrMap; }

fn add(map: &OrMap, keys: &[&str], amount: i64) -> OrMap {
    let path = path(keys);
    map.edited(&MapEdit::Add { path, amount }).unwrap()
}

fn remove(map: &OrMap, keys: &[&str]) -> OrMap {
    map.edited(&MapEdit::Remove { path: path(keys) }).unwrap()
}

fn put(map: &OrMap, keys: &[&str], value: Nested) -> OrMap {
    let path = path(keys);
    map.edited(&MapEdit::Put { path, value }).unwrap()
}

fn literal(text: &str) -> OrMap {
    OrMap::from_text(text).unwrap()
}

fn shown(map: &OrMap) -> String {
    map.plain_text().unwrap()
}

/// Writes and gives the new row.
fn write(row: &OrMap, new: &OrMap, clock: &mut Clock) -> OrMap {
    clock.observe(row.latest());
    OrMap::settle(Some(row), new, clock).unwrap()
}

fn clocks() -> [Clock; 3] {
    [Clock::new(1), Clock::new(2), Clock::new(3)]
}

/// A removed and re-added counter: the concurrent increment must survive with its own part
/// only, or a removed amount comes back.
#[test]
fn a_removed_counter_keeps_only_what_the_removal_did_not_see() {
    let [mut a, mut b, _] = clocks();
    let row = OrMap::settle(None, &add(&OrMap::default(), &["k"], 10), &mut a).unwrap();
    let incremented = write(&row, &add(&row, &["k"], 3), &mut b);
    let removed = write(&row, &remove(&row, &["k"]), &mut a);
    assert_eq!(shown(&removed), "{}");
    let again = write(&removed, &add(&removed, &["k"], 1), &mut a);
    let delta = OrMap::delta(Some(&row), &removed).unwrap();
    assert_eq!(shown(&incremented.join(&delta).unwrap()), r#"{"k":3}"#);
    let joined = again.join(&incremented).unwrap();
    assert_eq!(shown(&joined), r#"{"k":4}"#);
    assert_eq!(joined, incremented.join(&again).unwrap());
}

/// Removed everywhere is removed: an old copy must not bring it back.
#[test]
fn what_each_removed_stays_removed() {
    let [mut a, mut b, _] = clocks();
    let at_a = OrMap::settle(None, &literal(r#"{"x":["1"]}"#), &mut a).unwrap();
    let at_b = OrMap::settle(None, &literal(r#"{"x":["1"]}"#), &mut b).unwrap();
    let at_c = at_a.clone();
    let at_a = write(&at_a, &remove(&at_a, &["x"]), &mut a)
        .join(&at_b)
        .unwrap();
    let at_b = write(&at_b, &remove(&at_b, &["x"]), &mut b);
    let merged = at_b.join(&at_a.join(&at_c).unwrap()).unwrap();
    assert_eq!(shown(&merged), "{}");
}

/// A delta that arrives before an earlier one must not act as a removal of it.
#[test]
fn a_hole_is_no_removal() {
    let [mut a, ..] = clocks();
    let first = OrMap::settle(None, &literal(r#"{"x":1}"#), &mut a).unwrap();
    let second = write(&first, &add(&first, &["y"], 1), &mut a);
    let third = write(&second, &add(&second, &["y"], 1), &mut a);
    let delta = |old: &OrMap, new: &OrMap| OrMap::delta(Some(old), new).unwrap();
    let early = first.join(&delta(&second, &third)).unwrap();
    assert_eq!(early.join(&delta(&first, &second)).unwrap(), third);
}

/// Of concurrent writes of different kinds none is lost, and everybody shows the same.
#[test]
fn kinds_side_by_side_show_by_priority() {
    let [mut a, mut b, mut c] = clocks();
    let row = OrMap::settle(None, &literal("{}"), &mut a).unwrap();
    let counter = write(&row, &add(&row, &["k"], 2), &mut a);
    let texts = write(&row, &put(&row, &["k"], set(&["x"])), &mut b);
    let inner = write(
        &row,
        &put(&row, &["k", "i"], Nested::Register("1".to_owned())),
        &mut c,
    );
    let all = counter.join(&texts).unwrap().join(&inner).unwrap();
    assert_eq!(shown(&all), r#"{"k":{"i":1}}"#);
    let all = write(&all, &remove(&all, &["k", "i"]), &mut c);
    assert_eq!(shown(&all), r#"{"k":["x"]}"#);
    let path = path(&["k"]);
    let element = "x".to_owned();
    let fewer = all.edited(&MapEdit::SetRemove { path, element }).unwrap();
    assert_eq!(shown(&fewer), r#"{"k":2}"#);
    let done = write(
        &all,
        &put(&all, &["k"], Nested::Register("true".to_owned())),
        &mut a,
    );
    assert_eq!(shown(&done), r#"{"k":true}"#);
}

/// A literal over the row is led to by difference: increments and elements of others stay.
#[test]
fn a_literal_is_led_to_by_difference() {
    let [mut a, mut b, _] = clocks();
    let start = add(&OrMap::default(), &["n"], 5);
    let start = put(
        &put(&start, &["s"], set(&["x"])),
        &["m", "n"],
        Nested::Counter(1),
    );
    let row = OrMap::settle(None, &start, &mut a).unwrap();
    let theirs = write(&row, &add(&add(&row, &["n"], 10), &["m", "n"], 10), &mut b);
    let ours = write(
        &row,
        &literal(r#"{"n":7,"s":["x","y"],"m":{"n":2}}"#),
        &mut a,
    );
    let joined = ours.join(&theirs).unwrap();
    assert_eq!(shown(&joined), r#"{"m":{"n":12},"n":17,"s":["x","y"]}"#);
    assert_eq!(joined.value().unwrap().get("n"), Some(&Nested::Counter(17)));
}

/// Another row's state, even of the same replica and with ticks that lie within this row's
/// span, is a value to be written and not an old copy.
#[test]
fn another_row_of_the_same_replica_is_taken_by_value() {
    let [mut a, ..] = clocks();
    let row = OrMap::settle(None, &literal(r#"{"x":1}"#), &mut a).unwrap();
    let other = OrMap::settle(None, &literal(r#"{"y":2}"#), &mut a).unwrap();
    let row = write(
        &row,
        &put(&row, &["z"], Nested::Register("3".to_owned())),
        &mut a,
    );
    assert!(row.context().includes(other.context()));
    assert_eq!(shown(&write(&row, &other, &mut a)), r#"{"y":2}"#);
}

/// Two sessions that settle from one state without its lock must not drop each other's.
#[test]
fn authors_that_are_not_alone_lose_nothing() {
    let mut a = Clock::new(1);
    let row = OrMap::settle(None, &literal(r#"{"x":1}"#), &mut a).unwrap();
    a.exclusive = false;
    let one = OrMap::settle(Some(&row), &add(&row, &["n"], 1), &mut a).unwrap();
    let two = OrMap::settle(Some(&row), &add(&row, &["n"], 2), &mut a).unwrap();
    assert_eq!(shown(&one.join(&two).unwrap()), r#"{"n":3,"x":1}"#);
}

/// Operators take effect in their order, and on a literal before it is stored.
#[test]
fn edits_take_effect_in_order() {
    let map = add(
        &remove(&add(&literal(r#"{"n":4}"#), &["n"], 1), &["n"]),
        &["n"],
        2,
    );
    assert_eq!(shown(&map), r#"{"n":2}"#);
    let map = add(&literal(r#"{"n":4}"#), &["n"], 1);
    assert_eq!(shown(&map), r#"{"n":5}"#);
    let mut a = Clock::new(1);
    let row = OrMap::settle(None, &map, &mut a).unwrap();
    let edited = add(&remove(&add(&row, &["n"], 9), &["n"]), &["n"], 2);
    assert_eq!(shown(&edited), r#"{"n":2}"#);
    assert_eq!(shown(&write(&row, &edited, &mut a)), r#"{"n":2}"#);
    let path = vec!["d".to_owned(); 33];
    let deep = row.edited(&MapEdit::Add { path, amount: 1 });
    assert!(matches!(deep, Err(CrdtError::TooLarge { .. })));
    let text = format!("{}{}", r#"{"d":"#.repeat(33), "1") + &"}".repeat(33);
    assert!(OrMap::from_text(&text).is_err());
}

/// What a literal wrote must not vanish when it is first added to.
#[test]
fn a_literal_is_added_to() {
    let row = literal(r#"{"n":5,"s":["a"]}"#);
    let row = OrMap::settle(None, &row, &mut Clock::new(1)).unwrap();
    let more = write(&row, &add(&row, &["n"], 2), &mut Clock::new(1));
    assert_eq!(shown(&more), r#"{"n":7,"s":["a"]}"#);
    let (path, element) = (path(&["s"]), "b".to_owned());
    let more = more.edited(&MapEdit::SetAdd { path, element }).unwrap();
    let more = write(&row, &more, &mut Clock::new(1));
    assert_eq!(shown(&more), r#"{"n":7,"s":["a","b"]}"#);
}

/// A JSON value put over a counter by someone who knows nothing of counters must count.
#[test]
fn json_becomes_what_a_literal_would() {
    let put = |map: &OrMap, keys: &[&str], json: &str| {
        let (path, json) = (path(keys), json.to_owned());
        map.edited(&MapEdit::PutJson { path, json })
    };
    let row = add(&OrMap::default(), &["n"], 5);
    let row = OrMap::settle(None, &row, &mut Clock::new(1)).unwrap();
    let higher = put(&row, &["n"], "7").unwrap();
    let theirs = write(&row, &add(&row, &["n"], 10), &mut Clock::new(2));
    let both = write(&theirs, &higher, &mut Clock::new(1));
    assert_eq!(shown(&both), r#"{"n":17}"#);
    let nested = put(&row, &["m", "a"], r#"{"b": [1.50, "x"], "c": {}}"#).unwrap();
    assert_eq!(
        shown(&nested),
        r#"{"m":{"a":{"b":[1.50,"x"],"c":{}}},"n":5}"#
    );
    assert_eq!(shown(&put(&row, &["n"], r#""x""#).unwrap()), r#"{"n":"x"}"#);
    assert!(put(&row, &[], "1").is_err() && put(&row, &["a"], "{").is_err());
    let deep = put(&row, &vec!["d"; 31], r#"{"d": {"d": 1}}"#);
    assert!(matches!(deep, Err(CrdtError::TooLarge { .. })));
}

/// A peer must not write in another's name, use a dot twice, or remove what nobody has seen.
#[test]
fn forged_deltas_are_refused() {
    let [mut a, mut b, _] = clocks();
    let row = OrMap::settle(None, &literal(r#"{"x":1}"#), &mut a).unwrap();
    let next = write(&row, &add(&row, &["n"], 1), &mut b);
    let delta = OrMap::delta(Some(&row), &next).unwrap();
    let check = |author, row| OrMap::check_delta(&delta, author, row);
    assert_eq!(check(b.replica, Some(&row)), Ok(()));
    assert!(matches!(
        check(a.replica, Some(&row)),
        Err(DeltaFault::ForeignDot(_))
    ));
    assert!(matches!(
        check(b.replica, Some(&next)),
        Err(DeltaFault::UsedDot(_))
    ));
    let gone = write(&next, &remove(&next, &["n"]), &mut a);
    let removal = OrMap::delta(Some(&next), &gone).unwrap();
    assert_eq!(OrMap::check_delta(&removal, a.replica, Some(&next)), Ok(()));
    let early = OrMap::check_delta(&removal, a.replica, Some(&row));
    assert!(matches!(early, Err(DeltaFault::UnknownDot(_))));
}

/// Folding keeps the value, shrinks the state, and joins with those who have seen as much.
#[test]
fn compaction_folds_shares_and_refuses_stale_states() {
    let [mut a, mut b, _] = clocks();
    let mut row = OrMap::settle(None, &add(&OrMap::default(), &["n"], 1), &mut a).unwrap();
    let stale = write(&row, &add(&row, &["n"], 5), &mut b);
    for _ in 0..20 {
        row = write(&row, &add(&row, &["n"], 1), &mut a);
    }
    let all = row.join(&stale).unwrap();
    let compact = all.compact(&all.version()).unwrap();
    assert_eq!(shown(&compact), r#"{"n":26}"#);
    assert!(compact.encode().len() < all.encode().len() - 20);
    assert_eq!(compact.compact(&all.version()).unwrap(), compact);
    assert_eq!(OrMap::decode(&compact.encode()).as_ref(), Ok(&compact));
    assert_eq!(compact.join(&all).unwrap(), compact);
    assert_eq!(all.join(&compact).unwrap(), compact);
    let folding = OrMap::delta(Some(&all), &compact).unwrap();
    assert_eq!(all.join(&folding).unwrap(), compact);
    assert!(matches!(
        compact.join(&stale),
        Err(CrdtError::StaleState("or_map"))
    ));

    let gone = write(&compact, &remove(&compact, &["n"]), &mut b);
    let removal = OrMap::delta(Some(&compact), &gone).unwrap();
    OrMap::check_delta(&removal, b.replica, Some(&all)).unwrap();
    assert_eq!(shown(&all.join(&removal).unwrap()), "{}");
    let more = write(&all, &add(&all, &["n"], 4), &mut a);
    let addition = OrMap::delta(Some(&all), &more).unwrap();
    assert_eq!(shown(&compact.join(&addition).unwrap()), r#"{"n":30}"#);
    assert_eq!(shown(&gone.join(&addition).unwrap()), r#"{"n":4}"#);
}

/// A session keeps a value, the row is counted up and folded, then the session writes what it
/// made of the value: it removed two of the three shares that have become one. To keep all three
/// or to drop them would be a wrong count for ever, so it must be refused.
#[test]
fn a_removal_from_before_a_fold_is_refused() {
    let [mut a, mut b, _] = clocks();
    let row = OrMap::settle(None, &add(&OrMap::default(), &["n"], 1), &mut a).unwrap();
    let row = write(&row, &put(&row, &["s"], set(&["x"])), &mut b);
    let old = write(&row, &add(&row, &["n"], 1), &mut a);
    let row = write(&old, &add(&old, &["n"], 1), &mut a);
    let folded = row.compact(&row.version()).unwrap();
    let removals = [
        remove(&old, &["n"]),
        put(&old, &["n"], Nested::Register("1".to_owned())),
        old.reset().unwrap(),
    ];
    for late in removals {
        let refused = OrMap::settle(Some(&folded), &late, &mut b);
        assert_eq!(refused, Err(CrdtError::StaleState("or_map")));
        let unfolded = write(&row, &late, &mut b);
        let kept = unfolded.tree().get("n").and_then(|entry| entry.counter());
        assert_eq!(kept.map(|shares| shares.sum()), Some(1), "one was not seen");
    }
    // What had seen all of it, or nothing of it, is written as ever.
    let gone = write(&folded, &remove(&row, &["n"]), &mut b);
    assert_eq!(shown(&gone), r#"{"s":["x"]}"#);
    let bare = write(&folded, &add(&OrMap::default(), &["n"], 4), &mut b);
    assert_eq!(shown(&bare), r#"{"n":7,"s":["x"]}"#);
}

/// A counter beyond bigint is an error and never wraps.
#[test]
fn overflow_is_an_error() {
    let mut a = Clock::new(1);
    let row = OrMap::settle(None, &add(&OrMap::default(), &["n"], i64::MAX), &mut a).unwrap();
    let over = add(&row, &["n"], 1);
    assert_eq!(over.value(), Err(CrdtError::Overflow));
    assert_eq!(
        OrMap::settle(Some(&row), &over, &mut a),
        Err(CrdtError::Overflow)
    );
    let back = write(&row, &literal(&format!(r#"{{"n":{}}}"#, i64::MIN)), &mut a);
    assert_eq!(
        back.value().unwrap().get("n"),
        Some(&Nested::Counter(i64::MIN))
    );
}

/// Bytes of stored maps must read the same in every release.
#[test]
fn golden_bytes() {
    let mut a = Clock::new(1);
    let map = put(&add(&OrMap::default(), &["m", "n"], 2), &["s"], set(&["x"]));
    let map = put(&map, &["r"], Nested::Register("null".to_owned()));
    let hex = |map: &OrMap| -> String {
        let bytes = map.encode();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let row = OrMap::settle(None, &map, &mut a).unwrap();
    // A map, a register and a set, with the ticks 2, 3 and 4.
    let context = format!("01{}010102", "01".repeat(16));
    let inner = "016d01".to_owned() + "01016e0401000004";
    let (register, texts) = (
        "0172080100".to_owned() + "01046e756c6c",
        "017302010178010002",
    );
    assert_eq!(
        hex(&row),
        format!("0100{context}0003{inner}{register}{texts}")
    );
    let wants = "03016d0101016e04040172".to_owned() + "08046e756c6c0173020101" + "78";
    assert_eq!(hex(&map), format!("0101000000{wants}"));
    let text = r#"{"n":-1}"#;
    assert_eq!(hex(&literal(text)), "010200000001016e08022d31");
    assert_eq!(literal(text).to_text(), text);
}
