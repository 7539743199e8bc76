//! A verification that is cancelled, or whose session is ended, leaves nothing behind, and the
//! server runs on.

use std::thread;

use harness::{Outcome, SHORT, Server, wait_until};

use super::cluster;

/// Enough ops for several runs, so that workers take part.
fn with_many_ops(server: &Server) -> Outcome {
    server.run(
        "INSERT INTO page SELECT i, '1', '{a}', repeat('n', 300) FROM generate_series(100001, 160000) i",
    )?;
    server.run("SELECT crdt_commit_block()")
}

fn running(server: &Server) -> Outcome<Vec<Vec<Option<String>>>> {
    server
        .session()?
        .rows("SELECT pid FROM crdt_verify_progress WHERE datname = current_database()")
}

#[test]
fn a_verification_is_cancelled_or_ended_at_any_time() -> Outcome {
    let cluster = cluster()?;
    let server = &cluster[0];
    with_many_ops(server)?;
    let mut session = server.session()?;
    session.run("SET max_parallel_maintenance_workers = 2")?;
    assert!(session.is("SELECT verify_chain(full => true)")?);
    for after in ["5ms", "15ms", "40ms"] {
        session.run(&format!("SET statement_timeout = '{after}'"))?;
        let refused = session.refused("SELECT verify_chain(full => true)")?;
        assert!(refused.contains("57014"), "{refused}");
        session.run("RESET statement_timeout")?;
        assert_eq!(running(server)?, Vec::<Vec<Option<String>>>::new());
    }
    // A caught error, inside a function.
    session
        .run(
            "DO $$ BEGIN
            SET LOCAL statement_timeout = '20ms';
            PERFORM verify_chain(full => true);
         EXCEPTION WHEN query_canceled THEN NULL; END $$",
        )
        .ok();
    assert!(
        session.is("SELECT verify_chain(full => true)")?,
        "the session goes on"
    );

    let mut victim = server.session()?;
    let pid = victim.number("SELECT pg_backend_pid()")?;
    let work = thread::spawn(
        move || {
            while victim.run("SELECT verify_chain(full => true)").is_ok() {}
        },
    );
    wait_until(SHORT, "the verification to be shown", || {
        let shown = running(server)?;
        let is_shown = shown
            .iter()
            .any(|row| row.first() == Some(&Some(pid.to_string())));
        Ok(if is_shown {
            Ok(())
        } else {
            Err(format!("{shown:?}"))
        })
    })?;
    server.run(&format!("SELECT pg_terminate_backend({pid})"))?;
    assert!(work.join().is_ok());
    wait_until(SHORT, "the progress to be gone", || {
        let shown = running(server)?;
        Ok(if shown.is_empty() {
            Ok(())
        } else {
            Err(format!("{shown:?}"))
        })
    })?;
    assert!(
        session.is("SELECT verify_chain(full => true)")?,
        "the server runs on"
    );
    Ok(())
}

/// One pass and runs by workers come to the same, also when no worker can be had.
#[test]
fn workers_change_nothing_about_what_is_found() -> Outcome {
    let cluster = cluster()?;
    let server = &cluster[0];
    with_many_ops(server)?;
    let mut session = server.session()?;
    session.run("SET session_replication_role = replica; BEGIN")?;
    session.run(
        "UPDATE crdt.op SET hlc = hlc + 1 WHERE seq IN (5, 20000, 40000);
         DELETE FROM crdt.op WHERE seq BETWEEN 30000 AND 30002;
         UPDATE crdt.segment SET signature = substr(signature, 2) WHERE first_seq = 1;
         UPDATE crdt.block SET certificate = substr(certificate, 2) WHERE height = 3",
    )?;
    let mut told = Vec::new();
    for workers in [0, 1, 2, 8] {
        session.run(&format!("SET max_parallel_maintenance_workers = {workers}"))?;
        told.push(session.rows("SELECT * FROM scan_chain() AS f ORDER BY f::text")?);
        assert!(!session.is("SELECT verify_chain()")?);
    }
    session.run("ROLLBACK; SET max_parallel_maintenance_workers = 2")?;
    assert!(
        told.iter()
            .all(|findings| findings.len() > 5 && *findings == told[0]),
        "{told:?}"
    );
    assert!(session.is("SELECT verify_chain(full => true)")?);
    Ok(())
}
