//! PostgreSQL's native logical replication between two servers, to compare with.

use harness::{Cluster, LONG, Options, Outcome};

/// Servers that can do both: ours, and logical decoding.
pub fn options() -> Options {
    Options::with_extension().set("wal_level", "logical")
}

/// Creates `table` on both by `definition`, published by a and subscribed by b, and
/// waits until the subscription streams.
pub fn replicate(cluster: &Cluster, table: &str, definition: &str) -> Outcome {
    let (a, b) = (cluster.node("a")?, cluster.node("b")?);
    a.run(definition)?;
    b.run(definition)?;
    a.run(&format!("CREATE PUBLICATION {table} FOR TABLE {table}"))?;
    b.run(&format!(
        "CREATE SUBSCRIPTION {table} CONNECTION 'host={} port=5432 user=postgres dbname=app' PUBLICATION {table}",
        a.sockets().display()
    ))?;
    cluster.wait(LONG, "the native subscription to stream", || {
        let states = b.text("SELECT string_agg(srsubstate::text, '') FROM pg_subscription_rel")?;
        Ok(if states.chars().all(|state| state == 'r') {
            Ok(())
        } else {
            Err(states)
        })
    })
}
