//! What the types cost in SQL: the same change to a CRDT column and to a column of the
//! plain type, one client, and the bytes of WAL that each writes.

use harness::{Cluster, Options, Outcome, Pgbench, Server, Table};

use crate::Extent;
use crate::median::median;

/// Rows of each table, so that the few large values stay in memory.
const ROWS: u32 = 20;

/// A change, told for the plain type and for ours.
struct Work {
    name: &'static str,
    plain_type: &'static str,
    crdt_type: &'static str,
    /// SQL for the value that a row begins with.
    initial: &'static str,
    plain_change: &'static str,
    crdt_change: &'static str,
    goal: &'static str,
}

const WORKS: [Work; 3] = [
    Work {
        name: "counter + 1",
        plain_type: "bigint",
        crdt_type: "pn_counter",
        initial: "0",
        plain_change: "v + 1",
        crdt_change: "v + 1",
        goal: "1.05",
    },
    Work {
        name: "add to a set of 10,000",
        plain_type: "text[]",
        crdt_type: "aw_set",
        initial: "(SELECT array_agg(md5(i::text)) FROM generate_series(1, 10000) i)",
        plain_change: "array_append(v, :r::text)",
        crdt_change: "v + :r::text",
        goal: "",
    },
    Work {
        name: "one character into 100 KB",
        plain_type: "text",
        crdt_type: "rga_text",
        initial: "(SELECT string_agg(md5(i::text), ' ') FROM generate_series(1, 3100) i)",
        plain_change: "overlay(v placing 'x' from 1 + :r % 100000 for 0)",
        crdt_change: "crdt_insert(v, :r % 100000, 'x')",
        goal: "",
    },
];

/// What one change took.
struct Cost {
    tps: f64,
    wal: f64,
}

pub fn measure(extent: Extent) -> Outcome<String> {
    let cluster = Cluster::start_direct("bench-types", &["a"], &Options::with_extension())?;
    let server = &cluster[0];
    let mut table = Table::new(&[
        "UPDATE, 1 client",
        "plain tps",
        "CRDT tps",
        "time ratio",
        "goal",
        "tracked tps",
        "time ratio",
        "WAL bytes plain",
        "CRDT",
        "tracked",
    ]);
    for work in &WORKS {
        let mut rounds = Vec::new();
        for _ in 0..extent.rounds {
            let plain = run(
                server,
                work,
                "plain",
                work.plain_type,
                work.plain_change,
                extent,
            )?;
            let crdt = run(
                server,
                work,
                "crdt",
                work.crdt_type,
                work.crdt_change,
                extent,
            )?;
            let tracked = run(
                server,
                work,
                "tracked",
                work.crdt_type,
                work.crdt_change,
                extent,
            )?;
            rounds.push((plain, crdt, tracked));
        }
        let over = |read: fn(&(Cost, Cost, Cost)) -> f64| median(rounds.iter().map(read));
        table.row(&[
            work.name.to_owned(),
            format!("{:.0}", over(|(plain, ..)| plain.tps)),
            format!("{:.0}", over(|(_, crdt, _)| crdt.tps)),
            format!("{:.2}", over(|(plain, crdt, _)| plain.tps / crdt.tps)),
            work.goal.to_owned(),
            format!("{:.0}", over(|(.., tracked)| tracked.tps)),
            format!("{:.2}", over(|(plain, _, tracked)| plain.tps / tracked.tps)),
            format!("{:.0}", over(|(plain, ..)| plain.wal)),
            format!("{:.0}", over(|(_, crdt, _)| crdt.wal)),
            format!("{:.0}", over(|(.., tracked)| tracked.wal)),
        ]);
    }
    Ok(format!("What the types cost in SQL\n{table}"))
}

/// Changes rows of a fresh table of one column `v`; the column of a table called `tracked`
/// is synced and audited.
fn run(
    server: &Server,
    work: &Work,
    table: &str,
    type_name: &str,
    change: &str,
    extent: Extent,
) -> Outcome<Cost> {
    server.run(&format!(
        "CREATE TABLE {table} (id bigint PRIMARY KEY, v {type_name} NOT NULL);
         INSERT INTO {table} SELECT i, {} FROM generate_series(1, {ROWS}) i",
        work.initial
    ))?;
    if table == "tracked" {
        server.run("SELECT crdt_track('tracked'); UPDATE tracked SET v = v")?;
    }
    server.run(&format!("VACUUM {table}"))?;
    server.run("CHECKPOINT")?;
    let written =
        || server.number("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint");
    let before = written()?;
    let report = Pgbench::new(format!(
        "\\set id random(1, {ROWS})\n\\set r random(0, 1000000)\nUPDATE {table} SET v = {change} WHERE id = :id;"
    ))
    .clients(1)
    .seconds(extent.seconds)
    .run(server)?;
    let wal = (written()? - before) as f64 / report.transactions.max(1) as f64;
    if table == "tracked" {
        server.run("SELECT crdt_untrack('tracked')")?;
    }
    server.run(&format!("DROP TABLE {table}"))?;
    Ok(Cost {
        tps: report.tps,
        wal,
    })
}
