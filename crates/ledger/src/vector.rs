//! How far a node knows each origin: the version vector, the dependencies of a segment and the
//! cut of a block are the same idea, sorted by node so that they have one encoding.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::codec::{DecodeError, Reader, Write, bound};
use crate::hash::{Hash, LABEL_CUT, LABEL_DEPS, LABEL_VECTOR, ZERO_HASH, sha256};
use crate::ids::{ChainId, NodeId};

/// The most nodes that a vector, a cut, a member list or a validator set names.
pub const MAX_MEMBERS: usize = 4096;

/// A place in one origin's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The number of the last op; 0 before the first.
    pub seq: u64,
    /// The hash of that op; zeros before the first.
    pub head: Hash,
}

impl Position {
    /// Before the first op.
    pub const START: Self = Self {
        seq: 0,
        head: ZERO_HASH,
    };
}

/// What a node has admitted of each origin. Origins of which nothing is known are absent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct VersionVector(pub BTreeMap<NodeId, Position>);

impl VersionVector {
    /// The last op of `origin` that is known; [`Position::START`] if there is none.
    pub fn get(&self, origin: &NodeId) -> Position {
        self.0.get(origin).copied().unwrap_or(Position::START)
    }

    /// Moves `origin` to `position`; never back.
    pub fn advance(&mut self, origin: NodeId, position: Position) {
        let current = self.0.entry(origin).or_insert(position);
        if position.seq > current.seq {
            *current = position;
        }
    }

    /// Whether everything in `other` is known here, by number.
    pub fn dominates(&self, other: &Self) -> bool {
        self.covers(other.0.iter().map(|(node, at)| (node, at.seq)))
    }

    /// Whether every named op is known here.
    pub fn covers<'a>(&self, deps: impl IntoIterator<Item = (&'a NodeId, u64)>) -> bool {
        deps.into_iter()
            .all(|(node, seq)| self.get(node).seq >= seq)
    }

    /// The origins in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (&NodeId, &Position)> {
        self.0.iter()
    }

    /// SHA-256(label ‖ chain ‖ u32 count ‖ entries).
    pub fn hash(&self, chain: &ChainId) -> Hash {
        sha256(&[LABEL_VECTOR, &chain.0, &position_entries(&self.0)])
    }

    /// Version byte 1, u32 count, then (node 32, seq 8, head 32) ascending.
    pub fn to_bytes(&self) -> Vec<u8> {
        positions_to_bytes(&self.0)
    }

    /// Reads [`Self::to_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        positions_from_bytes(bytes, "version vector").map(Self)
    }
}

/// How far a block reaches into each origin's history, all blocks before it included.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cut(pub BTreeMap<NodeId, Position>);

impl Cut {
    /// The last op of `origin` that is in a block; [`Position::START`] if there is none.
    pub fn get(&self, origin: &NodeId) -> Position {
        self.0.get(origin).copied().unwrap_or(Position::START)
    }

    /// The origins in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (&NodeId, &Position)> {
        self.0.iter()
    }

    /// How many ops lie between `before` and this cut; none if this cut falls behind it anywhere.
    pub fn ops_since(&self, before: &Self) -> Option<u64> {
        let kept = before
            .0
            .iter()
            .all(|(node, at)| self.get(node).seq >= at.seq);
        if !kept {
            return None;
        }
        self.0.iter().try_fold(0u64, |sum, (node, at)| {
            sum.checked_add(at.seq - before.get(node).seq)
        })
    }

    /// SHA-256(label ‖ chain ‖ u32 count ‖ entries): the state root of a header.
    pub fn hash(&self, chain: &ChainId) -> Hash {
        sha256(&[LABEL_CUT, &chain.0, &position_entries(&self.0)])
    }

    /// Version byte 1, u32 count, then (node 32, seq 8, head 32) ascending.
    pub fn to_bytes(&self) -> Vec<u8> {
        positions_to_bytes(&self.0)
    }

    /// Reads [`Self::to_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        positions_from_bytes(bytes, "cut").map(Self)
    }
}

/// What an origin had admitted of others when it sealed a segment: node → last seq.
pub type Deps = BTreeMap<NodeId, u64>;

/// SHA-256(label ‖ chain ‖ u32 count ‖ (node 32, seq 8) ascending).
pub fn deps_hash(chain: &ChainId, deps: &Deps) -> Hash {
    sha256(&[LABEL_DEPS, &chain.0, &deps_entries(deps)])
}

/// Version byte 1, u32 count, then (node 32, seq 8) ascending.
pub fn deps_to_bytes(deps: &Deps) -> Vec<u8> {
    let mut bytes = vec![1];
    bytes.put(&deps_entries(deps));
    bytes
}

/// Reads [`deps_to_bytes`].
pub fn deps_from_bytes(bytes: &[u8]) -> Result<Deps, DecodeError> {
    let mut reader = Reader::new(bytes);
    reader.version(1, "dependencies")?;
    let deps = read_deps(&mut reader)?;
    reader.finish("dependencies")?;
    Ok(deps)
}

pub(crate) fn deps_entries(deps: &Deps) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4 + deps.len() * 40);
    bytes.put_u32(deps.len() as u32);
    for (node, seq) in deps {
        bytes.put(&node.0);
        bytes.put_u64(*seq);
    }
    bytes
}

pub(crate) fn read_deps(reader: &mut Reader<'_>) -> Result<Deps, DecodeError> {
    read_ascending(reader, |reader| {
        let seq = reader.u64("dependency")?;
        if seq == 0 {
            return Err(DecodeError::Value { what: "dependency" });
        }
        Ok(seq)
    })
}

fn position_entries(map: &BTreeMap<NodeId, Position>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4 + map.len() * 72);
    bytes.put_u32(map.len() as u32);
    for (node, at) in map {
        bytes.put(&node.0);
        bytes.put_u64(at.seq);
        bytes.put(&at.head);
    }
    bytes
}

fn positions_to_bytes(map: &BTreeMap<NodeId, Position>) -> Vec<u8> {
    let mut bytes = vec![1];
    bytes.put(&position_entries(map));
    bytes
}

fn positions_from_bytes(
    bytes: &[u8],
    what: &'static str,
) -> Result<BTreeMap<NodeId, Position>, DecodeError> {
    let mut reader = Reader::new(bytes);
    reader.version(1, what)?;
    let map = read_ascending(&mut reader, |reader| {
        let seq = reader.u64("position")?;
        let head = reader.array("position")?;
        if seq == 0 {
            return Err(DecodeError::Value { what: "position" });
        }
        Ok(Position { seq, head })
    })?;
    reader.finish(what)?;
    Ok(map)
}

/// A u32 count, then entries whose nodes strictly ascend: one map has one encoding.
fn read_ascending<T>(
    reader: &mut Reader<'_>,
    mut value: impl FnMut(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<BTreeMap<NodeId, T>, DecodeError> {
    let count = reader.u32("node count")? as usize;
    bound(count, MAX_MEMBERS, "node count")?;
    let mut map = BTreeMap::new();
    for _ in 0..count {
        let node = NodeId(reader.array("node id")?);
        if map.last_key_value().is_some_and(|(last, _)| *last >= node) {
            return Err(DecodeError::Value { what: "node order" });
        }
        let value = value(reader)?;
        map.insert(node, value);
    }
    Ok(map)
}
