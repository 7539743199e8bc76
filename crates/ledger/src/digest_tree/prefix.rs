//! The beginning of a key, by which a node of the tree is named.

use crate::codec::{DecodeError, Reader, Write};
use crate::hash::Hash;

/// Digits of a key.
pub(super) const DIGITS: usize = 64;

/// The digit of a key at a place below [`DIGITS`], 0 to 15.
pub(super) fn digit(key: &Hash, at: usize) -> u8 {
    let byte = key.get(at / 2).copied().unwrap_or_default();
    if at.is_multiple_of(2) {
        byte >> 4
    } else {
        byte & 15
    }
}

/// How many digits two keys have in common from the front.
pub(super) fn common(a: &Hash, b: &Hash) -> usize {
    match a.iter().zip(b).position(|(x, y)| x != y) {
        None => DIGITS,
        Some(at) => at * 2 + usize::from(digit(a, at * 2) == digit(b, at * 2)),
    }
}

/// The first digits of a key, 0 to 64 of them. Ordered as the first keys that begin so, a shorter
/// one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix {
    /// Zeros behind the digits.
    bytes: Hash,
    digits: u8,
}

impl Prefix {
    /// Of all keys.
    pub const ROOT: Self = Self {
        bytes: [0; 32],
        digits: 0,
    };

    /// The first `digits` of a key; 64 if more are asked for.
    pub fn of(key: &Hash, digits: usize) -> Self {
        let digits = digits.min(DIGITS);
        let mut bytes = *key;
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte &= match digits.saturating_sub(at * 2) {
                0 => 0,
                1 => 0xf0,
                _ => 0xff,
            };
        }
        Self {
            bytes,
            digits: digits as u8,
        }
    }

    /// One digit longer; `None` if this is a whole key.
    pub fn child(&self, digit: u8) -> Option<Self> {
        let at = usize::from(self.digits);
        let mut child = *self;
        let byte = child.bytes.get_mut(at / 2)?;
        *byte |= if at.is_multiple_of(2) {
            digit << 4
        } else {
            digit & 15
        };
        child.digits += 1;
        Some(child)
    }

    /// How many digits.
    pub fn digits(&self) -> usize {
        usize::from(self.digits)
    }

    /// The least key that begins so.
    pub fn first_key(&self) -> &Hash {
        &self.bytes
    }

    /// The greatest key that begins so.
    pub fn last_key(&self) -> Hash {
        let mut key = self.bytes;
        for (at, byte) in key.iter_mut().enumerate() {
            *byte |= match self.digits().saturating_sub(at * 2) {
                0 => 0xff,
                1 => 0x0f,
                _ => 0,
            };
        }
        key
    }

    /// Whether a key begins so.
    pub fn contains(&self, key: &Hash) -> bool {
        common(&self.bytes, key) >= self.digits()
    }

    /// u8 digits ‖ the bytes that hold them, a half byte of zeros behind an odd one.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.put_u8(self.digits);
        out.extend(self.bytes.iter().take(self.digits().div_ceil(2)));
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        const WHAT: &str = "a prefix";
        let digits = usize::from(reader.u8(WHAT)?);
        crate::codec::bound(digits, DIGITS, WHAT)?;
        let held = reader.bytes(digits.div_ceil(2), WHAT)?;
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(held) {
            *to = *from;
        }
        match Self::of(&bytes, digits) {
            prefix if prefix.bytes == bytes => Ok(prefix),
            _ => Err(DecodeError::Value { what: WHAT }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A prefix that took in a key too many or too few would send a comparison astray.
    #[test]
    fn a_prefix_holds_the_keys_that_begin_so() {
        let key = [0xab; 32];
        for digits in 0..=DIGITS {
            let prefix = Prefix::of(&key, digits);
            assert_eq!(prefix.digits(), digits);
            assert!(prefix.contains(&key));
            assert!(prefix.contains(prefix.first_key()) && prefix.contains(&prefix.last_key()));
            let mut other = key;
            if let Some(byte) = other.get_mut(digits / 2) {
                *byte ^= if digits.is_multiple_of(2) { 0x10 } else { 1 };
                assert!(prefix.contains(&other), "behind the prefix");
            }
            let next = prefix.child(digit(&key, digits));
            assert_eq!(
                next,
                (digits < DIGITS).then(|| Prefix::of(&key, digits + 1))
            );
            let mut bytes = Vec::new();
            prefix.put(&mut bytes);
            let mut reader = Reader::new(&bytes);
            assert_eq!(Prefix::read(&mut reader), Ok(prefix));
            assert_eq!(reader.remaining(), 0);
        }
        assert!(Prefix::read(&mut Reader::new(&[1, 0xab])).is_err());
        assert!(Prefix::read(&mut Reader::new(&[65; 40])).is_err());
    }
}
