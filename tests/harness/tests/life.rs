//! Life of a node in its server: what is not set up, taken away, killed or unreachable
//! ends in a clear message or in going on, never in a hang.

use std::time::{Duration, Instant};

use harness::{Cluster, Folder, LONG, Options, Outcome, Pgbench, Place, SHORT, Server, wait_until};

const TABLE: &str =
    "CREATE TABLE page (id bigint PRIMARY KEY, views pn_counter); SELECT crdt_track('page')";
const WORKERS: &str = "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE '%blockchain_crdt%' AND datname = 'app'";

fn alone(label: &str, options: &Options) -> Outcome<(Folder, Server)> {
    let place = Place::find()?;
    let folder = Folder::fresh(&place, label)?;
    let server = Server::start(&place, folder.path(), "one", options)?;
    Ok((folder, server))
}

fn pair(label: &str) -> Outcome<Cluster> {
    let cluster = Cluster::start(label, &["a", "b"], &Options::with_extension())?;
    cluster[0].run(TABLE)?;
    cluster.wait_for_table("page")?;
    Ok(cluster)
}

/// Adds a page on the first node and sees it arrive on all.
fn still_syncs(cluster: &Cluster, id: i64) -> Outcome {
    cluster[0].run(&format!("INSERT INTO page VALUES ({id}, '{id}')"))?;
    cluster.wait_all(
        &format!("SELECT views::bigint FROM page WHERE id = {id}"),
        &id.to_string(),
    )
}

fn wait_for_workers(server: &Server, wanted: &str) -> Outcome {
    wait_until(SHORT, &format!("{wanted} workers in app"), || {
        let now = server.session_on("postgres")?.text(WORKERS)?;
        Ok(if now == wanted {
            Ok(())
        } else {
            Err(format!("{now}\n{}", server.log_tail(20)))
        })
    })
}

/// Whoever forgets the library in postgresql.conf is told the line to add.
#[test]
fn without_preload_the_line_to_set_is_told() -> Outcome {
    let (_folder, server) = alone("preload", &Options::plain())?;
    let refused = server
        .session()?
        .refused("CREATE EXTENSION blockchain_crdt")?;
    assert!(
        refused.contains("shared_preload_libraries") && refused.contains("blockchain_crdt"),
        "{refused}"
    );
    assert!(
        refused.contains("HINT") && !refused.contains("XX000"),
        "{refused}"
    );
    assert_eq!(server.number("SELECT 1")?, 1);
    Ok(())
}

/// DROP EXTENSION ends at once although the worker is busy with it, the worker
/// leaves, and the extension can be created anew.
#[test]
fn drop_extension_and_create_again() -> Outcome {
    let (_folder, server) = alone("dropext", &Options::with_extension())?;
    server.run("CREATE EXTENSION blockchain_crdt")?;
    wait_for_workers(&server, "1")?;
    server.run(TABLE)?;
    server.run("INSERT INTO page SELECT i, '1' FROM generate_series(1, 2000) i")?;
    let begin = Instant::now();
    server.run("SET statement_timeout = '20s'; DROP EXTENSION blockchain_crdt CASCADE")?;
    println!("DROP EXTENSION took {:?}", begin.elapsed());
    // What people stored in plain columns stays, and the table can be written.
    assert_eq!(server.number("SELECT count(*) FROM page")?, 2000);
    server.run("INSERT INTO page (id) VALUES (-1)")?;
    wait_for_workers(&server, "0")?;
    server.run("DROP TABLE page")?;
    server.run("CREATE EXTENSION blockchain_crdt")?;
    server.run(TABLE)?;
    server.run("INSERT INTO page VALUES (1, '1')")?;
    wait_for_workers(&server, "1")?;
    assert_eq!(
        server.text("SELECT crdt_commit_block() > 0 AND verify_chain()")?,
        "t"
    );
    Ok(())
}

/// DROP DATABASE and DROP DATABASE ... WITH (FORCE) do not hang on the worker.
#[test]
fn drop_database() -> Outcome {
    let (_folder, server) = alone("dropdb", &Options::with_extension())?;
    for drop in ["DROP DATABASE app", "DROP DATABASE app WITH (FORCE)"] {
        server.run("CREATE EXTENSION blockchain_crdt")?;
        server.run(TABLE)?;
        wait_for_workers(&server, "1")?;
        let mut session = server.session_on("postgres")?;
        session.run("SET statement_timeout = '30s'")?;
        session.run(drop)?;
        session.run("CREATE DATABASE app")?;
    }
    wait_for_workers(&server, "0")
}

