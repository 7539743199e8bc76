//! Maps against a plain model: a set of events, each with what it adds and which it removes.

mod world;

use std::collections::BTreeSet;

use crdt::or_map::{MapEdit, Nested, Plain};
use crdt::{Author, Crdt, CrdtError, Edit, OrMap};
use proptest::prelude::*;
use world::Clock;

#[derive(Clone, Debug, PartialEq)]
enum What {
    Share(i64),
    Element(String),
    Register(String),
}

/// What one write did.
#[derive(Clone, Debug)]
struct Event {
    path: Vec<String>,
    what: Option<What>,
    /// Of registers the greatest wins.
    stamp: (u64, u8),
    /// The events that it saw and took away.
    removes: BTreeSet<usize>,
}

type Seen = BTreeSet<usize>;

struct History {
    events: Vec<Event>,
}

impl History {
    fn live(&self, seen: &Seen) -> Vec<(usize, &Event)> {
        let removed: BTreeSet<usize> = seen
            .iter()
            .flat_map(|id| self.events[*id].removes.iter().copied())
            .collect();
        seen.difference(&removed)
            .map(|id| (*id, &self.events[*id]))
            .filter(|(_, event)| event.what.is_some())
            .collect()
    }

    fn value(&self, seen: &Seen) -> Plain {
        let live: Vec<&Event> = self.live(seen).iter().map(|(_, event)| *event).collect();
        value_at(&live, 0)
    }

    /// What a write on top of `seen` does.
    fn event(&self, seen: &Seen, edit: &MapEdit) -> Event {
        let (path, what) = match edit {
            MapEdit::Put {
                path,
                value: Nested::Register(json),
            } => (path, Some(What::Register(json.clone()))),
            MapEdit::Add { path, amount } => {
                // A number that a register shows is added to.
                let held = match at(&self.value(seen), path) {
                    Some(Nested::Register(text)) => text.parse().unwrap_or(0),
                    _ => 0,
                };
                (path, Some(What::Share(*amount + held)))
            }
            MapEdit::SetAdd { path, element } => (path, Some(What::Element(element.clone()))),
            MapEdit::SetRemove { path, .. } | MapEdit::Remove { path } => (path, None),
            MapEdit::Put { .. } | MapEdit::PutJson { .. } => {
                unreachable!("the model puts registers")
            }
        };
        let same = matches!(&what, Some(What::Register(json))
            if at(&self.value(seen), path) == Some(&Nested::Register(json.clone())));
        let takes = |event: &Event| {
            let below = event.path.len() > path.len() && event.path.starts_with(path);
            let above = event.path.len() < path.len() && path.starts_with(&event.path);
            let here = event.path == *path;
            match (edit, &what, &event.what) {
                (MapEdit::Remove { .. }, ..) => here || below,
                (MapEdit::SetRemove { element, .. }, _, Some(What::Element(held))) => {
                    here && held == element
                }
                (MapEdit::SetRemove { .. }, ..) => false,
                _ if same => above,
                (_, Some(What::Share(_)), Some(What::Share(_))) => above,
                (_, Some(What::Element(new)), Some(What::Element(held))) => {
                    above || below || here && new == held
                }
                _ => above || below || here,
            }
        };
        // Shares above or below the path of a share are of another kind there.
        let takes = |event: &Event| {
            takes(event)
                || what.is_some()
                    && !same
                    && event.path.len() > path.len()
                    && event.path.starts_with(path)
        };
        let live = self.live(seen);
        let removes = live.iter().filter(|(_, event)| takes(event));
        Event {
            path: path.clone(),
            removes: removes.map(|(id, _)| *id).collect(),
            what: what.clone().filter(|_| !same),
            stamp: (0, 0),
        }
    }
}

fn at<'a>(map: &'a Plain, path: &[String]) -> Option<&'a Nested> {
    let (key, rest) = path.split_first()?;
    match (map.get(key), rest.is_empty()) {
        (value, true) => value,
        (Some(Nested::Map(inside)), false) => at(inside, rest),
        _ => None,
    }
}

