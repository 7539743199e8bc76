//! Opens a file and has the ledger verify it; `checkpoint` what concerns checkpoints.

pub mod checkpoint;

use std::fs::File;
use std::io::{Read, stdin};
use std::path::Path;

use ledger::proof::MAX_PROOF_BYTES;
use ledger::{
    ChainId, OpProof, ProofFault, Report, Trust, Verified, verify_bundle, verify_bundle_blocks,
};

use crate::arguments::verify::{Bundle, Verify, What};
use crate::report;
use crate::status::Answer;

/// The result for one op.
pub type ProofResult = Result<Verified, ProofFault>;

/// The result for a whole chain.
pub struct BundleResult {
    pub chain_id: ChainId,
    pub report: Report,
    pub trust: Trust,
    /// The blocks that were asked for, if not all: the first, and the last if it was said.
    pub heights: Option<(u64, Option<u64>)>,
}

/// `bcrdt verify`; an error says why a file cannot be read.
pub fn run(asked: &Verify) -> Result<Answer, String> {
    Ok(match &asked.what {
        What::Proof(asked_proof) => {
            let file = &asked_proof.pinned;
            let proof = read_proof(&file.file)?;
            let verified = proof.verify(&file.pins());
            let held = checkpoint::holds_proof(&proof, &asked_proof.against)?;
            report::proof(&verified, held.as_ref(), asked.json)
        }
        What::Bundle(asked_for) => {
            let verified = bundle(asked_for)?;
            let held = checkpoint::holds_bundle(asked_for, &verified)?;
            report::bundle(&verified, held.as_ref(), asked.json)
        }
        What::Checkpoint(file) => report::checkpoint(&checkpoint::verify(file)?, asked.json),
        What::Consistency(files) => report::consistency(&checkpoint::compare(files)?, asked.json),
    })
}

fn read_proof(path: &Path) -> Result<OpProof, String> {
    let text = read_text(path, MAX_PROOF_BYTES)?;
    OpProof::from_json(&text).map_err(|e| format!("{}: {e}", path.display()))
}

/// The text of a file, of at most `limit` bytes and one more, so that what is too long is seen to
/// be.
fn read_text(path: &Path, limit: usize) -> Result<String, String> {
    let mut text = String::new();
    open(path)?
        .take(limit as u64 + 1)
        .read_to_string(&mut text)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(text)
}

/// Verifies the chain in a bundle, or some of its blocks; an error says why the file is no bundle.
fn bundle(asked: &Bundle) -> Result<BundleResult, String> {
    let (path, pins) = (&asked.pinned.file, asked.pinned.pins());
    let file = open(path)?;
    let heights = match (asked.from, asked.to) {
        (None, None) => None,
        (from, to) => Some((from.unwrap_or(1), to)),
    };
    if let Some((from, Some(to))) = heights
        && from > to
    {
        return Err(format!("there are no blocks from {from} to {to}"));
    }
    let verified = match heights {
        None => verify_bundle(file, &pins),
        Some((from, to)) => verify_bundle_blocks(file, &pins, from..=to.unwrap_or(u64::MAX)),
    };
    let (chain_id, report, trust) =
        verified.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(BundleResult {
        chain_id,
        report,
        trust,
        heights,
    })
}

fn open(path: &Path) -> Result<Box<dyn Read>, String> {
    if path == Path::new("-") {
        return Ok(Box::new(stdin()));
    }
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Box::new(file))
}
