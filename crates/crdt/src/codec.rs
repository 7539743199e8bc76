//! Reading and writing bytes: bounds-checked, big-endian, one encoding for one content.

use crate::{DecodeError, Dot, Hlc, ReplicaId, Stamp};

/// The largest encoded state, in bytes: one row change must hold it.
pub const MAX_STATE_BYTES: usize = 60 << 20;

/// A cursor over hostile bytes: every read is checked, none allocates.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    /// The next N bytes.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self
            .rest
            .split_first_chunk()
            .ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*head)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    /// Two bytes.
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// Four bytes.
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// Eight bytes.
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// Version byte 1.
    pub fn version(&mut self) -> Result<(), DecodeError> {
        match self.u8()? {
            1 => Ok(()),
            other => Err(DecodeError::UnknownVersion(other)),
        }
    }

    /// A LEB128 number in its shortest form.
    #[inline]
    pub fn varint(&mut self) -> Result<u64, DecodeError> {
        // Most numbers have one byte.
        if let Some((byte, rest)) = self.rest.split_first()
            && *byte < 0x80
        {
            self.rest = rest;
            return Ok(u64::from(*byte));
        }
        self.long_varint()
    }

    fn long_varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(DecodeError::NotCanonical("number over 64 bits"));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return match byte {
                    0 if shift > 0 => Err(DecodeError::NotCanonical("number in a long form")),
                    _ => Ok(value),
                };
            }
        }
        Err(DecodeError::NotCanonical("number over 64 bits"))
    }

    /// How many items follow, each of at least `item_bytes`: never more than can be there, so
    /// that a forged count cannot reserve memory.
    pub fn count(&mut self, item_bytes: usize) -> Result<usize, DecodeError> {
        let count = usize::try_from(self.varint()?).map_err(|_| DecodeError::Truncated)?;
        match count.checked_mul(item_bytes) {
            Some(bytes) if bytes <= self.remaining() => Ok(count),
            _ => Err(DecodeError::Truncated),
        }
    }

    /// Bytes behind their length.
    pub fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.count(1)?;
        self.take(length)
    }

    /// UTF-8 text without NUL behind its length.
    pub fn text(&mut self) -> Result<&'a str, DecodeError> {
        check_text(self.bytes()?)
    }

    /// 16 bytes of replica id.
    pub fn replica(&mut self) -> Result<ReplicaId, DecodeError> {
        Ok(ReplicaId(self.array()?))
    }

    /// u64 time, 16 bytes of replica id.
    pub fn stamp(&mut self) -> Result<Stamp, DecodeError> {
        Ok(Stamp {
            hlc: Hlc(self.u64()?),
            replica: self.replica()?,
        })
    }

    /// 16 bytes of replica id, u64 counter.
    pub fn dot(&mut self) -> Result<Dot, DecodeError> {
        Ok(Dot {
            replica: self.replica()?,
            counter: self.u64()?,
        })
    }

    /// Nothing may be left.
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(DecodeError::TrailingBytes(left)),
        }
    }
}

/// Text as PostgreSQL can hold it: UTF-8 without NUL.
pub(crate) fn check_text(bytes: &[u8]) -> Result<&str, DecodeError> {
    let text = std::str::from_utf8(bytes).map_err(|_| DecodeError::InvalidText("not UTF-8"))?;
    if bytes.contains(&0) {
        return Err(DecodeError::InvalidText("a NUL character"));
    }
    Ok(text)
}

/// Refuses what is over the limit.
pub(crate) fn at_most(what: &'static str, actual: usize, limit: usize) -> Result<(), DecodeError> {
    if actual > limit {
        return Err(DecodeError::TooLarge {
            what,
            actual,
            limit,
        });
    }
    Ok(())
}

/// Writes a LEB128 number in its shortest form.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// How many bytes [`put_varint`] writes.
pub fn varint_length(value: u64) -> usize {
    (64 - value.leading_zeros() as usize).div_ceil(7).max(1)
}

/// Writes bytes behind their length.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Writes u64 time, 16 bytes of replica id.
pub fn put_stamp(out: &mut Vec<u8>, stamp: &Stamp) {
    out.extend_from_slice(&stamp.hlc.0.to_be_bytes());
    out.extend_from_slice(&stamp.replica.0);
}

/// Writes 16 bytes of replica id, u64 counter.
pub fn put_dot(out: &mut Vec<u8>, dot: &Dot) {
    out.extend_from_slice(&dot.replica.0);
    out.extend_from_slice(&dot.counter.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two encodings of one number would give equal states unequal bytes.
    #[test]
    fn numbers_have_one_form() {
        for value in [0, 1, 127, 128, 300, 1 << 35, u64::MAX] {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            assert_eq!(bytes.len(), varint_length(value));
            assert_eq!(Reader::new(&bytes).varint(), Ok(value));
        }
        assert!(Reader::new(&[0x80, 0]).varint().is_err());
        assert!(Reader::new(&[0xff; 9]).varint().is_err());
        assert!(
            Reader::new(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2])
                .varint()
                .is_err()
        );
        assert!(Reader::new(&[0xff; 11]).varint().is_err());
    }

    /// A forged count must not reserve gigabytes.
    #[test]
    fn counts_are_bounded_by_what_follows() {
        let mut bytes = Vec::new();
        put_varint(&mut bytes, u64::MAX);
        bytes.extend([0; 16]);
        assert_eq!(Reader::new(&bytes).count(24), Err(DecodeError::Truncated));
    }
}
