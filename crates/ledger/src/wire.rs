//! How byte strings and texts travel through serde: as byte strings (not number by number) and
//! never longer than their limit.
//!
//! Whoever decodes hostile input with bincode must set a limit (`with_limit`): bincode allocates
//! an owned byte string by its claimed length before these bounds can see it.

/// A byte string of at most [`crate::op::MAX_PAYLOAD`] bytes.
pub(crate) mod payload {
    use std::fmt;

    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    use crate::op::MAX_PAYLOAD;

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        deserializer.deserialize_byte_buf(Bytes)
    }

    struct Bytes;

    impl Visitor<'_> for Bytes {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {MAX_PAYLOAD} bytes")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            if bytes.len() > MAX_PAYLOAD {
                return Err(E::invalid_length(bytes.len(), &self));
            }
            Ok(bytes.to_vec())
        }

        fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
            if bytes.len() > MAX_PAYLOAD {
                return Err(E::invalid_length(bytes.len(), &self));
            }
            Ok(bytes)
        }
    }
}