fn value_at(live: &[&Event], depth: usize) -> Plain {
    let keys: BTreeSet<&String> = live.iter().map(|event| &event.path[depth]).collect();
    let value_of = |key: &String| {
        let (here, below): (Vec<&Event>, Vec<&Event>) = live
            .iter()
            .filter(|event| event.path[depth] == *key)
            .partition(|event| event.path.len() == depth + 1);
        if !below.is_empty() {
            return Nested::Map(value_at(&below, depth + 1));
        }
        let elements: BTreeSet<String> = here
            .iter()
            .filter_map(|event| match &event.what {
                Some(What::Element(element)) => Some(element.clone()),
                _ => None,
            })
            .collect();
        if !elements.is_empty() {
            return Nested::Set(elements.into_iter().collect());
        }
        let shares: Vec<i64> = here
            .iter()
            .filter_map(|event| match event.what {
                Some(What::Share(share)) => Some(share),
                _ => None,
            })
            .collect();
        if !shares.is_empty() {
            return Nested::Counter(shares.iter().sum());
        }
        let last = here.iter().max_by_key(|event| event.stamp).unwrap();
        match &last.what {
            Some(What::Register(json)) => Nested::Register(json.clone()),
            other => panic!("{other:?}"),
        }
    };
    keys.into_iter()
        .map(|key| (key.clone(), value_of(key)))
        .collect()
}

fn edit() -> impl Strategy<Value = MapEdit> {
    let paths: [&[&str]; 5] = [&["a"], &["b"], &["m"], &["m", "a"], &["m", "m", "b"]];
    let path = prop::sample::select(paths.to_vec()).prop_map(|path| {
        path.iter()
            .map(|key| (*key).to_owned())
            .collect::<Vec<String>>()
    });
    (path, 0..8u8, 0..3u8).prop_map(|(path, kind, seed)| {
        let element = format!("e{seed}");
        match kind {
            0 | 1 => MapEdit::Add {
                path,
                amount: [-2, 1, 5][usize::from(seed)],
            },
            2 | 3 => MapEdit::SetAdd { path, element },
            4 => MapEdit::SetRemove { path, element },
            5 => MapEdit::Put {
                path,
                value: Nested::Register(seed.to_string()),
            },
            _ => MapEdit::Remove { path },
        }
    })
}

#[derive(Clone, Debug)]
enum Step {
    /// A replica writes upon its row.
    Write(usize, MapEdit),
    /// A replica writes a result computed from an older version of its row.
    Stale(usize, usize, MapEdit),
    /// A replica gets one of all deltas, perhaps again, perhaps early.
    Deliver(usize, prop::sample::Index),
    /// A replica gets all of another's row.
    Merge(usize, usize),
    /// All get everything, and then one folds what all have seen.
    Compact(usize),
}

fn steps(causal: bool) -> impl Strategy<Value = Vec<Step>> {
    let step = (
        0..3usize,
        0..3usize,
        0..11u8,
        1..4usize,
        edit(),
        any::<prop::sample::Index>(),
    )
        .prop_map(move |(at, from, kind, back, edit, index)| match kind {
            0..=4 => Step::Write(at, edit),
            10 if causal => Step::Compact(at),
            5 | 6 if causal => Step::Stale(at, back, edit),
            _ if causal => Step::Merge(at, from),
            _ => Step::Deliver(at, index),
        });
    prop::collection::vec(step, 1..40)
}

