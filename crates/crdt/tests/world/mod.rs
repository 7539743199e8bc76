//! A small world to test in: replicas with clocks that write, fall behind and sync.
//! Shared by the test programs; each uses a part of it.
#![allow(dead_code, unused_imports, unused_macros)]

pub mod hostile;
pub mod laws;
pub mod oracle;
pub mod trace;

use std::collections::BTreeSet;

use crdt::{Author, Crdt, Hlc, LwwRegister, OrSet, PnCounter, ReplicaId};
use proptest::prelude::*;

/// An author whose clock counts.
#[derive(Clone, Debug)]
pub struct Clock {
    pub replica: ReplicaId,
    pub last: Hlc,
    pub ticks: usize,
    pub exclusive: bool,
}

impl Clock {
    pub fn new(name: u8) -> Self {
        Self {
            replica: ReplicaId([name; 16]),
            last: Hlc(u64::from(name)),
            ticks: 0,
            exclusive: true,
        }
    }

    pub fn observe(&mut self, seen: Hlc) {
        self.last = self.last.max(seen);
    }
}

impl Author for Clock {
    fn replica(&self) -> ReplicaId {
        self.replica
    }

    fn tick(&mut self) -> Hlc {
        self.ticks += 1;
        self.last = Hlc::next(self.last, 0);
        self.last
    }

    fn is_exclusive(&self) -> bool {
        self.exclusive
    }
}

/// A type that a random number can drive.
pub trait Driven: Crdt + std::fmt::Debug {
    /// Whether a write may be refused for what the row holds, as one below the floor of a
    /// counter; the row then stays.
    const MAY_REFUSE: bool = false;
    /// Whether assigning another value's state gives that very value: not so where a state that
    /// knows nothing passes for an early one of the row.
    const IS_TAKEN_BY_VALUE: bool = true;

    /// A plain literal.
    fn literal(seed: u8) -> Self;
    /// This value after an operator.
    fn operated(&self, seed: u8) -> Self;
}

impl Driven for PnCounter {
    fn literal(seed: u8) -> Self {
        Self::assign(i64::from(seed) - 100)
    }

    fn operated(&self, seed: u8) -> Self {
        if seed.is_multiple_of(2) {
            self.add(i64::from(seed))
        } else {
            self.sub(i64::from(seed))
        }
        .unwrap()
    }
}

impl Driven for OrSet {
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

impl Driven for LwwRegister {
    fn literal(seed: u8) -> Self {
        Self::assign(Some(format!("{}", seed % 4)))
    }

    fn operated(&self, seed: u8) -> Self {
        self.set(&format!("{{\"b\": \"{}\", \"a\": []}}", seed % 4))
            .unwrap()
    }
}

/// What happens in the world.
#[derive(Clone, Debug)]
pub enum Event {
    /// A replica writes an operator's result over its row.
    Operate { at: usize, seed: u8 },
    /// A replica assigns a literal.
    Assign { at: usize, seed: u8 },
    /// A replica writes a result computed from an older version of its row.
    Stale { at: usize, back: usize, seed: u8 },
    /// A replica assigns another row's value.
    Copy { at: usize, seed: u8 },
    /// All deltas that one replica made and another lacks go there.
    Sync { from: usize, to: usize },
}

pub fn events() -> impl Strategy<Value = Vec<Event>> {
    let at = 0..3usize;
    let event = prop_oneof![
        4 => (at.clone(), any::<u8>()).prop_map(|(at, seed)| Event::Operate { at, seed }),
        2 => (at.clone(), any::<u8>()).prop_map(|(at, seed)| Event::Assign { at, seed }),
        2 => (at.clone(), 1..4usize, any::<u8>())
            .prop_map(|(at, back, seed)| Event::Stale { at, back, seed }),
        1 => (at.clone(), any::<u8>()).prop_map(|(at, seed)| Event::Copy { at, seed }),
        4 => (at.clone(), at).prop_map(|(from, to)| Event::Sync { from, to }),
    ];
    prop::collection::vec(event, 1..30)
}

/// One row on three replicas.
pub struct World<T> {
    pub clocks: Vec<Clock>,
    /// Every version that each replica's row had.
    pub versions: Vec<Vec<T>>,
    /// Every delta of each replica, in order.
    pub deltas: Vec<Vec<T>>,
    /// How many deltas there were in the whole world before each of them.
    made: Vec<Vec<usize>>,
    /// How many deltas of each replica each has applied.
    applied: Vec<Vec<usize>>,
}

impl<T: Driven> World<T> {
    /// All replicas start from the row that the first one inserted.
    pub fn new(first: u8) -> Self {
        let mut clocks: Vec<Clock> = (1..=3).map(Clock::new).collect();
        let row = T::settle(None, &T::literal(first), &mut clocks[0]).unwrap();
        let delta = T::delta(None, &row).unwrap();
        assert_eq!(delta, row);
        clocks
            .iter_mut()
            .for_each(|clock| clock.observe(row.latest()));
        Self {
            clocks,
            versions: vec![vec![row]; 3],
            deltas: vec![Vec::new(); 3],
            made: vec![Vec::new(); 3],
            applied: vec![vec![0; 3]; 3],
        }
    }

