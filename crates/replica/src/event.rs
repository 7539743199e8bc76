//! What the host tells the node, and what the node asks of the host.

use std::sync::Arc;

use ledger::{NodeId, Segment};

use crate::message::{Request, Response};

/// What the host tells a [`Node`](crate::Node).
#[derive(Clone, Debug)]
pub enum Input {
    /// The time. To be given before other inputs whenever the clock has moved on, and at
    /// [`Node::next_tick_ms`](crate::Node::next_tick_ms) at the latest.
    Tick {
        /// Unix milliseconds.
        now_ms: u64,
    },
    /// This node's own next segment, which the host has stored in this same transaction: its operations,
    /// the segment, and the new position in the vector.
    Sealed(Arc<Segment>),
    /// A peer asks. Answered by exactly one [`Effect::Reply`] of the same `handle`.
    Request {
        /// Who asks, as the transport has authenticated it.
        peer: NodeId,
        /// The host's name for the connection to answer on.
        token: u64,
        /// What it asks.
        request: Request,
    },
    /// What came of an [`Effect::Send`].
    Response {
        /// Who was asked.
        peer: NodeId,
        /// As in the effect.
        id: u64,
        /// The answer, or why there is none.
        result: Result<Response, String>,
    },
    /// Make a block now if any operation waits and this node may propose.
    CommitBlock,
    /// The host has changed the members or their roles other than through `Store::admit`.
    MembershipChanged,
}

/// What a [`Node`](crate::Node) asks of the host, to be done after the transaction has committed.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Ask a peer, and give its answer back as [`Input::Response`].
    Send {
        /// Whom.
        peer: NodeId,
        /// Names the request.
        id: u64,
        /// What.
        request: Request,
    },
    /// Answer a peer's request.
    Reply {
        /// As in [`Input::Request`].
        token: u64,
        /// The answer.
        response: Response,
    },
    /// Something a person should be able to read in the log.
    Report(Report),
}

/// What is worth a line in the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Report {
    /// A block has been appended.
    #[error("block {height} appended: {leaves} leaves")]
    Appended {
        /// Its height.
        height: u64,
        /// How many leaves it added.
        leaves: u64,
    },
    /// A segment waits for longer than the order of arrival explains.
    #[error("segment {first_seq} of {origin} held back: {reason}")]
    Held {
        /// Whose segment.
        origin: NodeId,
        /// Its first operation.
        first_seq: u64,
        /// Why.
        reason: String,
    },
    /// A member's segment is against the rules.
    #[error("segment {first_seq} of {origin} refused: {reason}")]
    Refused {
        /// Whose segment.
        origin: NodeId,
        /// Its first operation.
        first_seq: u64,
        /// Why.
        reason: String,
    },
    /// An origin signed two histories; nothing more is taken from it.
    #[error("{origin} signed two histories at operation {seq}: nothing more is taken from it")]
    Equivocation {
        /// Whose.
        origin: NodeId,
        /// The first operation in dispute.
        seq: u64,
    },
    /// Operations of a barred origin were replaced by those that the chain has finalised.
    #[error("operations of {origin} after {seq} replaced by those the chain has finalised")]
    BranchReplaced {
        /// Whose.
        origin: NodeId,
        /// The last operation that both histories share.
        seq: u64,
    },
    /// A block is against the rules, so it was not appended.
    #[error("block {height} refused: {reason}")]
    BlockRefused {
        /// Its height.
        height: u64,
        /// Why.
        reason: String,
    },
    /// Two certified blocks of one height exist: no block is made or taken until people have decided.
    #[error("two certified blocks of height {height} exist: finality is halted")]
    Halted {
        /// The height.
        height: u64,
    },
    /// A peer cannot give what this node lacks, because it has pruned it.
    #[error(
        "operations of {origin} after {after} are lacking here, and {peer} has pruned them: they must come from another member, or from the archive, by crdt_restore_archive() there"
    )]
    Pruned {
        /// Who was asked.
        peer: NodeId,
        /// Whose operations.
        origin: NodeId,
        /// The last one that is here.
        after: u64,
    },
    /// A peer answered again, or stopped answering.
    #[error("peer {peer} {}", if *.reachable { "can be reached again" } else { "cannot be reached" })]
    Peer {
        /// Which.
        peer: NodeId,
        /// Now.
        reachable: bool,
    },
}
