//! The bytes of messages: bounds are checked before anything is decoded, and every list again after.

use std::marker::PhantomData;
use std::sync::Arc;

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use ledger::{Block, ChainId, NodeId, Segment, VersionVector};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::evidence::Evidence;

use super::{Body, Notice, Request, Response};

/// First byte of every message.
pub const VERSION: u8 = 1;
/// Longest message in bytes: a largest segment and what goes around it.
pub const MAX_MESSAGE_BYTES: usize = 40 << 20;
/// Segments in one message.
pub const MAX_SEGMENTS: usize = 4_096;
/// Origins in one list or vector.
pub const MAX_VECTOR: usize = ledger::vector::MAX_MEMBERS;
/// Proofs in one message.
pub const MAX_EVIDENCE: usize = 64;
/// Blocks in one message.
pub const MAX_BLOCKS: usize = 256;
/// Notices in one answer; further ones are left out.
pub const MAX_NOTICES: usize = 256;
/// Bytes of a reason; a longer one is cut.
pub const MAX_REASON_BYTES: usize = 512;
/// Bytes of one message of the finality protocol.
pub const MAX_FINALITY_BYTES: usize = 1 << 20;

const ENVELOPE_BYTES: usize = 33;

type Config = Configuration<LittleEndian, Varint, Limit<MAX_MESSAGE_BYTES>>;
const CONFIG: Config = bincode::config::standard().with_limit::<MAX_MESSAGE_BYTES>();

/// Why bytes are not a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The message, or a text in it, is longer than is taken.
    #[error("message of {length} bytes; at most {limit} are taken")]
    TooLarge {
        /// Its bytes.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// Written in another version of the protocol.
    #[error("message of protocol version {0}; this node speaks version {VERSION}")]
    Version(u8),
    /// From a node of another chain.
    #[error("message of another chain")]
    OtherChain,
    /// Ends too early, carries more than a message, or holds something that is none.
    #[error("malformed message: {0}")]
    Malformed(String),
}

impl Request {
    /// The bytes of this request on `chain`.
    #[must_use]
    pub fn encode(&self, chain: &ChainId) -> Vec<u8> {
        envelope(chain, &WireRequest::from(self))
    }

    /// Reads a request of `chain`.
    ///
    /// # Errors
    /// [`MessageError`] says what is wrong with the bytes.
    pub fn decode(chain: &ChainId, bytes: &[u8]) -> Result<Self, MessageError> {
        open::<WireRequest>(chain, bytes)?.try_into()
    }
}

impl Response {
    /// The bytes of this response on `chain`.
    #[must_use]
    pub fn encode(&self, chain: &ChainId) -> Vec<u8> {
        envelope(chain, &WireResponse::from(self))
    }

    /// Reads a response of `chain`.
    ///
    /// # Errors
    /// [`MessageError`] says what is wrong with the bytes.
    pub fn decode(chain: &ChainId, bytes: &[u8]) -> Result<Self, MessageError> {
        open::<WireResponse>(chain, bytes)?.try_into()
    }
}

pub(super) fn envelope<T: Serialize>(chain: &ChainId, body: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ENVELOPE_BYTES + 256);
    bytes.push(VERSION);
    bytes.extend_from_slice(&chain.0);
    // Writing to memory fails for no value of these types.
    if let Ok(body) = bincode::serde::encode_to_vec(body, CONFIG) {
        bytes.extend_from_slice(&body);
    }
    bytes
}

pub(super) fn open<T: de::DeserializeOwned>(
    chain: &ChainId,
    bytes: &[u8],
) -> Result<T, MessageError> {
    if bytes.len() > MAX_MESSAGE_BYTES {
        return Err(MessageError::TooLarge {
            length: bytes.len(),
            limit: MAX_MESSAGE_BYTES,
        });
    }
    let (&version, rest) = bytes
        .split_first()
        .ok_or_else(|| MessageError::Malformed("it is empty".into()))?;
    if version != VERSION {
        return Err(MessageError::Version(version));
    }
    let (of, body) = rest
        .split_at_checked(32)
        .ok_or_else(|| MessageError::Malformed("it ends within its envelope".into()))?;
    if of != chain.0 {
        return Err(MessageError::OtherChain);
    }
    let (value, read) = bincode::serde::decode_from_slice(body, CONFIG)
        .map_err(|error| MessageError::Malformed(error.to_string()))?;
    if read != body.len() {
        return Err(MessageError::Malformed(format!(
            "{} bytes follow it",
            body.len() - read
        )));
    }
    Ok(value)
}

