//! What nodes say to each other: the requests, the answers, and their bytes.
//!
//! A message is `version 1 ‖ chain id 32 ‖ bincode body`. Segments and blocks travel inside it in their
//! own canonical bytes, so signatures are checked over exactly what was sent.

mod compare;
mod wire;

use std::sync::Arc;

use ledger::{Block, NodeId, Segment, VersionVector};

use crate::evidence::Evidence;

pub use compare::{
    CompareRequest, CompareResponse, MAX_COMPARE_REQUEST_BYTES, MAX_COMPARE_RESPONSE_BYTES,
    MAX_KEYS, MAX_ROWS, MAX_TEXT_BYTES, PeerRow,
};
pub use wire::{
    MAX_BLOCKS, MAX_EVIDENCE, MAX_FINALITY_BYTES, MAX_MESSAGE_BYTES, MAX_NOTICES, MAX_REASON_BYTES,
    MAX_SEGMENTS, MAX_VECTOR, MessageError, VERSION,
};

/// What one node asks of another.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// New segments, of any origin, oldest first.
    Push {
        /// At most [`MAX_SEGMENTS`].
        segments: Vec<Arc<Segment>>,
    },
    /// "This is what I have: send what I lack." Answered with [`Body::Segments`].
    Pull {
        /// What the asking node has admitted of every origin.
        vector: VersionVector,
        /// The last block the asking node has appended.
        height: u64,
        /// The origins that the asking node bars: it needs no proof against them. At most
        /// [`MAX_VECTOR`].
        barred: Vec<NodeId>,
        /// Segment bytes wanted at most; one segment is sent even if it is larger.
        max_bytes: u32,
    },
    /// New blocks, ascending.
    PushBlocks {
        /// At most [`MAX_BLOCKS`].
        blocks: Vec<Arc<Block>>,
    },
    /// Asks for blocks from a height on. Answered with [`Body::Blocks`].
    PullBlocks {
        /// First height wanted.
        from: u64,
    },
    /// A message of the finality protocol between validators, opaque here.
    Finality {
        /// At most [`MAX_FINALITY_BYTES`].
        message: Vec<u8>,
    },
}

/// The answer to a [`Request`], with how far the answering node is.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// What the answering node has admitted: of every origin in answer to a pull, of the origins
    /// concerned in answer to a push.
    pub vector: VersionVector,
    /// The last block the answering node has appended.
    pub height: u64,
    /// The answer itself.
    pub body: Body,
}

/// The answer proper.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Taken in; what could not be admitted is listed with the reason.
    Taken {
        /// At most [`MAX_NOTICES`].
        notices: Vec<Notice>,
    },
    /// What the asking node lacked, in an order in which it can admit it.
    Segments {
        /// At most [`MAX_SEGMENTS`].
        segments: Vec<Arc<Segment>>,
        /// There is more than fitted: ask again.
        more: bool,
        /// Proofs against origins that the asking node does not bar. At most [`MAX_EVIDENCE`].
        evidence: Vec<Evidence>,
        /// Origins of which the answering node has pruned what comes after the operation named, so
        /// that it has to come from elsewhere. At most [`MAX_VECTOR`].
        pruned: Vec<(NodeId, u64)>,
    },
    /// Blocks from the height asked for, ascending.
    Blocks {
        /// At most [`MAX_BLOCKS`].
        blocks: Vec<Arc<Block>>,
    },
    /// The request as a whole was refused.
    Refused {
        /// Why, for people.
        reason: String,
    },
}

/// Why a segment of a push was not admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Whose segment.
    pub origin: NodeId,
    /// Its first operation.
    pub first_seq: u64,
    /// It waits (for a predecessor, a dependency, its time) and need not be sent again.
    pub held: bool,
    /// Why, for people.
    pub reason: String,
}
