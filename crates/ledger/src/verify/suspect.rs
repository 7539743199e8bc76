//! Ops that do not hash to what is stored: once a run is over, this tells rows that changed
//! places from rows whose content, kind or stored hash was changed.

use std::collections::BTreeMap;

use super::detail::Detail;
use super::finding::{Finding, FindingKind, Place};
use super::stored::Malformed;
use crate::hash::{Hash, short};
use crate::ids::{ChainId, NodeId};
use crate::op::{Kind, OpCore};

/// How many ops in doubt are held at once; each is tried at the place of each other.
pub(super) const MAX_SUSPECTS: usize = 256;

/// An op in doubt.
#[derive(Debug, Clone, PartialEq, Eq)]
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
            let detail = Detail::from(format!("the op that belongs here is stored as op {seq}"))
                .expected(short(&hash))
                .found(suspect.stored.map_or(String::new(), |found| short(&found)));
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
) -> (FindingKind, Detail) {
    let core = match &suspect.core {
        Ok(core) => core,
        Err(Malformed::SchemaHash(len)) => {
            let detail = Detail::length("the schema hash", *len, 32);
            return (FindingKind::OpAltered, detail);
        }
        Err(Malformed::Salt(len)) => {
            let detail = Detail::length("the salt", *len, 32);
            return (FindingKind::PayloadAltered, detail);
        }
        Err(Malformed::PartCount(count)) => {
            let detail = Detail::from(format!("the op has {count} parts, expected 1 to 64"))
                .expected("1 to 64 parts")
                .found(format_args!("{count} parts"));
            return (FindingKind::PayloadAltered, detail);
        }
    };
    let Some(stored) = suspect.stored else {
        let detail = Detail::length("the stored hash", suspect.stored_len, 32);
        return (FindingKind::OpAltered, detail);
    };
    let hashes_to = |core: &OpCore, goal: &Hash| {
        prevs
            .iter()
            .any(|prev| core.hash(chain, origin, prev) == *goal)
    };
    let goal = suspect.true_hash.unwrap_or(stored);
    if goal != stored && (prevs.is_empty() || hashes_to(core, &goal)) {
        let detail = Detail::hashes("the stored hash", &stored, &goal);
        return (FindingKind::OpAltered, detail);
    }
    for kind in Kind::ALL {
        let other = OpCore {
            kind: kind as u8,
            ..*core
        };
        if other.kind != core.kind && hashes_to(&other, &goal) {
            let found = Kind::from_u8(core.kind).map_or("unknown", Kind::as_str);
            let detail = Detail::values("the kind", found, kind.as_str());
            return (FindingKind::OpAltered, detail);
        }
    }
    let other = OpCore {
        schema_hash: suspect.schema,
        ..*core
    };
    if hashes_to(&other, &goal) {
        let detail = Detail::hashes("the schema hash", &core.schema_hash, &suspect.schema);
        return (FindingKind::OpAltered, detail);
    }
    let found = prevs.first().map(|prev| core.hash(chain, origin, prev));
    let (expected, found) = (short(&goal), found.map(|hash| short(&hash)));
    let detail = Detail::from(format!(
        "payload, salt, clock or schema hash to {}, expected {expected}",
        found.as_deref().unwrap_or("nothing")
    ))
    .expected(expected)
    .found(found.unwrap_or_default());
    (FindingKind::PayloadAltered, detail)
}
