//! Project Wycheproof's attacks on cryptographic libraries: crafted signatures and ciphertexts
//! that careless code accepts. What must be refused and is not would let a stranger write history;
//! what must hold and does not would split nodes that verify with another library.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use ledger::signature;
use wycheproof::TestResult;
use wycheproof::{aead, eddsa};

/// All of Ed25519's vectors, by the one function that everything here is verified with.
///
/// No vector is judged otherwise than it is marked, though `verify_strict` refuses more than
/// RFC 8032 demands: keys and points R of small order. Wycheproof has no such key, and its
/// signatures with such an R do not hold anyway. By flag:
///
/// - Valid, Ktv, TinkOverflow: ordinary signatures, and some that others failed on; all hold.
/// - InvalidSignature, InvalidKtv: R and S of special values, S just out of bounds.
/// - InvalidEncoding: R is no point, or another writing of one, with an S that fits it.
/// - SignatureMalleability: S plus a multiple of the group's order. Would it hold, one signature
///   would have two forms.
/// - SignatureWithGarbage, TruncatedSignature, CompressedSignature: not 64 bytes, which
///   [`signature::SignatureBytes`] cannot even hold.
#[test]
fn ed25519() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut judged = 0;
    for group in set.test_groups {
        let bytes: [u8; 32] = group.key.pk.as_slice().try_into().unwrap();
        let key = signature::public_key(&bytes).expect("a key that is not weak");
        for test in group.tests {
            let holds = <[u8; 64]>::try_from(test.sig.as_slice())
                .is_ok_and(|signature| signature::verify(&key, &test.msg, &signature));
            let expected = test.result == TestResult::Valid;
            assert_eq!(
                holds, expected,
                "{}: {} {:?}",
                test.tc_id, test.comment, test.flags
            );
            judged += 1;
        }
    }
    assert_eq!(judged, set.number_of_tests);
}

/// The envelopes of payloads will be AES-256-GCM with nonces of 96 bits and whole tags, by the
/// library that is pinned here. It is tested before anything is sealed with it.
#[test]
fn aes_256_gcm() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let mut judged = 0;
    for group in set.test_groups {
        if (group.key_size, group.nonce_size, group.tag_size) != (256, 96, 128) {
            continue;
        }
        for test in group.tests {
            let cipher = Aes256Gcm::new_from_slice(&test.key).unwrap();
            let nonce = Nonce::from_slice(&test.nonce);
            let sealed = [test.ct.as_slice(), &test.tag].concat();
            let aad = test.aad.as_slice();
            let opened = cipher.decrypt(nonce, Payload { msg: &sealed, aad });
            let expected = (test.result == TestResult::Valid).then(|| test.pt.to_vec());
            assert_eq!(opened.ok(), expected, "{}: {}", test.tc_id, test.comment);
            if expected.is_some() {
                let payload = Payload { msg: &test.pt, aad };
                assert_eq!(cipher.encrypt(nonce, payload).unwrap(), sealed);
            }
            judged += 1;
        }
    }
    assert!(judged > 50, "{judged}");
}
