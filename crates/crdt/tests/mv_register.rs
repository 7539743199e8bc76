//! mv_register: laws, an oracle, the guard, and bytes of those who mean harm.

mod world;

use std::collections::{BTreeMap, BTreeSet};

use crdt::{
    Crdt, CrdtError, DecodeError, DeltaFault, Dot, Hlc, MvRegister, ReplicaId, VersionVector, json,
};
use proptest::prelude::{
    ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof,
};
use world::laws::laws;
use world::{Clock, Driven, World, events};

laws! { mv_register: MvRegister; }

impl Driven for MvRegister {
    fn literal(seed: u8) -> Self {
        let mut values = vec![format!("{}", seed % 4)];
        if seed.is_multiple_of(3) {
            values.push("\"other\"".to_owned());
        }
        Self::assign(values)
    }

    fn operated(&self, seed: u8) -> Self {
        if seed.is_multiple_of(7) {
            return self.reset().unwrap();
        }
        self.set(&format!("{{\"b\": \"{}\", \"a\": []}}", seed % 4))
            .unwrap()
    }
}

fn register(json: &str, author: &mut Clock) -> MvRegister {
    settle(None, &MvRegister::assign(vec![json.to_owned()]), author)
}

fn settle(old: Option<&MvRegister>, new: &MvRegister, author: &mut Clock) -> MvRegister {
    MvRegister::settle(old, new, author).unwrap()
}

fn set(old: &MvRegister, json: &str, author: &mut Clock) -> MvRegister {
    settle(Some(old), &old.set(json).unwrap(), author)
}

/// A row with 1, over which two people wrote 2 and 3 at once; and both clocks.
fn conflict() -> (MvRegister, MvRegister, Clock, Clock) {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let row = register("1", &mut here);
    let left = set(&row, "2", &mut here);
    let right = set(&row, "3", &mut there);
    (row, left.join(&right).unwrap(), here, there)
}

/// A value under its dot (a reset has none), and the dots that it replaced.
type Write = (Option<(Dot, String)>, BTreeSet<Dot>);

/// What a register means: every write that ever was.
#[derive(Default)]
struct Model {
    writes: Vec<Write>,
}

