//! The types beside other libraries. `cargo bench -- FILTER` runs a part; the tables at the end
//! show what this run measured.

mod run;

use std::hint::black_box;
use std::time::{Duration, Instant};

use crdt::pn_counter::Step;
use crdt::{AwSet, Crdt, Edit, Hlc, OrSet, PnCounter, RgaText};
use crdts::{CmRDT, PNCounter};
use criterion::BatchSize;
use peers::set::{CrdtsSet, ElementSet, Ours};
use peers::text::{AutomergeText, DiamondText, LoroText, OurText, TextDocument, YrsText, deltas};
use peers::trace::{Patch, Trace};
use peers::{Clock, now_ms, written};
use run::Run;

const INCREMENTS: u64 = 10_000;
const ELEMENTS: usize = 100_000;
const NEW_ELEMENTS: usize = 1_000;
const DOCUMENT_BYTES: usize = 100_000;
/// A pass beyond this is measured once: criterion would repeat it ten times and more.
const TOO_LONG: Duration = Duration::from_secs(5);

fn main() {
    let mut run = Run::begin();
    counters(&mut run);
    clocks(&mut run);
    sets::<Ours<AwSet>>(&mut run);
    sets::<Ours<OrSet>>(&mut run);
    sets::<CrdtsSet>(&mut run);
    let traces = Traces::read();
    texts::<OurText>(&mut run, &traces);
    texts::<YrsText>(&mut run, &traces);
    texts::<DiamondText>(&mut run, &traces);
    texts::<LoroText>(&mut run, &traces);
    texts::<AutomergeText>(&mut run, &traces);
    let table = run.end();
    table.print("counters", &[PnCounter::NAME], &["crdts"]);
    table.print("clocks", &["hlc"], &["uhlc"]);
    table.print("sets", &[AwSet::NAME, OrSet::NAME], &["crdts"]);
    let peers = ["yrs", "diamond-types", "loro", "automerge"];
    table.print("texts", &[RgaText::NAME], &peers);
}

/// crdts has no state without an author, so each increment is written there.
fn counters(run: &mut Run) {
    let written_each = format!("{INCREMENTS} increments, each written");
    run.time(&written_each, "counter_each", PnCounter::NAME, |bencher| {
        bencher.iter(|| {
            let mut clock = Clock::new(1);
            let mut row = PnCounter::default();
            for _ in 0..INCREMENTS {
                let asked = row.add(1).expect("no overflow");
                row = PnCounter::settle(Some(&row), &asked, &mut clock).expect("no overflow");
            }
            assert_eq!(row.value(), Ok(INCREMENTS as i64));
        });
    });
    let written_once = format!("{INCREMENTS} increments, written once");
    run.time(&written_once, "counter_once", PnCounter::NAME, |bencher| {
        bencher.iter(|| {
            let mut asked = PnCounter::default();
            for _ in 0..INCREMENTS {
                asked.edit(black_box(&Step::by(1))).expect("no overflow");
            }
            let row = PnCounter::settle(None, &asked, &mut Clock::new(1)).expect("no overflow");
            assert_eq!(row.value(), Ok(INCREMENTS as i64));
        });
    });
    for (work, group) in [
        (written_each, "counter_each"),
        (written_once, "counter_once"),
    ] {
        run.time(&work, group, "crdts", |bencher| {
            bencher.iter(|| {
                let mut counter = PNCounter::new();
                for _ in 0..INCREMENTS {
                    counter.apply(counter.inc(u128::from_be_bytes([1; 16])));
                }
                assert_eq!(counter.read(), INCREMENTS.into());
            });
        });
    }
}

/// Both read the wall clock for each tick.
fn clocks(run: &mut Run) {
    const TICK: &str = "a tick of the hybrid logical clock";
    run.time(TICK, "clock_tick", "hlc", |bencher| {
        let mut last = Hlc::default();
        bencher.iter(|| {
            last = Hlc::next(last, now_ms());
            last
        });
    });
    run.time(TICK, "clock_tick", "uhlc", |bencher| {
        let clock = uhlc::HLC::default();
        bencher.iter(|| clock.new_timestamp());
    });
}

/// Texts of 12 bytes.
fn elements(from: usize, count: usize) -> Vec<String> {
    (from..from + count)
        .map(|number| format!("element-{number:04x}"))
        .collect()
}

