//! Sequences that are edited, settled and joined as stored bytes must become what they become
//! as decoded values.

mod world;

use std::fmt::Debug;

use crdt::rga::Values;
use crdt::sequence::{Content, Sequence, SequenceEdit};
use crdt::{Crdt, Edit};
use proptest::prelude::*;
use world::Clock;

#[derive(Clone, Debug)]
enum Step {
    /// A replica replaces some elements of its row, or of an earlier version of it.
    Write {
        at: usize,
        back: usize,
        place: prop::sample::Index,
        gone: usize,
        come: usize,
    },
    /// A replica writes a whole new value.
    Assign { at: usize, come: usize },
    /// A delta arrives, perhaps again.
    Deliver {
        to: usize,
        which: prop::sample::Index,
    },
    /// The row of one replica is merged into another's.
    Merge { from: usize, to: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let at = 0..3usize;
    let some = prop_oneof![6 => 0..4usize, 2 => 0..60usize, 1 => 0..2_500usize];
    let index = any::<prop::sample::Index>();
    let back = prop_oneof![4 => Just(0usize), 1 => 1..3usize];
    let write = (at.clone(), back, index.clone(), some.clone(), some.clone()).prop_map(
        |(at, back, place, gone, come)| Step::Write {
            at,
            back,
            place,
            gone,
            come,
        },
    );
    let step = prop_oneof![
        8 => write,
        1 => (at.clone(), some).prop_map(|(at, come)| Step::Assign { at, come }),
        8 => (at.clone(), index).prop_map(|(to, which)| Step::Deliver { to, which }),
        1 => (at.clone(), at).prop_map(|(from, to)| Step::Merge { from, to }),
    ];
    prop::collection::vec(step, 1..50)
}

struct Row<C> {
    versions: Vec<Sequence<C>>,
    clock: Clock,
}

impl<C: Content> Row<C> {
    fn last(&self) -> &Sequence<C> {
        &self.versions[self.versions.len() - 1]
    }

    fn write(&mut self, new: &Sequence<C>, new_bytes: &[u8]) -> Option<Sequence<C>> {
        let old = self.last().clone();
        let bytes = old.encode();
        let mut other = self.clock.clone();
        let row = Sequence::settle(Some(&old), new, &mut self.clock).unwrap();
        let stored = Sequence::<C>::settle_bytes(Some(&bytes), new_bytes, &mut other).unwrap();
        assert_eq!(stored, row.encode(), "settled");
        assert_eq!(other.ticks, self.clock.ticks);
        let delta = Sequence::delta(Some(&old), &row);
        let stored = Sequence::<C>::delta_bytes(Some(&bytes), &stored).unwrap();
        assert_eq!(stored, delta.as_ref().map(Crdt::encode), "delta");
        self.versions.push(row);
        if let Some(delta) = &delta {
            let joined = Sequence::<C>::join_bytes(&bytes, &delta.encode()).unwrap();
            assert_eq!(joined, self.last().encode(), "old ⊔ delta = new");
        }
        delta
    }

    /// Joins into the row, in each way that there is.
    fn join(&mut self, other: &Sequence<C>) {
        let joined = self.last().join(other);
        let mut in_place = self.last().clone();
        let assigned = in_place.join_assign(other);
        let stored = Sequence::<C>::join_bytes(&self.last().encode(), &other.encode());
        let bytes = joined.as_ref().map(Crdt::encode).map_err(Clone::clone);
        assert_eq!(stored, bytes, "as bytes");
        assert_eq!(assigned, joined.as_ref().map(drop).map_err(Clone::clone));
        assert_eq!(
            &in_place,
            joined.as_ref().unwrap_or(self.last()),
            "in place"
        );
        if let Ok(joined) = joined {
            assert_eq!(Sequence::decode(&joined.encode()).as_ref(), Ok(&joined));
            self.versions.push(joined);
        }
    }
}

fn run<C: Content>(steps: &[Step], content: impl Fn(usize, usize) -> C) {
    let mut rows: Vec<Row<C>> = (1..=3)
        .map(|name| Row {
            versions: vec![Sequence::default()],
            clock: Clock::new(name),
        })
        .collect();
    let mut deltas: Vec<Sequence<C>> = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        match *step {
            Step::Write {
                at,
                back,
                place,
                gone,
                come,
            } => {
                let row = &mut rows[at];
                let base = row.versions[row.versions.len().saturating_sub(1 + back)].clone();
                let at = place.index(base.length() + 1);
                let count = gone.min(base.length() - at);
                let content = content(number, come);
                let edits = [
                    SequenceEdit::Delete { at, count },
                    SequenceEdit::Insert { at, content },
                ];
                let (mut new, mut bytes) = (base.clone(), base.encode());
                for edit in &edits {
                    new.edit(edit).unwrap();
                    bytes = Sequence::edit_bytes(&bytes, edit).unwrap();
                    assert_eq!(bytes, new.encode(), "edited");
                }
                let beyond = SequenceEdit::Delete {
                    at,
                    count: base.length() + 1,
                };
                assert_eq!(
                    Sequence::edit_bytes(&base.encode(), &beyond).err(),
                    base.edited(&beyond).err()
                );
                deltas.extend(row.write(&new, &bytes));
            }
            Step::Assign { at, come } => {
                let new = Sequence::assign(content(number, come));
                deltas.extend(rows[at].write(&new, &new.encode()));
            }
            Step::Deliver { to, which } if !deltas.is_empty() => {
                let delta = which.get(&deltas);
                rows[to].clock.observe(delta.latest());
                rows[to].join(delta);
            }
            Step::Merge { from, to } => {
                let row = rows[from].last().clone();
                rows[to].clock.observe(row.latest());
                rows[to].join(&row);
            }
            Step::Deliver { .. } => (),
        }
    }
}