impl Model {
    fn live(&self, heard: &BTreeSet<usize>) -> BTreeMap<Dot, String> {
        let heard = || heard.iter().map(|index| &self.writes[*index]);
        let gone: BTreeSet<&Dot> = heard().flat_map(|(_, replaced)| replaced).collect();
        heard()
            .filter_map(|(write, _)| write.clone())
            .filter(|(dot, _)| !gone.contains(dot))
            .collect()
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// A value, or a reset, over the row or over an older version of it.
    Write {
        at: usize,
        back: usize,
        value: Option<u8>,
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
    let value = prop::option::weighted(0.8, 0..4u8);
    let step = prop_oneof![
        4 => (at.clone(), 0..3usize, value).prop_map(|(at, back, value)| Step::Write { at, back, value }),
        3 => (at.clone(), any::<[prop::sample::Index; 2]>()).prop_map(|(to, picks)| Step::Deltas { to, picks }),
        2 => (at.clone(), at).prop_map(|(from, to)| Step::State { from, to }),
    ];
    prop::collection::vec(step, 1..30)
}

proptest::proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Without it a value could come back from the dead, or vanish though nobody wrote over it.
    #[test]
    fn a_register_shows_what_nobody_replaced(early: bool, steps in steps()) {
        let mut clocks: Vec<Clock> = (1..=3).map(Clock::new).collect();
        let mut model = Model::default();
        let mut versions = vec![vec![(MvRegister::default(), BTreeSet::new())]; 3];
        let mut deltas: Vec<(MvRegister, BTreeSet<usize>)> = Vec::new();
        for step in steps {
            let (at, next) = match step {
                Step::Write { at, back, value } => {
                    // A delta that came too early moves the start by which a copy is known.
                    let back = if early { 0 } else { back };
                    let (row, heard) = versions[at].last().unwrap().clone();
                    let index = versions[at].len().saturating_sub(1 + back);
                    let (copy, copy_heard) = versions[at][index].clone();
                    let new = match value {
                        Some(value) => copy.set(&value.to_string()).unwrap(),
                        None => copy.reset().unwrap(),
                    };
                    let written = settle(Some(&row), &new, &mut clocks[at]);
                    let live = model.live(&heard);
                    let mut heard = heard;
                    let shown: BTreeSet<&String> = live.values().collect();
                    let wanted: Option<String> = value.map(|value| value.to_string());
                    if shown == wanted.iter().collect() {
                        prop_assert_eq!(&written, &row);
                    } else {
                        let seen = model.live(&copy_heard);
                        // Who knows nothing yet writes like a literal: over all.
                        let is_over = |dot: &&Dot| copy_heard.is_empty() || seen.contains_key(dot);
                        let replaced = live.keys().filter(is_over).copied().collect();
                        let last = clocks[at].last.0;
                        let dot = Dot { replica: clocks[at].replica, counter: last };
                        heard.insert(model.writes.len());
                        let event = BTreeSet::from([model.writes.len()]);
                        model.writes.push((wanted.map(|value| (dot, value)), replaced));
                        if let Some(delta) = MvRegister::delta(Some(&row), &written) {
                            let author = clocks[at].replica;
                            prop_assert_eq!(MvRegister::check_delta(&delta, author, Some(&row)), Ok(()));
                            deltas.push((delta, event));
                        }
                    }
                    (at, (written, heard))
                }
                Step::Deltas { to, picks } if early && !deltas.is_empty() => {
                    let [(a, event_a), (b, event_b)] = picks.map(|pick| pick.get(&deltas).clone());
                    let (row, heard) = versions[to].last().unwrap();
                    let heard = &(heard | &event_a) | &event_b;
                    (to, (row.join(&a.join(&b).unwrap()).unwrap(), heard))
                }
                Step::Deltas { .. } => continue,
                Step::State { from, to } => {
                    let (state, news) = versions[from].last().unwrap();
                    let (row, heard) = versions[to].last().unwrap();
                    (to, (row.join(state).unwrap(), heard | news))
                }
            };
            clocks[at].observe(next.0.latest());
            let live = model.live(&next.1);
            prop_assert!(next.0.live().iter().eq(live.iter().map(|(dot, value)| (*dot, value))));
            let last = live.iter().max_by_key(|(dot, _)| (dot.counter, dot.replica));
            prop_assert_eq!(next.0.get(), last.map(|(_, value)| value.as_str()));
            versions[at].push(next);
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
        let mut world = World::<MvRegister>::new(5);
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
        noise[1] %= 2;
        for bytes in [bytes, noise] {
            let Ok(value) = MvRegister::decode(&bytes) else { continue };
            prop_assert_eq!(value.encode(), bytes.as_slice());
            prop_assert_eq!(MvRegister::from_text(&value.to_text()), Ok(value.clone()));
            prop_assert_eq!(json::canonical(&value.to_json()).map(drop), Ok(()));
            prop_assert_eq!(value.join(&value), Ok(value.clone()));
            let settled = settle(None, &value, &mut Clock::new(1));
            prop_assert_eq!(settled.values(), value.values());
            prop_assert!(settle(Some(&value), &settled, &mut Clock::new(2)).is_settled());
        }
    }
}

/// Two people's values must both be there to choose from, and one write must settle it.
#[test]
fn concurrent_values_stand_side_by_side_until_somebody_writes() {
    let (_, both, mut here, mut there) = conflict();
    assert_eq!(both.values(), ["2", "3"]);
    assert_eq!(both.get(), Some("3"), "greatest by tick, then replica");
    assert!(both.is_conflicted());
    assert!(both.to_text().starts_with("2 | 3 @v1:"));
    here.observe(both.latest());
    for choice in ["2", "4"] {
        let resolved = set(&both, choice, &mut here);
        assert_eq!(resolved.values(), [choice]);
        assert_eq!(both.join(&resolved).unwrap(), resolved);
        let aside = set(&both, "9", &mut there);
        let again = resolved.join(&aside).unwrap();
        assert_eq!(again.values(), [choice, "9"], "a choice is a write");
    }
}

/// One value written by two people at once is no conflict.
#[test]
fn equal_values_do_not_conflict() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let row = register("1", &mut here);
    let both = set(&row, "2", &mut here)
        .join(&set(&row, "2", &mut there))
        .unwrap();
    assert_eq!((both.values(), both.live().len()), (vec!["2"], 2));
    let ticks = here.ticks;
    assert_eq!(set(&both, "2", &mut here), both);
    assert_eq!(here.ticks, ticks);
}

/// A client that saves what it read a while ago must not wipe out what came since.
#[test]
fn a_stale_copy_replaces_only_what_it_saw() {
    let (row, both, mut here, _) = conflict();
    here.observe(both.latest());
    assert_eq!(settle(Some(&both), &row, &mut here), both, "nothing asked");
    let over = settle(Some(&both), &row.set("7").unwrap(), &mut here);
    assert_eq!(over.values(), ["2", "3", "7"]);
    assert_eq!(settle(Some(&both), &row.reset().unwrap(), &mut here), both);
    let literal = MvRegister::assign(vec!["7".to_owned()]);
    assert_eq!(settle(Some(&both), &literal, &mut here).values(), ["7"]);
}

/// A register of another row whose ticks fall into this one's spans is no stale copy: the
/// assignment must not vanish.
#[test]
fn another_register_is_taken_by_value() {
    let mut author = Clock::new(1);
    let row = register("1", &mut author);
    let other = register("5", &mut author);
    let row = set(&row, "2", &mut author);
    assert!(row.context().includes(other.context()));
    let copied = settle(Some(&row), &other, &mut author);
    assert_eq!(copied.values(), ["5"]);
    let (_, both, mut here, _) = conflict();
    here.observe(both.latest());
    let copied = settle(Some(&copied), &both, &mut here);
    assert_eq!(copied.values(), ["2", "3"], "a conflict as it stands");
    let empty = settle(Some(&both), &both.reset().unwrap(), &mut here);
    assert_eq!(settle(Some(&copied), &empty, &mut here).get(), None);
}

/// Whoever edits a state by hand must not put a value under somebody's dot.
#[test]
fn a_forged_state_is_taken_by_value() {
    let mut author = Clock::new(1);
    let row = register("1", &mut author);
    let forged = register("6", &mut Clock::new(1));
    assert_eq!(row.context(), forged.context());
    let taken = settle(Some(&row), &forged, &mut author);
    assert_eq!(taken.values(), ["6"]);
    assert_eq!(taken.context().latest(), author.last, "under a fresh dot");
    assert_eq!(taken.live().len(), 1);
    let joined = row.join(&forged).unwrap();
    assert_eq!(joined, forged.join(&row).unwrap(), "a replica that lies");
    assert_eq!(joined.live().len(), 1);
    let delta = MvRegister::delta(Some(&row), &joined);
    assert_eq!(delta.is_none(), joined == row);
}

/// Two sessions that settle a loose value from one state must not erase each other.
#[test]
fn authors_that_share_a_state_lose_nothing() {
    let mut author = Clock::new(1);
    author.exclusive = false;
    let row = register("1", &mut author);
    let one = set(&row, "2", &mut author);
    let two = set(&row, "3", &mut author);
    assert_eq!(one.join(&two).unwrap().values(), ["2", "3"]);
}

/// A delta that overtakes another leaves a hole, which must not act as a removal.
#[test]
fn a_hole_is_no_removal() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let row = register("1", &mut here);
    let second = set(&row, "2", &mut here);
    let third = set(&second, "3", &mut here);
    let late = MvRegister::delta(Some(&row), &second).unwrap();
    let early = MvRegister::delta(Some(&second), &third).unwrap();
    let beside = set(&row, "8", &mut there);
    let ahead = beside.join(&early).unwrap();
    assert_eq!(ahead.values(), ["3", "8"]);
    assert_eq!(ahead.join(&late).unwrap(), beside.join(&third).unwrap());
}