/// A rolled back CREATE EXTENSION leaves nothing running and no error every second.
#[test]
fn create_extension_rolled_back() -> Outcome {
    let (_folder, server) = alone("rollback", &Options::with_extension())?;
    server.run("BEGIN; CREATE EXTENSION blockchain_crdt; ROLLBACK")?;
    wait_for_workers(&server, "0")?;
    server.run("CREATE EXTENSION blockchain_crdt")?;
    wait_for_workers(&server, "1")?;
    assert!(!server.log().contains("PANIC"), "{}", server.log_tail(30));
    Ok(())
}

/// A worker that is terminated, or killed with all of the server's backends after
/// it, comes back and loses nothing.
#[test]
fn worker_death() -> Outcome {
    let cluster = pair("worker")?;
    still_syncs(&cluster, 1)?;
    let worker = WORKERS.replace("count(*)", "min(pid)");
    for (round, end) in ["TERM", "KILL", "TERM"].into_iter().enumerate() {
        let server = &cluster[0];
        let pid = server.text(&worker)?;
        server.run(&format!("INSERT INTO page VALUES ({}, '1')", 100 + round))?;
        let sent = std::process::Command::new("kill")
            .args([&format!("-{end}"), &pid])
            .status()?;
        assert!(sent.success(), "kill -{end} {pid}");
        wait_until(LONG, &format!("a new worker after {end}"), || {
            // After a KILL the server itself starts again meanwhile.
            let now = server
                .session()
                .and_then(|mut session| session.text(&worker));
            Ok(match now {
                Ok(now) if now != pid => Ok(()),
                other => Err(format!("{other:?}")),
            })
        })?;
        still_syncs(&cluster, 10 + round as i64)?;
        cluster.wait_all(
            &format!("SELECT views::bigint FROM page WHERE id = {}", 100 + round),
            "1",
        )?;
    }
    cluster.wait_equal("page")?;
    cluster.verify_all()
}

/// A setting takes effect by reload alone, in the worker too.
#[test]
fn reload() -> Outcome {
    let options = Options::with_extension().set("blockchain_crdt.block_interval", "1h");
    let (_folder, server) = alone("reload", &options)?;
    server.run("CREATE EXTENSION blockchain_crdt")?;
    server.run(TABLE)?;
    server.run("SELECT crdt_commit_block()")?;
    let before = server.number("SELECT max(height) FROM crdt_blocks")?;
    server.run("INSERT INTO page VALUES (1, '1')")?;
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(
        server.number("SELECT max(height) FROM crdt_blocks")?,
        before,
        "the interval is an hour"
    );
    server.set("blockchain_crdt.block_interval", "100ms")?;
    wait_until(SHORT, "a block after the reload", || {
        let now = server.number("SELECT max(height) FROM crdt_blocks")?;
        Ok(if now > before {
            Ok(())
        } else {
            Err(format!("height {now}"))
        })
    })
}

/// All peers away: writes go on at once, and arrive when the peers are back.
/// Who verifies the chain every minute must not be woken by what is being written.
#[test]
fn a_growing_chain_is_sound() -> Outcome {
    let (_folder, server) = alone("growing", &Options::with_extension())?;
    server.run("CREATE EXTENSION blockchain_crdt")?;
    server.run(TABLE)?;
    server.run("INSERT INTO page SELECT i, '0' FROM generate_series(1, 100) i")?;
    let load =
        Pgbench::new("\\set id random(1, 100)\nUPDATE page SET views = views + 1 WHERE id = :id;")
            .clients(4)
            .seconds(5)
            .begin_until_broken(&server)?;
    let begin = Instant::now();
    let mut looks = 0;
    while begin.elapsed() < Duration::from_secs(4) {
        let found = server.text("SELECT coalesce(string_agg(kind, ', '), '') FROM scan_chain()")?;
        assert_eq!(found, "", "after {looks} looks");
        looks += 1;
    }
    assert!(load.end()?.transactions > 100 && looks > 5);
    Ok(())
}

