//! Comparing a table with a peer's: questions and answers beside those of syncing, of the same
//! envelope. The state machine has no part in them.

use ledger::digest_tree::{Answer, Node, Prefix, Question, Tag, Theirs};
use ledger::{ChainId, Hash, VersionVector};
use serde::{Deserialize, Serialize};

use super::MessageError;
use super::wire::{Blob, Bounded, envelope, open, reason_blob, reason_text, vector};

/// Longest request in bytes: one with the vector of the largest cluster.
pub const MAX_COMPARE_REQUEST_BYTES: usize = 384 << 10;
/// Longest response in bytes.
pub const MAX_COMPARE_RESPONSE_BYTES: usize = 4 << 20;
/// Rows of one request.
pub const MAX_ROWS: usize = 64;
/// Keys of one request that are asked about.
pub const MAX_KEYS: usize = 1_024;
/// Columns of a row, `crdt_meta` included.
pub const MAX_ROW_COLUMNS: usize = 2_048;
/// Bytes of a row's key, and of its values, as text. Longer ones are left out.
pub const MAX_TEXT_BYTES: usize = 32 << 10;
/// Bytes of a schema's or a table's name.
const MAX_NAME_BYTES: usize = 255;

/// What a node asks of one whose table it compares with its own. All but the first name the
/// session that the peer gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompareRequest {
    /// "Let us compare this table." Answered with `Ready`.
    Begin {
        /// Of the table.
        schema: String,
        /// The table.
        table: String,
        /// Its columns and key, as members agreed on them.
        schema_hash: Hash,
        /// What the asking node has admitted.
        vector: VersionVector,
    },
    /// "Have you got the answer to my last question?"
    Wait {
        /// The session.
        session: u64,
    },
    /// "What is in these parts of the table?" Answered with `Nodes`.
    Nodes {
        /// The session.
        session: u64,
        /// The parts.
        question: Question,
    },
    /// "What are these rows?" Answered with `Rows`.
    Rows {
        /// The session.
        session: u64,
        /// At most [`MAX_ROWS`].
        wanted: Vec<Theirs>,
        /// Hashes of keys; which of these rows has changes that the asking node lacks? At most
        /// [`MAX_KEYS`].
        keys: Vec<Hash>,
    },
    /// "That was all."
    End {
        /// The session.
        session: u64,
    },
}

/// The answer to a [`CompareRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompareResponse {
    /// Not yet: ask again with `Wait`.
    Working {
        /// The session.
        session: u64,
    },
    /// The table is read.
    Ready {
        /// The session.
        session: u64,
        /// Its digest.
        root: Node,
        /// What had been admitted here when it was read.
        vector: VersionVector,
    },
    /// What is in the parts asked for.
    Nodes(Answer),
    /// The rows asked for.
    Rows {
        /// One for each that was wanted, in their order; `None` for a row that is not here.
        rows: Vec<Option<PeerRow>>,
        /// One for each key asked about, in their order.
        in_flight: Vec<bool>,
    },
    /// The comparison is over, or there is none.
    Refused {
        /// Why, for people.
        reason: String,
    },
}

/// A row as the other side shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerRow {
    /// Hash of its key.
    pub key: Hash,
    /// Its key as text.
    pub key_text: String,
    /// Its values as JSON text, unless they are too long.
    pub values: Option<String>,
    /// Digests of its columns in the order of the schema, `crdt_meta` last. At most
    /// [`MAX_ROW_COLUMNS`].
    pub columns: Vec<Tag>,
    /// Whether it has changes that the asking node lacks.
    pub in_flight: bool,
}

impl CompareRequest {
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
        within(bytes, MAX_COMPARE_REQUEST_BYTES)?;
        open::<WireRequest>(chain, bytes)?.try_into()
    }

    /// The session that it belongs to; `None` for the first request of one.
    #[must_use]
    pub fn session(&self) -> Option<u64> {
        match self {
            Self::Begin { .. } => None,
            Self::Wait { session }
            | Self::Nodes { session, .. }
            | Self::Rows { session, .. }
            | Self::End { session } => Some(*session),
        }
    }
}

impl CompareResponse {
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
        within(bytes, MAX_COMPARE_RESPONSE_BYTES)?;
        open::<WireResponse>(chain, bytes)?.try_into()
    }
}

fn within(bytes: &[u8], limit: usize) -> Result<(), MessageError> {
    match bytes.len() {
        length if length > limit => Err(MessageError::TooLarge { length, limit }),
        _ => Ok(()),
    }
}

type WireTheirs = (u8, Hash, Tag);

#[derive(Serialize, Deserialize)]
enum WireRequest {
    Begin(Blob, Blob, Hash, Blob),
    Wait(u64),
    Nodes(u64, Blob),
    Rows(u64, Bounded<WireTheirs, MAX_ROWS>, Bounded<Hash, MAX_KEYS>),
    End(u64),
}

#[derive(Serialize, Deserialize)]
struct WireRow {
    key: Hash,
    key_text: Blob,
    values: Option<Blob>,
    columns: Bounded<Tag, MAX_ROW_COLUMNS>,
    in_flight: bool,
}

#[derive(Serialize, Deserialize)]
enum WireResponse {
    Working(u64),
    Ready(u64, u64, Hash, Blob),
    Nodes(Blob),
    Rows(Bounded<Option<WireRow>, MAX_ROWS>, Bounded<bool, MAX_KEYS>),
    Refused(Blob),
}

