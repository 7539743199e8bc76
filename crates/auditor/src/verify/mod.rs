//! Opens a file and has the ledger verify it; `checkpoint` what concerns checkpoints.

pub mod checkpoint;

use std::fs::File;
use std::io::{BufReader, Read, stdin};
use std::path::Path;

use ledger::proof::MAX_PROOF_BYTES;
use ledger::{ChainId, OpProof, Pins, ProofFault, Report, Trust, Verified, verify_bundle};

use crate::arguments::verify::{Verify, What};
use crate::report;
use crate::status::Answer;

/// The result for one op.
pub type ProofResult = Result<Verified, ProofFault>;

/// The result for a whole chain.
pub struct BundleResult {
    pub chain_id: ChainId,
    pub report: Report,
    pub trust: Trust,
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
        What::Bundle(file) => report::bundle(&bundle(&file.file, &file.pins())?, asked.json),
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

/// Verifies the chain in a bundle; an error says why the file is no bundle.
fn bundle(path: &Path, pins: &Pins) -> Result<BundleResult, String> {
    let (chain_id, report, trust) = verify_bundle(BufReader::new(open(path)?), pins)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(BundleResult {
        chain_id,
        report,
        trust,
    })
}

fn open(path: &Path) -> Result<Box<dyn Read>, String> {
    if path == Path::new("-") {
        return Ok(Box::new(stdin()));
    }
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Box::new(file))
}
