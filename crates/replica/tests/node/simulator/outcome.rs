//! What must hold once all trouble is over.

use ledger::merkle::{self, Tree};
use ledger::{Hash, Leaf, NodeId, Position};
use replica::Report;

use super::cluster::Cluster;
use super::host::Host;
use super::plan::Plan;
use super::store::MemoryStore;

/// How long members may take to agree after all trouble is over. Virtual milliseconds.
const PATIENCE_MS: u64 = 90_000;

/// What a run came to.
pub struct Outcome {
    pub trace: Hash,
    pub operations: u64,
    pub blocks: usize,
    pub evidence: usize,
    pub branches_discarded: usize,
    pub lost_transactions: usize,
    pub reports: Vec<Report>,
}

/// Runs a plan to its end and checks every promise. Panics where one is broken.
pub fn run(plan: Plan) -> Outcome {
    let mut cluster = Cluster::new(plan);
    cluster.calm_down();
    let give_up = cluster.now_ms + PATIENCE_MS;
    while let Some(difference) = difference(&cluster) {
        assert!(
            cluster.now_ms < give_up,
            "members never agree: {difference}\n{}",
            describe(&cluster)
        );
        cluster.run_until(cluster.now_ms + 500);
    }
    for host in cluster.honest() {
        check_log(&host.store);
    }
    let honest = cluster.honest();
    let first = &honest[0].store;
    Outcome {
        operations: first.vector.iter().map(|(_, at)| at.seq).sum(),
        blocks: first.blocks.len(),
        evidence: honest.iter().map(|host| host.store.evidence.len()).sum(),
        branches_discarded: honest
            .iter()
            .map(|host| host.store.branches_discarded)
            .sum(),
        lost_transactions: honest.iter().map(|host| host.lost_transactions).sum(),
        trace: cluster.trace,
        reports: cluster.reports,
    }
}

/// In what the honest members still differ from what they promise.
fn difference(cluster: &Cluster) -> Option<String> {
    let cheat = cluster.equivocator();
    let hosts = cluster.honest();
    let written: Vec<_> = hosts
        .iter()
        .map(|host| host.store.vector.get(&host.id))
        .collect();
    for (index, host) in hosts.iter().enumerate() {
        for (author, at) in hosts.iter().zip(&written) {
            let have = host.store.vector.get(&author.id);
            if have != *at {
                return Some(format!(
                    "node {index} has {} of {} of {}",
                    have.seq, at.seq, author.id
                ));
            }
        }
        let Some(last) = host.store.blocks.last() else {
            return Some(format!("node {index} has no block"));
        };
        for author in hosts {
            let at = host.store.vector.get(&author.id);
            if last.cut.get(&author.id) != at {
                return Some(format!("node {index}: operation {} is not final", at.seq));
            }
        }
        if host.store.blocks != hosts[0].store.blocks {
            return Some(format!(
                "node {index} has {} blocks",
                host.store.blocks.len()
            ));
        }
        if let Some(cheat) = cheat
            && !holds_what_is_final(host, &cheat)
        {
            return Some(format!("node {index} holds a history that is not final"));
        }
    }
    None
}

/// Where each node stands, for whoever reads a failure.
fn describe(cluster: &Cluster) -> String {
    let describe = |host: &Host| {
        let Some(node) = &host.node else {
            return format!("{} is down", host.id);
        };
        let vector: Vec<String> = node
            .vector()
            .iter()
            .map(|(origin, at)| {
                format!(
                    "{:.4}:{}/{:.2x?}",
                    origin.to_string(),
                    at.seq,
                    &at.head[..2]
                )
            })
            .collect();
        format!(
            "{:.4} at {vector:?}, height {}, waits: {:?}, held: {:?}, barred: {:?}, errors: {:?}",
            host.id.to_string(),
            node.height(),
            node.block_wait(),
            node.held(),
            host.store.barred,
            node.peers()
                .into_iter()
                .map(|peer| peer.last_error)
                .collect::<Vec<_>>(),
        )
    };
    cluster
        .hosts
        .iter()
        .map(describe)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Of a cheat's histories every member holds the one that is final, as far as it is final.
fn holds_what_is_final(host: &Host, cheat: &NodeId) -> bool {
    let end = host
        .store
        .blocks
        .last()
        .map_or(Position::START, |block| block.cut.get(cheat));
    let log = host
        .store
        .ops
        .get(cheat)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let held = end
        .seq
        .checked_sub(1)
        .and_then(|index| log.get(index as usize));
    end.seq == 0 || held.is_some_and(|(_, hash)| *hash == end.head)
}

/// Makes every leaf anew and compares it with the tiles and the headers.
fn check_log(store: &MemoryStore) {
    let chain = store.chain;
    let mut before = store.genesis.header();
    let mut before_cut = ledger::Cut::default();
    let mut leaves: Vec<Hash> = Vec::new();
    for block in &store.blocks {
        let mut index = leaves.len() as u64;
        leaves.push(Leaf::of_header(&before, &before.hash(), index).hash());
        for (origin, end) in block.cut.iter() {
            let start = before_cut.get(origin);
            let mut prev = start.head;
            for (core, hash) in &store.ops[origin][start.seq as usize..end.seq as usize] {
                index += 1;
                leaves.push(Leaf::of_op(&chain, index, origin, core, &prev, hash).hash());
                prev = *hash;
            }
            assert_eq!(prev, end.head);
        }
        assert_eq!(block.header.tree_size, leaves.len() as u64);
        assert_eq!(
            block.header.log_root,
            merkle::root(&leaves),
            "a log root that does not verify"
        );
        assert_eq!(block.header.prev_header, before.hash());
        block
            .certificate
            .verify(&chain, &store.genesis.validators())
            .unwrap();
        before = block.header.clone();
        before_cut = block.cut.clone();
    }
    let tree = Tree::new(store.clone(), leaves.len() as u64);
    assert_eq!(
        tree.root().unwrap(),
        merkle::root(&leaves),
        "tiles that are not the log"
    );
}