impl From<&CompareRequest> for WireRequest {
    fn from(request: &CompareRequest) -> Self {
        match request {
            CompareRequest::Begin {
                schema,
                table,
                schema_hash,
                vector,
            } => Self::Begin(
                Blob(schema.as_bytes().to_vec()),
                Blob(table.as_bytes().to_vec()),
                *schema_hash,
                Blob(vector.to_bytes()),
            ),
            CompareRequest::Wait { session } => Self::Wait(*session),
            CompareRequest::Nodes { session, question } => {
                Self::Nodes(*session, Blob(question.to_bytes()))
            }
            CompareRequest::Rows {
                session,
                wanted,
                keys,
            } => {
                let wire = |it: &Theirs| {
                    let digits = it.prefix.digits() as u8;
                    (digits, *it.prefix.first_key(), it.tag)
                };
                Self::Rows(
                    *session,
                    Bounded(wanted.iter().map(wire).collect()),
                    Bounded(keys.clone()),
                )
            }
            CompareRequest::End { session } => Self::End(*session),
        }
    }
}

impl TryFrom<WireRequest> for CompareRequest {
    type Error = MessageError;

    fn try_from(wire: WireRequest) -> Result<Self, MessageError> {
        Ok(match wire {
            WireRequest::Begin(schema, table, schema_hash, known) => Self::Begin {
                schema: text(schema, MAX_NAME_BYTES)?,
                table: text(table, MAX_NAME_BYTES)?,
                schema_hash,
                vector: vector(known)?,
            },
            WireRequest::Wait(session) => Self::Wait { session },
            WireRequest::Nodes(session, Blob(question)) => Self::Nodes {
                session,
                question: Question::from_bytes(&question).map_err(malformed)?,
            },
            WireRequest::Rows(session, wanted, keys) => Self::Rows {
                session,
                wanted: wanted.0.into_iter().map(theirs).collect::<Result<_, _>>()?,
                keys: keys.0,
            },
            WireRequest::End(session) => Self::End { session },
        })
    }
}

fn theirs((digits, first, tag): WireTheirs) -> Result<Theirs, MessageError> {
    let prefix = Prefix::of(&first, usize::from(digits));
    if prefix.digits() != usize::from(digits) || *prefix.first_key() != first {
        return Err(MessageError::Malformed("a prefix is not one".into()));
    }
    Ok(Theirs { prefix, tag })
}

impl From<&CompareResponse> for WireResponse {
    fn from(response: &CompareResponse) -> Self {
        match response {
            CompareResponse::Working { session } => Self::Working(*session),
            CompareResponse::Ready {
                session,
                root,
                vector,
            } => Self::Ready(*session, root.count, root.digest, Blob(vector.to_bytes())),
            CompareResponse::Nodes(answer) => Self::Nodes(Blob(answer.to_bytes())),
            CompareResponse::Rows { rows, in_flight } => {
                let wire = |row: &PeerRow| WireRow {
                    key: row.key,
                    key_text: Blob(row.key_text.as_bytes().to_vec()),
                    values: row
                        .values
                        .as_ref()
                        .map(|text| Blob(text.as_bytes().to_vec())),
                    columns: Bounded(row.columns.clone()),
                    in_flight: row.in_flight,
                };
                let rows = rows.iter().map(|row| row.as_ref().map(wire));
                Self::Rows(Bounded(rows.collect()), Bounded(in_flight.clone()))
            }
            CompareResponse::Refused { reason } => Self::Refused(reason_blob(reason)),
        }
    }
}

impl TryFrom<WireResponse> for CompareResponse {
    type Error = MessageError;

    fn try_from(wire: WireResponse) -> Result<Self, MessageError> {
        Ok(match wire {
            WireResponse::Working(session) => Self::Working { session },
            WireResponse::Ready(session, count, digest, known) => Self::Ready {
                session,
                root: Node { count, digest },
                vector: vector(known)?,
            },
            WireResponse::Nodes(Blob(answer)) => {
                Self::Nodes(Answer::from_bytes(&answer).map_err(malformed)?)
            }
            WireResponse::Rows(rows, in_flight) => {
                let rows = rows.0.into_iter().map(|row| row.map(peer_row).transpose());
                Self::Rows {
                    rows: rows.collect::<Result<_, _>>()?,
                    in_flight: in_flight.0,
                }
            }
            WireResponse::Refused(reason) => Self::Refused {
                reason: reason_text(reason)?,
            },
        })
    }
}

fn peer_row(wire: WireRow) -> Result<PeerRow, MessageError> {
    let values = wire.values.map(|values| text(values, MAX_TEXT_BYTES));
    Ok(PeerRow {
        key: wire.key,
        key_text: text(wire.key_text, MAX_TEXT_BYTES)?,
        values: values.transpose()?,
        columns: wire.columns.0,
        in_flight: wire.in_flight,
    })
}

fn malformed(fault: ledger::DecodeError) -> MessageError {
    MessageError::Malformed(fault.to_string())
}

fn text(Blob(bytes): Blob, limit: usize) -> Result<String, MessageError> {
    within(&bytes, limit)?;
    // PostgreSQL's text holds no zero byte.
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err(MessageError::Malformed("a text is not UTF-8".into())),
    }
}