/// What a reset has seen goes, what it has not seen stays, and nothing comes back.
#[test]
fn a_reset_unsets_what_was_seen() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    let row = register("1", &mut here);
    let ticks = here.ticks;
    let empty = settle(Some(&row), &row.reset().unwrap(), &mut here);
    assert_eq!((empty.get(), here.ticks), (None, ticks));
    assert_eq!(empty.join(&row).unwrap(), empty);
    let restored = settle(Some(&row), &empty, &mut here);
    assert_eq!(restored, empty, "a later dump of the same register");
    let aside = set(&row, "4", &mut there);
    assert_eq!(empty.join(&aside).unwrap().values(), ["4"]);
    let again = set(&empty, "1", &mut here);
    assert_eq!(again.join(&row).unwrap().values(), ["1"]);
    let delta = MvRegister::delta(Some(&row), &empty).unwrap();
    assert_eq!(row.join(&delta).unwrap(), empty);
}

/// A member that writes in another's name, again under an old dot, or over what it cannot know.
#[test]
fn forged_deltas_are_refused() {
    let (mut author, mut victim) = (Clock::new(1), Clock::new(2));
    let row = register("1", &mut victim);
    let check = |delta: &MvRegister, row: Option<&MvRegister>| {
        MvRegister::check_delta(delta, ReplicaId([1; 16]), row)
    };
    let dot = |clock: &Clock| Dot {
        replica: clock.replica,
        counter: clock.last.0,
    };
    assert_eq!(check(&row, None), Err(DeltaFault::ForeignDot(dot(&victim))));
    let unsettled = row.set("2").unwrap();
    assert_eq!(check(&unsettled, Some(&row)), Err(DeltaFault::Unsettled));
    let next = set(&row, "2", &mut author);
    let honest = MvRegister::delta(Some(&row), &next).unwrap();
    assert_eq!(check(&honest, Some(&row)), Ok(()));
    assert_eq!(check(&honest, Some(&next)), Ok(()), "again");
    let unknown = DeltaFault::UnknownDot(Dot {
        counter: 3,
        ..dot(&victim)
    });
    assert_eq!(check(&honest, None), Err(unknown));
    let twice = register(
        "9",
        &mut Clock {
            last: Hlc(author.last.0 - 1),
            ..author.clone()
        },
    );
    let fault = DeltaFault::RepeatedDot(dot(&author));
    assert_eq!(check(&twice, Some(&next)), Err(fault));
    let future = set(&row, "3", &mut victim);
    let gone = settle(Some(&future), &future.reset().unwrap(), &mut author);
    let forged = MvRegister::delta(Some(&row), &gone).unwrap();
    let fault = DeltaFault::UnknownDot(dot(&victim));
    assert_eq!(check(&forged, Some(&row)), Err(fault));
}

