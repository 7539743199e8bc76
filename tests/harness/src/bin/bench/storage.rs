//! What a ledger takes on disk, a table at a time, beside the payloads that are in it.

use harness::{Cluster, Outcome, Session, Table};

/// The tables that share a row.
const TABLES: [(&str, &str); 3] = [
    ("crdt.op, heap and TOAST", "pg_table_size('crdt.op')"),
    ("its indexes", "pg_indexes_size('crdt.op')"),
    (
        "tiles, segments, blocks, ranges",
        "pg_total_relation_size('crdt.tile') + pg_total_relation_size('crdt.segment')
         + pg_total_relation_size('crdt.block') + pg_total_relation_size('crdt.block_range')",
    ),
];

/// Bytes an op, and times the payload.
pub fn measure(cluster: &Cluster, session: &mut Session) -> Outcome<Table> {
    let ops = session.number("SELECT count(*) FROM crdt.op")? as f64;
    let payload = session.number("SELECT sum(length(payload))::bigint FROM crdt.op")? as f64;
    let mut table = Table::new(&["stored", "bytes an op", "times the payload"]);
    let mut row = |what: &str, bytes: f64| {
        let each = format!("{:.0}", bytes / ops);
        table.row(&[what.to_owned(), each, format!("{:.2}", bytes / payload)]);
    };
    row("payloads", payload);
    let mut all = 0.0;
    for (what, size) in TABLES {
        let bytes = session.number(&format!("SELECT ({size})::bigint"))? as f64;
        row(what, bytes);
        all += bytes;
    }
    row("all", all);
    let file = cluster[0].folder().join("data/bench.bundle");
    let bundle = format!("SELECT crdt_export_chain('{}')", file.display());
    row("a packed bundle", session.number(&bundle)? as f64);
    Ok(table)
}
