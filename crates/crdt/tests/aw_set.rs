//! aw_set: the laws, the guard, golden and hostile bytes.

mod world;

use std::collections::BTreeSet;

use crdt::{AwSet, Crdt, CrdtError, DeltaFault, Dot, ReplicaId};
use world::hostile::hostile;
use world::laws::laws;
use world::{Clock, Driven};

laws! {
    aw_set: AwSet;
}

hostile! { bytes: AwSet; }

impl Driven for AwSet {
    fn literal(seed: u8) -> Self {
        let element = |bit: u8| (seed >> bit & 1 == 1).then(|| format!("e{bit}"));
        Self::assign((0..4).filter_map(element).collect::<BTreeSet<_>>())
    }

    fn operated(&self, seed: u8) -> Self {
        let element = format!("e{}", seed >> 1 & 3);
        if seed.is_multiple_of(2) {
            self.add(&element)
        } else {
            self.remove(&element)
        }
        .unwrap()
    }
}

fn literal(elements: &[&str]) -> AwSet {
    AwSet::assign(elements.iter().map(|text| (*text).to_owned()).collect())
}

fn set(elements: &[&str], author: &mut Clock) -> AwSet {
    AwSet::settle(None, &literal(elements), author).unwrap()
}

fn settled(old: &AwSet, new: &AwSet, author: &mut Clock) -> AwSet {
    AwSet::settle(Some(old), new, author).unwrap()
}

fn elements(set: &AwSet) -> Vec<&str> {
    set.elements().collect()
}

fn join(a: &AwSet, b: &AwSet) -> AwSet {
    a.join(b).unwrap()
}

/// The additions' order of arrival must not bring back what was removed by those who saw it.
#[test]
fn a_removed_element_does_not_come_back_from_a_third() {
    let (mut one, mut two) = (Clock::new(1), Clock::new(2));
    let a = settled(
        &AwSet::default(),
        &AwSet::default().add("x").unwrap(),
        &mut one,
    );
    let b = settled(
        &AwSet::default(),
        &AwSet::default().add("x").unwrap(),
        &mut two,
    );
    let c = join(&AwSet::default(), &a);
    let a = settled(&a, &a.remove("x").unwrap(), &mut one);
    let a = join(&a, &b);
    let b = settled(&b, &b.remove("x").unwrap(), &mut two);
    assert_eq!(elements(&join(&b, &join(&a, &c))), Vec::<&str>::new());
}

/// A delta that arrives before its forerunner must not delete what the forerunner adds.
#[test]
fn an_early_delta_is_no_removal() {
    let mut author = Clock::new(1);
    let row = set(&["a"], &mut author);
    let second = settled(&row, &row.add("b").unwrap(), &mut author);
    let third = settled(&second, &second.add("c").unwrap(), &mut author);
    let first_delta = AwSet::delta(Some(&row), &second).unwrap();
    let second_delta = AwSet::delta(Some(&second), &third).unwrap();
    let early = join(&row, &second_delta);
    assert_eq!(elements(&early), ["a", "c"]);
    assert_eq!(join(&early, &first_delta), third);
}

/// A removal's delta holds no element, but must still arrive: else the element lives elsewhere.
#[test]
fn a_removal_has_a_delta_and_takes_no_dot() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let row = set(&["a", "b"], &mut here);
    let removed = settled(&row, &row.remove("a").unwrap(), &mut there);
    assert_eq!(there.ticks, 0);
    let delta = AwSet::delta(Some(&row), &removed).unwrap();
    assert_eq!(elements(&delta), Vec::<&str>::new());
    assert_eq!(elements(&join(&row, &delta)), ["b"]);
    assert_eq!(AwSet::delta(Some(&removed), &removed), None);
}

/// Who tags a page while another untags it keeps the tag: also if the tag was there already.
#[test]
fn an_addition_wins_over_a_concurrent_removal() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let row = set(&["news", "old"], &mut here);
    let added = settled(&row, &row.add("news").unwrap(), &mut here);
    let removed = settled(&row, &row.remove("news").unwrap(), &mut there);
    assert_eq!(elements(&join(&added, &removed)), ["news", "old"]);
    let both = join(
        &added,
        &settled(&row, &row.add("news").unwrap(), &mut there),
    );
    assert_eq!(both.dots_of("news").len(), 2, "concurrent additions");
    let again = settled(&both, &both.add("news").unwrap(), &mut here);
    assert_eq!(
        again.dots_of("news").len(),
        1,
        "one dot for all that were seen"
    );
    assert_eq!(
        elements(&settled(&both, &both.remove("news").unwrap(), &mut here)),
        ["old"]
    );
}

