//! The contract between the node and whoever keeps its tables.

use std::sync::Arc;

use ledger::merkle::TileStore;
use ledger::{
    Block, Genesis, Hash, Member, NodeId, OpCore, Position, Segment, ValidatorSet, VersionVector,
};

use crate::evidence::Evidence;

/// All lasting state of a node.
///
/// The host runs each [`Node::handle`](crate::Node::handle) within one transaction on this store, and
/// carries out the effects only after it has committed: what a peer is told is then true for good. When
/// a call fails or the transaction does not commit, the host drops the effects and the node, and opens
/// a new node from the store.
///
/// An error of any call means "the transaction is lost". What is wrong with a single operation is not
/// an error: see [`admit`](Self::admit). The tiles of the log's tree belong to the same transaction.
pub trait Store: TileStore {
    /// This node's own id.
    fn node_id(&mut self) -> Result<NodeId, Self::Error>;

    /// The genesis of the chain; its bytes give the chain id.
    fn genesis(&mut self) -> Result<Genesis, Self::Error>;

    /// What has been admitted of each origin, this node itself included.
    fn vector(&mut self) -> Result<VersionVector, Self::Error>;

    /// The members, this node itself included, and those that have left.
    fn members(&mut self) -> Result<Vec<KnownMember>, Self::Error>;

    /// Who decides on the block of `height`. A change that block h finalises acts from h + 2 on; asked
    /// for at most one height beyond the last block.
    fn validators(&mut self, height: u64) -> Result<ValidatorSet, Self::Error>;

    /// Stores a verified segment that follows the vector's position of its origin, applies its
    /// operations to the rows, and moves the vector to its end. `op_hashes` holds the hash of each
    /// operation.
    ///
    /// An operation that cannot be applied (it touches another's dots, its bytes are no delta, …) is
    /// put into quarantine with the reason and counts as admitted: the log keeps it, and the segment
    /// goes on. One bad operation must not make the transaction fail, or it would fail for ever.
    fn admit(&mut self, segment: &Segment, op_hashes: &[Hash]) -> Result<Admission, Self::Error>;

    /// Segments of `origin` in order, from the one that holds operation `after_seq + 1` on, of at most
    /// `max_bytes` encoded bytes together; at least one if there is any. A segment of which a payload is
    /// no longer here ends the list: it cannot be given to anybody.
    fn segments_after(
        &mut self,
        origin: &NodeId,
        after_seq: u64,
        max_bytes: usize,
    ) -> Result<Vec<Arc<Segment>>, Self::Error>;

    /// The hash of one admitted operation.
    fn op_hash(&mut self, origin: &NodeId, seq: u64) -> Result<Option<Hash>, Self::Error>;

    /// What the leaves of the operations `after_seq + 1 ..= upto_seq` are made of, with each
    /// operation's hash, in order.
    fn op_cores(
        &mut self,
        origin: &NodeId,
        after_seq: u64,
        upto_seq: u64,
    ) -> Result<Vec<(OpCore, Hash)>, Self::Error>;

    /// The block of the greatest height.
    fn last_block(&mut self) -> Result<Option<Arc<Block>>, Self::Error>;

    /// Blocks of ascending height from `height` on, at most `max`.
    fn blocks_from(&mut self, height: u64, max: usize) -> Result<Vec<Arc<Block>>, Self::Error>;

    /// Appends a verified block; its leaves are in the tiles already.
    fn append_block(&mut self, block: &Block) -> Result<(), Self::Error>;

    /// Keeps a proof of misbehaviour. A further one against the same origin replaces the first if it
    /// disputes an earlier operation.
    fn record_evidence(&mut self, evidence: &Evidence) -> Result<(), Self::Error>;

    /// The proofs kept, at most one an origin. A node that is opened passes them on to members that have
    /// missed them; a store that gives none back leaves that to the others.
    fn evidence(&mut self) -> Result<Vec<Evidence>, Self::Error> {
        Ok(Vec::new())
    }

    /// The origins that evidence bars.
    fn barred(&mut self) -> Result<Vec<Barred>, Self::Error>;

    /// Whether there is evidence of two certified blocks of one height.
    fn halted(&mut self) -> Result<bool, Self::Error>;

    /// Takes the segments of a barred origin after `keep` out of the log, keeps them with the evidence,
    /// and sets the vector back to `keep`: the chain has finalised another history of this origin, whose
    /// segments are admitted next. Never reaches behind the last block's cut. Rows keep what the
    /// operations did; they can have touched the slots and dots of their author only.
    fn discard_branch(&mut self, origin: &NodeId, keep: Position) -> Result<(), Self::Error>;
}

/// A member, now or formerly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownMember {
    /// Keys, name, address, role.
    pub member: Member,
    /// The last operation that counts of a member that has left; none while it belongs to the cluster.
    pub left_after: Option<u64>,
}

/// What became of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Stored and applied.
    Admitted {
        /// Members or their roles have changed by it: the node reads them again.
        membership_changed: bool,
    },
    /// It cannot be applied yet, and nothing was stored; the node offers it again later.
    Held {
        /// Why, for people.
        reason: String,
    },
}

/// An origin that has signed two histories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Barred {
    /// Whose operations are no longer admitted.
    pub origin: NodeId,
    /// The last operation before the dispute; up to it both histories are one.
    pub after: u64,
}
