//! TLS keys: a seed, its public key, and the form in which TLS shows a raw public key.

use std::sync::Arc;

use ed25519_dalek::{SigningKey, pkcs8::EncodePrivateKey};
use rustls::{
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};

/// Ed25519 public key (32 bytes, RFC 8032) that a node shows in TLS.
pub type Key = [u8; 32];

/// Ed25519 private key seed (32 bytes, RFC 8032).
pub type Seed = [u8; 32];

/// DER of a SubjectPublicKeyInfo with algorithm id-Ed25519, up to the key itself (RFC 8410, section 4).
const SPKI_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// The public key that belongs to `seed`.
pub fn public_key_of(seed: &Seed) -> Key {
    SigningKey::from_bytes(seed).verifying_key().to_bytes()
}

/// The key inside a raw public key as TLS carries it; `None` for any other algorithm or form.
pub(crate) fn key_of_spki(spki: &[u8]) -> Option<Key> {
    spki.strip_prefix(&SPKI_PREFIX)?.try_into().ok()
}

/// The key pair of `seed` in the form rustls shows to the other side.
pub(crate) fn certified_key(
    seed: &Seed,
    provider: &CryptoProvider,
) -> Result<Arc<CertifiedKey>, rustls::Error> {
    let signing = SigningKey::from_bytes(seed);
    let pkcs8 = signing
        .to_pkcs8_der()
        .map_err(|error| rustls::Error::General(error.to_string()))?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8.as_bytes().to_vec()));
    let mut spki = SPKI_PREFIX.to_vec();
    spki.extend_from_slice(signing.verifying_key().as_bytes());
    Ok(Arc::new(CertifiedKey::new(
        vec![CertificateDer::from(spki)],
        provider.key_provider.load_private_key(private)?,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without this, an odd or foreign certificate could be taken for a pinned key.
    #[test]
    fn only_an_exact_ed25519_spki_yields_a_key() {
        let key = public_key_of(&[7; 32]);
        let spki = [SPKI_PREFIX.as_slice(), &key].concat();
        assert_eq!(key_of_spki(&spki), Some(key));
        assert_eq!(key_of_spki(&spki[..43]), None);
        assert_eq!(key_of_spki(&[spki.as_slice(), &[0]].concat()), None);
        assert_eq!(key_of_spki(&key), None);
        let mut x25519 = spki;
        x25519[8] = 0x6e;
        assert_eq!(key_of_spki(&x25519), None);
    }

    /// RFC 8032, section 7.1, test 1: peers pin what every other Ed25519 library derives.
    #[test]
    fn public_key_is_that_of_rfc_8032() {
        let seed = [
            0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec,
            0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03,
            0x1c, 0xae, 0x7f, 0x60,
        ];
        assert_eq!(
            public_key_of(&seed)[..8],
            [0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7]
        );
    }
}
