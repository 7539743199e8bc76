//! How long a commit on one server takes until it can be seen on another.

use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use crate::{Failure, LONG, Outcome, Server};

/// Pause between two looks. A look itself takes about 0.1 ms, so what is measured
/// is at most some tenths of a millisecond too long, for all alike.
const PAUSE: Duration = Duration::from_micros(100);

/// Measured lags, sorted.
#[derive(Clone, Debug)]
pub struct Lag(Vec<Duration>);

/// What is written and where it is looked for. The writer makes rows 1, 2, 3, ...
pub struct Probe<'a> {
    /// Where rows are written.
    pub from: &'a Server,
    /// Where they are looked for.
    pub to: &'a Server,
    /// Writes row number $1::bigint.
    pub write: &'a str,
    /// Gives the greatest row number that can be seen, or 0.
    pub newest: &'a str,
}

impl Probe<'_> {
    /// Writes `rate` rows a second, each in a transaction of its own, for `length`.
    /// A lag runs from when the writer is told that its commit is done to when a
    /// query on the other server shows the row.
    pub fn measure(&self, rate: u32, length: Duration) -> Outcome<Lag> {
        let last = AtomicI64::new(i64::MAX);
        thread::scope(|scope| {
            let looking = scope.spawn(|| self.look(&last));
            let written = self.write(rate, length);
            // So that the other thread ends even if nothing was written.
            last.store(
                written.as_ref().map_or(0, |acks| acks.len() as i64),
                Ordering::Relaxed,
            );
            let seen = looking
                .join()
                .map_err(|_| Failure::new("the observer panicked"))??;
            let lags = written?
                .into_iter()
                .zip(seen)
                .map(|(ack, seen)| seen.saturating_duration_since(ack));
            let mut lags: Vec<Duration> = lags.collect();
            lags.sort_unstable();
            Ok(Lag(lags))
        })
    }

    /// When each row's commit was acknowledged.
    fn write(&self, rate: u32, length: Duration) -> Outcome<Vec<Instant>> {
        let mut session = self.from.session()?;
        let statement = session.client().prepare(self.write)?;
        let count = length.as_secs() as u32 * rate;
        let begin = Instant::now();
        let mut acks = Vec::new();
        for number in 1..=count {
            let due = begin + Duration::from_secs(1) * (number - 1) / rate;
            sleep(due.saturating_duration_since(Instant::now()));
            session
                .client()
                .execute(&statement, &[&i64::from(number)])?;
            acks.push(Instant::now());
        }
        Ok(acks)
    }

    /// When each row was first seen.
    fn look(&self, last: &AtomicI64) -> Outcome<Vec<Instant>> {
        let mut session = self.to.session()?;
        let statement = session.client().prepare(self.newest)?;
        let mut seen: Vec<Instant> = Vec::new();
        let mut progress = Instant::now();
        while (seen.len() as i64) < last.load(Ordering::Relaxed) {
            let newest: i64 = session.client().query_one(&statement, &[])?.get(0);
            let now = Instant::now();
            if newest > seen.len() as i64 {
                seen.resize(newest as usize, now);
                progress = now;
            }
            if progress.elapsed() > LONG {
                return Err(Failure::new(format!(
                    "row {} does not arrive",
                    seen.len() + 1
                )));
            }
            sleep(PAUSE);
        }
        Ok(seen)
    }
}

impl Lag {
    /// The lag that `percent` of the rows did not exceed, in milliseconds.
    pub fn percentile_ms(&self, percent: usize) -> f64 {
        let last = self.0.len().saturating_sub(1);
        let position = (self.0.len() * percent)
            .div_ceil(100)
            .saturating_sub(1)
            .min(last);
        self.0
            .get(position)
            .map_or(f64::NAN, |lag| lag.as_secs_f64() * 1000.0)
    }

    /// How many rows were measured.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A percentile that is off by one would flatter a small sample's p99.
    #[test]
    fn percentiles_take_the_value_at_the_rank() {
        let lag = Lag((1..=100).map(Duration::from_millis).collect());
        assert_eq!(
            (
                lag.percentile_ms(50),
                lag.percentile_ms(99),
                lag.percentile_ms(100)
            ),
            (50.0, 99.0, 100.0)
        );
        assert!(Lag(Vec::new()).percentile_ms(50).is_nan());
    }
}
