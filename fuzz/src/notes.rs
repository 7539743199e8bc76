//! What tools of transparency logs read: notes, their keys, checkpoints, and what logs and witnesses
//! say to each other.

use ledger::checkpoint::log_key;
use ledger::cosignature::cosign;
use ledger::witness::{AddCheckpoint, WitnessedLog, read_answer};
use ledger::{Checkpoint, KeyKind, Note, SignedCheckpoint, SignerKey, VerifierKey};

use super::chain::key;
use super::chain::sample::CHAIN;
use super::{Target, text};

pub fn targets() -> Vec<Target> {
    let mut signed = checkpoint_of_seven();
    let line = cosign(&witness(), signed.note().text(), 1_679_315_147);
    let line = line.expect("a key for cosignatures");
    signed.add(line.clone()).expect("there is room");
    let answer = line.to_string().into_bytes();
    let request = AddCheckpoint {
        old_size: 5,
        proof: vec![[1; 32], [2; 32]],
        checkpoint: signed.clone(),
    };
    let request = request.to_string().into_bytes();
    let note = signed.to_string().into_bytes();
    let vkey = witness().verifier().to_string().into_bytes();
    let skey = witness().to_secret_text().into_bytes();
    vec![
        Target::new("note", note_text, vec![note.clone()]),
        Target::new("checkpoint", checkpoint, vec![note]),
        Target::new("note_key", note_key, vec![vkey, skey]),
        Target::new("add_checkpoint", add_checkpoint, vec![request]),
        Target::new(
            "witness_answer",
            witness_answer,
            vec![answer, b"50\n".to_vec()],
        ),
    ]
}

fn checkpoint_of_seven() -> SignedCheckpoint {
    Checkpoint::of_chain(&CHAIN, 7, [9; 32])
        .sign(&key(1))
        .expect("the origin is a name")
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

/// What is read is decided on, too: strangers choose every byte of it.
fn add_checkpoint(bytes: &[u8]) {
    let Some(printed) = text(bytes) else { return };
    if let Ok(request) = AddCheckpoint::parse(printed) {
        assert_eq!(request.to_string(), printed);
        let log_key = log_key(&CHAIN, key(1).verifying_key()).expect("a good key");
        let log = WitnessedLog::new(log_key.name(), vec![log_key.clone()], None);
        let _ = log.check(&request);
    }
}

fn witness_answer(bytes: &[u8]) {
    let checkpoint = checkpoint_of_seven();
    for (status, kind) in [(200, ""), (409, "text/x.tlog.size"), (500, "")] {
        let _ = read_answer(status, kind, bytes, &checkpoint, witness().verifier());
    }
}
