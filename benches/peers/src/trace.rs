//! Editing traces in the form of github.com/josephg/editing-traces, gzipped JSON.

use std::env;
use std::fs::File;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use serde::Deserialize;

/// At a code point, so many code points deleted, then a text inserted.
#[derive(Clone, Debug, Deserialize)]
pub struct Patch(pub usize, pub usize, pub String);

/// What one person did at once.
#[derive(Debug, Deserialize)]
pub struct Transaction {
    /// The transactions that it saw last; of a sequential trace none are named.
    #[serde(default)]
    pub parents: Vec<usize>,
    /// Who did it.
    #[serde(default)]
    pub agent: usize,
    /// Upon what the parents together show.
    pub patches: Vec<Patch>,
}

/// The making of a document.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trace {
    /// The finished text.
    pub end_content: String,
    /// How many people, if it is concurrent.
    #[serde(default)]
    pub num_agents: usize,
    /// In an order in which each comes after its parents.
    pub txns: Vec<Transaction>,
}

impl Trace {
    /// The trace of this name from the folder that BCRDT_TRACES names; None if there is no such
    /// folder or file.
    ///
    /// # Panics
    /// If the file is there and is no trace.
    pub fn named(name: &str) -> Option<Self> {
        let path = PathBuf::from(env::var_os("BCRDT_TRACES")?).join(format!("{name}.json.gz"));
        let file = File::open(&path).ok()?;
        let trace = serde_json::from_reader(GzDecoder::new(file));
        Some(trace.unwrap_or_else(|error| panic!("{} is no trace: {error}", path.display())))
    }

    /// All patches in their order.
    pub fn patches(&self) -> Vec<Patch> {
        let patches = self.txns.iter().flat_map(|txn| &txn.patches);
        patches.cloned().collect()
    }

    /// Which transactions an author takes in before each of his own: what its parents know and
    /// he does not.
    pub fn taken_in(&self) -> Vec<Vec<usize>> {
        let mut seen = vec![vec![false; self.txns.len()]; self.num_agents];
        let mut taken_in = Vec::with_capacity(self.txns.len());
        for (index, txn) in self.txns.iter().enumerate() {
            let seen = &mut seen[txn.agent];
            let mut new = Vec::new();
            let mut open = txn.parents.clone();
            while let Some(parent) = open.pop() {
                if !seen[parent] {
                    seen[parent] = true;
                    new.push(parent);
                    open.extend(&self.txns[parent].parents);
                }
            }
            seen[index] = true;
            new.sort_unstable();
            taken_in.push(new);
        }
        taken_in
    }
}
