//! A superuser alters the ledger behind the extension's back, in every way that
//! scan_chain has a name for; it names each, and its place.

mod cases;
mod insider;
mod interrupted;
mod remembered;

use std::collections::BTreeSet;

use cases::CASES;
use harness::{Cluster, Failure, Outcome, Session};
use insider::Insider;
use ledger::FindingKind;

/// Two nodes with a few blocks of history.
fn cluster() -> Outcome<Cluster> {
    let cluster = Cluster::start("tamper", &["a", "b"], &harness::Options::with_extension())?;
    cluster[0].run(
        "CREATE TABLE page (id bigint PRIMARY KEY, views pn_counter, tags or_set, note text);
         SELECT crdt_track('page')",
    )?;
    cluster.wait_for_table("page")?;
    for block in 0..4 {
        for node in cluster.nodes() {
            node.run(&format!(
                "INSERT INTO page SELECT i, '1', '{{a,b}}', 'n' FROM generate_series(1, 5) k, LATERAL
                   (SELECT k + {block} * 10 + CASE '{}' WHEN 'a' THEN 0 ELSE 1000 END AS i) x",
                node.name()
            ))?;
            node.run("UPDATE page SET views = views + 1 WHERE id % 2 = 0")?;
        }
        cluster.wait_equal("page")?;
        cluster[0].run("SELECT crdt_commit_block()")?;
    }
    cluster.verify_all()?;
    Ok(cluster)
}

/// Fills in the places of the alteration.
fn place(session: &mut Session, sql: &str) -> Outcome<String> {
    let founder = session.text("SELECT min(id) FROM crdt.node")?;
    let op = session.text(&format!(
        "SELECT last_seq FROM crdt.segment
          WHERE origin = {founder} AND last_seq > first_seq ORDER BY last_seq OFFSET 1 LIMIT 1"
    ))?;
    let last = session.text(&format!(
        "SELECT max(seq) FROM crdt.op WHERE origin = {founder}"
    ))?;
    let height = session.text(&format!(
        "SELECT height FROM crdt.block_range WHERE origin = {founder} AND {op} BETWEEN first_seq AND last_seq"
    ))?;
    let mut sql = sql
        .replace("AT_OP", "WHERE origin = {o} AND seq = {op}")
        .replace("AT_SEGMENT", "WHERE origin = {o} AND last_seq = {op}")
        .replace("AT_BLOCK", "WHERE height = {h}")
        .replace("{o}", &founder)
        .replace("{op}", &op)
        .replace("{last}", &last)
        .replace("{h}", &height);
    while let Some((before, rest)) = sql.split_once("FLIP(") {
        let (column, after) = rest
            .split_once(')')
            .ok_or_else(|| Failure::new("FLIP without an end"))?;
        sql = format!(
            "{before}set_byte({column}, length({column}) - 1, get_byte({column}, length({column}) - 1) # 1){after}"
        );
    }
    Ok(sql)
}

/// Makes an alteration and scans in a transaction that is rolled back: it must be found,
/// called by its name, and nothing else accused. Gives what is wrong with that.
fn try_out(session: &mut Session, what: &str, kind: &str, sql: &str) -> Outcome<Option<String>> {
    session.run("BEGIN; SET LOCAL session_replication_role = replica")?;
    session.run(sql).map_err(|failure| failure.during(what))?;
    let findings = session.rows("SELECT kind, height, leaf_index, detail FROM scan_chain()")?;
    let verified = session.is("SELECT verify_chain()")?;
    session.run("ROLLBACK")?;
    let all = findings
        .iter()
        .all(|row| row.first().and_then(Option::as_deref) == Some(kind));
    let right = !findings.is_empty() && !verified && all;
    Ok((!right)
        .then(|| format!("{what}: wanted {kind}, got {findings:?}, verify_chain {verified}")))
}

/// Each alteration is found and named; every name that scan_chain has is tried.
#[test]
fn each_alteration_is_named() -> Outcome {
    let cluster = cluster()?;
    let mut session = cluster[0].session()?;
    let mut alterations = Vec::new();
    for &(what, kind, sql) in CASES {
        alterations.push((what, kind, place(&mut session, sql)?));
    }
    let insider = Insider::of(&cluster[0])?;
    let from = place(&mut session, "FROM crdt.segment AT_SEGMENT")?;
    let fork = insider.fork(&mut session, &from)?;
    alterations.push(("a second history, signed", "history_forked", fork));
    let root = insider.another_root(&mut session)?;
    alterations.push(("another root, signed", "log_root_wrong", root));

    let mut wrong = Vec::new();
    for (what, kind, sql) in &alterations {
        wrong.extend(try_out(&mut session, what, kind, sql)?);
    }
    assert!(
        session.is("SELECT verify_chain()")?,
        "all of it was rolled back"
    );
    let tried: BTreeSet<&str> = alterations.iter().map(|(_, kind, _)| *kind).collect();
    let mut names: BTreeSet<&str> = FindingKind::ALL.iter().map(|kind| kind.as_str()).collect();
    names.extend([
        "range_altered",
        "node_altered",
        "schema_altered",
        "tracked_altered",
        "evidence_altered",
        "archive_altered",
        "verified_altered",
    ]);
    assert_eq!(tried, names, "each name has an alteration");
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(wrong.join("\n")))
    }
}

