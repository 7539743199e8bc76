//! The harness itself, with nothing but PostgreSQL's own features: a cluster test
//! can only be believed if a kill kills, a cut cuts and a count counts.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use harness::{
    Attempts, Failure, Folder, Network, Options, Outcome, Pgbench, Place, Program, SHORT, Server,
    wait_until,
};

fn server(label: &str) -> Outcome<(Folder, Server)> {
    let place = Place::find()?;
    let folder = Folder::fresh(&place, label)?;
    let server = Server::start(&place, folder.path(), "one", &Options::plain())?;
    Ok((folder, server))
}

/// Acknowledged commits outlive a kill of every process, no process does, and the
/// server starts again on the same data.
#[test]
fn kill_and_start_again() -> Outcome {
    let (_folder, mut server) = server("kill")?;
    server.run(Attempts::TABLE)?;
    server.run("CREATE TABLE tally (id bigint PRIMARY KEY, n bigint); INSERT INTO tally SELECT i, 0 FROM generate_series(0, 3) i")?;
    let attempts = Attempts::begin(
        &server,
        0,
        4,
        4,
        "UPDATE tally SET n = n + $1::bigint WHERE id = $2::bigint",
    );
    for _ in 0..3 {
        thread::sleep(Duration::from_millis(500));
        let before = server.processes()?;
        assert!(before.len() > 5, "backends are found: {before:?}");
        server.kill9()?;
        for pid in before {
            let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            assert!(
                state.is_empty() || state.contains(") Z "),
                "still there: {state}"
            );
        }
        server.launch()?;
    }
    thread::sleep(Duration::from_millis(500));
    let tally = attempts.end()?;
    assert!(
        tally.acknowledged.len() > 50,
        "{} acknowledged",
        tally.acknowledged.len()
    );
    assert!(tally.refused.is_empty(), "{:?}", tally.refused);
    let sum = tally.committed(&server)?;
    assert_eq!(server.number("SELECT sum(n) FROM tally")?, sum);
    Ok(())
}

/// A lost acknowledged commit is told, and so is one that nobody made.
#[test]
fn a_wrong_tally_is_told() -> Outcome {
    let (_folder, server) = server("tally")?;
    server.run(Attempts::TABLE)?;
    server.run(
        "CREATE TABLE tally (id bigint PRIMARY KEY, n bigint); INSERT INTO tally VALUES (0, 0)",
    )?;
    let attempts = Attempts::begin(
        &server,
        0,
        1,
        1,
        "UPDATE tally SET n = n + $1::bigint WHERE id = $2::bigint",
    );
    thread::sleep(Duration::from_millis(300));
    let tally = attempts.end()?;
    tally.committed(&server)?;
    server.run("INSERT INTO attempt VALUES (-1, 1)")?;
    assert!(tally.committed(&server).is_err());
    server.run("DELETE FROM attempt WHERE id IN (-1, (SELECT max(id) FROM attempt))")?;
    assert!(tally.committed(&server).is_err());
    Ok(())
}

/// Stop, start, settings and the log work; an error carries all that PostgreSQL said.
#[test]
fn stop_start_and_settings() -> Outcome {
    let (_folder, mut server) = server("stop")?;
    server.set("work_mem", "5MB")?;
    wait_until(SHORT, "the setting", || {
        let now = server.text("SHOW work_mem")?;
        Ok(if now == "5MB" { Ok(()) } else { Err(now) })
    })?;
    server.restart()?;
    assert_eq!(server.text("SHOW work_mem")?, "5MB");
    assert_eq!(server.text("SHOW fsync")?, "on");
    let refused = server
        .session()?
        .refused("DO $$ BEGIN RAISE 'no' USING ERRCODE = '22023', HINT = 'try' ; END $$")?;
    assert!(
        refused.contains("no [22023]") && refused.contains("HINT: try"),
        "{refused}"
    );
    assert!(!refused.contains("stack backtrace"), "{refused}");
    server.stop()?;
    assert!(server.session().is_err());
    assert!(
        server.log_tail(5).contains("database system is shut down"),
        "{}",
        server.log_tail(5)
    );
    Ok(())
}

