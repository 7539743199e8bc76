//! lww_set and lww_map against a plain model: of each key the last write.

mod world;

use std::collections::BTreeMap;

use crdt::lww_table::{KeyEdit, TableKind};
use crdt::{Crdt, Edit, LwwTable, ReplicaId, json};
use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_oneof};
use world::Clock;

fn value(seed: u8) -> String {
    match seed % 3 {
        0 => "null".to_owned(),
        1 => format!("[{{\"a\\n\":\"{{{seed}\"}}]"),
        _ => seed.to_string(),
    }
}

fn settle<T: Crdt>(old: Option<&T>, new: &T, author: &mut Clock) -> T {
    T::settle(old, new, author).unwrap()
}

/// Of each key its last write, in the order of stamps.
type Model = BTreeMap<String, (u64, ReplicaId, Option<String>)>;

fn learn(model: &mut Model, news: &Model) {
    for (key, write) in news {
        match model.get(key) {
            Some(held) if (held.0, held.1) >= (write.0, write.1) => (),
            _ => drop(model.insert(key.clone(), write.clone())),
        }
    }
}

fn shown(model: &Model) -> BTreeMap<String, String> {
    let present = |(key, write): (&String, &(u64, ReplicaId, Option<String>))| {
        Some((key.clone(), write.2.clone()?))
    };
    model.iter().filter_map(present).collect()
}

