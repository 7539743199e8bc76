//! Checkpoints must be what other transparency-log tools read and sign.

use ledger::checkpoint::{key_id, verifier_key};
use ledger::{ChainId, Checkpoint, CheckpointError, SignedCheckpoint, SigningKey};
use proptest::prelude::*;

fn key() -> SigningKey {
    SigningKey::from_bytes(&[3; 32])
}

fn checkpoint() -> Checkpoint {
    Checkpoint::of_chain(&ChainId([0xab; 32]), 1297, [7; 32])
}

/// The form of a signed note, byte for byte; a change would cut off every witness.
#[test]
fn golden_note() {
    let note = checkpoint().sign("node1", &key()).unwrap();
    assert_eq!(
        note,
        "blockchain_crdt/abababababababababababababababababababababababababababababababab\n\
         1297\n\
         BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\
         \n\
         — node1 +uk53nv0x2ak0u0h+7VkkEuLGlK+S7+3fPahIB3K7H8gN21B5gpe+imNIOPh1tP0GPWPilZHmHR1gIXHZCLDUCnGcwE=\n"
    );
    assert_eq!(
        verifier_key("node1", &key().verifying_key()).unwrap(),
        "node1+fae939de+Ae1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR"
    );
}

/// The key of Go's sum database, the best known user of signed notes: its name and key give the
/// id that everybody has configured.
#[test]
fn key_ids_are_those_of_signed_notes() {
    use base64::Engine as _;
    let encoded = "Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .unwrap();
    let public: [u8; 32] = bytes[1..].try_into().unwrap();
    let key = ledger::VerifyingKey::from_bytes(&public).unwrap();
    assert_eq!(hex::encode(key_id("sum.golang.org", &key)), "033de0ae");
    assert_eq!(
        verifier_key("sum.golang.org", &key).unwrap(),
        format!("sum.golang.org+033de0ae+{encoded}")
    );
}

#[test]
fn a_note_verifies_with_its_key_and_name_only() {
    let mut state = checkpoint();
    state.extensions = vec!["height 5".to_owned()];
    let note = state.sign("node1", &key()).unwrap();
    let signed = SignedCheckpoint::parse(&note).unwrap();
    assert_eq!(signed.checkpoint, state);
    let public = key().verifying_key();
    assert!(signed.verify("node1", &public));
    assert!(!signed.verify("node2", &public));
    let other = SigningKey::from_bytes(&[4; 32]);
    assert!(!signed.verify("node1", &other.verifying_key()));
    // A witness adds its own line; it does not disturb.
    let cosigned = state.sign("witness", &other).unwrap();
    let line = cosigned.lines().last().unwrap();
    let both = SignedCheckpoint::parse(&format!("{note}{line}\n")).unwrap();
    assert!(both.verify("node1", &public));
    assert!(both.verify("witness", &other.verifying_key()));
}

#[test]
fn changed_notes_do_not_verify() {
    let note = checkpoint().sign("node1", &key()).unwrap();
    let public = key().verifying_key();
    for (from, to) in [("1297", "1298"), ("BwcH", "CwcH"), ("/ab", "/bb")] {
        let signed = SignedCheckpoint::parse(&note.replacen(from, to, 1)).unwrap();
        assert!(!signed.verify("node1", &public));
    }
}

#[test]
fn malformed_notes_are_named() {
    use CheckpointError as E;
    let good = checkpoint().sign("node1", &key()).unwrap();
    let cases = [
        (String::new(), E::NoSignatures),
        (good.replacen("\n\n", "\n", 1), E::NoSignatures),
        (good.trim_end().to_owned(), E::NoSignatures),
        (good.replacen("blockchain", "\x07lockchain", 1), E::Origin),
        (good.replacen("1297", "01297", 1), E::Size),
        (good.replacen("1297", "+1297", 1), E::Size),
        (good.replacen("1297", "-1", 1), E::Size),
        (good.replacen("1297", "99999999999999999999", 1), E::Size),
        (good.replacen("Bwc=", "Bwc", 1), E::Root),
        (good.replacen("BwcH", "", 1), E::Root),
        (good.replacen("— node1", "- node1", 1), E::Signature),
        (good.replacen("— node1", "— ", 1), E::Signature),
        (format!("{good}\n"), E::Signature),
        ("x".repeat(70_000), E::TooLong),
    ];
    for (note, error) in cases {
        assert_eq!(SignedCheckpoint::parse(&note), Err(error), "{note}");
    }
    for name in ["", "a b", "a+b", "a\n"] {
        assert_eq!(checkpoint().sign(name, &key()), Err(E::KeyName));
    }
    let mut state = checkpoint();
    state.extensions = vec![String::new()];
    assert!(state.sign("node1", &key()).is_err());
    state.extensions = vec!["a\n\nb".to_owned()];
    assert!(state.sign("node1", &key()).is_err());
}

proptest! {
    /// Any text may come from a peer.
    #[test]
    fn parsing_never_panics(text in "\\PC{0,200}", cut in 0usize..200) {
        let _ = SignedCheckpoint::parse(&text);
        let note = checkpoint().sign("node1", &key()).unwrap();
        if let Some(part) = note.get(cut..) {
            let _ = SignedCheckpoint::parse(part);
        }
        let _ = SignedCheckpoint::parse(&format!("{text}\n1\n{text}\n\n{text}\n"));
    }
}
