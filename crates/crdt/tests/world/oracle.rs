//! Histories where deltas get lost, come twice, late or several as one, for types whose every
//! delta says all that its author had done: what a replica shows is, of each author, the first
//! so many of its writes.

use crdt::Crdt;
use proptest::prelude::*;

use super::Clock;

/// What happens.
#[derive(Clone, Debug)]
pub enum Step {
    /// A replica writes upon its row, or (`back` > 0) upon an earlier version of it.
    Write { at: usize, back: usize, seed: u8 },
    /// Some two deltas of one author arrive as one, in any order, perhaps again.
    Deliver {
        origin: usize,
        picks: [prop::sample::Index; 2],
        to: usize,
    },
    /// The row of one replica is merged into another's.
    Merge { from: usize, to: usize },
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let at = 0..3usize;
    let step = prop_oneof![
        4 => (at.clone(), 0..4usize, any::<u8>())
            .prop_map(|(at, back, seed)| Step::Write { at, back, seed }),
        4 => (at.clone(), any::<[prop::sample::Index; 2]>(), at.clone())
            .prop_map(|(origin, picks, to)| Step::Deliver { origin, picks, to }),
        1 => (at.clone(), at).prop_map(|(from, to)| Step::Merge { from, to }),
    ];
    prop::collection::vec(step, 1..40)
}

/// One write: its seed and the delta that it made.
pub type Log<T> = [Vec<(u8, T)>; 3];

/// Runs the steps; `write` is an operator, which must change something; `check` compares a row
/// with the writes that it must show: of each author the first `seen`.
pub fn run<T: Crdt + std::fmt::Debug>(
    steps: &[Step],
    write: impl Fn(&T, u8) -> T,
    check: impl Fn(&T, [usize; 3], &Log<T>),
) {
    let mut clocks: Vec<Clock> = (1..=3).map(Clock::new).collect();
    let mut versions: Vec<Vec<T>> = vec![vec![T::default()]; 3];
    let mut seen = [[0usize; 3]; 3];
    let mut log: Log<T> = Default::default();
    for step in steps {
        let (at, row) = match *step {
            Step::Write { at, back, seed } => {
                let held = &versions[at];
                let old = &held[held.len() - 1];
                let base = &held[held.len().saturating_sub(1 + back)];
                let row = T::settle(Some(old), &write(base, seed), &mut clocks[at]).unwrap();
                let delta = T::delta(Some(old), &row).expect("a write makes a delta");
                T::check_delta(&delta, clocks[at].replica, Some(old)).unwrap();
                log[at].push((seed, delta));
                seen[at][at] = log[at].len();
                (at, row)
            }
            Step::Deliver { origin, picks, to } => {
                if log[origin].is_empty() || origin == to {
                    continue;
                }
                let [i, j] = picks.map(|pick| pick.index(log[origin].len()));
                let delta = log[origin][i].1.join(&log[origin][j].1).unwrap();
                let row = &versions[to][versions[to].len() - 1];
                T::check_delta(&delta, clocks[origin].replica, Some(row)).unwrap();
                seen[to][origin] = seen[to][origin].max(i + 1).max(j + 1);
                (to, row.join(&delta).unwrap())
            }
            Step::Merge { from, to } => {
                let row = |at: usize| &versions[at][versions[at].len() - 1];
                let theirs = seen[from];
                for (mine, theirs) in seen[to].iter_mut().zip(theirs) {
                    *mine = (*mine).max(theirs);
                }
                (to, row(to).join(row(from)).unwrap())
            }
        };
        check(&row, seen[at], &log);
        versions[at].push(row);
    }
}