/// A job that adds and removes the same tags all day must not make the row grow.
#[test]
fn a_loop_of_additions_and_removals_stays_small() {
    let mut author = Clock::new(1);
    let mut row = set(&["a"], &mut author);
    let before = row.encode().len();
    for turn in 0..1_000 {
        row = settled(&row, &row.add("a").unwrap(), &mut author);
        let (on, off) = (format!("t{}", turn % 7), format!("t{}", (turn + 1) % 7));
        row = settled(
            &row,
            &row.add(&on).unwrap().remove(&off).unwrap(),
            &mut author,
        );
    }
    assert!(row.encode().len() < before + 60, "{}", row.encode().len());
}

/// A stale client that removes a tag takes what it saw, not what others added since.
#[test]
fn a_stale_removal_takes_only_what_it_saw() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let seen = set(&["a", "b"], &mut here);
    let grown = settled(&seen, &seen.add("a").unwrap(), &mut there);
    let grown = settled(&grown, &grown.add("c").unwrap(), &mut there);
    let stale = seen
        .remove("a")
        .unwrap()
        .remove("b")
        .unwrap()
        .add("d")
        .unwrap();
    let row = settled(&grown, &stale, &mut here);
    assert_eq!(elements(&row), ["a", "c", "d"]);
    assert_eq!(
        settled(&row, &seen, &mut here),
        row,
        "what was removed stays so"
    );
}

/// Operators in one expression apply in their order.
#[test]
fn operators_apply_in_order() {
    let mut author = Clock::new(1);
    let row = set(&["a"], &mut author);
    assert!(row.remove("a").unwrap().add("a").unwrap().contains("a"));
    assert_eq!(row.add("b").unwrap().remove("b").unwrap(), row);
    let grown = row.add("b").unwrap().add("a").unwrap();
    assert_eq!((grown.cardinality(), elements(&grown)), (2, vec!["a", "b"]));
    assert!(grown.contains_all(["a", "b"]) && !row.contains_all(["a", "b"]));
    let literal = literal(&["x", "y"]).remove("x").unwrap().add("z").unwrap();
    assert_eq!(
        (literal.cardinality(), literal.to_text()),
        (2, "{y,z}".to_owned())
    );
    assert_eq!(row.add("a\0"), Err(CrdtError::InvalidElement));
    assert_eq!(elements(&row.reset().unwrap()), Vec::<&str>::new());
    assert_eq!(elements(&literal.reset().unwrap()), Vec::<&str>::new());
    let refused = AwSet::settle(None, &self::literal(&["a\0"]), &mut author);
    assert_eq!(refused, Err(CrdtError::InvalidElement));
}

/// A causal reset takes what was seen; what another adds meanwhile survives.
#[test]
fn a_reset_spares_concurrent_additions() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let row = set(&["a", "b"], &mut here);
    let empty = settled(&row, &row.reset().unwrap(), &mut here);
    let grown = settled(&row, &row.add("b").unwrap(), &mut there);
    assert_eq!(elements(&empty), Vec::<&str>::new());
    assert_eq!(elements(&join(&empty, &grown)), ["b"]);
}

/// `UPDATE page SET tags = other.tags` on one node: the other row's ticks fall between those of
/// this one, and must not pass for dots that were removed here.
#[test]
fn another_set_of_the_same_replica_is_taken_by_value() {
    let mut author = Clock::new(1);
    let row = set(&["a", "b"], &mut author);
    let other = set(&["b", "c"], &mut author);
    let row = settled(&row, &row.add("d").unwrap(), &mut author);
    assert!(row.context().includes(other.context()));
    let taken = settled(&row, &other, &mut author);
    assert_eq!(elements(&taken), ["b", "c"]);
    assert_eq!(taken.dots_of("b"), row.dots_of("b"), "what both have stays");
    let emptied = settled(&other, &literal(&[]), &mut author);
    assert_eq!(
        elements(&settled(&row, &emptied, &mut author)),
        Vec::<&str>::new()
    );
    let changed = other.add("e").unwrap();
    assert_eq!(
        elements(&settled(&row, &changed, &mut author)),
        ["b", "c", "e"]
    );
}

/// A hand-made literal that claims a known dot for another element must not slip it in, and one
/// that claims to have seen what is to come must not remove it in advance.
#[test]
fn a_forged_literal_is_taken_by_value() {
    let mut author = Clock::new(1);
    let row = set(&["a"], &mut author);
    let forged = set(&["admin"], &mut Clock::new(1));
    assert_eq!(row.dots_of("a"), forged.dots_of("admin"));
    let taken = settled(&row, &forged, &mut author);
    assert_ne!(taken.dots_of("admin"), row.dots_of("a"));
    assert_eq!(elements(&taken), ["admin"]);
    let mut victim = Clock::new(2);
    let future = settled(&row, &row.add("b").unwrap(), &mut victim);
    let all_seen = future.reset().unwrap();
    let taken = settled(&row, &all_seen, &mut author);
    assert!(!taken.context().contains(&Dot {
        replica: victim.replica,
        counter: victim.last.0
    }));
    assert_eq!(elements(&join(&taken, &future)), ["b"]);
}

