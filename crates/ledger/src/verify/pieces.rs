//! A chain verified in pieces, by several at once or in several goes, with the very result of
//! one pass. A run of blocks is verified from a [`Ground`]; it is joined to the verification of
//! all before it only if that one arrives at this ground, in every field, and only if the run
//! found nothing and arrives at the ground that the next one starts from. One pass would then
//! have gone the same way. In all other cases the blocks are fed again, to the verification that
//! knows what was before: so findings are always those of one pass.

use super::ChainVerifier;
use super::finding::Findings;
use super::ground::Ground;
use super::upper::Digests;
use crate::codec::{DecodeError, Reader, Write, bound};
use crate::genesis::Genesis;
use crate::hash::{Hash, ZERO_HASH};
use crate::ids::ChainId;
use crate::member::Member;
use crate::validators::ValidatorSet;

/// How many complete upper tiles a run may have passed: with more it is not joined.
pub const MAX_RUN_TILES: usize = 64;

/// A sound run of blocks, in short. [`Self::to_bytes`] has at most [`Run::MAX_BYTES`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The digest of the ground that it started from; zeros: from the genesis.
    from: Hash,
    /// The digest of the ground that it arrived at.
    to: Hash,
    /// How many ops were checked.
    pub ops: u64,
    /// How many segments were checked.
    pub segments: u64,
    /// How many of them had no payload any more.
    closed_ops: u64,
    /// The greatest block with such ops that no prune op explained so far, and how many they are.
    unexplained: Option<(u64, u64)>,
    /// How far prune ops on the way reach; 0: there was none.
    pruned: u64,
    /// What the upper tiles should hold that became complete on the way.
    tiles: Digests,
}

impl Run {
    /// The most bytes of [`Self::to_bytes`].
    pub const MAX_BYTES: usize = 1 + 2 * 32 + 6 * 8 + 4 + MAX_RUN_TILES * 41;

    /// Version byte 1, from 32, to 32, u64 ops, segments, closed ops, unexplained height and count
    /// (both 0: none), pruned height, u32 count, then (level 1, index 8, digest 32) ascending. For
    /// processes of one host: it proves nothing to a stranger.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![1];
        bytes.put(&self.from);
        bytes.put(&self.to);
        bytes.put_u64(self.ops);
        bytes.put_u64(self.segments);
        bytes.put_u64(self.closed_ops);
        let (height, count) = self.unexplained.unwrap_or_default();
        bytes.put_u64(height);
        bytes.put_u64(count);
        bytes.put_u64(self.pruned);
        bytes.put_u32(self.tiles.len() as u32);
        for ((level, index), digest) in &self.tiles {
            bytes.put_u8(*level);
            bytes.put_u64(*index);
            bytes.put(digest);
        }
        bytes
    }

    /// Reads [`Self::to_bytes`].
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version(1, "run")?;
        let (from, to) = (reader.array("run start")?, reader.array("run end")?);
        let (ops, segments) = (reader.u64("run ops")?, reader.u64("run segments")?);
        let closed_ops = reader.u64("run closed ops")?;
        let unexplained = (reader.u64("run height")?, reader.u64("run count")?);
        if (unexplained.0 == 0) != (unexplained.1 == 0) {
            return Err(DecodeError::Value { what: "run count" });
        }
        let pruned = reader.u64("run pruned")?;
        let count = reader.u32("run tiles")? as usize;
        bound(count, MAX_RUN_TILES, "run tiles")?;
        let mut tiles = Digests::new();
        for _ in 0..count {
            let place = (reader.u8("tile level")?, reader.u64("tile index")?);
            let ascends = tiles.last_key_value().is_none_or(|(last, _)| *last < place);
            if !ascends {
                return Err(DecodeError::Value { what: "run tiles" });
            }
            tiles.insert(place, reader.array("tile digest")?);
        }
        reader.finish("run")?;
        Ok(Self {
            from,
            to,
            ops,
            segments,
            closed_ops,
            unexplained: Some(unexplained).filter(|(height, _)| *height > 0),
            pruned,
            tiles,
        })
    }
}

/// What all runs of one chain have in common.
#[derive(Debug, Clone)]
pub struct Pieces {
    chain: ChainId,
    genesis: Vec<u8>,
    members: Vec<Member>,
}

impl Pieces {
    /// The chain named `chain`, with the genesis and the members that are stored.
    pub fn new(chain: ChainId, genesis: Vec<u8>, members: Vec<Member>) -> Self {
        Self {
            chain,
            genesis,
            members,
        }
    }

    /// The name of the chain.
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// The validators that the chain began with, if its genesis can be read.
    pub fn founding_validators(&self) -> Option<ValidatorSet> {
        let genesis = Genesis::from_bytes(&self.genesis).ok()?;
        Some(genesis.validators())
    }

