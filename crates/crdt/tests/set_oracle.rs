//! Sets against an oracle of events: histories of three replicas whose deltas are lost,
//! repeated, early and regrouped, and whose states branch and merge.

mod world;

use std::collections::BTreeSet;
use std::fmt::Debug;

use crdt::aw_set::SetEdit;
use crdt::{AwSet, Crdt, Dot, Edit, OrSet, ReplicaId, VersionVector};
use proptest::prelude::*;
use world::Clock;
use world::hostile::{altered, edits};

trait Set: Crdt<Plain = BTreeSet<String>> + Edit<Edit = SetEdit> + Debug {
    /// Whether an addition takes the place of those that its author saw.
    const REPLACES: bool;

    /// Elements and the additions that hold them.
    fn events(&self) -> BTreeSet<(String, Dot)>;
}

fn events<'a>(elements: impl Iterator<Item = (&'a str, Vec<Dot>)>) -> BTreeSet<(String, Dot)> {
    let events = |(element, dots): (&str, Vec<Dot>)| {
        let element = element.to_owned();
        dots.into_iter().map(move |dot| (element.clone(), dot))
    };
    elements.flat_map(events).collect()
}

impl Set for AwSet {
    const REPLACES: bool = true;

    fn events(&self) -> BTreeSet<(String, Dot)> {
        events(self.elements_with_dots())
    }
}

impl Set for OrSet {
    const REPLACES: bool = false;

    fn events(&self) -> BTreeSet<(String, Dot)> {
        events(self.elements_with_dots())
    }
}

fn literal<T: Set>(seed: u8) -> T {
    let element = |bit: u8| (seed >> bit & 1 == 1).then(|| format!("e{bit}"));
    T::assign((0..4).filter_map(element).collect())
}

/// What a user means: an addition lives until somebody who saw it removes it or adds anew.
#[derive(Clone, Default, PartialEq, Debug)]
struct Oracle {
    added: BTreeSet<(String, Dot)>,
    gone: BTreeSet<(String, Dot)>,
}

impl Oracle {
    fn live(&self) -> BTreeSet<(String, Dot)> {
        &self.added - &self.gone
    }

    fn value(&self) -> BTreeSet<String> {
        self.live()
            .into_iter()
            .map(|(element, _)| element)
            .collect()
    }

    fn remove(&mut self, element: &str) {
        let seen = self.live().into_iter().filter(|(held, _)| held == element);
        self.gone.extend(seen.collect::<Vec<_>>());
    }

    fn join(&mut self, other: &Self) {
        self.added.extend(other.added.iter().cloned());
        self.gone.extend(other.gone.iter().cloned());
    }
}

