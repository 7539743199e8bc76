//! How soon a commit on a is seen on b, at a steady pace.

use std::time::Duration;

use harness::{Cluster, Outcome, Probe, Table};

use crate::median::median;
use crate::{Extent, native};

const PACES: [u32; 2] = [100, 500];

pub fn measure(extent: Extent) -> Outcome<String> {
    let cluster = Cluster::start_direct("bench-lag", &["a", "b"], &native::options())?;
    native::replicate(
        &cluster,
        "plain",
        "CREATE TABLE plain (id bigint PRIMARY KEY, n bigint NOT NULL)",
    )?;
    cluster[0].run(
        "CREATE TABLE tracked (id bigint PRIMARY KEY, n pn_counter NOT NULL);
         SELECT crdt_track('tracked')",
    )?;
    cluster.wait_for_table("tracked")?;

    let mut table = Table::new(&[
        "commit on a → visible on b",
        "p50",
        "p99",
        "p50 native",
        "p99 native",
        "goal",
    ]);
    // Rows of earlier rounds: each round goes on above them.
    let mut written = 0;
    for pace in PACES {
        let mut rounds: [Vec<(f64, f64)>; 2] = Default::default();
        for _ in 0..extent.rounds {
            for (way, (name, value)) in [("tracked", "'1'"), ("plain", "1")].into_iter().enumerate()
            {
                let lag = Probe {
                    from: &cluster[0],
                    to: &cluster[1],
                    write: &format!("INSERT INTO {name} VALUES ($1::bigint + {written}, {value})"),
                    newest: &format!(
                        "SELECT greatest(coalesce(max(id), 0) - {written}, 0)::bigint FROM {name}"
                    ),
                }
                .measure(pace, Duration::from_secs(extent.seconds.into()))?;
                rounds[way].push((lag.percentile_ms(50), lag.percentile_ms(99)));
            }
            written += i64::from(pace * extent.seconds);
        }
        let of = |way: usize, pick: fn(&(f64, f64)) -> f64| {
            format!("{:.1} ms", median(rounds[way].iter().map(pick)))
        };
        table.row(&[
            format!("{pace} inserts a second"),
            of(0, |lag| lag.0),
            of(0, |lag| lag.1),
            of(1, |lag| lag.0),
            of(1, |lag| lag.1),
            "5, 25 ms".to_owned(),
        ]);
    }
    Ok(format!(
        "Lag (seen by a client; looking adds up to 0.2 ms to each)\n{table}"
    ))
}
