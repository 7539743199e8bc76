//! Writers that remember what the server acknowledged, through crashes of it.
//!
//! Each transaction counts something up and writes its own number into the plain
//! local table `attempt`. After a crash that table tells which of the transactions
//! in doubt were committed, so that the expected sums are exact.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use postgres::{Config, NoTls, Statement};

use crate::server::DATABASE;
use crate::{Failure, Outcome, Random, Server};

const PAUSE: Duration = Duration::from_millis(50);
/// Numbers of one writer's transactions.
const SPAN: i64 = 1 << 32;

/// Writers at work on one server.
pub struct Attempts {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Tally>>,
}

/// What writers saw.
#[derive(Default, Debug)]
pub struct Tally {
    /// Transactions whose commit the server acknowledged.
    pub acknowledged: Vec<i64>,
    /// Transactions during which the connection broke.
    pub in_doubt: Vec<i64>,
    /// Errors of a living server: these transactions are rolled back.
    pub refused: Vec<String>,
}

impl Attempts {
    /// The table that the writers need, local to one server.
    pub const TABLE: &str = "CREATE TABLE attempt (id bigint PRIMARY KEY, amount bigint NOT NULL)";

    /// Starts `writers` connections that each repeat: choose a row in `0..rows` and
    /// an amount, carry out `change` ($1 amount, $2 row, a data-modifying statement),
    /// note the attempt, commit. `run` tells runs on one server apart.
    pub fn begin(server: &Server, run: u32, writers: u32, rows: u32, change: &str) -> Attempts {
        let stop = Arc::new(AtomicBool::new(false));
        let statement =
            format!("WITH noted AS (INSERT INTO attempt VALUES ($3::bigint, $1::bigint)) {change}");
        let threads = (0..writers)
            .map(|writer| {
                let first = i64::from(run * 1000 + writer) * SPAN;
                let (stop, statement) = (Arc::clone(&stop), statement.clone());
                let config = server.config(DATABASE);
                thread::spawn(move || write(&config, &statement, first, rows, &stop))
            })
            .collect();
        Attempts { stop, threads }
    }

    /// Stops the writers and gathers what they saw.
    pub fn end(self) -> Outcome<Tally> {
        self.stop.store(true, Ordering::Relaxed);
        let mut sum = Tally::default();
        for thread in self.threads {
            let one = thread
                .join()
                .map_err(|_| Failure::new("a writer panicked"))?;
            sum.acknowledged.extend(one.acknowledged);
            sum.in_doubt.extend(one.in_doubt);
            sum.refused.extend(one.refused);
        }
        Ok(sum)
    }
}

impl Tally {
    /// Sees that every acknowledged transaction is in the server's `attempt` and
    /// nothing else is but transactions in doubt; gives the sum of all amounts
    /// committed there.
    pub fn committed(&self, server: &Server) -> Outcome<i64> {
        let mut session = server.session()?;
        let mut count = |ids: &[i64]| -> Outcome<usize> {
            let row = session
                .client()
                .query_one("SELECT count(*) FROM attempt WHERE id = ANY ($1)", &[&ids])?;
            usize::try_from(row.get::<_, i64>(0)).map_err(|_| Failure::new("negative count"))
        };
        let kept = count(&self.acknowledged)?;
        if kept != self.acknowledged.len() {
            let lost = self.acknowledged.len() - kept;
            return Err(Failure::new(format!(
                "{}: {lost} acknowledged commits are gone",
                server.name()
            )));
        }
        let late = count(&self.in_doubt)?;
        let all = session.number("SELECT count(*) FROM attempt")?;
        if i64::try_from(kept + late) != Ok(all) {
            return Err(Failure::new(format!(
                "{}: {all} attempts are there; {kept} were acknowledged, {late} more were in doubt",
                server.name()
            )));
        }
        session.number("SELECT coalesce(sum(amount), 0) FROM attempt")
    }
}

fn write(config: &Config, statement: &str, first: i64, rows: u32, stop: &AtomicBool) -> Tally {
    let mut tally = Tally::default();
    let mut random = Random::new(first.unsigned_abs());
    let mut number = first;
    while !stop.load(Ordering::Relaxed) {
        // The server may be down: that is what the test is about.
        let Ok(mut client) = config.connect(NoTls) else {
            thread::sleep(PAUSE);
            continue;
        };
        let prepared: Statement = match client.prepare(statement) {
            Ok(prepared) => prepared,
            Err(error) => {
                if !client.is_closed() {
                    tally.refused.push(Failure::from(error).to_string());
                }
                thread::sleep(PAUSE);
                continue;
            }
        };
        while !stop.load(Ordering::Relaxed) {
            number += 1;
            let amount = 1 + i64::try_from(random.below(9)).unwrap_or_default();
            let row = i64::try_from(random.below(rows.into())).unwrap_or_default();
            match client.execute(&prepared, &[&amount, &row, &number]) {
                Ok(_) => tally.acknowledged.push(number),
                // FATAL is said by a server that goes down; it may have come after
                // the commit.
                Err(error) if client.is_closed() || error.as_db_error().is_none_or(fatal) => {
                    tally.in_doubt.push(number);
                    break;
                }
                Err(error) => tally.refused.push(Failure::from(error).to_string()),
            }
        }
    }
    tally
}

fn fatal(error: &postgres::error::DbError) -> bool {
    matches!(error.severity(), "FATAL" | "PANIC")
}