/// Two sessions that settle the same loose value must not lose each other's additions.
#[test]
fn authors_without_a_lock_lose_nothing() {
    let mut author = Clock::new(1);
    let row = set(&["a"], &mut author);
    author.exclusive = false;
    let one = settled(&row, &row.add("b").unwrap(), &mut author);
    let two = settled(&row, &row.add("c").unwrap(), &mut author);
    assert_eq!(elements(&join(&one, &two)), ["a", "b", "c"]);
    assert_eq!(elements(&join(&two, &one)), ["a", "b", "c"]);
}

/// A row from before tracking holds a literal: its first write must count from its value.
#[test]
fn an_unsettled_row_is_authored_first() {
    let mut author = Clock::new(1);
    let old = literal(&["a"]);
    let row = settled(&old, &old.add("b").unwrap(), &mut author);
    assert_eq!((elements(&row), row.is_settled()), (vec!["a", "b"], true));
    let row = settled(&old, &AwSet::default().add("c").unwrap(), &mut author);
    assert_eq!(elements(&row), ["a", "c"], "a bare addition");
    let half = set(&["a", "b"], &mut author).add("c").unwrap();
    let row = settled(&half, &half.remove("a").unwrap(), &mut author);
    assert_eq!(elements(&row), ["b", "c"]);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn golden(value: &AwSet, expected: &[&str], text: &str) {
    let bytes = value.encode();
    assert_eq!(hex(&bytes), expected.concat());
    assert_eq!(AwSet::decode(&bytes).as_ref(), Ok(value));
    assert_eq!(value.to_text(), text);
    assert_eq!(AwSet::from_text(text).as_ref(), Ok(value));
}

const ONES: &str = "01010101010101010101010101010101";
const TWOS: &str = "02020202020202020202020202020202";

/// A release that reads yesterday's rows differently loses them.
#[test]
fn golden_bytes() {
    golden(
        &AwSet::default(),
        &["0100", "00", "00"],
        "{} @v1:AQAAAJn4uHk",
    );
    golden(
        &literal(&["b c", "a"]),
        &["0102", "00", "00", "02", "0161", "03622063"],
        r#"{a,"b c"}"#,
    );
    let mut author = Clock::new(1);
    author.last = crdt::Hlc(9);
    let one = set(&["a", "b c"], &mut author);
    // Ticks 10 and 11: after 9, two long.
    let span = [ONES, "01", "0901"].concat();
    golden(
        &one,
        &[
            "0100", "01", &span, "02", "0103", "61622063", "0000", "0001", "",
        ],
        &one.to_text(),
    );
    assert!(one.to_text().starts_with(r#"{a,"b c"} @v1:"#));
    let two = settled(
        &one,
        &one.add("a").unwrap().remove("b c").unwrap(),
        &mut Clock::new(2),
    );
    let both = join(&two, &settled(&one, &one.add("a").unwrap(), &mut author));
    // a under 1:12 and 2:3; b c is gone, its dot is covered.
    let (first, second) = ([ONES, "01", "0902"].concat(), [TWOS, "01", "0200"].concat());
    golden(
        &both.add("z").unwrap(),
        &[
            "0101", "02", &first, &second, "01", "01", "61", "0102", "0200", "01", "017a",
        ],
        &both.add("z").unwrap().to_text(),
    );
    assert_eq!(
        both.to_json(),
        format!(
            r#"{{"type":"aw_set","value":["a"],"elements":{{"a":["{ONES}:12","{TWOS}:3"]}},"context":{{"{ONES}":[[9,12]],"{TWOS}":[[2,3]]}},"change":null}}"#
        )
    );
}

/// A dot beyond the context, an element without one, or disorder is no state.
#[test]
fn contradictory_sets_are_refused() {
    let state = |elements: &[u8]| {
        let mut bytes = vec![1, 0, 1];
        bytes.extend([1; 16]);
        // Seen: 10 to 12, 20.
        bytes.extend([2, 9, 2, 7, 0]);
        bytes.extend(elements);
        AwSet::decode(&bytes).is_ok()
    };
    assert!(state(&[0]));
    assert!(state(&[1, 1, b'a', 0, 2]));
    assert!(state(&[1, 1, b'a', 1, 2, 0, 10]), "two dots");
    assert!(!state(&[1, 1, b'a', 0, 3]), "a gap");
    assert!(!state(&[1, 1, b'a', 0, 11]), "the future");
    assert!(!state(&[1, 1, b'a', 2, 0]), "no such replica");
    assert!(!state(&[1, 1, b'a', 1, 2, 0, 2]), "a dot twice");
    assert!(!state(&[1, 1, b'a', 1, 2]), "an element cut");
    assert!(!state(&[2, 1, 1, b'b', b'a', 0, 0, 0, 1]), "disorder");
    assert!(!state(&[2, 1, 1, b'a', b'a', 0, 0, 0, 1]), "twice");
    assert!(!state(&[1, 1, 0, 0, 0]), "NUL");
    assert!(!state(&[1, 1, 0xff, 0, 0]), "not UTF-8");
    assert!(
        !state(&[2, 1, 1, 0xc3, 0xa9, 0, 0, 0, 1]),
        "half a character"
    );
    assert!(!state(&[1, 1, b'a', 0, 2, 0]), "junk");
}

/// A member that removes what it never saw, adds in another's name or reuses a dot.
#[test]
fn forged_deltas_are_refused() {
    let (mut author, mut victim) = (Clock::new(1), Clock::new(2));
    let row = set(&["e0"], &mut victim);
    let check = |delta: &AwSet| AwSet::check_delta(delta, ReplicaId([1; 16]), Some(&row));
    let dot = Dot {
        replica: victim.replica,
        counter: victim.last.0,
    };
    assert_eq!(check(&row), Err(DeltaFault::ForeignDot(dot)));
    assert_eq!(check(&literal(&["x"])), Err(DeltaFault::Unsettled));
    let gone = settled(&row, &row.remove("e0").unwrap(), &mut author);
    let honest = AwSet::delta(Some(&row), &gone).unwrap();
    assert_eq!(check(&honest), Ok(()));
    assert_eq!(
        AwSet::check_delta(&honest, author.replica, None),
        Err(DeltaFault::UnknownDot(dot)),
        "before its addition arrived"
    );
    let later = settled(&row, &row.add("e1").unwrap(), &mut victim);
    let forged = AwSet::delta(Some(&row), &later.reset().unwrap()).unwrap();
    assert!(matches!(check(&forged), Err(DeltaFault::UnknownDot(_))));
    let added = settled(&row, &row.add("x").unwrap(), &mut author);
    let delta = AwSet::delta(Some(&row), &added).unwrap();
    assert_eq!(check(&delta), Ok(()));
    let again = AwSet::check_delta(&delta, author.replica, Some(&added));
    assert_eq!(again, Ok(()), "delivered twice");
    let own = Dot {
        replica: author.replica,
        counter: author.last.0,
    };
    let reused = set(
        &["y"],
        &mut Clock {
            last: crdt::Hlc(own.counter - 1),
            ..Clock::new(1)
        },
    );
    assert_eq!(
        AwSet::check_delta(&reused, author.replica, Some(&added)),
        Err(DeltaFault::UsedDot(own))
    );
    let mut bytes = vec![1, 0, 1];
    bytes.extend([1; 16]);
    bytes.extend([1, 9, 0, 2, 1, 1, b'a', b'b', 0, 0, 0, 0]);
    let twice = AwSet::decode(&bytes).unwrap();
    assert!(matches!(check(&twice), Err(DeltaFault::RepeatedDot(_))));
    assert_eq!(AwSet::decode(&join(&twice, &twice).encode()), Ok(twice));
}

/// After a restore a node has a new id: what it adds must not fall under what it did before.
#[test]
fn a_restored_replica_adds_under_its_new_id() {
    let (mut before, mut after) = (Clock::new(1), Clock::new(2));
    let dump = set(&["a"], &mut before);
    let lost = settled(&dump, &dump.add("b").unwrap(), &mut before);
    let restored = settled(&dump, &dump.add("c").unwrap(), &mut after);
    assert_eq!(elements(&join(&lost, &restored)), ["a", "b", "c"]);
}

/// Closing the gaps of the context keeps the value and shortens the bytes.
#[test]
fn compaction_closes_gaps() {
    let mut author = Clock::new(1);
    author.exclusive = false;
    let mut row = set(&["a"], &mut author);
    for turn in 0..20 {
        author.last.0 += 100;
        row = settled(
            &row,
            &row.add(&format!("t{}", turn % 3)).unwrap(),
            &mut author,
        );
    }
    let small = row.compact(&row.version()).unwrap();
    assert_eq!(
        (small.value(), small.version()),
        (row.value(), row.version())
    );
    assert!(small.encode().len() + 30 < row.encode().len());
    assert_eq!(join(&small, &row), small);
    assert_eq!(row.compact(&Default::default()).unwrap(), row);
}
