//! A process and all below it, by /proc.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::{Failure, Outcome, wait_until};

/// For a process to end after a signal that it does not ignore.
const LIMIT: Duration = Duration::from_secs(20);

/// State and parent of a process; `None` if there is none.
fn status(pid: i32) -> Option<(char, i32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command's name stands in brackets and may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// Whether the process runs (one that was killed but not yet reaped does not).
pub fn alive(pid: i32) -> bool {
    status(pid).is_some_and(|(state, _)| state != 'Z' && state != 'X')
}

/// `root` and all its descendants.
pub fn tree(root: i32) -> Vec<i32> {
    let all: Vec<(i32, i32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, status(pid)?.1)))
        .collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(
            all.iter()
                .filter(|(_, of)| *of == parent)
                .map(|(pid, _)| *pid),
        );
        next += 1;
    }
    found
}

/// Sends a signal; that the process is gone already is no error.
pub fn signal(pid: i32, signal: Signal) -> Outcome {
    let target = Pid::from_raw(pid).ok_or_else(|| Failure::new(format!("no process id: {pid}")))?;
    match kill_process(target, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(Failure::new(format!("signal to {pid}: {error}"))),
    }
}

/// Asks a process to end and waits until it has.
pub fn end_process(pid: i32) -> Outcome {
    signal(pid, Signal::TERM)?;
    wait_until(LIMIT, &format!("process {pid} to end"), || {
        Ok(if alive(pid) {
            Err("it is there".to_owned())
        } else {
            Ok(())
        })
    })
}

/// Kills `root` and every process below it at one moment, as a power cut would.
/// PostgreSQL's backends are each their own process group, so a group kill would
/// miss them; the stopped root cannot start new ones while the others are killed.
pub fn kill_tree(root: i32) -> Outcome {
    signal(root, Signal::STOP)?;
    let mut killed = tree(root);
    killed.reverse();
    for &pid in &killed {
        signal(pid, Signal::KILL)?;
    }
    // A backend that still lives would hold the shared memory, and the server
    // would refuse to start again.
    wait_until(LIMIT, "killed processes to end", || {
        let left: Vec<i32> = killed.iter().copied().filter(|&pid| alive(pid)).collect();
        Ok(if left.is_empty() {
            Ok(())
        } else {
            Err(format!("still there: {left:?}"))
        })
    })
}
