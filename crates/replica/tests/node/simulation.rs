//! Clusters under trouble, by seed. `REPLICA_SEEDS=5000` runs more of them, `REPLICA_SEED=17` one.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::simulator::outcome::{Outcome, run};
use super::simulator::plan::Plan;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn run_seed(seed: u64) -> Outcome {
    let plan = Plan::from_seed(seed);
    let said = format!("{plan:?}");
    catch_unwind(AssertUnwindSafe(|| run(plan)))
        .unwrap_or_else(|_| panic!("REPLICA_SEED={seed} breaks a promise: {said}"))
}

/// Without this, a user's write could be lost, applied twice or out of order, two members could stay
/// different for ever, or one cheating member could stop the others.
#[test]
fn members_agree_whatever_goes_wrong() {
    let seeds: Vec<u64> = match number("REPLICA_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("REPLICA_SEEDS").unwrap_or(200)).collect(),
    };
    let halves = std::thread::scope(|scope| {
        let half = |parity: usize| {
            let seeds = seeds.iter().skip(parity).step_by(2);
            scope.spawn(move || seeds.map(|seed| run_seed(*seed)).collect::<Vec<_>>())
        };
        let threads = [half(0), half(1)];
        threads.map(|thread| {
            thread
                .join()
                .unwrap_or_else(|cause| std::panic::resume_unwind(cause))
        })
    });
    let outcomes: Vec<Outcome> = halves.into_iter().flatten().collect();
    if outcomes.len() >= 200 {
        // Trouble that never happens tests nothing.
        let sum = |count: fn(&Outcome) -> usize| outcomes.iter().map(count).sum::<usize>();
        assert!(sum(|o| o.evidence) > 20);
        assert!(sum(|o| o.branches_discarded) > 0);
        assert!(sum(|o| o.lost_transactions) > 20);
        assert!(sum(|o| o.blocks) > 500);
        assert!(sum(|o| o.operations as usize) > 1_000);
        assert!(sum(|o| o.reports.len()) > 500);
    }
}

/// Without this, a failure found once could never be looked at again.
#[test]
fn a_seed_repeats_its_run_byte_for_byte() {
    for seed in [3, 8] {
        assert_eq!(run_seed(seed).trace, run_seed(seed).trace);
    }
    assert_ne!(run_seed(3).trace, run_seed(8).trace);
}
