//! verify_table, where rows and ops are in motion: it names what somebody changed behind
//! the triggers, and nothing else.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use harness::{Cluster, EVERY_TYPE, Failure, Options, Outcome, Pgbench, write_every_type};

const FINDINGS: &str =
    "SELECT t.relation::text, f.* FROM crdt_tracked t, verify_table(t.relation) f LIMIT 20";

/// The most memory that the session's process has had, in kB.
const PEAK: &str =
    "SELECT substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\\s*(\\d+)')::bigint";

/// Updates of the same few rows by the operators of each type, insertions and deletions of
/// rows of one's own: a deletion that meets another member's insertion of the key before it is
/// committed is a case by itself (docs/architecture.md, promise 3).
fn mix(first: u32) -> String {
    let writes = write_every_type("1 + :id % 5", "('w' || :id)::text", ":amount");
    r"
    \set id random(1, 20)
    \set amount random(1, 3)
    INSERT INTO every (id, g, pn, b, os, aw, ls, lm, om, cart, list, body, vector, time)
        VALUES (FIRST + :id, '0', '0', '10 floor 3', '{}', '{}', '{}', '{}', '{}', '{}', '[]', 'start', '{}', '-infinity')
        ON CONFLICT DO NOTHING;
    DELETE FROM every WHERE id = FIRST + (:id * 7) % 20;
    "
    .replace("FIRST", &first.to_string())
        + &writes
}

/// Rows that change while they are verified, here and on a peer, are no forgeries: a false
/// alarm would teach people not to look.
#[test]
fn writers_raise_no_false_alarm() -> Outcome {
    let cluster = Cluster::start("rows-load", &["a", "b"], &Options::with_extension())?;
    cluster[0].run(EVERY_TYPE)?;
    cluster.wait_for_table("every")?;
    cluster.wait_all("SELECT count(*) FROM every", "5")?;
    let load = |first| Pgbench::new(mix(first)).clients(3).seconds(8);
    let loads = [load(100), load(200)];
    let done = AtomicBool::new(false);
    let looked = thread::scope(|scope| {
        let watchers: Vec<_> = cluster
            .nodes()
            .iter()
            .map(|node| {
                let done = &done;
                scope.spawn(move || -> Outcome<u32> {
                    let mut session = node.session()?;
                    let mut looked = 0;
                    while !done.load(Ordering::Relaxed) {
                        let found = session.rows(FINDINGS)?;
                        if !found.is_empty() {
                            return Err(Failure::new(format!("{}: {found:?}", node.name())));
                        }
                        looked += 1;
                    }
                    Ok(looked)
                })
            })
            .collect();
        let runs: Vec<_> = cluster
            .nodes()
            .iter()
            .zip(&loads)
            .map(|(node, load)| scope.spawn(|| Pgbench::run(load, node)))
            .collect();
        let written: Result<Vec<_>, _> = runs
            .into_iter()
            .map(|run| {
                run.join()
                    .unwrap_or_else(|_| Err(Failure::new("a load thread panicked")))
            })
            .collect();
        done.store(true, Ordering::Relaxed);
        let looked: Result<Vec<_>, _> = watchers
            .into_iter()
            .map(|it| {
                it.join()
                    .unwrap_or_else(|_| Err(Failure::new("a watcher panicked")))
            })
            .collect();
        written.and(looked)
    })?;
    println!("verified {looked:?} times under load");
    assert!(looked.iter().all(|times| *times > 3), "{looked:?}");
    cluster.wait_equal("every")?;
    cluster.verify_all()
}

/// What a peer left NULL must not get a default of this database's own: rows would differ
/// from those of all others.
#[test]
fn a_peers_null_is_no_default() -> Outcome {
    let cluster = Cluster::start("rows-null", &["a", "b"], &Options::with_extension())?;
    for node in cluster.nodes() {
        node.run("CREATE TABLE page (id bigint PRIMARY KEY, views pn_counter DEFAULT '7', note text DEFAULT 'none')")?;
    }
    cluster[0].run("SELECT crdt_track('page')")?;
    cluster.wait_for_table("page")?;
    cluster[0].run("INSERT INTO page VALUES (1, NULL, NULL), (2, 3, 'x')")?;
    cluster.wait_all("SELECT count(*) FROM page", "2")?;
    cluster.wait_all(
        "SELECT views IS NULL AND note IS NULL FROM page WHERE id = 1",
        "t",
    )?;
    cluster.wait_equal("page")?;
    cluster.verify_all()
}

