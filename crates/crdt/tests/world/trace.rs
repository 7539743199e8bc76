//! Recorded editing sessions (github.com/josephg/editing-traces), from the folder that
//! `BCRDT_TRACES` names; skipped without it.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;

use crdt::rga_text::TextEdit;
use crdt::{Author, Crdt, Edit, Hlc, RgaText};
use flate2::read::GzDecoder;
use serde_json::Value;

/// What one person did at once.
pub struct Transaction {
    /// What it came after, by number.
    pub parents: Vec<usize>,
    pub agent: usize,
    pub edits: Vec<TextEdit>,
}

pub struct Trace {
    pub start: String,
    pub end: String,
    pub agents: usize,
    /// Each after its parents.
    pub txns: Vec<Transaction>,
}

impl Trace {
    pub fn named(name: &str) -> Option<Self> {
        let Some(folder) = std::env::var_os("BCRDT_TRACES") else {
            eprintln!("BCRDT_TRACES is not set: {name} is skipped");
            return None;
        };
        let file = File::open(PathBuf::from(folder).join(format!("{name}.json.gz"))).unwrap();
        let trace: Value = serde_json::from_reader(GzDecoder::new(file)).unwrap();
        let text = |key: &str| trace[key].as_str().unwrap_or_default().to_owned();
        Some(Self {
            start: text("startContent"),
            end: text("endContent"),
            agents: trace["numAgents"].as_u64().unwrap_or(1) as usize,
            txns: trace["txns"].as_array().unwrap().iter().map(txn).collect(),
        })
    }

    /// The transactions in an order in which each comes after its parents, and those of the agent
    /// of the least number as soon as can be.
    pub fn favouring_one(&self) -> Vec<usize> {
        let mut children = vec![Vec::new(); self.txns.len()];
        let mut missing: Vec<usize> = Vec::with_capacity(self.txns.len());
        let mut ready = BTreeSet::new();
        for (index, txn) in self.txns.iter().enumerate() {
            missing.push(txn.parents.len());
            let of = |parent: &usize| children[*parent].push(index);
            txn.parents.iter().for_each(of);
            if txn.parents.is_empty() {
                ready.insert((txn.agent, index));
            }
        }
        let mut order = Vec::with_capacity(self.txns.len());
        while let Some((_, index)) = ready.pop_first() {
            order.push(index);
            for child in &children[index] {
                missing[*child] -= 1;
                if missing[*child] == 0 {
                    ready.insert((self.txns[*child].agent, *child));
                }
            }
        }
        assert_eq!(order.len(), self.txns.len());
        order
    }

    /// The delta of each transaction, settled by its agent upon what its parents show.
    pub fn deltas<A: Author>(
        &self,
        clocks: &mut [A],
        observe: impl Fn(&mut A, Hlc),
    ) -> Vec<RgaText> {
        let mut rows = vec![RgaText::default(); self.agents];
        let mut seen = vec![vec![false; self.txns.len()]; self.agents];
        let mut deltas: Vec<RgaText> = Vec::with_capacity(self.txns.len());
        for (index, txn) in self.txns.iter().enumerate() {
            let row = &mut rows[txn.agent];
            let seen = &mut seen[txn.agent];
            let (mut open, mut new) = (txn.parents.clone(), Vec::new());
            while let Some(parent) = open.pop() {
                if !std::mem::replace(&mut seen[parent], true) {
                    new.push(parent);
                    open.extend(&self.txns[parent].parents);
                }
            }
            new.sort_unstable();
            for parent in new {
                row.join_assign(&deltas[parent]).unwrap();
            }
            let mut draft = row.clone();
            txn.edits.iter().for_each(|edit| draft.edit(edit).unwrap());
            let clock = &mut clocks[txn.agent];
            observe(clock, row.latest());
            let new = RgaText::settle(Some(row), &draft, clock).unwrap();
            deltas.push(RgaText::delta(Some(row), &new).unwrap());
            *row = new;
            seen[index] = true;
        }
        deltas
    }
}

fn txn(txn: &Value) -> Transaction {
    let number = |value: &Value| value.as_u64().unwrap() as usize;
    let parents = txn["parents"].as_array();
    let mut edits = Vec::new();
    for patch in txn["patches"].as_array().unwrap() {
        let (at, count) = (number(&patch[0]), number(&patch[1]));
        let content = patch[2].as_str().unwrap().to_owned();
        if count > 0 {
            edits.push(TextEdit::Delete { at, count });
        }
        if !content.is_empty() {
            edits.push(TextEdit::Insert { at, content });
        }
    }
    Transaction {
        parents: parents.into_iter().flatten().map(number).collect(),
        agent: txn["agent"].as_u64().unwrap_or_default() as usize,
        edits,
    }
}