/// Folding must not change what the register shows, and what it wrote over must stay gone.
#[test]
fn compaction_keeps_the_value() {
    let (mut here, mut there) = (Clock::new(1), Clock::new(2));
    there.exclusive = false;
    let row = register("1", &mut here);
    let mut state = row.clone();
    for value in ["2", "3", "4"] {
        there.last = Hlc(there.last.0 + 5);
        state = set(&state, value, &mut there);
    }
    assert_eq!(state.context().spans(&there.replica).len(), 3);
    let stable: VersionVector = state.version();
    let folded = state.compact(&stable).unwrap();
    assert_eq!(folded.context().spans(&there.replica).len(), 1);
    assert_eq!(folded.values(), state.values());
    assert_eq!(folded.join(&state).unwrap(), folded);
    assert_eq!(folded.join(&row).unwrap(), folded);
    assert_eq!(settle(Some(&folded), &row, &mut here), folded);
    assert_eq!(state.compact(&VersionVector::default()), Ok(state));
}

/// A release that reads yesterday's rows differently loses them.
#[test]
fn golden_bytes() {
    let golden = |value: &MvRegister, expected: &[&str], text: &str| {
        let bytes = value.encode();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected.concat());
        assert_eq!(MvRegister::decode(&bytes).as_ref(), Ok(value));
        assert_eq!(value.to_text(), text);
        assert_eq!(MvRegister::from_text(text).as_ref(), Ok(value));
    };
    let (ones, twos) = ("01".repeat(16), "02".repeat(16));
    golden(
        &MvRegister::default(),
        &["0100", "00", "00"],
        "null @v1:AQAAAJn4uHk",
    );
    let plain = MvRegister::from_text("{\"b\": 1, \"a\": 2}").unwrap();
    let json = "7b2261223a322c2262223a317d";
    golden(
        &plain,
        &["0101", "00", "00", "01", "0d", json],
        r#"{"a":2,"b":1}"#,
    );
    let (_, both, ..) = conflict();
    let spans = ["02", &ones, "01", "01", "01", &twos, "01", "02", "00"].concat();
    let live = ["02", "00", "00", "01", "32", "01", "00", "01", "33"].concat();
    golden(
        &both,
        &["0100", &spans, &live],
        "2 | 3 @v1:AQACAQEBAQEBAQEBAQEBAQEBAQEBAQICAgICAgICAgICAgICAgIBAgACAAABMgEAATPygrIC",
    );
    let asked = both.set("\"x\"").unwrap();
    let wanted = ["01", "03", "227822"].concat();
    golden(
        &asked,
        &["0101", &spans, &live, &wanted],
        r#""x" @v1:AQECAQEBAQEBAQEBAQEBAQEBAQEBAQICAgICAgICAgICAgICAgIBAgACAAABMgEAATMBAyJ4IuidYcE"#,
    );
    let dots = [format!("{ones}:3"), format!("{twos}:3")];
    assert_eq!(
        asked.to_json(),
        format!(
            r#"{{"type":"mv_register","value":["x"],"written":{{"{}":2,"{}":3}},"seen":{{"{ones}":[[1,3]],"{twos}":[[2,3]]}},"change":{{"assign":["x"]}}}}"#,
            dots[0], dots[1]
        )
    );
}