    pub fn row(&self, at: usize) -> &T {
        self.versions[at].last().unwrap()
    }

    fn write(&mut self, at: usize, new: &T) {
        let old = self.row(at).clone();
        let row = match T::settle(Some(&old), new, &mut self.clocks[at]) {
            Err(_) if T::MAY_REFUSE => old.clone(),
            settled => settled.unwrap(),
        };
        assert!(row.is_settled());
        match T::delta(Some(&old), &row) {
            Some(delta) => {
                assert_eq!(old.join(&delta).unwrap(), row, "old ⊔ delta = new");
                let author = self.clocks[at].replica;
                T::check_delta(&delta, author, Some(&old)).expect("an honest delta passes");
                let before = self.made.iter().map(Vec::len).sum();
                self.made[at].push(before);
                self.deltas[at].push(delta);
            }
            None => assert_eq!(old, row),
        }
        self.versions[at].push(row);
    }

    pub fn run(&mut self, events: &[Event]) {
        for event in events {
            match *event {
                Event::Operate { at, seed } => self.write(at, &self.row(at).operated(seed)),
                Event::Assign { at, seed } => self.write(at, &T::literal(seed)),
                Event::Stale { at, back, seed } => {
                    let versions = &self.versions[at];
                    let index = versions.len().saturating_sub(1 + back);
                    let stale = versions[index].operated(seed);
                    self.write(at, &stale);
                }
                Event::Copy { at, seed } => {
                    let mut other = Clock::new(9);
                    let row = T::settle(None, &T::literal(seed), &mut other).unwrap();
                    self.write(at, &row);
                    if T::IS_TAKEN_BY_VALUE && !row.value_is_empty() {
                        assert_eq!(self.row(at).readable(), row.readable(), "taken by value");
                    }
                }
                Event::Sync { from, to } => self.sync(from, to),
            }
        }
    }

    /// Causal delivery: all that `from` has applied goes first, checked against the row.
    pub fn sync(&mut self, from: usize, to: usize) {
        if from == to {
            return;
        }
        let mut row = self.row(to).clone();
        let mut pending: Vec<(usize, usize)> = Vec::new();
        for origin in 0..3 {
            let held = if origin == from {
                self.deltas[from].len()
            } else {
                self.applied[from][origin]
            };
            if origin != to {
                pending.extend((self.applied[to][origin]..held).map(|index| (origin, index)));
                self.applied[to][origin] = self.applied[to][origin].max(held);
            }
        }
        // In the order of their making, so that what a delta builds on comes before it.
        pending.sort_by_key(|(origin, index)| self.made[*origin][*index]);
        for (origin, index) in pending {
            let delta = self.deltas[origin][index].clone();
            T::check_delta(&delta, self.clocks[origin].replica, Some(&row))
                .expect("an honest delta passes where it arrives");
            row = row.join(&delta).unwrap();
            self.clocks[to].observe(delta.latest());
        }
        self.versions[to].push(row);
    }

    /// Everybody gets everything.
    pub fn settle_down(&mut self) {
        for _ in 0..2 {
            for (from, to) in [(0, 1), (1, 2), (2, 0), (2, 1), (1, 0), (0, 2)] {
                self.sync(from, to);
            }
        }
    }

    /// Settled and unsettled values that this world has seen.
    pub fn values(&self) -> Vec<T> {
        let mut values: Vec<T> = self.versions.iter().flatten().cloned().collect();
        let unsettled: Vec<T> = values
            .iter()
            .enumerate()
            .flat_map(|(seed, value)| {
                [
                    value.operated(seed as u8 * 7),
                    T::literal(seed as u8 * 5).operated(seed as u8),
                ]
            })
            .collect();
        values.extend(unsettled);
        values.extend([T::default(), T::literal(3)]);
        values
    }
}

/// The readable part of the text form.
pub trait Readable {
    fn readable(&self) -> String;
    fn value_is_empty(&self) -> bool;
}

impl<T: Crdt> Readable for T {
    fn readable(&self) -> String {
        let text = self.to_text();
        text.rsplit_once(" @v1:")
            .map_or(text.clone(), |(shown, _)| shown.to_owned())
    }

    fn value_is_empty(&self) -> bool {
        self.readable() == "{}"
    }
}
