//! What a tracked row remembers of itself: the column crdt_meta.

use crate::codec::{Reader, put_stamp};
use crate::{DecodeError, Stamp};

/// Existence and the age of the plain columns.
///
/// Bytes: u8 version = 1 ‖ u8 flags (1 stamped) ‖ u32 causal length ‖ stamped: u64 time,
/// replica16. Other flags are free for later sections.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RowMeta {
    /// How often the row was inserted or deleted: it exists if this is odd (Yu and Rostad, "A
    /// low-cost set CRDT based on causal lengths", 2020).
    pub causal_length: u32,
    /// Who last wrote the plain columns, and when.
    pub stamp: Option<Stamp>,
}

const STAMPED: u8 = 1;

impl RowMeta {
    /// Whether the row exists.
    pub fn exists(&self) -> bool {
        self.causal_length % 2 == 1
    }

    /// 6 or 30 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(30);
        out.extend([1, if self.stamp.is_some() { STAMPED } else { 0 }]);
        out.extend_from_slice(&self.causal_length.to_be_bytes());
        if let Some(stamp) = &self.stamp {
            put_stamp(&mut out, stamp);
        }
        out
    }

    /// From [`RowMeta::encode`]; anything else is an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version()?;
        let flags = reader.u8()?;
        let causal_length = reader.u32()?;
        let stamp = match flags {
            0 => None,
            STAMPED => Some(reader.stamp()?),
            code => {
                return Err(DecodeError::UnknownCode {
                    what: "flags",
                    code,
                });
            }
        };
        reader.finish()?;
        Ok(Self {
            causal_length,
            stamp,
        })
    }
}