fn sets<S: ElementSet>(run: &mut Run) {
    let half = ELEMENTS / 2;
    let (shared, _) = S::new().with(1, &elements(0, half));
    let (left, _) = shared.with(2, &elements(ELEMENTS, half));
    let (right, _) = shared.with(3, &elements(2 * ELEMENTS, half));
    let mut merged = left.clone();
    merged.merge(right.clone());
    assert_eq!(merged.count(), half * 3);
    run.time(
        &format!("merge of {ELEMENTS} x {ELEMENTS} elements, half shared"),
        "set_merge",
        S::LIBRARY,
        |bencher| {
            bencher.iter_batched(
                || (left.clone(), right.clone()),
                |(mut left, right)| {
                    left.merge(right);
                    left
                },
                BatchSize::PerIteration,
            );
        },
    );
    let (more, _) = left.with(4, &elements(3 * ELEMENTS, NEW_ELEMENTS));
    assert_eq!(more.count(), ELEMENTS + NEW_ELEMENTS);
    run.time(
        &format!("{NEW_ELEMENTS} new elements into {ELEMENTS}"),
        "set_delta",
        S::LIBRARY,
        |bencher| {
            bencher.iter_batched(
                || {
                    let (_, delta) = shared.with(4, &elements(3 * ELEMENTS, NEW_ELEMENTS));
                    (left.clone(), delta)
                },
                |(mut left, delta)| {
                    left.apply(delta);
                    left
                },
                BatchSize::PerIteration,
            );
        },
    );
    let (once, _) = S::new().with(1, &elements(0, ELEMENTS));
    run.table.bytes(
        "stored, per element of 12 B",
        S::LIBRARY,
        once.stored().len() as f64 / ELEMENTS as f64,
    );
}

struct Traces {
    sequential: Vec<(&'static str, Trace)>,
    concurrent: Option<Trace>,
}

impl Traces {
    fn read() -> Self {
        let named = |name| {
            let trace = Trace::named(name);
            if trace.is_none() {
                println!("no trace {name} in the folder of BCRDT_TRACES: skipped");
            }
            trace
        };
        Self {
            sequential: ["sveltecomponent", "seph-blog1"]
                .into_iter()
                .filter_map(|name| Some((name, named(name)?)))
                .collect(),
            concurrent: named("friendsforever"),
        }
    }
}

fn texts<D: TextDocument>(run: &mut Run, traces: &Traces) {
    for (name, trace) in &traces.sequential {
        typed::<D>(run, name, trace);
    }
    stored::<D>(run);
    if let Some(trace) = &traces.concurrent {
        received::<D>(run, trace);
    }
}

/// A person types a whole document, in memory.
fn typed<D: TextDocument>(run: &mut Run, name: &str, trace: &Trace) {
    let patches = trace.patches();
    let mut document = D::new(1);
    document.edit(&patches);
    assert!(
        document.text() == trace.end_content,
        "{} typed {name} wrongly",
        D::LIBRARY
    );
    let work = format!("{name}: {} edits in memory", patches.len());
    run.time(&work, &format!("typed_{name}"), D::LIBRARY, |bencher| {
        bencher.iter_with_large_drop(|| {
            let mut document = D::new(1);
            document.edit(&patches);
            document
        });
    });
    let stored = document.save().len() as f64;
    run.table
        .bytes(&format!("{name}: stored"), D::LIBRARY, stored);
}

/// What an UPDATE or a SELECT of one stored document costs.
fn stored<D: TextDocument>(run: &mut Run) {
    let mut document = D::new(1);
    document.edit(&written::patches(DOCUMENT_BYTES));
    let text = document.text();
    let stored = document.save();
    assert!(
        D::load(&stored, 2).text() == text,
        "{} lost text",
        D::LIBRARY
    );
    let key = [Patch(text.len() / 2, 0, "x".to_owned())];
    let kilobytes = DOCUMENT_BYTES / 1_000;
    run.time(
        &format!("one edit of a stored {kilobytes} KB document"),
        "stored_edit",
        D::LIBRARY,
        |bencher| {
            bencher.iter(|| D::edit_stored(&stored, &key));
        },
    );
    run.time(
        &format!("text of a stored {kilobytes} KB document"),
        "stored_text",
        D::LIBRARY,
        |bencher| bencher.iter(|| D::text_of_stored(&stored)),
    );
    run.table.bytes(
        &format!("a {kilobytes} KB document: stored"),
        D::LIBRARY,
        stored.len() as f64,
    );
}

/// A third replica takes in what two people did, one transaction at a time.
fn received<D: TextDocument>(run: &mut Run, trace: &Trace) {
    let (deltas, text) = deltas::<D>(trace);
    // Of what two insert at one place each library has its own order, but nothing may get lost.
    assert_eq!(text.len(), trace.end_content.len(), "{}", D::LIBRARY);
    let receive = || {
        let mut document = D::new(9);
        for delta in &deltas {
            document.apply(delta);
        }
        document
    };
    let begun = Instant::now();
    let mut document = receive();
    let taken = begun.elapsed();
    assert!(document.text() == text, "{} did not converge", D::LIBRARY);
    let work = format!("friendsforever: {} deltas applied singly", deltas.len());
    if taken > TOO_LONG {
        run.table.once(&work, D::LIBRARY, taken);
    } else {
        run.time(&work, "received_friendsforever", D::LIBRARY, |bencher| {
            bencher.iter_with_large_drop(receive);
        });
    }
    let stored = document.save().len() as f64;
    run.table
        .bytes("friendsforever: stored", D::LIBRARY, stored);
    let sent: usize = deltas.iter().map(Vec::len).sum();
    run.table.bytes(
        "friendsforever: a delta, on average",
        D::LIBRARY,
        sent as f64 / deltas.len() as f64,
    );
}
