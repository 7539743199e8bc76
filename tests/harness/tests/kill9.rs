//! A node killed with -9 in the middle of the load, ten times: no committed write
//! is lost and none is applied twice. `SEED` chooses another schedule.

use std::thread::sleep;
use std::time::Duration;

use harness::{Attempts, Cluster, Outcome, Random};

const KILLS: u32 = 10;
const ROWS: u32 = 16;
const WRITERS: u32 = 2;

#[test]
fn no_commit_is_lost_or_applied_twice() -> Outcome {
    let mut random = Random::seeded(20_240_611);
    let mut cluster = Cluster::three_nodes("kill9")?;
    cluster[0].run("CREATE TABLE account (id bigint PRIMARY KEY, n pn_counter NOT NULL)")?;
    cluster[0].run(&format!(
        "INSERT INTO account SELECT i, '0' FROM generate_series(0, {ROWS} - 1) i"
    ))?;
    cluster[0].run("SELECT crdt_track('account')")?;
    cluster.wait_for_table("account")?;
    cluster.wait_all("SELECT count(*) FROM account", &ROWS.to_string())?;
    cluster.run_on_all(Attempts::TABLE)?;

    let change = "UPDATE account SET n = n + $1::bigint WHERE id = $2::bigint";
    let load: Vec<Attempts> = cluster
        .nodes()
        .iter()
        .map(|node| Attempts::begin(node, 0, WRITERS, ROWS, change))
        .collect();
    for kill in 1..=KILLS {
        sleep(Duration::from_millis(300 + random.below(1200)));
        let victim = ["a", "b", "c"][usize::try_from(random.below(3)).unwrap_or_default()];
        let pause = Duration::from_millis(random.below(800));
        println!("kill {kill}: {victim}, down for {pause:?}");
        let node = cluster.node_mut(victim)?;
        node.kill9()?;
        sleep(pause);
        node.launch()?;
    }
    sleep(Duration::from_secs(1));

    let mut wanted = 0;
    for (node, attempts) in cluster.nodes().iter().zip(load) {
        let tally = attempts.end()?;
        println!(
            "{}: {} acknowledged, {} in doubt",
            node.name(),
            tally.acknowledged.len(),
            tally.in_doubt.len()
        );
        assert!(
            tally.refused.is_empty(),
            "{}: {:?}",
            node.name(),
            tally.refused
        );
        assert!(
            tally.acknowledged.len() > 100,
            "{}: hardly any load",
            node.name()
        );
        wanted += tally.committed(node)?;
    }
    cluster.wait_all("SELECT sum(n::bigint) FROM account", &wanted.to_string())?;
    cluster.wait_equal("account")?;
    cluster.verify_all()?;
    // Each origin's history is without a gap, and all nodes hold the same.
    cluster.wait_all("SELECT bool_and(ok) FROM (SELECT count(*) = max(seq) AS ok FROM crdt.op GROUP BY origin) o", "t")?;
    cluster.wait_same("SELECT count(*) FROM crdt.op")?;
    Ok(())
}
