//! Checkpoints: who signed them, and whether they are states of one log that only grew.

use std::path::Path;

use ledger::checkpoint::origin_of_chain;
use ledger::note::MAX_NOTE_BYTES;
use ledger::proof::MAX_TREE_PROOF_TEXT;
use ledger::witness::{AddCheckpoint, LogState, MAX_REQUEST_BYTES};
use ledger::{ChainId, ConsistencyProof, OpProof, Policy, PolicyFault, SignedCheckpoint, Vouched};

use super::read_text;
use crate::arguments::checkpoint::{Against, CheckpointFile, Consistency, Trusted};

/// A checkpoint, and who vouches for it.
pub struct CheckpointResult {
    pub checkpoint: SignedCheckpoint,
    /// None if nobody was asked for.
    pub vouched: Option<Result<Vouched, PolicyFault>>,
}

impl CheckpointResult {
    fn read(path: &Path, policy: Option<&Policy>) -> Result<Self, String> {
        let text = read_text(path, MAX_NOTE_BYTES)?;
        let checkpoint = SignedCheckpoint::parse(&text)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let vouched = policy.map(|policy| policy.check(&checkpoint));
        Ok(Self {
            checkpoint,
            vouched,
        })
    }

    /// Why it is not to be relied on, if so.
    pub fn fault(&self) -> Option<&PolicyFault> {
        self.vouched.as_ref()?.as_ref().err()
    }
}

/// How two states relate that claim to be of one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The later one continues the earlier one, or they are equal.
    Continues,
    /// They are of logs of different names.
    OtherLog,
    /// The later one has fewer leaves.
    Shrunk,
    /// Same size, different roots.
    Forked,
    /// The proof is between other sizes.
    OtherSizes,
    /// The proof does not hold.
    NotProved,
}

impl Relation {
    /// The two states of one log, with a proof if their sizes differ. None if the proof lacks.
    fn of(old: LogState, new: LogState, proof: Option<&ConsistencyProof>) -> Option<Self> {
        Some(match proof {
            _ if new.size < old.size => Self::Shrunk,
            _ if new.size == old.size && new.root != old.root => Self::Forked,
            _ if new.size == old.size => Self::Continues,
            None => return None,
            Some(proof) if (proof.old_size(), proof.tree_size()) != (old.size, new.size) => {
                Self::OtherSizes
            }
            Some(proof) if proof.verify(&old.root, &new.root) => Self::Continues,
            Some(_) => Self::NotProved,
        })
    }
}

/// The result for two checkpoints.
pub struct ConsistencyResult {
    pub old: CheckpointResult,
    pub new: CheckpointResult,
    pub relation: Relation,
}

/// The result for a checkpoint in whose log an op must be.
pub struct AgainstResult {
    pub checkpoint: CheckpointResult,
    pub relation: Relation,
    /// Whether the op is among the checkpoint's leaves.
    pub includes: bool,
}

/// `bcrdt verify checkpoint`; an error says why it cannot be told.
pub fn verify(asked: &CheckpointFile) -> Result<CheckpointResult, String> {
    CheckpointResult::read(&asked.file, Some(&needed(&asked.trusted)?))
}

/// `bcrdt verify consistency`; an error says why it cannot be told.
pub fn compare(asked: &Consistency) -> Result<ConsistencyResult, String> {
    let policy = asked.trusted.policy()?;
    let old = CheckpointResult::read(&asked.old, policy.as_ref())?;
    let new = CheckpointResult::read(&asked.new, policy.as_ref())?;
    let proof = asked.proof.as_deref().map(read_consistency).transpose()?;
    let (a, b) = (&old.checkpoint, &new.checkpoint);
    let relation = match a.checkpoint().origin == b.checkpoint().origin {
        false => Relation::OtherLog,
        true => Relation::of(LogState::of(a), LogState::of(b), proof.as_ref())
            .ok_or("the checkpoints have different sizes: give the --proof between them")?,
    };
    Ok(ConsistencyResult { old, new, relation })
}

/// Whether the op of a proof is in the log of a checkpoint; none if none was given. An error says
/// why it cannot be told.
pub fn holds_proof(proof: &OpProof, asked: &Against) -> Result<Option<AgainstResult>, String> {
    let Some(path) = &asked.checkpoint else {
        return Ok(None);
    };
    let checkpoint = CheckpointResult::read(path, Some(&needed(&asked.trusted)?))?;
    let consistency = asked
        .consistency
        .as_deref()
        .map(read_consistency)
        .transpose()?;
    let here = LogState {
        size: proof.header.tree_size,
        root: proof.header.log_root.0,
    };
    let there = LogState::of(&checkpoint.checkpoint);
    let origin = origin_of_chain(&ChainId(proof.chain_id.0));
    let relation = match checkpoint.checkpoint.checkpoint().origin == origin {
        false => Relation::OtherLog,
        true => {
            let (old, new) = if here.size <= there.size {
                (here, there)
            } else {
                (there, here)
            };
            Relation::of(old, new, consistency.as_ref()).ok_or_else(|| {
                format!(
                    "the proof is of a log of {} leaves, the checkpoint of {}: give the \
                     --consistency between them",
                    here.size, there.size
                )
            })?
        }
    };
    let includes = proof.leaf_index < there.size;
    Ok(Some(AgainstResult {
        checkpoint,
        relation,
        includes,
    }))
}

fn needed(trusted: &Trusted) -> Result<Policy, String> {
    trusted
        .policy()?
        .ok_or_else(|| "give the --key of the log: anybody can sign a checkpoint".to_owned())
}

/// A proof as JSON, or as it is sent to a witness.
fn read_consistency(path: &Path) -> Result<ConsistencyProof, String> {
    let text = read_text(path, MAX_REQUEST_BYTES.max(MAX_TREE_PROOF_TEXT))?;
    let proof = if text.starts_with("old ") {
        AddCheckpoint::parse(&text)
            .map_err(|error| error.to_string())
            .and_then(|request| {
                let size = request.checkpoint.checkpoint().size;
                ConsistencyProof::new(request.old_size, size, request.proof)
                    .map_err(|error| error.to_string())
            })
    } else {
        ConsistencyProof::from_json(&text).map_err(|error| error.to_string())
    };
    proof.map_err(|error| format!("{}: {error}", path.display()))
}