#[test]
fn full_peer_outage() -> Outcome {
    let mut cluster = Cluster::three_nodes("peers")?;
    cluster[0].run(TABLE)?;
    cluster.wait_for_table("page")?;
    still_syncs(&cluster, 1)?;
    cluster.node_mut("b")?.stop()?;
    cluster.node_mut("c")?.kill9()?;
    let begin = Instant::now();
    for id in 100..150 {
        cluster[0].run(&format!("INSERT INTO page VALUES ({id}, '1')"))?;
    }
    assert!(
        begin.elapsed() < Duration::from_secs(10),
        "writes wait for absent peers: {:?}",
        begin.elapsed()
    );
    cluster.node_mut("b")?.launch()?;
    cluster.node_mut("c")?.launch()?;
    // What came from peers just before the crash may be gone, the table with it; it
    // comes again.
    cluster.wait_for_table("page")?;
    cluster.wait_all("SELECT count(*) FROM page", "51")?;
    // The founder away: the others go on between themselves.
    cluster.node_mut("a")?.stop()?;
    cluster
        .node("b")?
        .run("INSERT INTO page VALUES (200, '1')")?;
    let c = cluster.node("c")?;
    wait_until(LONG, "the row to go from b to c", || {
        let count = c.text("SELECT count(*) FROM page")?;
        Ok(if count == "52" { Ok(()) } else { Err(count) })
    })?;
    cluster.node_mut("a")?.launch()?;
    cluster.wait_all("SELECT count(*) FROM page", "52")?;
    cluster.wait_equal("page")?;
    cluster.verify_all()
}

/// An invitation that is garbage, cut short, outdated or used up is refused with the
/// reason, and the node can join by a good one afterwards.
#[test]
fn wrong_invites() -> Outcome {
    let mut cluster = pair("invite")?;
    cluster.add_alone("c")?;
    let good = cluster[0].text("SELECT crdt_create_invite()")?;
    let short = &good[..good.len() - 5];
    let outdated = cluster[0].text("SELECT crdt_create_invite('1 millisecond')")?;
    std::thread::sleep(Duration::from_millis(50));
    let mut c = cluster.node("c")?.session()?;
    for (invite, what) in [
        ("", "empty"),
        ("hello", "garbage"),
        (short, "cut short"),
        (&outdated, "outdated"),
    ] {
        let refused = c.refused(&format!("SELECT crdt_join('{invite}')"))?;
        assert!(!refused.contains("XX000"), "{what}: {refused}");
        println!("{what}: {refused}");
    }
    // The inviter away: an error within a bounded time, not a hang.
    cluster.network.cut("a");
    let begin = Instant::now();
    let refused = c.refused(&format!("SELECT crdt_join('{good}')"))?;
    println!("inviter away: {refused}");
    assert!(
        begin.elapsed() < Duration::from_secs(60),
        "{:?}",
        begin.elapsed()
    );
    cluster.network.join("a");
    c.run(&format!("SELECT crdt_join('{good}')"))?;
    cluster.wait_for_members()?;
    still_syncs(&cluster, 7)?;
    // Used up: another node cannot come in by it.
    cluster.add_alone("d")?;
    let refused = cluster
        .node("d")?
        .session()?
        .refused(&format!("SELECT crdt_join('{good}')"))?;
    println!("used up: {refused}");
    Ok(())
}

/// A copied server's processes all miss the key file at once. If each made keys of its own, what
/// one of them wrote would be under a name that nobody has.
#[test]
fn a_copied_server_becomes_one_other_node() -> Outcome {
    let (_folder, mut server) = alone("copied", &Options::with_extension())?;
    server.run("CREATE EXTENSION blockchain_crdt")?;
    let database = server.text("SELECT oid FROM pg_database WHERE datname = 'app'")?;
    let file = server
        .folder()
        .join(format!("data/blockchain_crdt/{database}.key"));
    const NAME: &str = "SELECT crdt_node() ->> 'node_id'";
    let mut before = server.text(NAME)?;
    for _ in 0..5 {
        server.stop()?;
        std::fs::remove_file(&file)?;
        server.launch()?;
        let names: Vec<Outcome<String>> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| server.text(NAME))).collect();
            all.into_iter()
                .map(|one| {
                    one.join()
                        .unwrap_or_else(|_| Err(harness::Failure::new("a thread panicked")))
                })
                .collect()
        });
        let names = names.into_iter().collect::<Outcome<Vec<_>>>()?;
        assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
        assert_ne!(names[0], before);
        before.clone_from(&names[0]);
    }
    Ok(())
}
