//! The protocol between a log and its witnesses (https://c2sp.org/tlog-witness), without I/O.
//!
//! A witness remembers the newest checkpoint of each log, and cosigns the next one only if that is
//! a continuation of it. A log that was rolled back or forked gets no cosignature any more.
//!
//! `request` is what the log sends, `log` how the witness decides, `answer` how the log reads
//! what comes back. HTTP, storage and the clock are the host's.

mod answer;
mod log;
mod request;

pub use answer::{Answer, AnswerFault, MAX_ANSWER_BYTES, read_answer};
pub use log::{Accepted, Cosigned, LogState, Refusal, WitnessedLog};
pub use request::{AddCheckpoint, MAX_PROOF_LINES, MAX_REQUEST_BYTES, RequestError};

/// Where a witness takes checkpoints, below the URL that it gives out.
pub const ADD_CHECKPOINT: &str = "/add-checkpoint";

/// The content type of an answer that tells the size which the witness knows.
pub const SIZE_CONTENT_TYPE: &str = "text/x.tlog.size";
