//! Which block is final: the seam between the node and a finality protocol.
//!
//! A protocol is a state machine without clock or network, like the node itself: inputs in, effects out.
//! [`SoleValidator`] decides alone. A Byzantine fault tolerant protocol of several validators
//! (Tendermint: Buchman, Kwon, Milosevic 2018) fits behind the same trait: its value is the header hash,
//! its messages are opaque bytes.

use ed25519_dalek::SigningKey;
use ledger::{Certificate, ChainId, Hash, NodeId, ValidatorSet};

/// What a protocol is told.
#[derive(Clone, Debug)]
pub enum FinalityInput {
    /// Work on `height`; everything about lower heights is decided.
    StartHeight {
        /// The height to decide.
        height: u64,
        /// Who votes on it.
        validators: ValidatorSet,
    },
    /// The answer to [`FinalityEffect::GetValue`].
    Value {
        /// As asked.
        height: u64,
        /// As asked.
        round: u32,
        /// Hash of the header that this node proposes.
        header_hash: Hash,
    },
    /// What another validator's protocol broadcast. Nothing of it is verified yet but the sender.
    Message {
        /// The validator it came from.
        from: NodeId,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A timeout that was asked for has passed.
    Timeout {
        /// As asked.
        token: u64,
    },
}

/// What a protocol asks of the node. Nothing leaves the node before the transaction that the input ran
/// in has committed.
#[derive(Clone, Debug)]
pub enum FinalityEffect {
    /// Propose a block for this height and round as soon as there is something to put in it.
    GetValue {
        /// Height to propose for.
        height: u64,
        /// Round to propose for.
        round: u32,
    },
    /// Send to every other validator.
    Broadcast(Vec<u8>),
    /// Give back [`FinalityInput::Timeout`] after so many milliseconds.
    ScheduleTimeout {
        /// Names the timeout.
        token: u64,
        /// Milliseconds from now.
        after_ms: u64,
    },
    /// Final.
    Decide(Certificate),
}

/// A finality protocol. It must not decide two values for one height.
pub trait Finality: Send {
    /// Takes one input and says what follows from it.
    fn handle(&mut self, input: FinalityInput) -> Vec<FinalityEffect>;
}

/// Finality where one validator holds all the weight: its signature is the certificate.
pub struct SoleValidator {
    chain: ChainId,
    node: NodeId,
    key: SigningKey,
    asked: Option<(u64, u32)>,
}

impl SoleValidator {
    /// The protocol of `node`, which signs with `key`.
    #[must_use]
    pub fn new(chain: ChainId, node: NodeId, key: SigningKey) -> Self {
        Self {
            chain,
            node,
            key,
            asked: None,
        }
    }
}

impl Finality for SoleValidator {
    fn handle(&mut self, input: FinalityInput) -> Vec<FinalityEffect> {
        match input {
            FinalityInput::StartHeight { height, validators } => {
                let alone = validators.0.keys().all(|node| *node == self.node);
                self.asked = alone.then_some((height, 0));
                let ask = |(height, round)| FinalityEffect::GetValue { height, round };
                self.asked.map(ask).into_iter().collect()
            }
            FinalityInput::Value {
                height,
                round,
                header_hash,
            } => {
                // Each height is signed once: the question is used up by its first answer.
                if self.asked != Some((height, round)) {
                    return Vec::new();
                }
                self.asked = None;
                let certificate = Certificate::by_sole_validator(
                    &self.chain,
                    height,
                    header_hash,
                    self.node,
                    &self.key,
                );
                vec![FinalityEffect::Decide(certificate)]
            }
            // Nobody else votes, and nothing is waited for.
            FinalityInput::Message { .. } | FinalityInput::Timeout { .. } => Vec::new(),
        }
    }
}