fn run(steps: &[Step]) {
    let mut clocks: Vec<Clock> = (1..=3).map(Clock::new).collect();
    let mut history = History { events: Vec::new() };
    let mut rows: Vec<Vec<(OrMap, Seen)>> = vec![vec![(OrMap::default(), Seen::new())]; 3];
    let mut deltas: Vec<(OrMap, usize)> = Vec::new();
    // A result computed from before what was folded breaks the promise of `compact`; a row that
    // is folded may refuse it, but never take it wrongly.
    let mut gathered = [0; 3];
    for step in steps {
        let (at, next) = match step {
            Step::Write(at, edit) | Step::Stale(at, _, edit) => {
                let versions = &rows[*at];
                let back = match step {
                    Step::Stale(_, back, _) => *back,
                    _ => 0,
                };
                let (row, seen) = versions.last().unwrap();
                let mut all = rows.iter().filter_map(|versions| versions.last());
                let promised = match all.all(|(held, _)| row.floor().includes(held.floor())) {
                    true => 0,
                    false => gathered[*at],
                };
                let version = versions.len().saturating_sub(1 + back).max(promised);
                let (base, base_seen) = &versions[version];
                clocks[*at].observe(row.latest());
                let new = base.edited(edit).unwrap();
                let settled = match OrMap::settle(Some(row), &new, &mut clocks[*at]) {
                    Err(CrdtError::StaleState(_)) if version < gathered[*at] => continue,
                    settled => settled.unwrap(),
                };
                let mut event = history.event(base_seen, edit);
                event.stamp = (clocks[*at].last.0, *at as u8);
                let mut seen = seen.clone();
                let id = history.events.len();
                history.events.push(event);
                seen.insert(id);
                if let Some(delta) = OrMap::delta(Some(row), &settled) {
                    assert_eq!(row.join(&delta).as_ref(), Ok(&settled));
                    let author = clocks[*at].replica();
                    OrMap::check_delta(&delta, author, Some(row)).unwrap();
                    deltas.push((delta, id));
                }
                (*at, (settled, seen))
            }
            Step::Deliver(at, index) => {
                if deltas.is_empty() {
                    continue;
                }
                let (delta, id) = index.get(&deltas);
                let (row, seen) = rows[*at].last().unwrap();
                let mut seen = seen.clone();
                seen.insert(*id);
                (*at, (row.join(delta).unwrap(), seen))
            }
            Step::Compact(at) => {
                let last = rows.iter().map(|versions| versions.last().unwrap());
                let (row, seen) = last.fold(Default::default(), |(all, known), (row, seen)| {
                    let all: OrMap = row.join(&all).unwrap();
                    (all, seen.union(&known).copied().collect::<Seen>())
                });
                for (versions, gathered) in rows.iter_mut().zip(&mut gathered) {
                    *gathered = versions.len();
                    let row = versions.last().unwrap().0.join(&row).unwrap();
                    versions.push((row, seen.clone()));
                }
                let row = rows[*at].last().unwrap().0.clone();
                (*at, (row.compact(&row.version()).unwrap(), seen))
            }
            Step::Merge(at, from) => {
                let (row, seen) = rows[*at].last().unwrap();
                let (theirs, theirs_seen) = rows[*from].last().unwrap();
                let seen = seen.union(theirs_seen).copied().collect();
                (*at, (row.join(theirs).unwrap(), seen))
            }
        };
        assert_eq!(next.0.value().unwrap(), history.value(&next.1), "{step:?}");
        rows[at].push(next);
    }
    // What is known to all can be folded on any of them, and changes no value anywhere.
    let all = rows.iter().map(|versions| versions.last().unwrap());
    let all = all.fold(OrMap::default(), |all, (row, _)| all.join(row).unwrap());
    let compact = all.compact(&all.version()).unwrap();
    assert_eq!(compact.value(), all.value());
    assert_eq!(OrMap::decode(&compact.encode()).as_ref(), Ok(&compact));
    assert_eq!(compact.compact(&all.version()).as_ref(), Ok(&compact));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// A value lost or come back after merges and writes of stale results.
    #[test]
    fn merged_histories_show_what_their_events_say(steps in steps(true)) {
        run(&steps);
    }

    /// A value lost or come back because a delta was lost, came twice or came early.
    #[test]
    fn scattered_deltas_show_what_their_events_say(steps in steps(false)) {
        run(&steps);
    }
}