/// A chain that was destroyed as a whole does not fill the screen: what is not listed is
/// counted.
#[test]
fn what_is_not_listed_is_counted() -> Outcome {
    let cluster = cluster()?;
    let mut session = cluster[0].session()?;
    session.run(
        "BEGIN; SET LOCAL session_replication_role = replica;
         INSERT INTO crdt.position SELECT i, 1, '' FROM generate_series(1001, 11005) i",
    )?;
    let counts =
        session.rows("SELECT kind, count(*) FROM scan_chain() GROUP BY kind ORDER BY kind")?;
    let detail = session.text("SELECT detail FROM scan_chain() WHERE kind = 'more'")?;
    session.run("ROLLBACK")?;
    assert_eq!(
        format!("{counts:?}"),
        r#"[[Some("more"), Some("1")], [Some("vector_altered"), Some("10000")]]"#
    );
    assert!(detail.starts_with("5 "), "{detail}");
    Ok(())
}

/// The block, the leaf and the row of an altered op are told, and what its hash should be.
#[test]
fn the_place_is_told() -> Outcome {
    let cluster = cluster()?;
    let mut session = cluster[0].session()?;
    let (_, _, sql) = CASES[0];
    let sql = place(&mut session, sql)?;
    let height = place(&mut session, "{h}")?;
    session.run("BEGIN; SET LOCAL session_replication_role = replica")?;
    session.run(&sql)?;
    let op = place(
        &mut session,
        "FROM crdt_ops WHERE seq = {op} AND origin = (SELECT name FROM crdt.node WHERE id = {o})",
    )?;
    let row = session.text(&format!("SELECT table_name || ' ' || row_key {op}"))?;
    let hash = place(&mut session, "FROM crdt.op AT_OP")?;
    let hash = session.text(&format!(
        "SELECT encode(substr(hash, 1, 8), 'hex') || '…' {hash}"
    ))?;
    let findings = session.rows(
        "SELECT height, leaf_index, table_name || ' ' || row_key, expected, found FROM scan_chain()",
    )?;
    session.run("ROLLBACK")?;
    let [finding] = findings.as_slice() else {
        return Err(Failure::new(format!("{findings:?}")));
    };
    assert_eq!(finding[0].as_deref(), Some(height.as_str()));
    assert!(finding[1].is_some(), "{finding:?}");
    assert_eq!(finding[2].as_deref(), Some(row.as_str()));
    assert_eq!(finding[3].as_deref(), Some(hash.as_str()));
    assert!(
        finding[4].is_some() && finding[4] != finding[3],
        "{finding:?}"
    );
    Ok(())
}

/// An alteration that is committed is seen on that node alone; the other's copy
/// verifies, and so shows what was there.
#[test]
fn the_other_node_is_not_deceived() -> Outcome {
    let cluster = cluster()?;
    let mut session = cluster[0].session()?;
    let sql = place(&mut session, CASES[0].2)?;
    session.run(&format!(
        "SET session_replication_role = replica; {sql}; RESET session_replication_role"
    ))?;
    assert!(!session.is("SELECT verify_chain()")?);
    assert_eq!(cluster[1].text("SELECT verify_chain()")?, "t");
    cluster[0].run("UPDATE page SET views = views + 1 WHERE id = 1")?;
    cluster.wait_equal("page")?;
    Ok(())
}

/// Without the superuser's tricks the ledger's tables cannot be changed at all.
#[test]
fn the_ledger_is_append_only() -> Outcome {
    let cluster = cluster()?;
    let mut session = cluster[0].session()?;
    for sql in [
        "UPDATE crdt.op SET hlc = 0",
        "DELETE FROM crdt.op",
        "TRUNCATE crdt.op",
        "UPDATE crdt.segment SET sealed_ms = 0",
        "DELETE FROM crdt.segment",
        "UPDATE crdt.block SET header = ''",
        "DELETE FROM crdt.block",
    ] {
        let refused = session.refused(sql)?;
        assert!(!refused.contains("XX000"), "{sql}: {refused}");
    }
    session.run("CREATE ROLE someone LOGIN; SET ROLE someone")?;
    for table in ["op", "segment", "block", "node", "chain", "outbox_0"] {
        let refused = session.refused(&format!("DELETE FROM crdt.{table}"))?;
        assert!(refused.contains("42501"), "{table}: {refused}");
    }
    Ok(())
}
