//! What verify_chain costs over a million ops, beside the floor: the time that one core needs
//! for nothing but the hashes and signatures of the same ledger.

use std::hint::black_box;
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
    let mut floor = Vec::new();
    let mut ways: [(&str, f64, &str, Vec<f64>); 4] = [
        (
            "full, one process",
            1.0,
            "SET max_parallel_maintenance_workers = 0",
            Vec::new(),
        ),
        (
            "full, two processes",
            2.0,
            "SET max_parallel_maintenance_workers = 1",
            Vec::new(),
        ),
        (
            "quick, nothing new",
            0.0,
            "SET max_parallel_maintenance_workers = 0",
            Vec::new(),
        ),
        (
            "scan_chain, two processes",
            2.0,
            "SET max_parallel_maintenance_workers = 1",
            Vec::new(),
        ),
    ];
    for _ in 0..extent.rounds {
        floor.push(hashing_alone(&ledger));
        for (what, _, setting, times) in &mut ways {
            session.run(setting)?;
            times.push(time(&mut session, what)?);
        }
    }
    let floor = median(floor);
    let mut table = Table::new(&[
        "verification of a ledger",
        "seconds",
        "floor / (time x cores)",
    ]);
    table.row(&[
        "hashes and signatures alone, one core".to_owned(),
        format!("{floor:.2}"),
        String::new(),
    ]);
    for (what, cores, _, times) in ways {
        let seconds = median(times);
        let share = match cores > 0.0 {
            true => format!("{:.0} %", 100.0 * floor / (seconds * cores)),
            false => String::new(),
        };
        table.row(&[what.to_owned(), format!("{seconds:.2}"), share]);
    }
    let stored = storage::measure(&cluster, &mut session)?;
    Ok(format!(
        "{} ops with payloads of {} bytes, {} signatures\n{table}\n{stored}",
        ledger.ops, ledger.payload, ledger.signatures
    ))
}

fn time(session: &mut Session, what: &str) -> Outcome<f64> {
    let sql = match what {
        what if what.starts_with("quick") => "SELECT verify_chain()",
        what if what.starts_with("scan") => "SELECT count(*) = 0 FROM scan_chain()",
        _ => "SELECT verify_chain(full => true)",
    };
    let begin = Instant::now();
    assert!(session.is(sql)?, "{what}");
    Ok(begin.elapsed().as_secs_f64())
}

/// Seconds for each hash that a ledger of this size has, and each signature, and nothing else.
fn hashing_alone(ledger: &Ledger) -> f64 {
    let payload = vec![7; usize::try_from(ledger.payload).unwrap_or_default()];
    let (chain, origin) = (ChainId([1; 32]), NodeId([2; 32]));
    let key = SigningKey::from_bytes(&[3; 32]);
    let public = key.verifying_key();
    let message = [4; 200];
    let signature = sign(&key, &message);
    let begin = Instant::now();
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
    begin.elapsed().as_secs_f64()
}
