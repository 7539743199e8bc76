//! The shop opens, and does half a minute of business on all servers at once.

use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use harness::{Cluster, Failure, Outcome, Pgbench, Probe, Report};

use crate::links::Links;
use crate::story::Story;

/// Products at the opening; each has 1,000 pieces in stock.
const PRODUCTS: u32 = 200;
pub const STOCK: u32 = 1_000;

const SCHEMA: &str = "\
CREATE TABLE product (id bigint PRIMARY KEY, title lww_register,
                      stock pn_counter, tags or_set);
CREATE TABLE orders (id uuid PRIMARY KEY, product bigint NOT NULL,
                     amount int NOT NULL, placed timestamptz DEFAULT now());
SELECT crdt_track('product'), crdt_track('orders');";

/// Sales above all, some labels, some renaming.
const BUSINESS: &str = r"
    \set id random(1, 200)
    \set amount random(1, 3)
    \set what random(1, 10)
    \if :what <= 8
    BEGIN;
    UPDATE product SET stock = stock - :amount::bigint WHERE id = :id;
    INSERT INTO orders (id, product, amount) VALUES (gen_random_uuid(), :id, :amount);
    COMMIT;
    \elif :what = 9
    UPDATE product SET tags = tags + ('label ' || :amount::text) WHERE id = :id;
    \else
    UPDATE product SET title = crdt_set(title, to_jsonb('thing ' || :id::text || ', edition ' || :amount::text)) WHERE id = :id;
    \endif
";
/// Transactions a second on each server: brisk, but no measurement of speed.
const PACE: u32 = 150;
const LENGTH: u32 = 30;
/// Rows a second whose way from a to b is timed.
const PROBES: u32 = 50;

pub fn open_shop(story: &mut Story, cluster: &Cluster) -> Outcome {
    story.chapter("A shop");
    story.sql("a", SCHEMA);
    cluster[0].run(SCHEMA)?;
    cluster[0].run("CREATE TABLE pulse (id bigint PRIMARY KEY); SELECT crdt_track('pulse')")?;
    cluster[0].run(&format!(
        "INSERT INTO product SELECT i, to_json('thing ' || i)::text::lww_register, '{STOCK}', '{{new}}'
           FROM generate_series(1, {PRODUCTS}) i"
    ))?;
    for table in ["product", "orders", "pulse"] {
        cluster.wait_for_table(table)?;
    }
    cluster.wait_all("SELECT count(*) FROM product", &PRODUCTS.to_string())?;
    story.say("");
    story.holds(format!(
        "tables and {PRODUCTS} products are on all three; only a was told"
    ));
    Ok(())
}

pub fn trade(story: &mut Story, cluster: &mut Cluster, links: &mut Links) -> Outcome {
    story.chapter("Half a minute of business on all three at once");
    story.say(format!(
        "pgbench sells, labels and renames: {PACE} transactions a second on each server."
    ));
    let begin = Instant::now();
    let mut reports: Vec<(&str, Report)> = Vec::new();
    let lag = {
        let quiet = calm(cluster)?;
        story.event(
            begin,
            "so far all is well, and what a commits is to be seen on b after",
        );
        story.event(
            begin,
            format!(
                "{:.1} ms (half of {} commits), {:.1} ms (99 of 100)",
                quiet.lag.percentile_ms(50),
                quiet.lag.count(),
                quiet.lag.percentile_ms(99)
            ),
        );
        reports.extend(quiet.reports);
        quiet.lag
    };
    let rest = u64::from(LENGTH) - CALM.as_secs();
    let storm = storm(story, cluster, links, begin, rest)?;
    reports.extend(storm);
    let acknowledged: u64 = reports.iter().map(|(_, report)| report.transactions).sum();
    let failed: u64 = reports.iter().map(|(_, report)| report.failed).sum();
    if failed > 0 {
        return Err(Failure::new(format!("{failed} transactions were refused")));
    }
    story.event(
        begin,
        format!("the shop closes: {acknowledged} transactions were acknowledged, none refused"),
    );
    if lag.percentile_ms(99) > 1000.0 {
        return Err(Failure::new(
            "a commit on a took more than a second to be seen on b",
        ));
    }
    Ok(())
}

/// Seconds before anything goes wrong, in which the lag is measured.
const CALM: Duration = Duration::from_secs(8);

struct Calm {
    lag: harness::Lag,
    reports: Vec<(&'static str, Report)>,
}

fn load(seconds: u64) -> Pgbench {
    Pgbench::new(BUSINESS)
        .clients(2)
        .rate(PACE)
        .seconds(seconds as u32)
}

fn calm(cluster: &Cluster) -> Outcome<Calm> {
    let (a, b) = (cluster.node("a")?, cluster.node("b")?);
    let probe = Probe {
        from: a,
        to: b,
        write: "INSERT INTO pulse VALUES ($1::bigint)",
        newest: "SELECT coalesce(max(id), 0)::bigint FROM pulse",
    };
    thread::scope(|scope| {
        let runs: Vec<_> = cluster
            .nodes()
            .iter()
            .zip(crate::NAMES)
            .map(|(node, name)| (name, scope.spawn(|| load(CALM.as_secs()).run(node))))
            .collect();
        let lag = probe.measure(PROBES, CALM - Duration::from_secs(1))?;
        let mut reports = Vec::new();
        for (name, run) in runs {
            reports.push((
                name,
                run.join()
                    .map_err(|_| Failure::new("a load thread panicked"))??,
            ));
        }
        Ok(Calm { lag, reports })
    })
}

/// c is cut off and brought back; b is killed and started again.
fn storm(
    story: &Story,
    cluster: &mut Cluster,
    links: &mut Links,
    begin: Instant,
    seconds: u64,
) -> Outcome<Vec<(&'static str, Report)>> {
    let loads: Vec<_> = crate::NAMES
        .into_iter()
        .map(|name| Ok((name, load(seconds).begin_until_broken(cluster.node(name)?)?)))
        .collect::<Outcome<_>>()?;
    let at = |second: u64| {
        sleep(Duration::from_secs(second).saturating_sub(begin.elapsed()));
    };
    at(11);
    links.cut("c")?;
    story.event(begin, "c is cut off from the others. It goes on selling.");
    at(17);
    story.event(
        begin,
        format!("orders that each knows: {}", orders(cluster)?),
    );
    links.join("c")?;
    story.event(begin, "c is back.");
    at(20);
    story.event(
        begin,
        format!("orders that each knows: {}", orders(cluster)?),
    );
    cluster.node_mut("b")?.kill9()?;
    story.event(
        begin,
        "b is killed: kill -9 of the postmaster and all its children.",
    );
    at(22);
    cluster.node_mut("b")?.launch()?;
    let left = u64::from(LENGTH)
        .saturating_sub(begin.elapsed().as_secs())
        .max(3);
    story.event(
        begin,
        "b has recovered from its write-ahead log and sells again.",
    );
    let second = load(left).begin_until_broken(cluster.node("b")?)?;
    let mut reports = Vec::new();
    for (name, running) in loads.into_iter().chain([("b", second)]) {
        reports.push((name, running.end()?));
    }
    Ok(reports)
}

fn orders(cluster: &Cluster) -> Outcome<String> {
    let counts = cluster.on_all("SELECT count(*) FROM orders")?;
    Ok(counts
        .iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect::<Vec<_>>()
        .join(", "))
}