#[derive(Clone, Debug)]
enum Step {
    /// Edits upon the row or an older version of it.
    Edit {
        at: usize,
        back: usize,
        edits: Vec<(u8, Option<u8>)>,
    },
    /// A whole value as a literal.
    Assign {
        at: usize,
        members: BTreeMap<u8, u8>,
    },
    /// Two deltas of anybody, joined on the way, arrive: again, late or early.
    Deltas {
        to: usize,
        picks: [prop::sample::Index; 2],
    },
    /// A whole state arrives.
    State { from: usize, to: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let at = 0..3usize;
    let edit = (0..4u8, prop::option::weighted(0.7, 0..9u8));
    let step = prop_oneof![
        4 => (at.clone(), 0..3usize, prop::collection::vec(edit, 0..4))
            .prop_map(|(at, back, edits)| Step::Edit { at, back, edits }),
        1 => (at.clone(), prop::collection::btree_map(0..4u8, 0..9u8, 0..4))
            .prop_map(|(at, members)| Step::Assign { at, members }),
        3 => (at.clone(), any::<[prop::sample::Index; 2]>())
            .prop_map(|(to, picks)| Step::Deltas { to, picks }),
        1 => (at.clone(), at).prop_map(|(from, to)| Step::State { from, to }),
    ];
    prop::collection::vec(step, 1..30)
}

fn name(key: u8) -> String {
    format!("k{key}")
}

/// Runs a history on three replicas that hold one row, beside the model.
fn follows_the_model<K: TableKind>(skew: [u8; 3], steps: Vec<Step>) {
    let mut clocks: Vec<Clock> = (1..=3).map(Clock::new).collect();
    let first = settle(
        None,
        &LwwTable::<K>::assign(BTreeMap::new()),
        &mut clocks[0],
    );
    let first = settle(Some(&first), &first.put("k0", "0").unwrap(), &mut clocks[0]);
    let stamp = first.entries().get("k0").unwrap().stamp;
    let known = Model::from([(
        "k0".to_owned(),
        (stamp.hlc.0, stamp.replica, Some("0".to_owned())),
    )]);
    let mut versions = vec![vec![(first, known)]; 3];
    let mut deltas: Vec<(LwwTable<K>, Model)> = Vec::new();
    for step in steps {
        let (to, next) = match step {
            Step::Edit { .. } | Step::Assign { .. } => {
                let (Step::Edit { at, .. } | Step::Assign { at, .. }) = step else {
                    unreachable!("matched above")
                };
                // Clocks of three machines do not agree.
                clocks[at].last.0 += u64::from(skew[at] % 7);
                let (row, known) = versions[at].last().unwrap().clone();
                let (new, wished) = wish(step, &versions[at], &known);
                let before = shown(&known);
                let ticks = clocks[at].ticks;
                let written = settle(Some(&row), &new, &mut clocks[at]);
                let changed = wished
                    .iter()
                    .filter(|(key, wish)| before.get(*key) != wish.as_ref());
                let (last, replica) = (written.latest().0, clocks[at].replica);
                let news: Model = changed
                    .map(|(key, wish)| (key.clone(), (last, replica, wish.clone())))
                    .collect();
                assert_eq!(clocks[at].ticks, ticks + usize::from(!news.is_empty()));
                match LwwTable::delta(Some(&row), &written) {
                    Some(delta) => {
                        assert_eq!(LwwTable::check_delta(&delta, replica, Some(&row)), Ok(()));
                        assert_eq!(delta.entries().len(), news.len());
                        deltas.push((delta, news.clone()));
                    }
                    None => assert!(news.is_empty()),
                }
                let mut known = known;
                known.extend(news);
                (at, (written, known))
            }
            Step::Deltas { .. } if deltas.is_empty() => continue,
            Step::Deltas { to, picks } => {
                let [(a, news_a), (b, news_b)] = picks.map(|pick| pick.get(&deltas).clone());
                let (row, mut known) = versions[to].last().unwrap().clone();
                learn(&mut known, &news_a);
                learn(&mut known, &news_b);
                (to, (row.join(&a.join(&b).unwrap()).unwrap(), known))
            }
            Step::State { from, to } => {
                let (state, news) = versions[from].last().unwrap();
                let (row, mut known) = versions[to].last().unwrap().clone();
                learn(&mut known, news);
                (to, (row.join(state).unwrap(), known))
            }
        };
        clocks[to].observe(next.0.latest());
        assert_eq!(next.0.value().unwrap(), shown(&next.1));
        assert_eq!(
            next.0.entries().len(),
            next.1.len(),
            "no removal is forgotten"
        );
        versions[to].push(next);
    }
}

/// The value that a step writes, and what it asks of each key.
fn wish<K: TableKind>(
    step: Step,
    versions: &[(LwwTable<K>, Model)],
    known: &Model,
) -> (LwwTable<K>, BTreeMap<String, Option<String>>) {
    match step {
        Step::Edit { back, edits, .. } => {
            let mut new = versions[versions.len().saturating_sub(1 + back)].0.clone();
            let mut wished = BTreeMap::new();
            for (key, edit) in edits {
                let json = edit.map(|seed| json::canonical(&value(seed)).unwrap());
                let edit = match &json {
                    Some(json) => KeyEdit::Put(name(key), json.clone()),
                    None => KeyEdit::Remove(name(key)),
                };
                new.edit(&edit).unwrap();
                wished.insert(name(key), json);
            }
            (new, wished)
        }
        Step::Assign { members, .. } => {
            let canonical = |seed: u8| json::canonical(&value(seed)).unwrap();
            let members: BTreeMap<String, String> = members
                .into_iter()
                .map(|(key, seed)| (name(key), canonical(seed)))
                .collect();
            let mut wished: BTreeMap<String, Option<String>> =
                known.keys().map(|key| (key.clone(), None)).collect();
            let before = shown(known);
            for (key, json) in &members {
                // An element of a set that is written without a value keeps its own.
                let held = before
                    .get(key)
                    .filter(|_| K::NAME == "lww_set" && json == "null");
                wished.insert(key.clone(), Some(held.unwrap_or(json).clone()));
            }
            (LwwTable::assign(members), wished)
        }
        Step::Deltas { .. } | Step::State { .. } => unreachable!("nobody writes"),
    }
}

proptest::proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Without it the last write of a key could lose, or a removed key come back.
    #[test]
    fn the_last_write_of_a_key_wins(skew: [u8; 3], steps in steps()) {
        follows_the_model::<crdt::lww_set::SetKind>(skew, steps.clone());
        follows_the_model::<crdt::lww_map::MapKind>(skew, steps);
    }
}