/// Bytes that are written and read as one run, not one by one.
pub(super) struct Blob(pub(super) Vec<u8>);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Blob;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("bytes")
            }
            fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Blob, E> {
                Ok(Blob(bytes))
            }
            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Blob, E> {
                Ok(Blob(bytes.to_vec()))
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}

/// A list of at most `N` items; a longer one is refused when its length is read, before its items
/// take memory.
pub(super) struct Bounded<T, const N: usize>(pub(super) Vec<T>);

impl<T: Serialize, const N: usize> Serialize for Bounded<T, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for item in &self.0 {
            list.serialize_element(item)?;
        }
        list.end()
    }
}

impl<'de, T: Deserialize<'de>, const N: usize> Deserialize<'de> for Bounded<T, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T, const N: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const N: usize> de::Visitor<'de> for Visitor<T, N> {
            type Value = Bounded<T, N>;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "a list of at most {N} items")
            }
            fn visit_seq<A: de::SeqAccess<'de>>(
                self,
                mut list: A,
            ) -> Result<Self::Value, A::Error> {
                let announced = list.size_hint().unwrap_or(0);
                if announced > N {
                    return Err(de::Error::invalid_length(announced, &self));
                }
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Bounded(items))
            }
        }
        deserializer.deserialize_seq(Visitor(PhantomData))
    }
}

type WireSegments = Bounded<Blob, MAX_SEGMENTS>;
type WireOrigins = Bounded<[u8; 32], MAX_VECTOR>;
type WireEvidence = Bounded<Blob, MAX_EVIDENCE>;
type WireBlocks = Bounded<Blob, MAX_BLOCKS>;
type WirePruned = Bounded<([u8; 32], u64), MAX_VECTOR>;
type WireNotices = Bounded<([u8; 32], u64, bool, Blob), MAX_NOTICES>;

#[derive(Serialize, Deserialize)]
enum WireRequest {
    Push(WireSegments),
    Pull(Blob, u64, WireOrigins, u32),
    PushBlocks(WireBlocks),
    PullBlocks(u64),
    Finality(Blob),
}

#[derive(Serialize, Deserialize)]
struct WireResponse {
    vector: Blob,
    height: u64,
    body: WireBody,
}

#[derive(Serialize, Deserialize)]
enum WireBody {
    Taken(WireNotices),
    Segments(WireSegments, bool, WireEvidence, WirePruned),
    Blocks(WireBlocks),
    Refused(Blob),
}

impl From<&Request> for WireRequest {
    fn from(request: &Request) -> Self {
        match request {
            Request::Push { segments } => Self::Push(segment_blobs(segments)),
            Request::Pull {
                vector,
                height,
                barred,
                max_bytes,
            } => {
                let barred = Bounded(barred.iter().map(|origin| origin.0).collect());
                Self::Pull(Blob(vector.to_bytes()), *height, barred, *max_bytes)
            }
            Request::PushBlocks { blocks } => Self::PushBlocks(block_blobs(blocks)),
            Request::PullBlocks { from } => Self::PullBlocks(*from),
            Request::Finality { message } => Self::Finality(Blob(message.clone())),
        }
    }
}

impl TryFrom<WireRequest> for Request {
    type Error = MessageError;

    fn try_from(wire: WireRequest) -> Result<Self, MessageError> {
        Ok(match wire {
            WireRequest::Push(blobs) => Self::Push {
                segments: segments(blobs)?,
            },
            WireRequest::Pull(wire, height, barred, max_bytes) => Self::Pull {
                vector: vector(wire)?,
                height,
                barred: barred.0.into_iter().map(NodeId).collect(),
                max_bytes,
            },
            WireRequest::PushBlocks(blobs) => Self::PushBlocks {
                blocks: blocks(blobs)?,
            },
            WireRequest::PullBlocks(from) => Self::PullBlocks { from },
            WireRequest::Finality(Blob(message)) => {
                if message.len() > MAX_FINALITY_BYTES {
                    return Err(MessageError::Malformed(format!(
                        "{} bytes of finality message; at most {MAX_FINALITY_BYTES} are taken",
                        message.len()
                    )));
                }
                Self::Finality { message }
            }
        })
    }
}

