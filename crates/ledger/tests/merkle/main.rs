//! The Merkle log against published answers (`known_answers`), against a second reading of the
//! RFCs (`reference`), against attacks on its proofs (`proofs`), as it lies in tiles (`log`)
//! and as it is served (`served`).

mod known_answers;
mod log;
mod proofs;
mod reference;
mod served;

use ledger::Hash;
use ledger::merkle::leaf_hash;

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}
