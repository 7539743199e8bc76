//! What verify_chain() remembers must not hide an edit below it, must not be forged with SQL, and
//! must never be relied on where it is not this node's.

use harness::Outcome;

use super::cluster;

/// Edits that leave no trace but the row's own stamp; each is undone by the rollback.
const EDITS: &[&str] = &[
    // The numbers stay as they were.
    "UPDATE crdt.op SET payload = set_byte(payload, length(payload) - 1, get_byte(payload, length(payload) - 1) # 1) WHERE seq = 3",
    "UPDATE crdt.segment SET signature = set_byte(signature, 0, get_byte(signature, 0) # 1) WHERE first_seq = 1",
    "UPDATE crdt.block SET certificate = set_byte(certificate, 60, get_byte(certificate, 60) # 1) WHERE height = 1",
    // One gone, another in its place.
    "WITH gone AS (DELETE FROM crdt.op WHERE seq = 3 RETURNING *) INSERT INTO crdt.op SELECT seq, hlc + 1, row_id, origin, schema_id, kind, salt, hash, payload FROM gone",
    "DELETE FROM crdt.op WHERE seq = 2",
    // A table put in the place of another.
    "CREATE TABLE crdt.other (LIKE crdt.op INCLUDING ALL); INSERT INTO crdt.other SELECT seq, hlc + 1, row_id, origin, schema_id, kind, salt, hash, payload FROM crdt.op; ALTER TABLE crdt.op RENAME TO gone; ALTER TABLE crdt.other RENAME TO op",
    // All payloads replaced without a row being written.
    "ALTER TABLE crdt.op RENAME COLUMN salt TO pepper; ALTER TABLE crdt.op RENAME COLUMN hash TO salt; ALTER TABLE crdt.op RENAME COLUMN pepper TO hash",
];

/// The quick way finds each edit below what it remembers.
#[test]
fn no_edit_hides_below_what_is_remembered() -> Outcome {
    let cluster = cluster()?;
    let mut session = cluster[0].session()?;
    assert!(session.is("SELECT verify_chain()")?);
    assert!(session.is("SELECT count(*) = 1 AND max(height) > 2 FROM crdt.verified")?);
    for edit in EDITS {
        session.run("BEGIN; SET LOCAL session_replication_role = replica")?;
        session.run(edit)?;
        let verified = session.is("SELECT verify_chain()")?;
        session.run("ROLLBACK")?;
        assert!(!verified, "{edit}");
    }
    assert!(session.is("SELECT verify_chain()")?);
    Ok(())
}

/// A transaction that verifies and edits afterwards, or that had begun before, is not taken for
/// one of before the verification.
#[test]
fn who_verifies_first_and_edits_then_is_found() -> Outcome {
    let cluster = cluster()?;
    let (mut editor, mut auditor) = (cluster[0].session()?, cluster[0].session()?);
    let edit = "UPDATE crdt.op SET hlc = hlc + 1 WHERE seq = 3";
    editor.run("SET session_replication_role = replica; CREATE TABLE mark (n int)")?;
    // The transaction has its number before the verification, and edits after it.
    editor.run("BEGIN; INSERT INTO mark VALUES (1); SAVEPOINT s; INSERT INTO mark VALUES (2)")?;
    assert!(auditor.is("SELECT verify_chain(full => true)")?);
    assert!(editor.is("SELECT verify_chain(full => true)")?);
    editor.run(edit)?;
    editor.run("COMMIT")?;
    assert!(!auditor.is("SELECT verify_chain()")?);
    editor.run("UPDATE crdt.op SET hlc = hlc - 1 WHERE seq = 3")?;
    assert!(
        auditor.is("SELECT verify_chain()")?,
        "put back, all is well"
    );
    Ok(())
}

/// The quick way is in effect on an untouched ledger: if the look at the tables did not fit them,
/// each verification would silently be a full one.
#[test]
fn an_untouched_ledger_is_verified_quickly() -> Outcome {
    let cluster = cluster()?;
    let mut session = cluster[0].session()?;
    session.run("SET client_min_messages = notice")?;
    assert!(session.is("SELECT verify_chain(full => true)")?);
    let before = session.text("SELECT height || ' ' || at FROM crdt.verified")?;
    cluster[0].run("UPDATE page SET views = views + 1 WHERE id = 1; SELECT crdt_commit_block()")?;
    assert!(session.is("SELECT verify_chain()")?);
    // A full verification would have been remembered anew, a quick one of few ops is not.
    assert_eq!(
        session.text("SELECT height || ' ' || at FROM crdt.verified")?,
        before
    );
    // VACUUM FREEZE and new rows change nothing about that.
    cluster[0].run("VACUUM (FREEZE) crdt.op")?;
    assert!(session.is("SELECT verify_chain()")?);
    assert_eq!(
        session.text("SELECT height || ' ' || at FROM crdt.verified")?,
        before
    );
    // A rewritten table does.
    cluster[0].run("VACUUM FULL crdt.op")?;
    assert!(session.is("SELECT verify_chain()")?);
    assert_ne!(
        session.text("SELECT height || ' ' || at FROM crdt.verified")?,
        before
    );
    Ok(())
}

/// Read-only transactions and those with one snapshot verify, and remember nothing.
#[test]
fn who_may_not_write_verifies_all_the_same() -> Outcome {
    let cluster = cluster()?;
    let mut session = cluster[0].session()?;
    session.run("DELETE FROM crdt.verified")?;
    for level in [
        "READ ONLY",
        "ISOLATION LEVEL REPEATABLE READ",
        "ISOLATION LEVEL SERIALIZABLE",
    ] {
        session.run(&format!("BEGIN {level}"))?;
        assert!(session.is("SELECT verify_chain()")?, "{level}");
        session.run("COMMIT")?;
        assert!(
            session.is("SELECT count(*) = 0 FROM crdt.verified")?,
            "{level}"
        );
    }
    Ok(())
}