    /// A verification from the genesis on, the one that runs are joined to.
    pub fn begin(&self) -> ChainVerifier {
        ChainVerifier::begin(self.chain, &self.genesis, self.members.iter().cloned())
    }

    /// A verification from behind a block on. The block itself is verified, what was before it
    /// is not: findings of the whole are then for who verifies what is before.
    pub fn behind(&self, ground: &Ground) -> ChainVerifier {
        let mut verifier = self.begin();
        (verifier.last_header, verifier.last_hash) = (None, None);
        let membership = std::mem::take(&mut verifier.membership);
        (verifier.membership, verifier.schedule) = ground.members(membership);
        verifier.log = ground.log();
        verifier.stand_on(&ground.block());
        verifier.histories = ground.histories(&verifier.last_cut);
        verifier
    }

    /// A run to be fed from behind `from`, or from the first block on.
    pub fn start(&self, from: Option<&Ground>) -> ChainVerifier {
        let mut verifier = match from {
            Some(ground) => self.behind(ground),
            None => self.begin(),
        };
        // What is wrong with genesis or members is for the whole to tell, once.
        verifier.findings = Findings::default();
        verifier
    }

    /// Ends a run that [`Self::start`] began: none if it found anything, or does not arrive at
    /// `to`. Then its blocks are to be fed to the verification of all before.
    pub fn end(&self, mut run: ChainVerifier, from: Option<&Ground>, to: &Ground) -> Option<Run> {
        run.close_block();
        let sound = run.is_sound() && run.stands_as(&self.behind(to));
        let tiles = run.log.complete_uppers()?;
        (sound && tiles.len() <= MAX_RUN_TILES).then(|| Run {
            from: from.map_or(ZERO_HASH, Ground::digest),
            to: to.digest(),
            ops: run.ops,
            segments: run.segments,
            closed_ops: run.closed.ops,
            unexplained: run.closed.unexplained(),
            pruned: run.closed.pruned(),
            tiles,
        })
    }

    /// Joins a run to the verification of all before it, in place of feeding its blocks. Says
    /// whether it fits; if not, nothing is changed.
    ///
    /// Of ops without payload a run keeps only how many there are: if in the end
    /// [`ChainVerifier::awaits_prune`] says that some are not explained, one pass must tell which.
    pub fn join(
        &self,
        whole: &mut ChainVerifier,
        run: &Run,
        from: Option<&Ground>,
        to: &Ground,
    ) -> bool {
        whole.close_block();
        let starts = from.map_or(ZERO_HASH, Ground::digest);
        if (run.from, run.to) != (starts, to.digest()) || !whole.stands_as(&self.start(from)) {
            return false;
        }
        whole.go_on_as(self.behind(to), &run.tiles);
        whole.ops = whole.ops.saturating_add(run.ops);
        whole.segments = whole.segments.saturating_add(run.segments);
        whole
            .closed
            .take_over(run.closed_ops, run.unexplained, run.pruned);
        true
    }
}

impl ChainVerifier {
    /// Nothing was found, and nothing is left open.
    fn is_sound(&self) -> bool {
        self.findings.list.is_empty()
            && self.findings.untold == 0
            && self.broken.is_empty()
            && self.leaf_doubts.is_empty()
            && !self.members_in_doubt
            && !self.gaps
            && !self.in_tail
    }

    /// Whether another verification would go on exactly as this one, both between two blocks.
    fn stands_as(&self, other: &Self) -> bool {
        let between_blocks = |v: &Self| {
            v.open.is_none() && v.changes.is_empty() && v.broken.is_empty() && !v.in_tail
        };
        between_blocks(self)
            && between_blocks(other)
            && self.chain == other.chain
            && self.whole == other.whole
            && self.height == other.height
            && self.last_hash == other.last_hash
            && self.last_header == other.last_header
            && self.last_certified == other.last_certified
            && self.last_cut == other.last_cut
            && self.aligned == other.aligned
            && self.decided == other.decided
            && self.membership == other.membership
            && self.schedule == other.schedule
            && self.histories == other.histories
            && self.log.stands_as(&other.log)
    }

    /// Takes over where another verification stands; keeps what was found and counted.
    fn go_on_as(&mut self, other: Self, tiles: &Digests) {
        self.height = other.height;
        self.last_hash = other.last_hash;
        self.last_header = other.last_header;
        self.last_certified = other.last_certified;
        self.last_cut = other.last_cut;
        self.aligned = other.aligned;
        self.decided = other.decided;
        self.membership = other.membership;
        self.schedule = other.schedule;
        self.histories = other.histories;
        self.log.go_on_as(other.log, tiles);
    }
}
