//! Big-endian fixed layouts: a bounded reader over borrowed bytes and the matching writer.
//! Nothing here allocates by a length that the input merely claims.

use thiserror::Error;

/// Why bytes are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The input ends before the named field does.
    #[error("the input ends inside {what}")]
    Truncated {
        /// The field.
        what: &'static str,
    },
    /// Bytes remain after the last field.
    #[error("{count} bytes follow the end of {what}")]
    Trailing {
        /// The layout.
        what: &'static str,
        /// How many bytes remain.
        count: usize,
    },
    /// A count or length is above its limit.
    #[error("{what} is {found}, the limit is {limit}")]
    TooLarge {
        /// The field.
        what: &'static str,
        /// The value found.
        found: u64,
        /// The greatest value allowed.
        limit: u64,
    },
    /// The layout's version is not known here.
    #[error("version {found} of {what} is not known here")]
    Version {
        /// The layout.
        what: &'static str,
        /// The version found.
        found: u8,
    },
    /// A field holds a value that the layout does not allow.
    #[error("{what} is not valid")]
    Value {
        /// The field.
        what: &'static str,
    },
}

/// Reads a fixed layout from front to back.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader over all of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next `count` bytes.
    pub fn bytes(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self
            .rest
            .split_at_checked(count)
            .ok_or(DecodeError::Truncated { what })?;
        self.rest = tail;
        Ok(head)
    }

    /// The next `N` bytes as an array.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], DecodeError> {
        let (head, tail) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(DecodeError::Truncated { what })?;
        self.rest = tail;
        Ok(*head)
    }

    /// One byte.
    pub fn u8(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        Ok(u8::from_be_bytes(self.array(what)?))
    }

    /// A big-endian 16 bit number.
    pub fn u16(&mut self, what: &'static str) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.array(what)?))
    }

    /// A big-endian 32 bit number.
    pub fn u32(&mut self, what: &'static str) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.array(what)?))
    }

    /// A big-endian 64 bit number.
    pub fn u64(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        Ok(u64::from_be_bytes(self.array(what)?))
    }

    /// Bytes behind their 32 bit length, which must not exceed `limit`.
    pub fn long(&mut self, limit: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let len = self.u32(what)? as usize;
        bound(len, limit, what)?;
        self.bytes(len, what)
    }

    /// UTF-8 text behind its 16 bit length, which must not exceed `limit` bytes.
    pub fn text(&mut self, limit: usize, what: &'static str) -> Result<&'a str, DecodeError> {
        let len = usize::from(self.u16(what)?);
        bound(len, limit, what)?;
        std::str::from_utf8(self.bytes(len, what)?).map_err(|_| DecodeError::Value { what })
    }

    /// Takes the version byte and checks it.
    pub fn version(&mut self, expected: u8, what: &'static str) -> Result<(), DecodeError> {
        match self.u8(what)? {
            found if found == expected => Ok(()),
            found => Err(DecodeError::Version { what, found }),
        }
    }

    /// Takes the label and checks it.
    pub fn label(&mut self, label: &[u8], what: &'static str) -> Result<(), DecodeError> {
        match self.bytes(label.len(), what)? {
            found if found == label => Ok(()),
            _ => Err(DecodeError::Value { what }),
        }
    }

    /// Checks that nothing is left.
    pub fn finish(self, what: &'static str) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(DecodeError::Trailing { what, count }),
        }
    }
}

/// Checks a count or length against its limit.
pub fn bound(found: usize, limit: usize, what: &'static str) -> Result<(), DecodeError> {
    if found > limit {
        return Err(DecodeError::TooLarge {
            what,
            found: found as u64,
            limit: limit as u64,
        });
    }
    Ok(())
}

/// Appends the fields of a fixed layout to a byte vector.
pub(crate) trait Write {
    fn put_u8(&mut self, value: u8);
    fn put_u16(&mut self, value: u16);
    fn put_u32(&mut self, value: u32);
    fn put_u64(&mut self, value: u64);
    fn put(&mut self, bytes: &[u8]);
    /// A 32 bit length and the bytes. Callers bound the length before: see the limits of each type.
    fn put_long(&mut self, bytes: &[u8]);
    /// A 16 bit length and the text. Callers bound the length before.
    fn put_text(&mut self, text: &str);
}

impl Write for Vec<u8> {
    fn put_u8(&mut self, value: u8) {
        self.push(value);
    }
    fn put_u16(&mut self, value: u16) {
        self.extend_from_slice(&value.to_be_bytes());
    }
    fn put_u32(&mut self, value: u32) {
        self.extend_from_slice(&value.to_be_bytes());
    }
    fn put_u64(&mut self, value: u64) {
        self.extend_from_slice(&value.to_be_bytes());
    }
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
    fn put_long(&mut self, bytes: &[u8]) {
        self.put_u32(bytes.len() as u32);
        self.extend_from_slice(bytes);
    }
    fn put_text(&mut self, text: &str) {
        self.put_u16(text.len() as u16);
        self.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_length_allocates_nothing() {
        let mut reader = Reader::new(&[0xff, 0xff, 0xff, 0xff, 1]);
        assert_eq!(
            reader.long(10, "payload"),
            Err(DecodeError::TooLarge {
                what: "payload",
                found: u64::from(u32::MAX),
                limit: 10
            })
        );
        let mut reader = Reader::new(&[0, 0, 0, 9, 1]);
        assert_eq!(
            reader.long(10, "payload"),
            Err(DecodeError::Truncated { what: "payload" })
        );
    }

    #[test]
    fn what_is_written_is_read_and_nothing_may_follow() {
        let mut bytes = Vec::new();
        bytes.put_u8(1);
        bytes.put_u16(2);
        bytes.put_u32(3);
        bytes.put_u64(4);
        bytes.put_long(b"long");
        bytes.put_text("text");
        bytes.put(b"!");
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.version(1, "layout"), Ok(()));
        assert_eq!(reader.u16("b"), Ok(2));
        assert_eq!(reader.u32("c"), Ok(3));
        assert_eq!(reader.u64("d"), Ok(4));
        assert_eq!(reader.long(4, "e"), Ok(b"long".as_slice()));
        assert_eq!(reader.text(4, "f"), Ok("text"));
        assert_eq!(reader.remaining(), 1);
        assert_eq!(
            reader.finish("layout"),
            Err(DecodeError::Trailing {
                what: "layout",
                count: 1
            })
        );
    }
}
