//! Waiting with a deadline.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::{Failure, Outcome};

/// For what happens at once on an idle machine.
pub const SHORT: Duration = Duration::from_secs(30);
/// For what takes work: recovery, catching up, convergence on two busy cores.
pub const LONG: Duration = Duration::from_secs(180);

const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// Asks `probe` until it gives `Ok(Ok(value))`. `Ok(Err(state))` says how things
/// are meanwhile, which the failure tells when `deadline` passes; `Err` ends the
/// wait.
#[track_caller]
pub fn wait_until<T>(
    deadline: Duration,
    what: &str,
    mut probe: impl FnMut() -> Outcome<Result<T, String>>,
) -> Outcome<T> {
    let begin = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let state = match probe()? {
            Ok(value) => return Ok(value),
            Err(state) => state,
        };
        if begin.elapsed() > deadline {
            return Err(Failure::new(format!(
                "waited {deadline:?} for {what}; at the end: {state}"
            )));
        }
        sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
