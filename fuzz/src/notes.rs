//! What tools of transparency logs read: notes, their keys, checkpoints.

use ledger::checkpoint::log_key;
use ledger::cosignature::cosign;
use ledger::{Checkpoint, KeyKind, Note, SignedCheckpoint, SignerKey, VerifierKey};

use super::chain::key;
use super::chain::sample::CHAIN;
use super::{Target, text};

pub fn targets() -> Vec<Target> {
    let mut signed = Checkpoint::of_chain(&CHAIN, 7, [9; 32])
        .sign(&key(1))
        .expect("the origin is a name");
    let line = cosign(&witness(), signed.note().text(), 1_679_315_147);
    signed
        .add(line.expect("a key for cosignatures"))
        .expect("there is room");
    let note = signed.to_string().into_bytes();
    let vkey = witness().verifier().to_string().into_bytes();
    let skey = witness().to_secret_text().into_bytes();
    vec![
        Target::new("note", note_text, vec![note.clone()]),
        Target::new("checkpoint", checkpoint, vec![note]),
        Target::new("note_key", note_key, vec![vkey, skey]),
    ]
}

fn witness() -> SignerKey {
    SignerKey::new("witness.example/w1", KeyKind::Cosignature, key(2)).expect("a good name")
}

fn note_text(bytes: &[u8]) {
    let Some(printed) = text(bytes) else { return };
    if let Ok(note) = Note::parse(printed) {
        assert_eq!(note.to_string(), printed);
        let _ = note.signed(witness().verifier());
    }
}

fn checkpoint(bytes: &[u8]) {
    let Some(printed) = text(bytes) else { return };
    if let Ok(signed) = SignedCheckpoint::parse(printed) {
        assert_eq!(signed.to_string(), printed);
        assert_eq!(signed.checkpoint().text(), signed.note().text());
        let key = log_key(&CHAIN, key(1).verifying_key()).expect("a good key");
        let _ = signed.signed(&key);
    }
}

fn note_key(bytes: &[u8]) {
    let Some(printed) = text(bytes) else { return };
    if let Ok(key) = printed.parse::<VerifierKey>() {
        assert_eq!(key.to_string(), printed);
    }
    if let Ok(key) = printed.parse::<SignerKey>() {
        assert_eq!(key.to_secret_text(), printed);
    }
}
