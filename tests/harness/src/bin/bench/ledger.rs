//! What verify_chain costs over a million ops, beside the floor: the time that as many cores need,
//! all of them busy, for nothing but the hashes and signatures of the same ledger. Two cores are
//! seldom twice as fast as one, for they share their clock and caches: a floor of one core by
//! itself, divided, would be one that nothing reaches.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use harness::{Cluster, Outcome, Session, Table};
use ledger::merkle::Frontier;
use ledger::op::{OpCore, part_commitment, parts_root};
use ledger::signature::{sign, verify};
use ledger::{ChainId, Leaf, NodeId, SigningKey};

use crate::median::median;
use crate::{Extent, native, storage};

const OPS: i64 = 1_000_000;
const EACH: i64 = 200_000;

/// How large the ledger is.
struct Ledger {
    ops: i64,
    payload: i64,
    signatures: i64,
}

/// A way to verify.
#[derive(Clone, Copy)]
struct Way {
    what: &'static str,
    sql: &'static str,
    /// Processes that take part.
    cores: usize,
    reads_all: bool,
}

const WAYS: [Way; 4] = [
    Way {
        what: "full, one process",
        sql: "SELECT verify_chain(full => true)",
        cores: 1,
        reads_all: true,
    },
    Way {
        what: "full, two processes",
        sql: "SELECT verify_chain(full => true)",
        cores: 2,
        reads_all: true,
    },
    Way {
        what: "quick, nothing new",
        sql: "SELECT verify_chain()",
        cores: 1,
        reads_all: false,
    },
    Way {
        what: "scan_chain, two processes",
        sql: "SELECT count(*) = 0 FROM scan_chain()",
        cores: 2,
        reads_all: true,
    },
];

pub fn measure(extent: Extent) -> Outcome<String> {
    // The ledger is to be in memory: what is measured is not the disk.
    let options = native::options().set("shared_buffers", "1GB");
    let cluster = Cluster::start_direct("bench-ledger", &["a"], &options)?;
    let mut session = cluster[0].session()?;
    session.run(
        "CREATE TABLE t (id bigint PRIMARY KEY, n pn_counter NOT NULL DEFAULT '0', note text);
         SELECT crdt_track('t')",
    )?;
    for first in (1..OPS).step_by(EACH as usize) {
        session.run(&format!(
            "INSERT INTO t SELECT i, '0', 'a note of some length ' || i FROM generate_series({first}, {}) i",
            first + EACH - 1
        ))?;
    }
    session.run("SELECT crdt_commit_block()")?;
    session.run("VACUUM ANALYZE crdt.op")?;
    let ledger = Ledger {
        ops: session.number("SELECT count(*) FROM crdt.op")?,
        payload: session.number("SELECT avg(length(payload))::bigint FROM crdt.op")?,
        signatures: session.number(
            "SELECT (SELECT count(*) FROM crdt.segment) + (SELECT count(*) FROM crdt.block)",
        )?,
    };
    let mut floors = [Vec::new(), Vec::new()];
    let mut ways = WAYS.map(|way| (way, Vec::new()));
    for _ in 0..extent.rounds {
        for (cores, times) in (1..).zip(&mut floors) {
            times.push(hashing_alone(&ledger, cores));
        }
        for (way, times) in &mut ways {
            let workers = way.cores - 1;
            session.run(&format!("SET max_parallel_maintenance_workers = {workers}"))?;
            times.push(time(&mut session, way.sql)?);
        }
    }
    let floors = floors.map(median);
    let mut table = Table::new(&["verification of a ledger", "seconds", "floor / time"]);
    for (what, floor) in [
        ("hashes and signatures alone, one core", floors[0]),
        ("hashes and signatures alone, two cores at once", floors[1]),
    ] {
        table.row(&[what.to_owned(), format!("{floor:.2}"), String::new()]);
    }
    for (way, times) in ways {
        let seconds = median(times);
        let share = match way.reads_all {
            true => format!("{:.0} %", 100.0 * floors[way.cores - 1] / seconds),
            false => String::new(),
        };
        table.row(&[way.what.to_owned(), format!("{seconds:.2}"), share]);
    }
    let stored = storage::measure(&cluster, &mut session)?;
    Ok(format!(
        "{} ops with payloads of {} bytes, {} signatures\n{table}\n{stored}",
        ledger.ops, ledger.payload, ledger.signatures
    ))
}

fn time(session: &mut Session, sql: &str) -> Outcome<f64> {
    let begin = Instant::now();
    assert!(session.is(sql)?, "{sql}");
    Ok(begin.elapsed().as_secs_f64())
}

/// Seconds for each hash that a ledger of this size has, and each signature, and nothing else, if
/// the work is shared by so many cores.
fn hashing_alone(ledger: &Ledger, cores: usize) -> f64 {
    let begin = Instant::now();
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| hash_and_verify(ledger));
        }
    });
    begin.elapsed().as_secs_f64() / cores as f64
}

fn hash_and_verify(ledger: &Ledger) {
    let payload = vec![7; usize::try_from(ledger.payload).unwrap_or_default()];
    let (chain, origin) = (ChainId([1; 32]), NodeId([2; 32]));
    let key = SigningKey::from_bytes(&[3; 32]);
    let public = key.verifying_key();
    let message = [4; 200];
    let signature = sign(&key, &message);
    let (mut prev, mut edge) = ([0; 32], Frontier::default());
    for seq in 1..=ledger.ops as u64 {
        let core = OpCore {
            seq,
            hlc: seq << 16,
            kind: 1,
            schema_hash: [5; 32],
            part_count: 1,
            parts_root: parts_root(&[part_commitment(&[6; 32], black_box(&payload))]),
        };
        let this = core.hash(&chain, &origin, &prev);
        edge.push(Leaf::of_op(&chain, seq, &origin, &core, &prev, &this).hash());
        prev = this;
    }
    black_box(edge.root());
    for _ in 0..ledger.signatures {
        assert!(
            verify(&public, black_box(&message), &signature),
            "a signature"
        );
    }
}
