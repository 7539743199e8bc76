//! Sealing when transactions commit in another order than they wrote.

use std::thread;

use harness::{Cluster, Failure, LONG, Options, Outcome, Pgbench, Random, Session};

const ROWS: u64 = 8;

fn pair(label: &str) -> Outcome<Cluster> {
    let cluster = Cluster::start(label, &["a", "b"], &Options::with_extension())?;
    cluster[0].run("CREATE TABLE account (id bigint PRIMARY KEY, n pn_counter NOT NULL)")?;
    cluster[0].run(&format!(
        "INSERT INTO account SELECT i, '0' FROM generate_series(0, {ROWS} - 1) i"
    ))?;
    cluster[0].run("SELECT crdt_track('account')")?;
    cluster.wait_for_table("account")?;
    cluster.wait_all("SELECT count(*) FROM account", &ROWS.to_string())?;
    Ok(cluster)
}

/// A transaction that wrote first and commits last would be skipped by sealing that
/// takes what lies above a number.
#[test]
fn a_late_commit_is_not_skipped() -> Outcome {
    let cluster = pair("order")?;
    let mut early = cluster[0].session()?;
    early.run("BEGIN; UPDATE account SET n = n + 1 WHERE id = 0")?;
    for round in 1..=5 {
        cluster[0].run("UPDATE account SET n = n + 10 WHERE id = 1")?;
        cluster.wait_all(
            "SELECT n::bigint FROM account WHERE id = 1",
            &(10 * round).to_string(),
        )?;
    }
    assert_eq!(
        cluster[1].number("SELECT n::bigint FROM account WHERE id = 0")?,
        0
    );
    early.run("COMMIT")?;
    cluster.wait_all("SELECT n::bigint FROM account WHERE id = 0", "1")?;
    cluster.wait_equal("account")?;
    cluster.verify_all()
}

/// Many overlapping transactions, some rolled back, some with savepoints: the peer
/// gets exactly what was committed, and numbers have no gap.
#[test]
fn overlapping_transactions_are_all_sealed() -> Outcome {
    let mut random = Random::seeded(7);
    let cluster = pair("overlap")?;
    let mut open: Vec<(Session, i64, u64)> = Vec::new();
    let mut free: Vec<u64> = (0..ROWS).collect();
    let mut wanted = 0;
    for _ in 0..300 {
        let begin = !free.is_empty() && (open.is_empty() || random.below(2) == 0);
        if begin {
            let row = free
                .swap_remove(usize::try_from(random.below(free.len() as u64)).unwrap_or_default());
            let mut session = cluster[0].session()?;
            session.run(&format!(
                "BEGIN; UPDATE account SET n = n + 3 WHERE id = {row};
                 SAVEPOINT s; UPDATE account SET n = n + 100 WHERE id = {row}; ROLLBACK TO s;
                 UPDATE account SET n = n - 1 WHERE id = {row}"
            ))?;
            open.push((session, 2, row));
        } else {
            let chosen = usize::try_from(random.below(open.len() as u64)).unwrap_or_default();
            let (mut session, amount, row) = open.swap_remove(chosen);
            if random.below(4) == 0 {
                session.run("ROLLBACK")?;
            } else {
                session.run("COMMIT")?;
                wanted += amount;
            }
            free.push(row);
        }
    }
    for (mut session, amount, _) in open {
        session.run("COMMIT")?;
        wanted += amount;
    }
    cluster.wait_all("SELECT sum(n::bigint) FROM account", &wanted.to_string())?;
    cluster.wait_equal("account")?;
    cluster.wait_all("SELECT bool_and(ok) FROM (SELECT count(*) = max(seq) AS ok FROM crdt.op GROUP BY origin) o", "t")?;
    cluster.verify_all()
}

/// A transaction that read another's result must not arrive before it.
#[test]
fn what_follows_arrives_after() -> Outcome {
    let cluster = pair("causal")?;
    cluster[0]
        .run("CREATE TABLE log (id bigint PRIMARY KEY, seen bigint); SELECT crdt_track('log')")?;
    cluster.wait_for_table("log")?;
    for round in 1..=200 {
        cluster[0].run("UPDATE account SET n = n + 1 WHERE id = 0")?;
        cluster[0].run(&format!(
            "INSERT INTO log SELECT {round}, n::bigint FROM account WHERE id = 0"
        ))?;
        let late = cluster[1].number(
            "SELECT count(*) FROM log WHERE seen > (SELECT n::bigint FROM account WHERE id = 0)",
        )?;
        assert_eq!(
            late, 0,
            "round {round}: a row that tells of a count arrived before the count"
        );
    }
    cluster.wait_all("SELECT count(*) FROM log", "200")
}

/// More than the node holds in memory, in one transaction and in many at once: all of it arrives,
/// what follows comes after it, and the outbox is empty in the end.
#[test]
fn a_flood_arrives_whole_and_in_order() -> Outcome {
    const FLOOD: u64 = 250_000;
    let cluster = pair("flood")?;
    cluster[0].run(
        "CREATE TABLE item (id bigint PRIMARY KEY, note text);
         CREATE TABLE told (id bigint PRIMARY KEY, items bigint);
         SELECT crdt_track('item'), crdt_track('told')",
    )?;
    cluster.wait_for_table("item")?;
    cluster.wait_for_table("told")?;
    thread::scope(|scope| {
        let beside = scope.spawn(|| {
            let many = Pgbench::new("UPDATE account SET n = n + 1 WHERE id = 1;");
            many.clients(2).seconds(4).run(&cluster[0])
        });
        cluster[0].run(&format!(
            "INSERT INTO item SELECT i, repeat('x', 100) || i FROM generate_series(1, {FLOOD}) i"
        ))?;
        cluster[0].run("INSERT INTO told SELECT 1, count(*) FROM item")?;
        let early = "SELECT count(*) FROM told WHERE items > (SELECT count(*) FROM item)";
        cluster.wait(LONG, "the flood to arrive", || {
            assert_eq!(cluster[1].number(early)?, 0, "told before it arrived");
            let told = cluster[1].number("SELECT count(*) FROM told")?;
            Ok((told == 1)
                .then_some(())
                .ok_or_else(|| "not yet".to_owned()))
        })?;
        let report = beside
            .join()
            .map_err(|_| Failure::new("the load panicked"))??;
        assert_eq!(report.failed, 0);
        let done = report.transactions.to_string();
        cluster.wait_all("SELECT n::bigint FROM account WHERE id = 1", &done)
    })?;
    for table in ["account", "item", "told"] {
        cluster.wait_equal(table)?;
    }
    cluster.wait_all(
        "SELECT (SELECT count(*) FROM crdt.outbox_0) + (SELECT count(*) FROM crdt.outbox_1)",
        "0",
    )?;
    cluster.verify_all()
}
