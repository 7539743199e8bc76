//! aw_set: the laws, the guard, golden and hostile bytes.

mod world;

use std::collections::BTreeSet;

use crdt::{AwSet, Crdt, CrdtError, Dot};
use world::laws::laws;
use world::{Clock, Driven};

laws! {
    aw_set: AwSet;
}

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
