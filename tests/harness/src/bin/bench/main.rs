//! `make bench`: what the types and tracking cost a writer, what syncing carries, and how soon a
//! commit is seen elsewhere, each beside what PostgreSQL does without us, in one run; then what
//! verifying and asking the ledger costs, and what it takes on disk.
//!
//! `bench [types] [writes] [throughput] [lag] [ledger] [history]`; `BENCH_SECONDS` (20) a measurement and
//! `BENCH_ROUNDS` (3), of which the median counts.

mod history;
mod lag;
mod ledger;
mod median;
mod native;
mod storage;
mod throughput;
mod types;
mod writes;

use std::fs;
use std::process::ExitCode;

use harness::{Failure, Outcome, Place};

/// A part of the benchmark: measures, gives its table.
type Part = fn(Extent) -> Outcome<String>;

/// How long and how often to measure.
#[derive(Clone, Copy)]
struct Extent {
    seconds: u32,
    rounds: u32,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let parts: [(&str, Part); 6] = [
        ("types", types::measure),
        ("writes", writes::measure),
        ("throughput", throughput::measure),
        ("lag", lag::measure),
        ("ledger", ledger::measure),
        ("history", history::measure),
    ];
    if let Some(unknown) = wanted
        .iter()
        .find(|name| parts.iter().all(|(part, _)| part != name))
    {
        return Err(Failure::new(format!(
            "no part {unknown}: types, writes, throughput, lag, ledger, history"
        )));
    }
    let extent = Extent {
        seconds: number("BENCH_SECONDS", 20)?,
        rounds: number("BENCH_ROUNDS", 3)?,
    };
    let place = Place::find()?;
    let mut text = heading(&place, extent)?;
    print!("{text}");
    for (name, measure) in parts {
        if wanted.is_empty() || wanted.iter().any(|one| one == name) {
            let part = measure(extent)?;
            print!("\n{part}");
            text.push('\n');
            text.push_str(&part);
        }
    }
    let file = place.state().join("bench.txt");
    fs::write(&file, text)?;
    println!("\nkept in {}", file.display());
    Ok(())
}

fn number(name: &str, default: u32) -> Outcome<u32> {
    match std::env::var(name) {
        Ok(text) => Ok(text.parse()?),
        Err(_) => Ok(default),
    }
}

fn heading(place: &Place, extent: Extent) -> Outcome<String> {
    let version = harness::Program::new(
        {
            let mut command = place.command("postgres");
            command.arg("--version");
            command
        },
        harness::SHORT,
    )
    .run()?;
    let cores = std::thread::available_parallelism()?;
    let info = fs::read_to_string("/proc/cpuinfo")?;
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("", |(_, name)| name);
    Ok(format!(
        "{} on {cores} cores ({model}); all servers on this machine\n\
         fsync on, synchronous_commit on; {} s a measurement, median of {} rounds\n",
        String::from_utf8_lossy(&version).trim(),
        extent.seconds,
        extent.rounds,
    ))
}
