//! A superuser alters the ledger behind the extension's back, in every way that
//! scan_chain has a name for; it names each, and its place.

use harness::{Cluster, Failure, Outcome, Session};

/// What is altered, how it must be called, and the alteration. FLIP changes a bit of
/// the last byte; AT_OP, AT_SEGMENT and AT_BLOCK choose one in the middle of the
/// founder's history ({o}), AT_OP the last op ({op}) of that segment and block.
const CASES: &[(&str, &str, &str)] = &[
    (
        "a payload",
        "payload_altered",
        "UPDATE crdt.op SET payload = FLIP(payload) AT_OP",
    ),
    (
        "a payload cut short",
        "payload_altered",
        "UPDATE crdt.op SET payload = substr(payload, 1, length(payload) - 1) AT_OP",
    ),
    (
        "a salt",
        "payload_altered",
        "UPDATE crdt.op SET salt = FLIP(salt) AT_OP",
    ),
    (
        "the time of an op",
        "payload_altered",
        "UPDATE crdt.op SET hlc = hlc + 1 AT_OP",
    ),
    (
        "the kind of an op",
        "op_altered",
        "UPDATE crdt.op SET kind = 2 AT_OP",
    ),
    (
        "the hash of an op",
        "op_altered",
        "UPDATE crdt.op SET hash = FLIP(hash) AT_OP",
    ),
    ("an op taken out", "op_missing", "DELETE FROM crdt.op AT_OP"),
    (
        "an op put in",
        "op_extra",
        "CREATE TEMP TABLE copy AS SELECT * FROM crdt.op AT_OP; UPDATE copy SET seq = {last} + 1; INSERT INTO crdt.op TABLE copy",
    ),
    (
        "two ops exchanged",
        "op_reordered",
        "UPDATE crdt.op SET seq = -seq WHERE origin = {o} AND seq IN ({op}, {op} - 1); UPDATE crdt.op SET seq = 2 * {op} - 1 + seq WHERE origin = {o} AND seq < 0",
    ),
    (
        "a segment's signature",
        "segment_signature_wrong",
        "UPDATE crdt.segment SET signature = FLIP(signature) AT_SEGMENT",
    ),
    (
        "a segment taken out",
        "segment_missing",
        "DELETE FROM crdt.segment AT_SEGMENT",
    ),
    (
        "a segment put in",
        "segment_extra",
        "CREATE TEMP TABLE copy AS SELECT * FROM crdt.segment AT_SEGMENT; UPDATE copy SET last_seq = last_seq - 1; INSERT INTO crdt.segment TABLE copy",
    ),
    (
        "a header",
        "header_altered",
        "UPDATE crdt.block SET header = FLIP(header) AT_BLOCK",
    ),
    (
        "a certificate",
        "certificate_wrong",
        "UPDATE crdt.block SET certificate = FLIP(certificate) AT_BLOCK",
    ),
    (
        "a cut",
        "cut_altered",
        "UPDATE crdt.block SET cut = FLIP(cut) AT_BLOCK",
    ),
    (
        "a block taken out",
        "block_missing",
        "DELETE FROM crdt.block AT_BLOCK",
    ),
    (
        "a tile",
        "tile_altered",
        "UPDATE crdt.tile SET hashes = FLIP(hashes) WHERE level = 0 AND index = 0",
    ),
    (
        "a tile taken out",
        "tile_altered",
        "DELETE FROM crdt.tile WHERE level = 0 AND index = 0",
    ),
    (
        "the version vector",
        "vector_altered",
        "UPDATE crdt.position SET head = FLIP(head) WHERE origin = {o}",
    ),
    (
        "a member's record",
        "membership_altered",
        "UPDATE crdt.node SET record = FLIP(record) WHERE id <> {o}",
    ),
    (
        "the genesis",
        "genesis_altered",
        "UPDATE crdt.chain SET genesis = FLIP(genesis)",
    ),
];

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

/// Each alteration, made and scanned in a transaction that is rolled back: it is
/// found, called by its name, and nothing else is accused.
#[test]
fn each_alteration_is_named() -> Outcome {
    let cluster = cluster()?;
    let mut session = cluster[0].session()?;
    let mut wrong = Vec::new();
    for &(what, kind, sql) in CASES {
        let sql = place(&mut session, sql)?;
        session.run("BEGIN; SET LOCAL session_replication_role = replica")?;
        session.run(&sql).map_err(|failure| failure.during(what))?;
        let findings = session.rows("SELECT kind, height, leaf_index, detail FROM scan_chain()")?;
        let verified = session.is("SELECT verify_chain()")?;
        session.run("ROLLBACK")?;
        let all = findings
            .iter()
            .all(|row| row.first().and_then(Option::as_deref) == Some(kind));
        if findings.is_empty() || verified || !all {
            wrong.push(format!(
                "{what}: wanted {kind}, got {findings:?}, verify_chain {verified}"
            ));
        }
    }
    assert!(
        session.is("SELECT verify_chain()")?,
        "all of it was rolled back"
    );
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(wrong.join("\n")))
    }
}

/// The block and the leaf of an altered op are told.
#[test]
fn the_place_is_told() -> Outcome {
    let cluster = cluster()?;
    let mut session = cluster[0].session()?;
    let (_, _, sql) = CASES[0];
    let sql = place(&mut session, sql)?;
    let height = place(&mut session, "{h}")?;
    session.run("BEGIN; SET LOCAL session_replication_role = replica")?;
    session.run(&sql)?;
    let findings = session.rows("SELECT height, leaf_index FROM scan_chain()")?;
    session.run("ROLLBACK")?;
    let [finding] = findings.as_slice() else {
        return Err(Failure::new(format!("{findings:?}")));
    };
    assert_eq!(finding[0].as_deref(), Some(height.as_str()));
    assert!(finding[1].is_some(), "{finding:?}");
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
