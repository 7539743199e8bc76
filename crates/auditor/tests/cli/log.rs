//! The log of a chain, its states and the proofs between them, as files.

use ledger::checkpoint::log_key;
use ledger::merkle::Tree;
use ledger::{
    ChainId, Checkpoint, ConsistencyProof, KeyKind, SignedCheckpoint, SignerKey, SigningKey,
};

use super::chain::{Chain, Tiles};
use super::command::Scratch;

fn log_signer() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

pub fn key_of(chain: &ChainId) -> String {
    log_key(chain, log_signer().verifying_key())
        .unwrap()
        .to_string()
}

pub fn witness(name: &str, seed: u8) -> SignerKey {
    SignerKey::new(
        name,
        KeyKind::Cosignature,
        SigningKey::from_bytes(&[seed; 32]),
    )
    .unwrap()
}

/// The log of a chain as it was, and is.
pub struct Log {
    pub chain: Chain,
    tag: &'static str,
}

impl Log {
    /// `tag` keeps the files of one test apart from those of others.
    pub fn new(tag: &'static str) -> Self {
        let chain = Chain::sample(3);
        Self { chain, tag }
    }

    pub fn tree(&self) -> Tree<Tiles> {
        Tree::new(self.chain.tiles.clone(), self.chain.size)
    }

    pub fn state(&self, size: u64) -> SignedCheckpoint {
        let root = self.tree().root_at(size).unwrap();
        let state = Checkpoint::of_chain(&self.chain.chain, size, root);
        state.sign(&log_signer()).unwrap()
    }

    pub fn file(&self, name: &str, text: &str) -> Scratch {
        Scratch::new(&format!("{}_{name}", self.tag), text.as_bytes())
    }

    pub fn at(&self, size: u64) -> Scratch {
        self.file(&format!("{size}.note"), &self.state(size).to_string())
    }

    /// Another log of the same name.
    pub fn forked(&self, size: u64) -> Scratch {
        let state = Checkpoint::of_chain(&self.chain.chain, size, [7; 32]);
        let note = state.sign(&log_signer()).unwrap().to_string();
        self.file(&format!("forked_{size}.note"), &note)
    }

    pub fn path(&self, old: u64, size: u64) -> Vec<ledger::Hash> {
        self.tree().consistency_proof(old, size).unwrap()
    }

    pub fn proof(&self, old: u64, size: u64) -> Scratch {
        let proof = ConsistencyProof::new(old, size, self.path(old, size)).unwrap();
        self.file(&format!("{old}_{size}.json"), &proof.to_json().unwrap())
    }

    pub fn key(&self) -> String {
        key_of(&self.chain.chain)
    }
}
