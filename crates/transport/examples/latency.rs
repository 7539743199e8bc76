//! Prints the round trip between two nodes on loopback, host to host: both network threads, both
//! event queues, TLS and HTTP/2. Run with `cargo run --release -p transport --example latency`.

use std::{
    collections::HashMap,
    error::Error,
    thread,
    time::{Duration, Instant},
};

use transport::{Config, Event, Key, Limits, Peer, Start, public_key_of, start};

const BODY: usize = 4 << 10;
const WARM_UP: u64 = 500;
const ROUNDS: u64 = 10_000;
const BURST: u64 = 16;
const LARGE: usize = 32 << 20;
const LARGE_ROUNDS: u32 = 20;

fn node(seed: u8) -> Result<Start, Box<dyn Error>> {
    let limits = Limits {
        requests_per_second: 1_000_000,
        burst: 1_000_000,
        ..Limits::default()
    };
    let config = Config {
        listen: Some(([127, 0, 0, 1], 0).into()),
        tls_seed: [seed; 32],
        limits,
    };
    Ok(start(config, || ())?)
}

fn key(seed: u8) -> Key {
    public_key_of(&[seed; 32])
}

fn peers(node: &Start, seed: u8) -> Result<HashMap<Key, Peer>, Box<dyn Error>> {
    let address = node.local_addr.ok_or("no listener")?;
    let url = format!("https://{address}");
    Ok(HashMap::from([(key(seed), Peer { url })]))
}

/// Sends `count` requests of `size` bytes at once and waits for all answers.
fn exchange(asker: &Start, count: u64, size: usize) -> Result<(), Box<dyn Error>> {
    for id in 0..count {
        asker.handle.send(key(2), "/v1/push", id, vec![7; size])?;
    }
    for _ in 0..count {
        match asker.events.recv_timeout(Duration::from_secs(5)) {
            Some(Event::Response { result, .. }) => drop(result?),
            other => return Err(format!("unexpected event: {other:?}").into()),
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let (asker, answerer) = (node(1)?, node(2)?);
    asker.handle.set_peers(peers(&answerer, 2)?);
    answerer.handle.set_peers(peers(&asker, 1)?);
    thread::spawn(move || {
        while let Some(event) = answerer.events.recv_timeout(Duration::from_secs(5)) {
            if let Event::Request { token, .. } = event {
                answerer.handle.reply(token, 200, vec![1; 64]);
            }
        }
    });
    for _ in 0..WARM_UP {
        exchange(&asker, 1, BODY)?;
    }
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        exchange(&asker, 1, BODY)?;
        rounds.push(begin.elapsed());
    }
    rounds.sort_unstable();
    let at = |share: f64| rounds[(ROUNDS as f64 * share) as usize];
    println!(
        "{BODY} B request, 64 B answer: p50 {:?}  p90 {:?}  p99 {:?}  p99.9 {:?}",
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999)
    );
    let begin = Instant::now();
    for _ in 0..ROUNDS / BURST {
        exchange(&asker, BURST, BODY)?;
    }
    let rate = (ROUNDS / BURST * BURST) as f64 / begin.elapsed().as_secs_f64();
    println!("{BURST} requests at once: {rate:.0} requests/s");
    let begin = Instant::now();
    for _ in 0..LARGE_ROUNDS {
        exchange(&asker, 1, LARGE)?;
    }
    let each = begin.elapsed() / LARGE_ROUNDS;
    println!("{} MiB request: {each:?}", LARGE >> 20);
    Ok(())
}