#[derive(Clone, Debug)]
enum Step {
    Add(usize, u8),
    Remove(usize, u8),
    Assign(usize, u8),
    Branch(usize, usize),
    Deliver(usize, prop::sample::Index),
    Compact(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let at = 0..3usize;
    prop::collection::vec(
        prop_oneof![
            4 => (at.clone(), 0..5u8).prop_map(|(at, name)| Step::Add(at, name)),
            3 => (at.clone(), 0..5u8).prop_map(|(at, name)| Step::Remove(at, name)),
            1 => (at.clone(), any::<u8>()).prop_map(|(at, seed)| Step::Assign(at, seed)),
            2 => (at.clone(), at.clone()).prop_map(|(from, to)| Step::Branch(from, to)),
            4 => (at.clone(), any::<prop::sample::Index>()).prop_map(|(to, pick)| Step::Deliver(to, pick)),
            1 => at.prop_map(Step::Compact),
        ],
        1..50,
    )
}

/// Runs a history and compares with the oracle after every step.
fn follows_the_events<T: Set>(steps: &[Step]) {
    let mut clocks: Vec<Clock> = (1..=3).map(Clock::new).collect();
    let mut rows = vec![(T::default(), Oracle::default()); 3];
    let mut deltas: Vec<(T, Oracle)> = Vec::new();
    for step in steps {
        match step {
            Step::Add(at, _) | Step::Remove(at, _) | Step::Assign(at, _) => {
                let (row, oracle) = rows[*at].clone();
                let mut after = oracle.clone();
                let new = match step {
                    Step::Add(_, name) => row.edited(&SetEdit::Add(format!("e{name}"))).unwrap(),
                    Step::Remove(_, name) => {
                        row.edited(&SetEdit::Remove(format!("e{name}"))).unwrap()
                    }
                    Step::Assign(_, seed) => literal::<T>(*seed),
                    _ => continue,
                };
                let new = T::settle(Some(&row), &new, &mut clocks[*at]).unwrap();
                let own =
                    |(_, dot): &(String, Dot)| !oracle.added.iter().any(|(_, held)| held == dot);
                let made: Vec<(String, Dot)> = new.events().into_iter().filter(own).collect();
                match step {
                    Step::Add(_, name) => {
                        if T::REPLACES {
                            after.remove(&format!("e{name}"));
                        }
                        assert_eq!(made.len(), 1);
                    }
                    Step::Remove(_, name) => after.remove(&format!("e{name}")),
                    Step::Assign(_, seed) => {
                        let value = literal::<T>(*seed).value().unwrap();
                        for element in &oracle.value() - &value {
                            after.remove(&element);
                        }
                    }
                    _ => continue,
                }
                after.added.extend(made);
                if let Some(delta) = T::delta(Some(&row), &new) {
                    let gone = &after.gone - &oracle.gone;
                    // What a delta covers: its own additions and what it removes.
                    let added = &(&after.added - &oracle.added) | &gone;
                    deltas.push((delta, Oracle { added, gone }));
                }
                rows[*at] = (new, after);
            }
            Step::Branch(from, to) => {
                let (row, oracle) = rows[*from].clone();
                rows[*to].0.join_assign(&row).unwrap();
                rows[*to].1.join(&oracle);
                let seen = row.latest();
                clocks[*to].observe(seen);
            }
            Step::Deliver(to, pick) => {
                if !deltas.is_empty() {
                    let (delta, oracle) = pick.get(&deltas).clone();
                    clocks[*to].observe(delta.latest());
                    let whole = join(&rows[*to].0, &delta);
                    rows[*to].0.join_assign(&delta).unwrap();
                    assert_eq!(&rows[*to].0, &whole, "in place or anew");
                    rows[*to].1.join(&oracle);
                }
            }
            Step::Compact(at) => {
                let stable = stable(&rows);
                rows[*at].0 = rows[*at].0.compact(&stable).unwrap();
            }
        }
        for (row, oracle) in &rows {
            assert_eq!(row.value().unwrap(), oracle.value());
            let live: BTreeSet<(String, Dot)> = row.events();
            assert_eq!(live, oracle.live());
            let bytes = row.encode();
            assert_eq!(T::decode(&bytes).as_ref(), Ok(row));
        }
    }
    // Regrouped: all deltas joined among themselves, then into what one has.
    let all = deltas
        .iter()
        .fold(T::default(), |all, (delta, _)| join(delta, &all));
    let (row, mut oracle) = rows[0].clone();
    deltas.iter().for_each(|(_, delta)| oracle.join(delta));
    assert_eq!(join(&row, &all).value().unwrap(), oracle.value());
}

fn join<T: Set>(a: &T, b: &T) -> T {
    a.join(b).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Without it an early delta's gap is a removal, or a removed element comes back.
    #[test]
    fn aw_sets_are_what_the_events_say(steps in steps()) {
        follows_the_events::<AwSet>(&steps);
    }

    /// The same with tombstones, folded and not.
    #[test]
    fn or_sets_are_what_the_events_say(steps in steps()) {
        follows_the_events::<OrSet>(&steps);
    }
}

/// What all have seen without a gap: of each replica up to the first tick that one lacks.
fn stable<T: Set>(rows: &[(T, Oracle)]) -> VersionVector {
    let all: BTreeSet<Dot> = rows
        .iter()
        .flat_map(|(_, oracle)| oracle.added.iter().map(|(_, dot)| *dot))
        .collect();
    let mut stable = VersionVector::default();
    for replica in (1..=3).map(|name| ReplicaId([name; 16])) {
        let own = all.iter().filter(|dot| dot.replica == replica);
        let seen = own.take_while(|dot| {
            rows.iter()
                .all(|(_, oracle)| oracle.added.iter().any(|(_, held)| held == *dot))
        });
        seen.for_each(|dot| stable.observe(*dot));
    }
    stable
}

/// A delta that is small beside a set of 200 elements.
#[derive(Clone, Debug)]
struct Small {
    added: Vec<u8>,
    removed: Vec<u8>,
    author: u8,
}

fn smalls() -> impl Strategy<Value = Vec<Small>> {
    let small = (
        prop::collection::vec(any::<u8>(), 0..6),
        prop::collection::vec(any::<u8>(), 0..6),
        0..5u8,
    );
    let small = small.prop_map(|(added, removed, author)| Small {
        added,
        removed,
        author,
    });
    prop::collection::vec(small, 1..8)
}

/// Names that share their first bytes, some of them far more than a machine word.
fn name(seed: u8, long: bool) -> String {
    let middle = if long { "y".repeat(40) } else { String::new() };
    format!("name {}{middle}{seed}", "x".repeat(usize::from(seed % 5)))
}

/// Joins small deltas, each made upon the first row, so that they meet each other's work.
fn splices<T: Set>(smalls: &[Small]) {
    let all = (0..200u8).map(|seed| name(seed, seed % 3 == 0));
    let row = T::settle(None, &T::assign(all.collect()), &mut Clock::new(3)).unwrap();
    let mut spliced = row.clone();
    let mut events = row.events();
    for small in smalls {
        let mut clock = Clock::new(small.author + 1);
        // A removed element's tick does not show, and must not be given out again.
        clock.observe(spliced.latest().max(row.latest()));
        clock.exclusive = false;
        let mut new = row.clone();
        for seed in &small.removed {
            new.edit(&SetEdit::Remove(name(*seed, seed % 3 == 0)))
                .unwrap();
        }
        for seed in &small.added {
            new.edit(&SetEdit::Add(name(*seed, seed % 2 == 0))).unwrap();
        }
        let new = T::settle(Some(&row), &new, &mut clock).unwrap();
        let Some(delta) = T::delta(Some(&row), &new) else {
            continue;
        };
        events = &(&events - &(&row.events() - &new.events())) | &delta.events();
        let whole = join(&spliced, &delta);
        spliced.join_assign(&delta).unwrap();
        assert!(spliced == whole && spliced == join(&delta, &spliced));
        assert!(spliced.events() == events);
        assert!(T::decode(&spliced.encode()) == Ok(whole));
    }
}

/// What two people make of a set of 200 elements, joined.
fn merges<T: Set>(left: &[Small], right: &[Small]) {
    let all = (0..200u8).map(|seed| name(seed, seed % 3 == 0));
    let row = T::settle(None, &T::assign(all.collect()), &mut Clock::new(3)).unwrap();
    let side = |replica: u8, smalls: &[Small]| {
        let mut clock = Clock::new(replica);
        clock.observe(row.latest());
        let mut new = row.clone();
        for small in smalls {
            for seed in &small.removed {
                new.edit(&SetEdit::Remove(name(*seed, seed % 3 == 0)))
                    .unwrap();
            }
            for seed in &small.added {
                let long = (seed ^ small.author) % 2 == 0;
                new.edit(&SetEdit::Add(name(*seed, long))).unwrap();
            }
        }
        T::settle(Some(&row), &new, &mut clock).unwrap()
    };
    let (a, b) = (side(1, left), side(2, right));
    let gone = &(&row.events() - &a.events()) | &(&row.events() - &b.events());
    let joined = join(&a, &b);
    assert!(joined.events() == &(&a.events() | &b.events()) - &gone);
    assert!(joined == join(&b, &a));
    assert!(T::decode(&joined.encode()) == Ok(joined));
}

/// Joins a delta whose bytes were altered, in place and anew.
fn splices_altered<T: Set>(small: &Small, edits: &[(prop::sample::Index, u8, u8)]) {
    let all = (0..200u8).map(|seed| name(seed, seed % 3 == 0));
    let mut row = T::settle(None, &T::assign(all.collect()), &mut Clock::new(3)).unwrap();
    let mut new = row.clone();
    for (seed, is_added) in (small.added.iter().map(|seed| (seed, true)))
        .chain(small.removed.iter().map(|seed| (seed, false)))
    {
        let name = name(*seed, seed % 3 == 0);
        let edit = match is_added {
            true => SetEdit::Add(name),
            false => SetEdit::Remove(name),
        };
        new.edit(&edit).unwrap();
    }
    let new = T::settle(Some(&row), &new, &mut Clock::new(small.author + 1)).unwrap();
    let Some(delta) = T::delta(Some(&row), &new) else {
        return;
    };
    if let Ok(forged) = T::decode(&altered(&delta.encode(), edits)) {
        let whole = join(&row, &forged);
        assert!(whole == join(&forged, &row));
        row.join_assign(&forged).unwrap();
        assert!(row == whole);
        assert!(T::decode(&row.encode()) == Ok(whole));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// A forged delta that is taken in place otherwise than anew would part the nodes.
    #[test]
    fn altered_deltas_join_in_place(small in smalls(), edits in edits()) {
        for small in &small {
            splices_altered::<AwSet>(small, &edits);
            splices_altered::<OrSet>(small, &edits);
        }
    }
}

proptest! {
    /// A splice that is off by one element mixes up texts and dots of the whole row.
    #[test]
    fn small_deltas_join_in_place(smalls in smalls()) {
        splices::<AwSet>(&smalls);
        splices::<OrSet>(&smalls);
    }

    /// Neither may a join that copies many elements at a time.
    #[test]
    fn large_sets_join(left in smalls(), right in smalls()) {
        merges::<AwSet>(&left, &right);
        merges::<OrSet>(&left, &right);
    }
}
