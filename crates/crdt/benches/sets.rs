//! Sets of 100,000 elements: merge, a delta of 1,000 dots joined in place, a loop of edits.

use std::collections::BTreeSet;
use std::hint::black_box;

use crdt::aw_set::SetEdit;
use crdt::{Author, AwSet, Crdt, Edit, Hlc, OrSet, ReplicaId};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

/// An author whose clock shows a time of these years and counts.
struct Clock {
    replica: u8,
    last: Hlc,
}

impl Clock {
    fn new(replica: u8) -> Self {
        Self {
            replica,
            last: Hlc::from_parts(1_760_000_000_000, 0),
        }
    }
}

impl Author for Clock {
    fn replica(&self) -> ReplicaId {
        ReplicaId([self.replica; 16])
    }

    fn tick(&mut self) -> Hlc {
        self.last = Hlc::next(self.last, 0);
        self.last
    }

    fn is_exclusive(&self) -> bool {
        true
    }
}

const ELEMENTS: usize = 100_000;

fn name(index: usize) -> String {
    format!("element-{index:08}")
}

fn texts(indexes: impl Iterator<Item = usize>) -> BTreeSet<String> {
    indexes.map(name).collect()
}

/// What one replica made of a set when it wants it to be this one.
fn grown<T: Crdt<Plain = BTreeSet<String>>>(
    old: &T,
    clock: &mut Clock,
    all: BTreeSet<String>,
) -> T {
    T::settle(Some(old), &T::assign(all), clock).unwrap()
}

/// Two sets of 100,000 that share a half; what each has alone lies at one end, or all over.
fn halves<T: Crdt<Plain = BTreeSet<String>>>(apart: bool) -> (T, T) {
    let own = |side: usize| {
        move |index: &usize| match apart {
            true => index / (ELEMENTS / 2) == side * 2,
            // As good as random.
            false => index.wrapping_mul(0x9e37_79b9) >> 7 & 1 == side,
        }
    };
    let shared = |index: &usize| match apart {
        true => index / (ELEMENTS / 2) == 1,
        false => index.is_multiple_of(3),
    };
    let all = || 0..ELEMENTS * 3 / 2;
    let base = T::settle(
        None,
        &T::assign(texts(all().filter(shared))),
        &mut Clock::new(1),
    )
    .unwrap();
    let side = |number: usize| {
        let is_own = own(number);
        let held = all().filter(|index| shared(index) || is_own(index));
        grown(&base, &mut Clock::new(2 + number as u8), texts(held))
    };
    (side(0), side(1))
}

fn merge<T: Crdt<Plain = BTreeSet<String>>>(c: &mut Criterion) {
    for (label, apart) in [("ends", true), ("scattered", false)] {
        let (a, b) = halves::<T>(apart);
        c.bench_function(&format!("{}/merge/{label}", T::NAME), |bencher| {
            bencher.iter(|| black_box(&a).join(black_box(&b)).unwrap())
        });
    }
}

fn delta<T: Crdt<Plain = BTreeSet<String>>>(c: &mut Criterion) {
    // Even numbers are there; the new ones are odd.
    let row = T::settle(
        None,
        &T::assign(texts((0..ELEMENTS).map(|i| i * 2))),
        &mut Clock::new(1),
    )
    .unwrap();
    let value = row.value().unwrap();
    let scattered = (0..1_000).map(|i| name(i * 200 + 1));
    let appended = (0..1_000).map(|i| name(ELEMENTS * 2 + i));
    let removed: BTreeSet<String> = (0..1_000).map(|i| name(i * 200)).collect();
    let with = |new: &mut dyn Iterator<Item = String>| value.iter().cloned().chain(new).collect();
    let cases: [(&str, BTreeSet<String>); 3] = [
        ("scattered", with(&mut scattered.into_iter())),
        ("appended", with(&mut appended.into_iter())),
        ("removed", &value - &removed),
    ];
    for (label, all) in cases {
        let new = grown(&row, &mut Clock::new(2), all);
        let delta = T::delta(Some(&row), &new).unwrap();
        c.bench_function(&format!("{}/delta/{label}", T::NAME), |bencher| {
            bencher.iter_batched_ref(
                || row.clone(),
                |row| row.join_assign(black_box(&delta)).unwrap(),
                BatchSize::LargeInput,
            )
        });
    }
}

fn edits<T: Crdt<Plain = BTreeSet<String>> + Edit<Edit = SetEdit>>(c: &mut Criterion) {
    let shuffled: Vec<SetEdit> = (0..10_000)
        .map(|i| SetEdit::Add(name(i * 7_919 % 10_000 * 2 + 1)))
        .collect();
    let ascending: Vec<SetEdit> = (0..10_000).map(|i| SetEdit::Add(name(i * 2 + 1))).collect();
    let removals: Vec<SetEdit> = (0..10_000).map(|i| SetEdit::Remove(name(i * 2))).collect();
    let row = T::settle(
        None,
        &T::assign(texts((0..10_000).map(|i| i * 2))),
        &mut Clock::new(1),
    )
    .unwrap();
    for (label, start, edits) in [
        ("ascending", &T::default(), &ascending),
        ("shuffled", &T::default(), &shuffled),
        ("shuffled_upon", &row, &shuffled),
        ("removals", &row, &removals),
    ] {
        c.bench_function(&format!("{}/edits/{label}", T::NAME), |bencher| {
            bencher.iter(|| {
                let mut set = start.clone();
                edits.iter().for_each(|edit| set.edit(edit).unwrap());
                set
            })
        });
    }
}

fn sizes<T: Crdt<Plain = BTreeSet<String>>>(_: &mut Criterion) {
    let (a, b) = halves::<T>(false);
    let joined = a.join(&b).unwrap();
    let all = joined.value().unwrap();
    let text: usize = all.iter().map(String::len).sum();
    let beyond = joined.encode().len() - text;
    println!(
        "{}: {:.2} bytes an element beyond its text",
        T::NAME,
        beyond as f64 / all.len() as f64
    );
}

criterion_group! {
    name = sets;
    config = Criterion::default().sample_size(20);
    targets = merge::<AwSet>, delta::<AwSet>, edits::<AwSet>, sizes::<AwSet>,
        merge::<OrSet>, delta::<OrSet>, edits::<OrSet>, sizes::<OrSet>
}
criterion_main!(sets);