/// pgbench's count is the number of rows that it changed.
#[test]
fn pgbench_counts() -> Outcome {
    let (_folder, server) = server("pgbench")?;
    server.run("CREATE TABLE t (n bigint); INSERT INTO t VALUES (0)")?;
    let report = Pgbench::new("UPDATE t SET n = n + 1;")
        .clients(4)
        .transactions_each(100, SHORT)
        .run(&server)?;
    assert_eq!(
        (report.transactions, report.failed, report.complete),
        (400, 0, true)
    );
    assert_eq!(server.number("SELECT n FROM t")?, 400);
    assert!(
        Pgbench::new("UPDATE nothing SET n = 1;")
            .run(&server)
            .is_err_and(|e| e.to_string().contains("nothing"))
    );
    Ok(())
}

/// A dump goes from one server into another through the programs' own pipes.
#[test]
fn dump_and_restore() -> Outcome {
    let place = Place::find()?;
    let folder = Folder::fresh(&place, "dump")?;
    let from = Server::start(&place, folder.path(), "from", &Options::plain())?;
    let to = Server::start(&place, folder.path(), "to", &Options::plain())?;
    from.run("CREATE TABLE t AS SELECT i FROM generate_series(1, 1000) i")?;
    let mut dump = from.command("pg_dump");
    dump.args(["-Fc", "app"]);
    let bytes = Program::new(dump, SHORT).run()?;
    let mut restore = to.command("pg_restore");
    restore.args(["-d", "app"]);
    Program::new(restore, SHORT).input(bytes).run()?;
    assert_eq!(to.number("SELECT sum(i) FROM t")?, 500_500);
    Ok(())
}

/// A program that does not end is ended, and the failure says which.
#[test]
fn time_limit_holds() -> Outcome {
    let mut sleep = std::process::Command::new("sleep");
    sleep.arg("60");
    let failure = Program::new(sleep, Duration::from_millis(100))
        .run()
        .map(drop);
    assert!(failure.is_err_and(|failure| failure.to_string().contains("sleep")));
    Ok(())
}

/// Answers every byte with the next one, forever.
fn echo() -> Outcome<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || talk(stream));
        }
    });
    Ok(port)
}

fn talk(mut stream: TcpStream) {
    let mut byte = [0];
    while stream.read_exact(&mut byte).is_ok()
        && stream.write_all(&[byte[0].wrapping_add(1)]).is_ok()
    {}
}

fn ask(stream: &mut TcpStream) -> Outcome {
    stream.set_read_timeout(Some(SHORT))?;
    stream.write_all(&[41])?;
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    if byte == [42] {
        Ok(())
    } else {
        Err(Failure::new("wrong answer"))
    }
}

/// A cut breaks what is open and refuses what is new, in both directions; others
/// go on, and a node that comes back is reached again.
#[test]
fn a_cut_node_is_cut_off() -> Outcome {
    let place = Place::find()?;
    let folder = Folder::fresh(&place, "cut")?;
    // This process plays node "us": its number stands where a server's would.
    let us = folder.path().join("us");
    std::fs::create_dir_all(&us)?;
    std::fs::write(us.join("postmaster.pid"), std::process::id().to_string())?;
    let nobody = folder.path().join("nobody");

    let mut network = Network::default();
    let to_them = network.add(place.state(), "them", &nobody, echo()?)?;
    let to_other = network.add(place.state(), "other", &nobody, echo()?)?;
    network.add(place.state(), "us", &us, echo()?)?;
    let connect = |port| TcpStream::connect(("127.0.0.1", port));

    let (mut them, mut other) = (connect(to_them)?, connect(to_other)?);
    ask(&mut them)?;
    ask(&mut other)?;
    assert_eq!(network.connections(), 2);

    network.cut("them");
    assert!(ask(&mut them).is_err(), "an open connection to it breaks");
    assert!(ask(&mut connect(to_them)?).is_err(), "a new one is refused");
    ask(&mut other)?;
    network.join("them");
    ask(&mut connect(to_them)?)?;

    network.cut("us");
    assert!(ask(&mut other).is_err(), "an open connection of it breaks");
    assert!(
        ask(&mut connect(to_other)?).is_err(),
        "it cannot open a new one"
    );
    network.join("us");
    ask(&mut connect(to_other)?)?;
    wait_until(SHORT, "ended connections to be forgotten", || {
        let open = network.connections();
        Ok(if open == 0 {
            Ok(())
        } else {
            Err(format!("{open} open"))
        })
    })
}
