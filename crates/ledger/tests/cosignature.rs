//! Cosignatures must hold exactly for what a witness signed: one text, one time, one key.

use ledger::cosignature::cosign;
use ledger::{
    ChainId, Checkpoint, KeyKind, Note, NoteError, Signed, SignedCheckpoint, SignerKey, SigningKey,
    VerifierKey,
};
use proptest::prelude::*;

/// A checkpoint of a Certificate Transparency log (arche2025h1, staging) with the cosignatures
/// that four witnesses really gave, as the log published it.
const ARCHE: &str = "arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
";

const ARCHE_KEY: &str =
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f";
const WITNESSES: [&str; 3] = [
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
    "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
];

fn verifier(text: &str) -> VerifierKey {
    text.parse().unwrap()
}

fn witness() -> SignerKey {
    let key = SigningKey::from_bytes(&[5; 32]);
    SignerKey::new("witness.example/w1", KeyKind::Cosignature, key).unwrap()
}

/// What others cosign must verify here, or no public witness is of use to us.
#[test]
fn cosignatures_of_real_witnesses_hold() {
    let signed = SignedCheckpoint::parse(ARCHE).unwrap();
    assert_eq!(signed.checkpoint().size, 1_432_088_532);
    assert_eq!(signed.to_string(), ARCHE);
    assert_eq!(
        signed.signed(&verifier(ARCHE_KEY)),
        Signed::Yes { time: None }
    );
    for key in WITNESSES {
        let time = Some(0x6a12_2120);
        assert_eq!(signed.signed(&verifier(key)), Signed::Yes { time }, "{key}");
    }
    let larger = SignedCheckpoint::parse(&ARCHE.replace("1432088532", "1432088533")).unwrap();
    for key in WITNESSES.iter().chain([&ARCHE_KEY]) {
        assert_eq!(larger.signed(&verifier(key)), Signed::Wrong, "{key}");
    }
}

/// The example of c2sp.org/tlog-cosignature: no key is given for it, but its parts are told.
#[test]
fn the_example_of_c2sp_is_taken_apart() {
    let line = "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    let text =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let note = Note::parse(&format!("{text}\n{line}")).unwrap();
    let [signature] = note.signatures() else {
        panic!("{note:?}");
    };
    assert_eq!(signature.key_id, [0x8d, 0x66, 0xcf, 0x3f]);
    assert_eq!(signature.signature.len(), 8 + 64);
    assert_eq!(signature.signature[..8], 1_679_315_147u64.to_be_bytes());
}

/// The layout, byte for byte: the message, the eight bytes of time, the key id of kind 4.
#[test]
fn golden_cosignature() {
    let checkpoint = Checkpoint::of_chain(&ChainId([0xab; 32]), 1297, [7; 32]);
    let signature = cosign(&witness(), &checkpoint.text(), 1_679_315_147).unwrap();
    let mut message = b"cosignature/v1\ntime 1679315147\n".to_vec();
    message.extend_from_slice(checkpoint.text().as_bytes());
    let plain = ledger::signature::sign(&SigningKey::from_bytes(&[5; 32]), &message);
    assert_eq!(signature.signature[..8], 1_679_315_147u64.to_be_bytes());
    assert_eq!(signature.signature[8..], plain);
    assert_eq!(signature.to_string(), GOLDEN_LINE);
    assert_eq!(witness().verifier().to_string(), GOLDEN_KEY);
}

const GOLDEN_LINE: &str = "— witness.example/w1 VnzeCQAAAABkGFDL+zZX7rIvHsqOBOynRMuxYdf02GkCAdzh0idfzBWPTRRHvBxUpFXG94a6MGuFoTeAO4KbNOZLdBzkZXCDoTKmDg==\n";
const GOLDEN_KEY: &str = "witness.example/w1+567cde09+BG56HN0psLeP0Tr0xVmP7/TvKpcWbjym8uT7/M2AUFvx";

#[test]
fn a_cosignature_holds_for_its_text_time_and_key_only() {
    let text =
        "example.com/log\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nwith an extension\n";
    let good = cosign(&witness(), text, 1_000).unwrap();
    let state = |text: &str, line: &ledger::NoteSignature| {
        let mut note = Note::new(text).unwrap();
        note.add(line.clone()).unwrap();
        note.signed(witness().verifier())
    };
    assert_eq!(state(text, &good), Signed::Yes { time: Some(1_000) });
    assert_eq!(state(&text.replace("with", "wish"), &good), Signed::Wrong);
    for at in 0..good.signature.len() {
        let mut wrong = good.clone();
        wrong.signature[at] ^= 1;
        assert_eq!(state(text, &wrong), Signed::Wrong, "byte {at}");
    }
    let mut longer = good.clone();
    longer.signature.push(0);
    assert_eq!(state(text, &longer), Signed::Wrong);
    // The same key as a plain one is another key: its id differs.
    let key = SigningKey::from_bytes(&[5; 32]);
    let plain = SignerKey::new("witness.example/w1", KeyKind::Ed25519, key).unwrap();
    let mut note = Note::new(text).unwrap();
    note.add(good).unwrap();
    assert_eq!(note.signed(plain.verifier()), Signed::No);
}

#[test]
fn what_cannot_be_cosigned_is_refused() {
    let plain = SignerKey::new("w", KeyKind::Ed25519, SigningKey::from_bytes(&[5; 32])).unwrap();
    let kind = NoteError::Kind {
        needed: KeyKind::Cosignature,
        found: KeyKind::Ed25519,
    };
    assert_eq!(cosign(&plain, "a\n", 1), Err(kind));
    assert!(cosign(&witness(), "a\n", i64::MAX as u64).is_ok());
    assert_eq!(cosign(&witness(), "a\n", 1 << 63), Err(NoteError::Time));
}

/// A time beyond 2^63 - 1 is refused even if the key signed it.
#[test]
fn a_signed_time_out_of_range_does_not_hold() {
    let time = 1u64 << 63;
    let message = format!("cosignature/v1\ntime {time}\na\n");
    let key = SigningKey::from_bytes(&[5; 32]);
    let mut line = cosign(&witness(), "a\n", 1).unwrap();
    line.signature = time.to_be_bytes().to_vec();
    line.signature
        .extend_from_slice(&ledger::signature::sign(&key, message.as_bytes()));
    let mut note = Note::new("a\n").unwrap();
    note.add(line).unwrap();
    assert_eq!(note.signed(witness().verifier()), Signed::Wrong);
}

proptest! {
    #[test]
    fn cosignatures_come_back(text in "(\\PC|\n){0,60}", time in 0..i64::MAX as u64) {
        let mut note = Note::new(format!("{text}\n")).unwrap();
        note.add(cosign(&witness(), note.text(), time).unwrap()).unwrap();
        let read = Note::parse(&note.to_string()).unwrap();
        prop_assert_eq!(read.signed(witness().verifier()), Signed::Yes { time: Some(time) });
        // A newer one of the same witness takes the older one's place.
        let mut note = read;
        note.add(cosign(&witness(), note.text(), time / 2).unwrap()).unwrap();
        prop_assert_eq!(note.signatures().len(), 1);
    }
}
