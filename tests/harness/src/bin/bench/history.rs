//! What an auditor waits for: the history of a row, a proof, ops by actor, block, kind, table,
//! node and time among very many, and a whole table verified.
//!
//! `BENCH_HISTORY_OPS` (200,000) is how many.

use std::time::Instant;

use harness::{Cluster, LONG, Options, Outcome, Session, Table};

use crate::median::median;
use crate::{Extent, number};

/// Changes of the one row that is asked about, spread over the whole log.
const OF_ROW: u32 = 100;
/// Rows written by one statement.
const BATCH: u32 = 50_000;
/// How often each question is asked; the median counts, and the first time is not in it.
const ASKED: usize = 11;

/// What is asked: name, statement, goal.
const QUESTIONS: [(&str, &str, &str); 9] = [
    (
        "crdt_history of a row with 100 ops",
        "SELECT count(value) FROM crdt_history('big', '1')",
        "10 ms",
    ),
    (
        "crdt_as_of_block of that row",
        "SELECT crdt_as_of_block('big', 1, '1') IS NULL",
        "",
    ),
    (
        "crdt_op_proof",
        "SELECT length(crdt_op_proof(node_id, {middle})::text) FROM crdt_nodes",
        "3 ms",
    ),
    (
        "crdt_block_ops of a block",
        "SELECT count(change) FROM crdt_block_ops({height})",
        "",
    ),
    (
        "crdt_ops by a rare actor",
        "SELECT count(*) FROM crdt_ops WHERE actor = 'bench_auditor'",
        "",
    ),
    (
        "crdt_ops by a rare kind",
        "SELECT count(*) FROM crdt_ops WHERE kind = 'schema'",
        "",
    ),
    (
        "crdt_ops by a small table",
        "SELECT count(*) FROM crdt_ops WHERE table_name = 'public.small'",
        "",
    ),
    (
        "crdt_ops by node and number",
        "SELECT count(change) FROM crdt_ops WHERE origin = 'a' AND seq BETWEEN {middle} AND {middle} + 99",
        "",
    ),
    (
        "crdt_ops by time, 100 ms of it",
        "SELECT count(*) FROM crdt_ops WHERE at BETWEEN '{at}' AND timestamptz '{at}' + interval '100 ms'",
        "",
    ),
];

pub fn measure(_extent: Extent) -> Outcome<String> {
    let wanted = number("BENCH_HISTORY_OPS", 200_000)?;
    let cluster = Cluster::start_direct("bench-history", &["a"], &Options::with_extension())?;
    let mut session = cluster[0].session()?;
    let begin = Instant::now();
    fill(&cluster, &mut session, wanted)?;
    let filled = begin.elapsed().as_secs_f64();
    session.run("VACUUM ANALYZE crdt.op, crdt.block_range, crdt.segment, crdt.tile, big")?;
    let middle = i64::from(wanted / 2);
    let at = session.text(&format!("SELECT at FROM crdt_ops WHERE seq = {middle}"))?;
    let height = session.text(&format!("SELECT height FROM crdt_ops WHERE seq = {middle}"))?;
    let mut table = Table::new(&["question", "median", "goal"]);
    for (name, sql, goal) in QUESTIONS {
        let sql = sql
            .replace("{middle}", &middle.to_string())
            .replace("{height}", &height)
            .replace("{at}", &at);
        let times: Vec<f64> = (0..=ASKED)
            .map(|_| timed(&mut session, &sql))
            .collect::<Outcome<_>>()?;
        let time = median(times.into_iter().skip(1));
        table.row(&[
            name.to_owned(),
            format!("{:.2} ms", time * 1e3),
            goal.to_owned(),
        ]);
    }
    let whole = timed(&mut session, "SELECT count(*) FROM verify_table('big')")?;
    table.row(&[
        "verify_table".to_owned(),
        format!("{whole:.1} s"),
        String::new(),
    ]);
    let then = timed(
        &mut session,
        "SELECT count(*) FROM crdt_table_as_of_time('big', 'infinity')",
    )?;
    table.row(&[
        "crdt_table_as_of_time".to_owned(),
        format!("{then:.1} s"),
        String::new(),
    ]);
    let size = session.text(
        "SELECT pg_size_pretty(pg_total_relation_size('crdt.op')) || ', of which op_search ' ||
                pg_size_pretty(pg_relation_size('crdt.op_search'))",
    )?;
    let ops = session.text("SELECT count(*) FROM crdt.op")?;
    Ok(format!(
        "Questions to a log of {ops} ops ({size}), filled in {filled:.0} s\n{table}"
    ))
}

fn timed(session: &mut Session, sql: &str) -> Outcome<f64> {
    let begin = Instant::now();
    session.text(sql)?;
    Ok(begin.elapsed().as_secs_f64())
}

/// Half of the ops insert rows, the others update them. Row 1 is updated in between.
fn fill(cluster: &Cluster, session: &mut Session, wanted: u32) -> Outcome {
    session.run(
        "CREATE ROLE bench_auditor SUPERUSER;
         CREATE TABLE big (id bigint PRIMARY KEY, n pn_counter NOT NULL, note text);
         CREATE TABLE small (id bigint PRIMARY KEY, n pn_counter NOT NULL);
         SELECT crdt_track('big'), crdt_track('small')",
    )?;
    let rows = wanted / 2;
    let batches = rows.div_ceil(BATCH) * 2;
    let mut batch = 0;
    for sql in [
        "INSERT INTO big SELECT i, 1, 'note ' || i FROM generate_series({from}, {to}) i",
        "UPDATE big SET n = n + 1 WHERE id BETWEEN {from} AND {to}",
    ] {
        for from in (1..=rows).step_by(BATCH as usize) {
            let to = (from + BATCH - 1).min(rows);
            let sql = sql
                .replace("{from}", &from.to_string())
                .replace("{to}", &to.to_string());
            session.run(&sql)?;
            batch += 1;
            let done = |batches_done: u32| {
                u64::from(OF_ROW) * u64::from(batches_done) / u64::from(batches)
            };
            for _ in done(batch - 1)..done(batch) {
                session.run("UPDATE big SET n = n + 1 WHERE id = 1")?;
            }
            if batch == batches / 2 {
                session.run(
                    "SET SESSION AUTHORIZATION bench_auditor; INSERT INTO small VALUES (1, 1);
                     RESET SESSION AUTHORIZATION",
                )?;
            }
            // So that the outbox does not grow without end.
            sealed(cluster)?;
        }
    }
    session.run("SELECT crdt_commit_block()")
}

fn sealed(cluster: &Cluster) -> Outcome {
    let server = &cluster[0];
    cluster.wait(LONG, "sealing to catch up", || {
        let left = server.number(
            "SELECT (SELECT count(*) FROM crdt.outbox_0) + (SELECT count(*) FROM crdt.outbox_1)",
        )?;
        Ok(if left < 10_000 {
            Ok(())
        } else {
            Err(format!("{left} in the outbox"))
        })
    })
}
