//! Finding out where two copies of a large table differ: our digest tree beside negentropy. Each
//! comparison is run once, in one process, and what would go over the wire is counted.
//!
//! `cargo bench --bench compare -- [ROWS]`

use std::time::{Duration, Instant};

use ledger::Hash;
use ledger::digest_tree::{
    Answer, Builder, Comparison, Entry, Prefix, Question, Summary, named, respond,
};
use negentropy::{Id, Negentropy, NegentropyStorageVector};

const ROWS: u64 = 1_000_000;

/// What a comparison cost.
struct Cost {
    prepare: Duration,
    compare: Duration,
    bytes: usize,
    rounds: usize,
    found: usize,
}

fn hash(label: &str, n: u64) -> Hash {
    *blake3::hash(&[label.as_bytes(), &n.to_be_bytes()].concat()).as_bytes()
}

/// Rows as both libraries take them, and a copy in which `changed` of them have another value.
fn tables(rows: u64, changed: u64) -> [Vec<Entry>; 2] {
    let step = rows / changed.max(1);
    let entry = |n: u64, other: bool| Entry {
        key: hash("key", n),
        value: hash(if other { "other" } else { "value" }, n),
    };
    let is_changed = |n: u64| n.is_multiple_of(step) && n / step < changed;
    [
        (0..rows).map(|n| entry(n, false)).collect(),
        (0..rows).map(|n| entry(n, is_changed(n))).collect(),
    ]
}

fn summary(entries: &[Entry]) -> Summary {
    let mut builder = Builder::new(Prefix::ROOT, 3);
    for entry in entries {
        builder.push(*entry).expect("sorted entries");
    }
    builder.finish()
}

/// Sorted here as negentropy does it; nodes let SQL do it.
fn digest_tree(ours: &[Entry], theirs: &[Entry]) -> Cost {
    let begin = Instant::now();
    let (mut ours, mut theirs) = (ours.to_vec(), theirs.to_vec());
    ours.sort_unstable();
    theirs.sort_unstable();
    let (ours, theirs) = (ours.as_slice(), theirs.as_slice());
    let (own, other) = (summary(ours), summary(theirs));
    let prepare = begin.elapsed();
    let begin = Instant::now();
    // The roots first, as nodes do.
    let (mut bytes, mut rounds) = (40, 1);
    let mut comparison = Comparison::new(usize::MAX);
    if own.node != other.node {
        while let Some(question) = comparison.question() {
            let asked = question.to_bytes();
            let question = Question::from_bytes(&asked).expect("a question");
            let answer = respond(theirs, &other, &question).to_bytes();
            bytes += asked.len() + answer.len();
            rounds += 1;
            let answer = Answer::from_bytes(&answer).expect("an answer");
            comparison
                .take(ours, &own, &answer)
                .expect("an honest peer");
        }
    }
    let named = comparison
        .theirs()
        .iter()
        .filter_map(|it| named(theirs, it));
    let found = comparison.ours().len() + named.count();
    Cost {
        prepare,
        compare: begin.elapsed(),
        bytes,
        rounds,
        found,
    }
}

/// An item is an entry's hash, 32 bytes, all of one time: it knows no keys.
fn storage(entries: &[Entry]) -> NegentropyStorageVector {
    let mut storage = NegentropyStorageVector::new();
    for entry in entries {
        let both = [entry.key, entry.value].concat();
        let id = Id::from_byte_array(*blake3::hash(&both).as_bytes());
        storage.insert(0, id).expect("a new item");
    }
    storage.seal().expect("once");
    storage
}

fn negentropy(ours: &[Entry], theirs: &[Entry]) -> Cost {
    let begin = Instant::now();
    let (own, other) = (storage(ours), storage(theirs));
    let prepare = begin.elapsed();
    let begin = Instant::now();
    let mut client = Negentropy::borrowed(&own, 0).expect("no limit");
    let mut server = Negentropy::borrowed(&other, 0).expect("no limit");
    let mut message = client.initiate().expect("a first message");
    let (mut bytes, mut rounds) = (0, 0);
    let (mut have, mut need) = (Vec::new(), Vec::new());
    loop {
        bytes += message.len();
        let answer = server.reconcile(&message).expect("an answer");
        bytes += answer.len();
        rounds += 1;
        match client.reconcile_with_ids(&answer, &mut have, &mut need) {
            Ok(Some(next)) => message = next,
            Ok(None) => break,
            Err(error) => panic!("{error}"),
        }
    }
    Cost {
        prepare,
        compare: begin.elapsed(),
        bytes,
        rounds,
        found: have.len() + need.len(),
    }
}

fn main() {
    let asked = std::env::args().skip(1).find_map(|text| text.parse().ok());
    let rows = asked.unwrap_or(ROWS);
    println!("two copies of {rows} rows; times of both sides together");
    println!("| changed rows | | bytes | rounds | preparing | comparing |");
    println!("|---|---|---|---|---|---|");
    for changed in [0, 1, 100, 10_000] {
        let [ours, theirs] = tables(rows, changed);
        let costs = [
            ("digest tree", digest_tree(&ours, &theirs)),
            ("negentropy", negentropy(&ours, &theirs)),
        ];
        for (name, cost) in costs {
            assert_eq!(cost.found as u64, 2 * changed, "{name} finds all");
            println!(
                "| {changed} | {name} | {} | {} | {:.0} ms | {:.2} ms |",
                cost.bytes,
                cost.rounds,
                cost.prepare.as_secs_f64() * 1e3,
                cost.compare.as_secs_f64() * 1e3
            );
        }
    }
}