/// A text that was edited a thousand times must go on as one that is new: its operations lie in
/// blocks then, and what is typed beside is found in old ones.
#[test]
fn a_long_history_stays_readable() {
    let mut clocks = [Clock::new(1), Clock::new(2)];
    let mut row = Sequence::<String>::default();
    let mut bytes = row.encode();
    let mut delta = bytes.clone();
    for number in 0..1_300usize {
        let length = row.length();
        let at = number * 7_919 % (length + 1);
        let edit = match number % 5 {
            4 => SequenceEdit::Delete {
                at,
                count: (length - at).min(2),
            },
            more => SequenceEdit::Insert {
                at,
                content: "ab".repeat(1 + more / 3),
            },
        };
        let clock = &mut clocks[number % 2];
        // Most people pause between two words, some do not.
        let pause = [1, 1 << 16, 90_000][number % 3];
        clock.observe(crdt::Hlc(row.latest().0 + pause));
        let new = Sequence::edit_bytes(&bytes, &edit).unwrap();
        let new = Sequence::<String>::settle_bytes(Some(&bytes), &new, clock).unwrap();
        let Some(made) = Sequence::<String>::delta_bytes(Some(&bytes), &new).unwrap() else {
            continue;
        };
        let joined = Sequence::<String>::join_bytes(&bytes, &made).unwrap();
        assert_eq!(joined, new);
        row.join_assign(&Sequence::decode(&made).unwrap()).unwrap();
        assert_eq!(row.encode(), new);
        (bytes, delta) = (new, made);
    }
    assert_eq!(Sequence::decode(&bytes).as_ref(), Ok(&row));
    assert_eq!(Sequence::decode_stored(&bytes).as_ref(), Ok(&row));
    for at in (0..bytes.len()).step_by(23) {
        let mut bad = bytes.clone();
        bad[at] = bad[at].wrapping_add(1 + (at % 3) as u8);
        if let Ok(value) = Sequence::<String>::decode(&bad) {
            assert_eq!(value.encode(), bad);
        }
        let _ = Sequence::<String>::join_bytes(&bad, &delta);
        let _ = Sequence::<String>::delta_bytes(Some(&bytes), &bad);
    }
}

/// A text that three replicas typed, of some chunks, and a delta of it.
fn written(steps: &[(prop::sample::Index, usize)]) -> (Vec<u8>, Vec<u8>) {
    let mut clocks: Vec<Clock> = (1..=3).map(Clock::new).collect();
    let mut row = Sequence::<String>::default().encode();
    let mut delta = row.clone();
    for (number, (at, count)) in steps.iter().enumerate() {
        let length = Sequence::<String>::decode(&row).unwrap().length();
        let at = at.index(length + 1);
        let edit = match (number % 3, length - at) {
            (0, 1..) => SequenceEdit::Delete {
                at,
                count: (*count).min(length - at),
            },
            _ => SequenceEdit::Insert {
                at,
                content: "ü".repeat(*count),
            },
        };
        let new = Sequence::edit_bytes(&row, &edit).unwrap();
        let clock = &mut clocks[number % 2 + number % 3 / 2];
        clock.last = clock.last.max(crdt::Hlc(number as u64 * 2));
        let new = Sequence::<String>::settle_bytes(Some(&row), &new, clock).unwrap();
        if let Some(made) = Sequence::<String>::delta_bytes(Some(&row), &new).unwrap() {
            delta = made;
        }
        row = new;
    }
    (row, delta)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// A damaged page must give an error, or nonsense, but not take the server down; and what
    /// came from elsewhere must be refused if it is not as this crate writes it.
    #[test]
    fn damaged_bytes_never_panic(
        steps in prop::collection::vec((any::<prop::sample::Index>(), 1..40usize), 1..60),
        edits in world::hostile::edits(),
        at: prop::sample::Index,
    ) {
        let (row, delta) = written(&steps);
        let bad = world::hostile::altered(&row, &edits);
        world::hostile::decodes_canonically_or_not_at_all::<Sequence<String>>(&bad);
        let length = Sequence::<String>::decode(&row).unwrap().length();
        let at = at.index(length + 1);
        let content = "x".to_owned();
        for edit in [
            SequenceEdit::Insert { at, content },
            SequenceEdit::Delete { at, count: (length - at).min(9) },
        ] {
            let good = Sequence::edit_bytes(&row, &edit).unwrap();
            for (old, new) in [(&bad, &good), (&good, &bad)] {
                let _ = Sequence::<String>::settle_bytes(Some(old), new, &mut Clock::new(9));
            }
            if let Ok(asked) = Sequence::edit_bytes(&bad, &edit) {
                let _ = Sequence::<String>::settle_bytes(Some(&bad), &asked, &mut Clock::new(2));
            }
        }
        let _ = Sequence::<String>::join_bytes(&bad, &delta);
        let _ = Sequence::<String>::delta_bytes(Some(&bad), &row);
        let _ = Sequence::<String>::delta_bytes(Some(&row), &bad);
        let _ = crdt::rga_text::text_of_bytes(&bad);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// A row would hold something else than its column says, on one node only.
    #[test]
    fn texts_as_bytes_are_texts(steps in steps()) {
        run(&steps, |number, count| {
            "aé1\u{10348}".chars().cycle().skip(number).take(count).collect::<String>()
        });
    }

    /// The same for lists.
    #[test]
    fn lists_as_bytes_are_lists(steps in steps()) {
        run(&steps, |number, count| {
            let values: Vec<String> = (0..count % 50).map(|at| format!("[{number}, {at}]")).collect();
            Values::new(values.iter().map(String::as_str)).unwrap()
        });
    }
}
