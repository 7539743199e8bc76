//! PostgreSQL's own load generator, with a script of ours.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::server::DATABASE;
use crate::{Failure, LONG, Outcome, Program, Server};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A run of pgbench: prepared statements, no vacuum before.
#[derive(Clone, Debug)]
pub struct Pgbench {
    script: String,
    clients: u32,
    extent: [String; 2],
    limit: Duration,
    rate: Option<u32>,
}

/// What pgbench reported.
#[derive(Clone, Debug)]
pub struct Report {
    /// Transactions that the server acknowledged.
    pub transactions: u64,
    /// Transactions that failed without ending the run.
    pub failed: u64,
    /// Mean milliseconds a transaction, as a client sees it.
    pub latency_ms: f64,
    /// Transactions a second, without the time to connect.
    pub tps: f64,
    /// Whether every client ran to the end (not so if the server died).
    pub complete: bool,
}

impl Pgbench {
    /// Eight clients for ten seconds, unless told otherwise.
    pub fn new(script: impl Into<String>) -> Self {
        Pgbench {
            script: script.into(),
            clients: 8,
            extent: extent("-T", 10),
            limit: LONG,
            rate: None,
        }
    }

    /// How many connections write at once.
    pub fn clients(mut self, clients: u32) -> Self {
        self.clients = clients;
        self
    }

    /// How long.
    pub fn seconds(mut self, seconds: u32) -> Self {
        self.extent = extent("-T", seconds);
        self.limit = Duration::from_secs(seconds.into()) + LONG;
        self
    }

    /// How many transactions each client makes, instead of a time.
    pub fn transactions_each(mut self, count: u32, limit: Duration) -> Self {
        self.extent = extent("-t", count);
        self.limit = limit;
        self
    }

    /// Transactions a second over all clients, instead of as fast as it goes.
    pub fn rate(mut self, rate: u32) -> Self {
        self.rate = Some(rate);
        self
    }

    /// Runs it against the server's database `app`. That a client ended early, by an
    /// error of its script or because the server went away, is a failure.
    pub fn run(&self, server: &Server) -> Outcome<Report> {
        let (report, complaints) = read(self.program(server)?)?;
        if report.complete {
            Ok(report)
        } else {
            Err(Failure::new(format!("pgbench: {complaints}")))
        }
    }

    /// Starts it against a server that may be killed and changed meanwhile.
    pub fn begin_until_broken(&self, server: &Server) -> Outcome<Running> {
        let program = self.program(server)?;
        Ok(Running(thread::spawn(move || {
            read(program).map(|(report, _)| report)
        })))
    }

    fn program(&self, server: &Server) -> Outcome<Program> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let file = server.folder().join(format!("pgbench-{number}.sql"));
        fs::write(&file, &self.script)?;
        let mut command = server.command("pgbench");
        command.args([
            "-n",
            "-M",
            "prepared",
            "-j",
            "2",
            "-c",
            &self.clients.to_string(),
        ]);
        command.args(&self.extent).arg("-f").arg(&file);
        if let Some(rate) = self.rate {
            command.arg("-R").arg(rate.to_string());
        }
        command.arg(DATABASE);
        Ok(Program::new(command, self.limit))
    }
}

/// A run of pgbench that has been started.
pub struct Running(JoinHandle<Outcome<Report>>);

impl Running {
    /// Waits for its end.
    pub fn end(self) -> Outcome<Report> {
        self.0
            .join()
            .map_err(|_| Failure::new("the thread of pgbench panicked"))?
    }
}

fn read(program: Program) -> Outcome<(Report, String)> {
    let ended = program.end()?;
    let printed = String::from_utf8_lossy(&ended.output);
    match Report::read(&printed, ended.status.success()) {
        Some(report) => Ok((report, ended.complaints)),
        None => Err(Failure::new(format!(
            "pgbench: {}\n{printed}{}",
            ended.status, ended.complaints
        ))),
    }
}

fn extent(flag: &str, amount: u32) -> [String; 2] {
    [flag.to_owned(), amount.to_string()]
}

impl Report {
    fn read(printed: &str, complete: bool) -> Option<Report> {
        let after = |label: &str| {
            let line = printed
                .lines()
                .find_map(|line| line.trim().strip_prefix(label))?;
            let number: String = line
                .trim_start()
                .chars()
                .take_while(|c| c.is_ascii_digit() || *c == '.')
                .collect();
            number.parse::<f64>().ok()
        };
        Some(Report {
            transactions: after("number of transactions actually processed:")? as u64,
            failed: after("number of failed transactions:").unwrap_or_default() as u64,
            // Not printed when no transaction was made.
            latency_ms: after("latency average =").unwrap_or_default(),
            tps: after("tps =").unwrap_or_default(),
            complete,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A benchmark would print wrong ratios if pgbench's text were misread.
    #[test]
    fn reads_what_pgbench_prints() {
        let printed = "transaction type: f.sql\nnumber of clients: 8\n\
            number of transactions actually processed: 100/100\n\
            number of failed transactions: 3 (0.100%)\n\
            latency average = 0.245 ms\ninitial connection time = 1.912 ms\n\
            tps = 4078.969654 (without initial connection time)\n";
        let report = Report::read(printed, true).expect("readable");
        assert_eq!(
            (report.transactions, report.failed, report.complete),
            (100, 3, true)
        );
        assert!(
            (report.latency_ms - 0.245).abs() < 1e-9 && (report.tps - 4078.969654).abs() < 1e-9
        );
        assert!(Report::read("pgbench: error: connection failed", false).is_none());
    }
}