/// A state in which a value stands that was never written, or twice, is none.
#[test]
fn contradictory_bytes_are_refused() {
    let decode = |live: &[u8]| {
        let mut bytes = vec![1, 0, 1];
        bytes.extend([1; 16]);
        bytes.extend([1, 4, 1]);
        bytes.extend(live);
        MvRegister::decode(&bytes)
    };
    assert!(decode(&[2, 0, 1, 1, b'2', 0, 0, 1, b'3']).is_ok());
    for live in [
        &[1, 1, 0, 1, b'2'][..],
        &[1, 0, 2, 1, b'2'],
        &[1, 0, 9, 1, b'2'],
        &[2, 0, 0, 1, b'2', 0, 0, 1, b'2'],
        &[2, 0, 0, 1, b'2', 0, 1, 1, b'2'],
    ] {
        assert!(
            matches!(decode(live), Err(DecodeError::NotCanonical(_))),
            "{live:?}"
        );
    }
    assert!(decode(&[1, 0, 0, 1, b'x']).is_err(), "not JSON");
}

/// A value that could not be read back must be refused at once and leave the register as it was.
#[test]
fn too_large_values_are_refused() {
    let mut value = MvRegister::default().set("1").unwrap();
    let before = value.clone();
    let large = format!("\"{}\"", "x".repeat(crdt::MAX_STATE_BYTES));
    let refused = crdt::Edit::edit(&mut value, &large);
    assert!(matches!(refused, Err(CrdtError::TooLarge { .. })));
    assert_eq!(value, before);
    assert!(MvRegister::from_text(&large).is_err());
}
