//! What tracking costs a writer: UPDATE of a tracked counter against UPDATE of a
//! bigint, on one server, with sealing running.

use harness::{Cluster, LONG, Options, Outcome, Pgbench, Table};

use crate::Extent;
use crate::median::median;

const ROWS: u32 = 10_000;
const CLIENTS: u32 = 8;

pub fn measure(extent: Extent) -> Outcome<String> {
    let cluster = Cluster::start_direct("bench-writes", &["a"], &Options::with_extension())?;
    let server = &cluster[0];
    server.run(&format!(
        "CREATE TABLE plain (id bigint PRIMARY KEY, n bigint NOT NULL);
         CREATE TABLE tracked (id bigint PRIMARY KEY, n pn_counter NOT NULL);
         INSERT INTO plain SELECT i, 0 FROM generate_series(1, {ROWS}) i;
         INSERT INTO tracked SELECT i, '0' FROM generate_series(1, {ROWS}) i;
         SELECT crdt_track('tracked')"
    ))?;
    let mut table = Table::new(&[
        "UPDATE, 8 clients",
        "bigint tps",
        "tracked tps",
        "time ratio",
        "goal",
        "sealed within",
    ]);
    for (name, id) in [
        ("spread rows", format!("random(1, {ROWS})")),
        ("one hot row", "1".to_owned()),
    ] {
        let mut rounds = Vec::new();
        for round in 0..extent.rounds {
            let run = |table: &str| -> Outcome<f64> {
                server.run("VACUUM plain, tracked")?;
                server.run("CHECKPOINT")?;
                let script = format!("\\set id {id}\nUPDATE {table} SET n = n + 1 WHERE id = :id;");
                Ok(Pgbench::new(script)
                    .clients(CLIENTS)
                    .seconds(extent.seconds)
                    .run(server)?
                    .tps)
            };
            // Who goes first changes, so that a drift of the machine hits both.
            let (plain, tracked, behind) = if round % 2 == 0 {
                let plain = run("plain")?;
                let tracked = run("tracked")?;
                (plain, tracked, sealed_after(&cluster)?)
            } else {
                let tracked = run("tracked")?;
                let behind = sealed_after(&cluster)?;
                (run("plain")?, tracked, behind)
            };
            rounds.push((plain, tracked, behind));
        }
        table.row(&[
            name.to_owned(),
            format!("{:.0}", median(rounds.iter().map(|round| round.0))),
            format!("{:.0}", median(rounds.iter().map(|round| round.1))),
            format!(
                "{:.2}",
                median(rounds.iter().map(|round| round.0 / round.1))
            ),
            "1.15".to_owned(),
            format!("{:.1} s", median(rounds.iter().map(|round| round.2))),
        ]);
    }
    Ok(format!("What tracking costs a writer\n{table}"))
}

/// Seconds until all that was committed is sealed: a ratio with sealing left behind
/// would be none.
fn sealed_after(cluster: &Cluster) -> Outcome<f64> {
    let begin = std::time::Instant::now();
    let server = &cluster[0];
    cluster.wait(LONG, "sealing to catch up", || {
        let left = server.number(
            "SELECT (SELECT count(*) FROM crdt.outbox_0) + (SELECT count(*) FROM crdt.outbox_1)",
        )?;
        Ok(if left == 0 {
            Ok(())
        } else {
            Err(format!("{left} in the outbox"))
        })
    })?;
    Ok(begin.elapsed().as_secs_f64())
}
