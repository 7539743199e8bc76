//! Ed25519: one way to sign and one way to verify, for everything that nodes must agree on.
//! Only `verify_strict` is used (RFC 8032 without small-order keys): two nodes must never
//! disagree on whether a signature holds.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

/// An Ed25519 signature, 64 bytes.
pub type SignatureBytes = [u8; 64];

/// Signs `message`.
pub fn sign(key: &SigningKey, message: &[u8]) -> SignatureBytes {
    key.sign(message).to_bytes()
}

/// Whether `signature` over `message` is `key`'s.
pub fn verify(key: &VerifyingKey, message: &[u8], signature: &SignatureBytes) -> bool {
    key.verify_strict(message, &Signature::from_bytes(signature))
        .is_ok()
}

/// A public key from its 32 bytes; none if they are not a point, not its canonical form, or of
/// small order. ed25519-dalek takes a point in more than one form, other libraries do not.
pub fn public_key(bytes: &[u8; 32]) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(bytes)
        .ok()
        .filter(|key| !key.is_weak() && key.to_edwards().compress().as_bytes() == bytes)
}

/// Carries 64 bytes through serde, which knows arrays only up to 32.
pub(crate) mod as_halves {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8; 64], serializer: S) -> Result<S::Ok, S::Error> {
        let mut left = [0; 32];
        let mut right = [0; 32];
        left.copy_from_slice(&bytes[..32]);
        right.copy_from_slice(&bytes[32..]);
        (left, right).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 64], D::Error> {
        let (left, right) = <([u8; 32], [u8; 32])>::deserialize(deserializer)?;
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&left);
        bytes[32..].copy_from_slice(&right);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key of small order verifies signatures that nobody made.
    #[test]
    fn a_key_of_small_order_is_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert!(public_key(&identity).is_none());
        assert!(public_key(&[0; 32]).is_none());
    }

    /// A verifier in another language would refuse what we accept: RFC 8032 knows one form of a
    /// point only.
    #[test]
    fn a_key_in_another_form_is_refused() {
        let prime_plus = |offset: u8| {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (0xed + offset, 0x7f);
            bytes
        };
        let mut taken = 0;
        for offset in 0..19 {
            let bytes = prime_plus(offset);
            taken += usize::from(VerifyingKey::from_bytes(&bytes).is_ok_and(|key| !key.is_weak()));
            assert!(public_key(&bytes).is_none(), "p + {offset}");
        }
        assert!(taken > 0, "nothing was refused for its form");
    }

    #[test]
    fn a_signature_holds_for_its_message_only() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let signature = sign(&key, b"a");
        assert!(verify(&key.verifying_key(), b"a", &signature));
        assert!(!verify(&key.verifying_key(), b"b", &signature));
    }
}
