//! Checkpoints must be what other transparency-log tools read and sign.

use ledger::checkpoint::log_key;
use ledger::cosignature::cosign;
use ledger::{
    ChainId, Checkpoint, CheckpointError, KeyKind, Note, NoteError, Signed, SignedCheckpoint,
    SignerKey, SigningKey, VerifierKey,
};
use proptest::prelude::*;

fn key() -> SigningKey {
    SigningKey::from_bytes(&[3; 32])
}

fn checkpoint() -> Checkpoint {
    Checkpoint::of_chain(&ChainId([0xab; 32]), 1297, [7; 32])
}

fn public() -> VerifierKey {
    log_key(&ChainId([0xab; 32]), key().verifying_key()).unwrap()
}

/// The form of a checkpoint, byte for byte; a change would cut off every witness.
#[test]
fn golden_checkpoint() {
    let note = checkpoint().sign(&key()).unwrap();
    assert_eq!(
        note.to_string(),
        "blockchain_crdt/abababababababababababababababababababababababababababababababab\n\
         1297\n\
         BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\
         \n\
         — blockchain_crdt/abababababababababababababababababababababababababababababababab fLxMGXv0x2ak0u0h+7VkkEuLGlK+S7+3fPahIB3K7H8gN21B5gpe+imNIOPh1tP0GPWPilZHmHR1gIXHZCLDUCnGcwE=\n"
    );
    assert_eq!(
        public().to_string(),
        "blockchain_crdt/abababababababababababababababababababababababababababababababab+7cbc4c19+Ae1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR"
    );
}

/// The example of c2sp.org/tlog-checkpoint.
#[test]
fn the_example_of_c2sp() {
    let text = "example.com/behind-the-sofa\n\
                20852163\n\
                CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\
                \n\
                — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
    let signed = SignedCheckpoint::parse(text).unwrap();
    assert_eq!(signed.checkpoint().origin, "example.com/behind-the-sofa");
    assert_eq!(signed.checkpoint().size, 20_852_163);
    assert_eq!(signed.checkpoint().root[..3], [0x0a, 0xc5, 0x18]);
    assert_eq!(signed.to_string(), text);
}

#[test]
fn a_checkpoint_verifies_with_its_key_and_name_only() {
    let mut state = checkpoint();
    state.extensions = vec!["height 5".to_owned()];
    let mut signed = state.sign(&key()).unwrap();
    assert_eq!(
        SignedCheckpoint::parse(&signed.to_string()),
        Ok(signed.clone())
    );
    assert_eq!(signed.checkpoint(), &state);
    let yes = Signed::Yes { time: None };
    assert_eq!(signed.signed(&public()), yes);
    let other = SigningKey::from_bytes(&[4; 32]);
    let others = log_key(&ChainId([0xab; 32]), other.verifying_key()).unwrap();
    assert_eq!(signed.signed(&others), Signed::No);
    let renamed = VerifierKey::new("node2", KeyKind::Ed25519, key().verifying_key()).unwrap();
    assert_eq!(signed.signed(&renamed), Signed::No);
    // A witness adds its own line; it does not disturb, and can be told apart.
    let witness = SignerKey::new("witness", KeyKind::Cosignature, other).unwrap();
    let line = cosign(&witness, signed.note().text(), 9).unwrap();
    signed.add(line).unwrap();
    let mut both = SignedCheckpoint::parse(&signed.to_string()).unwrap();
    assert_eq!(both.signed(&public()), yes);
    assert_eq!(
        both.signed(witness.verifier()),
        Signed::Yes { time: Some(9) }
    );
    both.retain(&[public()]);
    assert_eq!(both, state.sign(&key()).unwrap());
}

#[test]
fn changed_checkpoints_do_not_verify() {
    let note = checkpoint().sign(&key()).unwrap().to_string();
    for (from, to) in [("1297", "1298"), ("BwcH", "CwcH"), ("/ab", "/bb")] {
        let signed = SignedCheckpoint::parse(&note.replacen(from, to, 1)).unwrap();
        assert_eq!(signed.signed(&public()), Signed::Wrong);
    }
}

#[test]
fn malformed_checkpoints_are_named() {
    use CheckpointError as E;
    let good = checkpoint().sign(&key()).unwrap().to_string();
    let unsigned = Note::parse(&format!("\n{good}")).unwrap();
    assert!(unsigned.text().starts_with('\n'));
    let cases = [
        (String::new(), E::Note(NoteError::NoSignatures)),
        (format!("\n{good}"), E::Origin),
        (good.replacen("1297", "01297", 1), E::Size),
        (good.replacen("1297", "+1297", 1), E::Size),
        (good.replacen("1297", "-1", 1), E::Size),
        (good.replacen("1297", "", 1), E::Size),
        (good.replacen("1297", "99999999999999999999", 1), E::Size),
        (good.replacen("Bwc=", "Bwc", 1), E::Root),
        (good.replacen("Bwc=", "Bwd=", 1), E::Root),
        (good.replacen("BwcH", "", 1), E::Root),
        (good.replacen("\n\n", "\n\n\n", 1), E::Extension),
        (good.replacen("\n\n", "\nx\n\ny\n\n", 1), E::Extension),
    ];
    for (note, error) in cases {
        assert_eq!(SignedCheckpoint::parse(&note), Err(error), "{note}");
    }
    assert_eq!(Checkpoint::parse("a\n1\n"), Err(E::Root));
    assert_eq!(Checkpoint::parse("a\n1"), Err(E::Origin));
    for extension in ["", "a\n\nb", "a\nb", "\r"] {
        let mut state = checkpoint();
        state.extensions = vec![extension.to_owned()];
        assert!(state.sign(&key()).is_err(), "{extension:?}");
    }
    // A log whose name cannot be that of a key has nobody to sign for it.
    let mut state = checkpoint();
    state.origin = "go.sum database tree".to_owned();
    assert_eq!(state.sign(&key()), Err(E::Note(NoteError::KeyName)));
}

proptest! {
    /// Any text may come from a peer.
    #[test]
    fn what_parses_prints_the_same(text in "\\PC{0,200}", cut in 0usize..200, size: u64) {
        let note = checkpoint().sign(&key()).unwrap().to_string();
        let root = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
        let lines = format!("{text}\n{size}\n{root}\n{text}\n\n— a AAAAAAA=\n");
        for note in [&text, note.get(cut..).unwrap_or(""), &lines] {
            if let Ok(signed) = SignedCheckpoint::parse(note) {
                prop_assert_eq!(signed.to_string(), note);
                prop_assert_eq!(signed.checkpoint().text(), signed.note().text());
            }
        }
    }
}
