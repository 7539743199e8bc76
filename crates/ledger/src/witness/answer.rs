//! How a log reads what a witness answers.

use thiserror::Error;

use super::SIZE_CONTENT_TYPE;
use crate::checkpoint::{SignedCheckpoint, decimal};
use crate::note::{Note, NoteSignature, Signed, VerifierKey, parse_lines};

/// The most bytes of an answer that are worth reading.
pub const MAX_ANSWER_BYTES: usize = 64 << 10;

/// How much of a refusal's text is kept.
const MAX_TOLD: usize = 200;

/// What a witness answered, verified as far as it can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It cosigned the checkpoint.
    Cosigned {
        /// The cosignature, which holds.
        line: NoteSignature,
        /// Its time, in seconds since 1970.
        time: u64,
    },
    /// It knows another size than the request said: ask again with a proof from that one. If it is
    /// greater than the size of the log, the log was rolled back, or the witness's answer is a lie.
    Conflict {
        /// The size that the witness knows.
        size: u64,
    },
}

/// Why an answer is of no use.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AnswerFault {
    /// The witness refused.
    #[error("the witness refused with status {status}: {told}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The beginning of what it said, printable.
        told: String,
    },
    /// The answer is longer than [`MAX_ANSWER_BYTES`] or not made as it should be.
    #[error("the witness's answer cannot be read")]
    Unreadable,
    /// The answer holds no signature of the witness's key.
    #[error("the witness's answer is not signed by its key")]
    NotSigned,
    /// A line of the witness's key does not hold, or tells no time.
    #[error("the witness's cosignature does not hold")]
    Wrong,
}

/// Reads the answer of the witness with this key to a request for a cosignature of `checkpoint`.
/// Lines of other keys are ignored.
///
/// # Errors
/// [`AnswerFault`]; a 409 without a size is [`AnswerFault::Refused`]: the witness has cosigned
/// another root of the same size.
pub fn read_answer(
    status: u16,
    content_type: &str,
    body: &[u8],
    checkpoint: &SignedCheckpoint,
    witness: &VerifierKey,
) -> Result<Answer, AnswerFault> {
    let has_size = status == 409 && is_size(content_type);
    if status != 200 && !has_size {
        return Err(AnswerFault::Refused {
            status,
            told: beginning(body),
        });
    }
    if body.len() > MAX_ANSWER_BYTES {
        return Err(AnswerFault::Unreadable);
    }
    if has_size {
        return str::from_utf8(body)
            .ok()
            .and_then(|text| text.strip_suffix('\n'))
            .and_then(decimal)
            .map(|size| Answer::Conflict { size })
            .ok_or(AnswerFault::Unreadable);
    }
    let text = str::from_utf8(body).map_err(|_| AnswerFault::Unreadable)?;
    let lines = parse_lines(text).map_err(|_| AnswerFault::Unreadable)?;
    let line = lines
        .into_iter()
        .find(|line| line.is_of(witness))
        .ok_or(AnswerFault::NotSigned)?;
    let mut alone = Note::new(checkpoint.note().text()).map_err(|_| AnswerFault::Unreadable)?;
    alone
        .add(line.clone())
        .map_err(|_| AnswerFault::Unreadable)?;
    match alone.signed(witness) {
        // A witness must tell when it signed (tlog-witness).
        Signed::Yes {
            time: Some(time @ 1..),
        } => Ok(Answer::Cosigned { line, time }),
        _ => Err(AnswerFault::Wrong),
    }
}

fn is_size(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(SIZE_CONTENT_TYPE)
}

/// The beginning of a text that is not trusted, on one line.
fn beginning(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(4 * MAX_TOLD)])
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_TOLD)
        .collect()
}
