//! What a seed stands for: how many nodes, what they write, and what goes wrong.

use super::random::Random;

#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub nodes: usize,
    /// Segments that each node writes.
    pub writes: usize,
    /// Operations in one segment at most.
    pub operations: u64,
    /// While things go wrong, milliseconds.
    pub trouble_ms: u64,
    /// Longest time that a message takes, milliseconds.
    pub delay_ms: u64,
    /// Messages lost, doubled; in a thousand.
    pub loss: u64,
    pub duplication: u64,
    pub partitions: usize,
    pub crashes: usize,
    /// Transactions lost, in a thousand.
    pub lost_transactions: u64,
    /// Segments that a host does not take at first, in a thousand.
    pub unready: u64,
    /// Clocks are off by up to this. Milliseconds.
    pub clock_off_ms: u64,
    /// The last node becomes a member during the run.
    pub joins_late: bool,
    /// The last node signs two histories.
    pub equivocates: bool,
    pub max_block_ops: u64,
}

impl Plan {
    pub fn from_seed(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x5EED);
        let nodes = random.range(2, 5) as usize;
        let equivocates = nodes > 2 && random.permille(300);
        Self {
            seed,
            nodes,
            writes: random.range(1, 4) as usize,
            operations: random.range(1, 4),
            trouble_ms: random.range(2_000, 15_000),
            delay_ms: [5, 100, 1_500][random.range(0, 3) as usize],
            loss: [0, 50, 250][random.range(0, 3) as usize],
            duplication: [0, 100, 300][random.range(0, 3) as usize],
            partitions: random.range(0, 4) as usize,
            crashes: random.range(0, 4) as usize,
            lost_transactions: [0, 10, 60][random.range(0, 3) as usize],
            unready: [0, 0, 200][random.range(0, 3) as usize],
            clock_off_ms: [0, 1_000, 70_000][random.range(0, 3) as usize],
            joins_late: !equivocates && nodes > 2 && random.permille(300),
            equivocates,
            max_block_ops: [1, 3, 10_000][random.range(0, 3) as usize],
        }
    }
}