impl From<&Response> for WireResponse {
    fn from(response: &Response) -> Self {
        Self {
            vector: Blob(response.vector.to_bytes()),
            height: response.height,
            body: match &response.body {
                Body::Taken { notices } => WireBody::Taken(Bounded(
                    notices
                        .iter()
                        .take(MAX_NOTICES)
                        .map(|n| (n.origin.0, n.first_seq, n.held, reason_blob(&n.reason)))
                        .collect(),
                )),
                Body::Segments {
                    segments,
                    more,
                    evidence,
                    pruned,
                } => {
                    let evidence = evidence
                        .iter()
                        .map(|proof| Blob(proof.to_bytes()))
                        .collect();
                    let pruned = pruned.iter().map(|(origin, seq)| (origin.0, *seq));
                    WireBody::Segments(
                        segment_blobs(segments),
                        *more,
                        Bounded(evidence),
                        Bounded(pruned.take(MAX_VECTOR).collect()),
                    )
                }
                Body::Blocks { blocks } => WireBody::Blocks(block_blobs(blocks)),
                Body::Refused { reason } => WireBody::Refused(reason_blob(reason)),
            },
        }
    }
}

impl TryFrom<WireResponse> for Response {
    type Error = MessageError;

    fn try_from(wire: WireResponse) -> Result<Self, MessageError> {
        Ok(Self {
            vector: vector(wire.vector)?,
            height: wire.height,
            body: match wire.body {
                WireBody::Taken(notices) => {
                    let notices = notices
                        .0
                        .into_iter()
                        .map(|(origin, first_seq, held, reason)| {
                            Ok(Notice {
                                origin: NodeId(origin),
                                first_seq,
                                held,
                                reason: reason_text(reason)?,
                            })
                        })
                        .collect::<Result<_, MessageError>>()?;
                    Body::Taken { notices }
                }
                WireBody::Segments(blobs, more, proofs, pruned) => Body::Segments {
                    segments: segments(blobs)?,
                    more,
                    evidence: evidence(proofs)?,
                    pruned: pruned
                        .0
                        .into_iter()
                        .map(|(origin, seq)| (NodeId(origin), seq))
                        .collect(),
                },
                WireBody::Blocks(blobs) => Body::Blocks {
                    blocks: blocks(blobs)?,
                },
                WireBody::Refused(reason) => Body::Refused {
                    reason: reason_text(reason)?,
                },
            },
        })
    }
}

fn segment_blobs(segments: &[Arc<Segment>]) -> WireSegments {
    Bounded(
        segments
            .iter()
            .map(|segment| Blob(segment.to_bytes()))
            .collect(),
    )
}

fn segments(blobs: WireSegments) -> Result<Vec<Arc<Segment>>, MessageError> {
    let segment = |Blob(bytes): Blob| match Segment::from_bytes(&bytes) {
        Ok(segment) => Ok(Arc::new(segment)),
        Err(fault) => Err(MessageError::Malformed(fault.to_string())),
    };
    blobs.0.into_iter().map(segment).collect()
}

fn evidence(blobs: WireEvidence) -> Result<Vec<Evidence>, MessageError> {
    let proof = |Blob(bytes): Blob| {
        Evidence::from_bytes(&bytes).map_err(|fault| MessageError::Malformed(fault.to_string()))
    };
    blobs.0.into_iter().map(proof).collect()
}

fn block_blobs(blocks: &[Arc<Block>]) -> WireBlocks {
    Bounded(blocks.iter().map(|block| Blob(block.to_bytes())).collect())
}

fn blocks(blobs: WireBlocks) -> Result<Vec<Arc<Block>>, MessageError> {
    let block = |Blob(bytes): Blob| match Block::from_bytes(&bytes) {
        Ok(block) => Ok(Arc::new(block)),
        Err(fault) => Err(MessageError::Malformed(fault.to_string())),
    };
    blobs.0.into_iter().map(block).collect()
}

pub(super) fn vector(Blob(bytes): Blob) -> Result<VersionVector, MessageError> {
    VersionVector::from_bytes(&bytes).map_err(|fault| MessageError::Malformed(fault.to_string()))
}

pub(super) fn reason_blob(reason: &str) -> Blob {
    let end = reason.floor_char_boundary(MAX_REASON_BYTES);
    Blob(reason.as_bytes().get(..end).unwrap_or_default().to_vec())
}

pub(super) fn reason_text(Blob(bytes): Blob) -> Result<String, MessageError> {
    if bytes.len() > MAX_REASON_BYTES {
        return Err(MessageError::Malformed("a reason is too long".into()));
    }
    String::from_utf8(bytes).map_err(|_| MessageError::Malformed("a reason is not UTF-8".into()))
}
