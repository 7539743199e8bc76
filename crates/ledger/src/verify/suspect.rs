//! Ops that do not hash to what is stored: once a run is over, this tells rows that changed
//! places from rows whose content, kind or stored hash was changed.

use std::collections::BTreeMap;

use super::finding::{Finding, FindingKind, Place};
use super::stored::Malformed;
use crate::hash::{Hash, short};
use crate::ids::{ChainId, NodeId};
use crate::op::{Kind, OpCore};

/// How many ops in doubt are held at once; each is tried at the place of each other.
pub(super) const MAX_SUSPECTS: usize = 256;

/// An op in doubt.
#[derive(Debug)]
pub(super) struct Suspect {
    pub place: Place,
    pub seq: u64,
    pub core: Result<OpCore, Malformed>,
    pub stored: Option<Hash>,
    pub stored_len: usize,
    /// What the hash of the op before may be.
    pub prevs: Vec<Hash>,
    /// The op's hash as a signed head or the op after it tells.
    pub true_hash: Option<Hash>,
    /// The schema of the last sound op before.
    pub schema: Hash,
}

/// What is wrong with each of them; ops that only followed another fault are cleared.
pub(super) fn settle(chain: &ChainId, origin: &NodeId, suspects: Vec<Suspect>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut truth: BTreeMap<u64, Hash> = BTreeMap::new();
    for (index, suspect) in suspects.iter().enumerate() {
        let known = suspect.seq.checked_sub(1).and_then(|seq| truth.get(&seq));
        let prevs: Vec<Hash> = known.into_iter().chain(&suspect.prevs).copied().collect();
        let belongs_here = |core: &OpCore, stored: Hash| {
            let moved = OpCore {
                seq: suspect.seq,
                ..*core
            };
            prevs
                .iter()
                .any(|prev| moved.hash(chain, origin, prev) == stored)
        };
        let fits = |other: &Suspect| match (&other.core, other.stored) {
            (Ok(core), Some(stored)) if belongs_here(core, stored) => Some(stored),
            _ => None,
        };
        if let Some(hash) = fits(suspect) {
            truth.insert(suspect.seq, hash);
            continue;
        }
        let place = suspect.place;
        let elsewhere = suspects
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != index)
            .find_map(|(_, other)| fits(other).map(|hash| (other.seq, hash)));
        if let Some((seq, hash)) = elsewhere {
            truth.insert(suspect.seq, hash);
            let detail = format!("the op that belongs here is stored as op {seq}");
            findings.push(place.op(*origin, suspect.seq, FindingKind::OpReordered, detail));
            continue;
        }
        if let Some(hash) = suspect.true_hash.or(suspect.stored) {
            truth.insert(suspect.seq, hash);
        }
        let (kind, detail) = diagnose(chain, origin, suspect, &prevs);
        findings.push(place.op(*origin, suspect.seq, kind, detail));
    }
    findings
}

fn diagnose(
    chain: &ChainId,
    origin: &NodeId,
    suspect: &Suspect,
    prevs: &[Hash],
) -> (FindingKind, String) {
    let core = match &suspect.core {
        Ok(core) => core,
        Err(Malformed::SchemaHash(len)) => {
            let detail = format!("the schema hash has {len} bytes, expected 32");
            return (FindingKind::OpAltered, detail);
        }
        Err(Malformed::Salt(len)) => {
            let detail = format!("the salt has {len} bytes, expected 32");
            return (FindingKind::PayloadAltered, detail);
        }
        Err(Malformed::PartCount(count)) => {
            let detail = format!("the op has {count} parts, expected 1 to 64");
            return (FindingKind::PayloadAltered, detail);
        }
    };
    let Some(stored) = suspect.stored else {
        let detail = format!(
            "the stored hash has {} bytes, expected 32",
            suspect.stored_len
        );
        return (FindingKind::OpAltered, detail);
    };
    let hashes_to = |core: &OpCore, goal: &Hash| {
        prevs
            .iter()
            .any(|prev| core.hash(chain, origin, prev) == *goal)
    };
    let goal = suspect.true_hash.unwrap_or(stored);
    if goal != stored && (prevs.is_empty() || hashes_to(core, &goal)) {
        let detail = format!(
            "the stored hash is {}, expected {}",
            short(&stored),
            short(&goal)
        );
        return (FindingKind::OpAltered, detail);
    }
    for kind in Kind::ALL {
        let other = OpCore {
            kind: kind as u8,
            ..*core
        };
        if other.kind != core.kind && hashes_to(&other, &goal) {
            let found = Kind::from_u8(core.kind).map_or("unknown", Kind::as_str);
            let detail = format!("the kind is {found}, expected {}", kind.as_str());
            return (FindingKind::OpAltered, detail);
        }
    }
    let other = OpCore {
        schema_hash: suspect.schema,
        ..*core
    };
    if hashes_to(&other, &goal) {
        let detail = format!(
            "the schema hash is {}, expected {}",
            short(&core.schema_hash),
            short(&suspect.schema)
        );
        return (FindingKind::OpAltered, detail);
    }
    let found = prevs.first().map(|prev| core.hash(chain, origin, prev));
    let detail = format!(
        "payload, salt, clock or schema hash to {}, expected {}",
        found.map_or("nothing".to_owned(), |hash| short(&hash)),
        short(&goal)
    );
    (FindingKind::PayloadAltered, detail)
}
