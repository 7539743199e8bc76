//! A superuser alters the past behind the extension's back, and is found out.

use harness::{Cluster, Failure, Outcome, Table};

use crate::story::Story;

/// An op in the middle of the log.
const TARGET: &str = "SELECT origin, seq FROM crdt.op WHERE kind = 1 ORDER BY hlc OFFSET (SELECT count(*) / 2 FROM crdt.op) LIMIT 1";
const FLIP: &str = "UPDATE crdt.op SET payload = set_byte(payload, length(payload) - 1, get_byte(payload, length(payload) - 1) # 1)";

pub fn forge_and_find(story: &mut Story, cluster: &Cluster) -> Outcome {
    story.chapter("A forger with every right");
    story.say("A superuser on b switches all triggers off and changes one bit of one op:");
    story.say("");
    let b = cluster.node("b")?;
    let mut session = b.session()?;
    let target = session.rows(TARGET)?;
    let [Some(origin), Some(seq)] = target.first().map(Vec::as_slice).unwrap_or_default() else {
        return Err(Failure::new("there is no op to alter"));
    };
    let sql = format!("{FLIP} WHERE origin = {origin} AND seq = {seq}");
    story.sql("b", "SET session_replication_role = replica;");
    story.sql(
        "b",
        &format!("UPDATE crdt.op SET payload = ... WHERE origin = {origin} AND seq = {seq};"),
    );
    session.run(&format!("SET session_replication_role = replica; {sql}"))?;

    story.sql("b", "SELECT verify_chain();");
    if session.is("SELECT verify_chain()")? {
        return Err(Failure::new(
            "verify_chain() is true although an op was altered",
        ));
    }
    story.found("false");
    story.sql(
        "b",
        "SELECT height, leaf_index, table_name, row_key, kind, expected, found FROM scan_chain();",
    );
    let findings = session.rows(
        "SELECT height, leaf_index, table_name, row_key, kind, expected, found FROM scan_chain()",
    )?;
    let mut table = Table::new(&[
        "height",
        "leaf_index",
        "table_name",
        "row_key",
        "kind",
        "expected",
        "found",
    ]);
    for finding in &findings {
        table.row(
            &finding
                .iter()
                .map(|cell| cell.clone().unwrap_or_default())
                .collect::<Vec<_>>(),
        );
    }
    story.table(&table);
    let named = findings
        .iter()
        .any(|row| row.get(4).and_then(Option::as_deref) == Some("payload_altered"));
    if findings.len() != 1 || !named {
        return Err(Failure::new(
            "scan_chain() does not name exactly the altered payload",
        ));
    }
    story.say("");
    story.holds("the one altered op is named, with its block and its leaf");
    for name in ["a", "c"] {
        if cluster.node(name)?.text("SELECT verify_chain()")? != "t" {
            return Err(Failure::new(format!("verify_chain() on {name} is false")));
        }
    }
    story.holds("a and c still verify: their copies show what was there");
    session.run(&sql)?;
    if !session.is("SELECT verify_chain()")? {
        return Err(Failure::new("with the bit put back, b does not verify"));
    }
    story.say("(The bit is put back, so that what you keep is sound.)");
    Ok(())
}