/// A row that only one member refuses differs there from the log: its administrator is told
/// so, and why, and is not accused of forging it.
#[test]
fn a_refused_op_is_named_as_such() -> Outcome {
    let cluster = Cluster::start("rows-refused", &["a", "b"], &Options::with_extension())?;
    cluster[0].run("CREATE TABLE page (id bigint PRIMARY KEY, views pn_counter, note text); SELECT crdt_track('page')")?;
    cluster.wait_for_table("page")?;
    cluster[1].run("ALTER TABLE page ADD CHECK (note <> 'never')")?;
    cluster[0].run(
        "INSERT INTO page VALUES (1, '1', 'a'), (2, '1', 'never');
         UPDATE page SET note = 'never' WHERE id = 1; INSERT INTO page VALUES (3, '1', 'c')",
    )?;
    cluster.wait_all("SELECT count(*) FROM page WHERE id = 3", "1")?;
    let mut there = cluster[1].session()?;
    let found = there.rows("SELECT kind, row_key FROM verify_table('page') ORDER BY row_key")?;
    let kinds: Vec<_> = found
        .iter()
        .flatten()
        .flatten()
        .map(String::as_str)
        .collect();
    assert_eq!(kinds, ["op_refused", "1", "op_refused", "2"]);
    assert!(there.is(
        "SELECT bool_and(detail LIKE '%violates check constraint%') FROM verify_table('page')"
    )?);
    assert!(cluster[0].session()?.rows(FINDINGS)?.is_empty());
    // What is written over it later makes the row the log's again.
    cluster[0].run("UPDATE page SET note = 'good' WHERE id = 1")?;
    cluster.wait_all("SELECT note FROM page WHERE id = 1", "good")?;
    there.rows("SELECT 1")?;
    let found = there.rows("SELECT row_key FROM verify_table('page')")?;
    assert_eq!(found.len(), 1, "{found:?}");
    Ok(())
}

/// Tracked anew after changes that nobody logged, on all members: no row is accused for what
/// happened while it was free, and a forgery made after that is still found, where it is.
#[test]
fn tracked_anew_on_all_members() -> Outcome {
    let cluster = Cluster::start("rows-anew", &["a", "b"], &Options::with_extension())?;
    cluster[0].run(
        "CREATE TABLE page (id bigint PRIMARY KEY, views pn_counter, note text);
         INSERT INTO page SELECT i, '1', 'n' FROM generate_series(1, 50) i; SELECT crdt_track('page')",
    )?;
    cluster.wait_for_table("page")?;
    cluster.wait_all("SELECT count(*) FROM page", "50")?;
    cluster[1].run("UPDATE page SET views = views + 1; DELETE FROM page WHERE id <= 10")?;
    cluster.wait_all("SELECT count(*) FROM page", "40")?;
    cluster.wait_equal("page")?;
    cluster[0].run("SELECT crdt_untrack('page')")?;
    cluster.wait_all("SELECT count(*) FROM crdt_tracked", "0")?;
    for node in cluster.nodes() {
        node.run("UPDATE page SET note = 'free'; INSERT INTO page VALUES (5, '5', 'free')")?;
    }
    cluster[0].run("SELECT crdt_track('page')")?;
    cluster.wait_for_table("page")?;
    cluster[0].run("UPDATE page SET views = views + 1")?;
    cluster.wait_all(
        "SELECT sum(views::bigint) FROM page",
        &(40 * 3 + 6).to_string(),
    )?;
    cluster[1].run("UPDATE page SET note = 'tracked'; DELETE FROM page WHERE id = 5")?;
    cluster.wait_all("SELECT count(*) FROM page WHERE note = 'tracked'", "40")?;
    cluster.wait_equal("page")?;
    cluster.verify_all()?;
    cluster[1].run(
        "SET session_replication_role = replica; UPDATE page SET note = 'forged' WHERE id = 20",
    )?;
    let found = cluster[1]
        .session()?
        .rows("SELECT kind, row_key, column_name, expected, found FROM verify_table('page')")?;
    let found: Vec<_> = found
        .iter()
        .flatten()
        .flatten()
        .map(String::as_str)
        .collect();
    assert_eq!(found, ["row_altered", "20", "note", "tracked", "forged"]);
    assert!(cluster[0].session()?.rows(FINDINGS)?.is_empty());
    Ok(())
}

/// What is asked of a whole table must not take memory for each of its rows: a large one would
/// bring the server down.
#[test]
fn a_large_table_takes_no_memory_for_each_row() -> Outcome {
    // What a process shares with others counts as its own in this figure, and so does the compiler.
    let options = Options::with_extension()
        .set("shared_buffers", "16MB")
        .set("jit", "off");
    let cluster = Cluster::start("rows-memory", &["a"], &options)?;
    let mut session = cluster[0].session()?;
    session.run(
        "CREATE TABLE big (id bigint PRIMARY KEY, views pn_counter, note text);
         SELECT crdt_track('big');
         INSERT INTO big SELECT i, i, 'note ' || i FROM generate_series(1, 40000) i",
    )?;
    session.run("SELECT crdt_commit_block()")?;
    let mut session = cluster[0].session()?;
    let before = session.number(PEAK)?;
    for sql in [
        "SELECT count(*) FROM verify_table('big')",
        "SELECT count(*) FROM crdt_table_as_of_time('big', 'infinity')",
        "SELECT count(*) FROM crdt_ops WHERE change <> ''",
        "SELECT length(crdt_table_digest('big'))",
    ] {
        session.text(sql)?;
    }
    let grown = session.number(PEAK)? - before;
    // In kB. With a row's words kept it was four kilobytes a row.
    assert!(grown < 64 << 10, "{grown} kB more");
    Ok(())
}
