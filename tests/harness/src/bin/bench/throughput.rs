//! What syncing carries: updates a second that arrive on b while a writes flat out,
//! and the time to catch up after 100,000 updates made while b was down.

use std::time::{Duration, Instant};

use harness::{Cluster, Outcome, Pgbench, Table};

use crate::median::median;
use crate::{Extent, native};

const ROWS: u32 = 10_000;
const CLIENTS: u32 = 8;
const OFFLINE_EACH: u32 = 12_500;
const LIMIT: Duration = Duration::from_secs(600);

/// One way of syncing: its table, and what reads a column as a number.
const WAYS: [(&str, &str); 2] = [("plain", "n"), ("tracked", "n::bigint")];

#[derive(Default)]
struct Figures {
    written: f64,
    arrived: f64,
    caught_up: f64,
}

pub fn measure(extent: Extent) -> Outcome<String> {
    let mut cluster = Cluster::start_direct("bench-throughput", &["a", "b"], &native::options())?;
    native::replicate(
        &cluster,
        "plain",
        "CREATE TABLE plain (id bigint PRIMARY KEY, n bigint NOT NULL)",
    )?;
    cluster[0].run(&format!(
        "INSERT INTO plain SELECT i, 0 FROM generate_series(1, {ROWS}) i;
         CREATE TABLE tracked (id bigint PRIMARY KEY, n pn_counter NOT NULL);
         INSERT INTO tracked SELECT i, '0' FROM generate_series(1, {ROWS}) i;
         SELECT crdt_track('tracked')"
    ))?;
    cluster.wait_for_table("tracked")?;
    for (table, _) in WAYS {
        cluster.wait_all(&format!("SELECT count(*) FROM {table}"), &ROWS.to_string())?;
    }
    let mut rounds: [Vec<Figures>; 2] = Default::default();
    for _ in 0..extent.rounds {
        for ((table, value), figures) in WAYS.iter().zip(&mut rounds) {
            let (written, arrived) = flat_out(&cluster, table, value, extent.seconds)?;
            let caught_up = catch_up(&mut cluster, table, value)?;
            figures.push(Figures {
                written,
                arrived,
                caught_up,
            });
        }
    }
    let middle = |way: usize, of: fn(&Figures) -> f64| median(rounds[way].iter().map(of));
    let mut table = Table::new(&[
        "updates of spread rows",
        "native logical",
        "blockchain_crdt",
        "ours / native",
        "goal",
    ]);
    let mut row = |name: &str, of: fn(&Figures) -> f64, unit: &str, goal: &str, flip: bool| {
        let (native, ours) = (middle(0, of), middle(1, of));
        let ratio = if flip { native / ours } else { ours / native };
        table.row(&[
            name.to_owned(),
            format!("{native:.0}{unit}"),
            format!("{ours:.0}{unit}"),
            format!("{ratio:.2}"),
            goal.to_owned(),
        ]);
    };
    row("written on a, per second", |f| f.written, "", "", false);
    row(
        "arrived on b meanwhile, per second",
        |f| f.arrived,
        "",
        "0.50",
        false,
    );
    row(
        "100,000 made while b was down, per second",
        |f| 100_000.0 / f.caught_up,
        "",
        "0.50",
        false,
    );
    row(
        "the same, seconds to catch up (speed)",
        |f| f.caught_up,
        " s",
        "",
        true,
    );
    Ok(format!(
        "What syncing carries (signed and verified by us, neither by native)\n{table}"
    ))
}

fn script(table: &str) -> Pgbench {
    let script =
        format!("\\set id random(1, {ROWS})\nUPDATE {table} SET n = n + 1 WHERE id = :id;");
    Pgbench::new(script).clients(CLIENTS)
}

/// Updates a second on a, and those of them that b shows when a stops.
fn flat_out(cluster: &Cluster, table: &str, value: &str, seconds: u32) -> Outcome<(f64, f64)> {
    let sum = format!("SELECT sum({value})::bigint FROM {table}");
    let before = cluster[1].number(&sum)?;
    let begin = Instant::now();
    let report = script(table).seconds(seconds).run(&cluster[0])?;
    let length = begin.elapsed().as_secs_f64();
    let arrived = cluster[1].number(&sum)? - before;
    wait_equal(cluster, &sum)?;
    Ok((report.tps, arrived as f64 / length))
}

/// Seconds from when b is up again until it shows everything.
fn catch_up(cluster: &mut Cluster, table: &str, value: &str) -> Outcome<f64> {
    let sum = format!("SELECT sum({value})::bigint FROM {table}");
    cluster.node_mut("b")?.stop()?;
    script(table)
        .transactions_each(OFFLINE_EACH, LIMIT)
        .run(&cluster[0])?;
    cluster.node_mut("b")?.launch()?;
    let begin = Instant::now();
    wait_equal(cluster, &sum)?;
    Ok(begin.elapsed().as_secs_f64())
}

fn wait_equal(cluster: &Cluster, sum: &str) -> Outcome {
    let wanted = cluster[0].number(sum)?;
    cluster.wait(LIMIT, &format!("b to catch up: {sum}"), || {
        let now = cluster[1].number(sum)?;
        Ok(if now == wanted {
            Ok(())
        } else {
            Err(format!("{now} of {wanted}"))
        })
    })
}
