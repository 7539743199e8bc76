//! Checkpoints: who signed them, and whether they are states of one log that only grew.

use std::path::Path;

use ledger::bundle::{Frames, Tag, read_block};
use ledger::checkpoint::origin_of_chain;
use ledger::note::MAX_NOTE_BYTES;
use ledger::proof::MAX_TREE_PROOF_TEXT;
use ledger::witness::{AddCheckpoint, LogState, MAX_REQUEST_BYTES};
use ledger::{
    ChainId, ConsistencyProof, Hash, Header, OpProof, Policy, PolicyFault, SignedCheckpoint,
    Vouched,
};

use super::{BundleResult, open, read_text};
use crate::arguments::checkpoint::{Against, CheckpointFile, Consistency, Trusted};
use crate::arguments::verify::Bundle;

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

/// The result for a checkpoint that a chain must have come through.
pub struct ThroughResult {
    pub checkpoint: CheckpointResult,
    pub passage: Passage,
}

/// How a verified chain relates to a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// One of its blocks ends in this state.
    Through,
    /// The checkpoint is of another log.
    OtherLog,
    /// The chain has another root where the checkpoint is.
    Forked,
    /// The chain ends before the checkpoint.
    EndsBefore,
    /// No block ends where the checkpoint is.
    Between,
}

/// Whether the chain of a bundle, which was verified, has come through a checkpoint; none if none
/// was given. An error says why it cannot be told.
pub fn holds_bundle(
    asked: &Bundle,
    verified: &BundleResult,
) -> Result<Option<ThroughResult>, String> {
    let Some(path) = &asked.checkpoint else {
        return Ok(None);
    };
    let checkpoint = CheckpointResult::read(path, Some(&needed(&asked.trusted)?))?;
    let passage =
        match checkpoint.checkpoint.checkpoint().origin == origin_of_chain(&verified.chain_id) {
            false => Passage::OtherLog,
            // What does not verify has come through nothing; its findings are told instead.
            true if !verified.report.is_verified() => Passage::Between,
            true => passage(
                &asked.pinned.file,
                LogState::of(&checkpoint.checkpoint),
                verified.report.header_hash,
            )?,
        };
    Ok(Some(ThroughResult {
        checkpoint,
        passage,
    }))
}

/// Reads the headers of a bundle once more. That they are those which were verified, their chain
/// shows, which must end with `last`.
fn passage(path: &Path, state: LogState, last: Option<Hash>) -> Result<Passage, String> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    if path == Path::new("-") {
        return Err("with --checkpoint the bundle is read twice: name a file".to_owned());
    }
    let mut frames = Frames::begin(open(path)?).map_err(|error| told(&error))?;
    let mut before: Option<Header> = None;
    let mut found = None;
    loop {
        let frame = frames.next_frame().map_err(|error| told(&error))?;
        match frame.tag {
            Tag::End => break,
            Tag::Block => {
                let block = read_block(&frame.body).map_err(|error| told(&error))?;
                let header = Header::from_bytes(block.header).map_err(|error| told(&error))?;
                if before
                    .as_ref()
                    .is_some_and(|before| before.hash() != header.prev_header)
                {
                    return Err(told(&"it changed while it was read"));
                }
                if header.tree_size == state.size {
                    found = Some(header.log_root);
                }
                before = Some(header);
            }
            _ => {}
        }
    }
    if before.as_ref().map(Header::hash) != last {
        return Err(told(&"it changed while it was read"));
    }
    Ok(match found {
        Some(root) if root == state.root => Passage::Through,
        Some(_) => Passage::Forked,
        None if before.is_none_or(|end| end.tree_size < state.size) => Passage::EndsBefore,
        None => Passage::Between,
    })
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
