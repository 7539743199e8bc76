//! Signed notes must be what other tools of transparency logs read, sign and refuse. The known
//! answers are those of Go's package golang.org/x/mod/sumdb/note, of c2sp.org/signed-note, and a
//! checkpoint of a log that is really run, with the cosignatures of its witnesses.

use ledger::note::{MAX_NOTE_BYTES, MAX_SIGNATURES, parse_lines};
use ledger::{KeyKind, Note, NoteError, Signed, SignerKey, SigningKey, VerifierKey};
use proptest::prelude::*;

const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_SECRET: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const ENOCH: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
const PETER_LINE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const ENOCH_LINE: &str = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

fn verifier(text: &str) -> VerifierKey {
    text.parse().unwrap()
}

fn peters_note() -> String {
    format!("{TEXT}\n{PETER_LINE}")
}

/// A key that others gave out must be read as they mean it, and no other key in its place.
#[test]
fn a_verifier_key_has_one_text() {
    let key = verifier(PETER);
    assert_eq!(key.name(), "PeterNeumann");
    assert_eq!(key.kind(), KeyKind::Ed25519);
    assert_eq!(hex::encode(key.id()), "c74f20a3");
    assert_eq!(key.to_string(), PETER);
    assert_mangled_are_refused::<VerifierKey>(PETER);
    // Right ids of keys that are too long, of an unknown kind, and of small order.
    for (bad, error) in [
        (
            "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
            NoteError::Key,
        ),
        (
            "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            NoteError::UnknownKind { found: 0x65 },
        ),
        (
            "a+a5269a0a+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            NoteError::Key,
        ),
        (&PETER.replace("c74f20a3", "C74F20A3"), NoteError::Key),
    ] {
        assert_eq!(bad.parse::<VerifierKey>(), Err(error), "{bad}");
    }
    for known in [
        ENOCH,
        // c2sp.org/signed-note
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        // Go's checksum database, the most used key of this form
        "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        // a witness
        "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    ] {
        assert_eq!(verifier(known).to_string(), known);
    }
}

/// A witness's private key is a file; what is not exactly a key must not become another one.
#[test]
fn a_signer_key_has_one_text() {
    let key: SignerKey = PETER_SECRET.parse().unwrap();
    assert_eq!(key.verifier().to_string(), PETER);
    assert_eq!(key.to_secret_text(), PETER_SECRET);
    assert_mangled_are_refused::<SignerKey>(PETER_SECRET);
    // What a log line or a panic prints must not hold the secret.
    assert_eq!(format!("{key:?}"), format!("SignerKey({PETER})"));
}

/// Every part of a text, and every text with one byte raised by one.
fn assert_mangled_are_refused<K: std::str::FromStr>(good: &str) {
    for start in 0..=good.len() {
        for end in start..=good.len() {
            assert!(end - start == good.len() || good[start..end].parse::<K>().is_err());
        }
    }
    for at in 0..good.len() {
        let mut bytes = good.as_bytes().to_vec();
        bytes[at] += 1;
        let bad = String::from_utf8(bytes).unwrap();
        assert!(bad.parse::<K>().is_err(), "{bad}");
    }
}

/// Ed25519 leaves nothing to chance: the same key must give Go's own signature.
#[test]
fn a_note_is_signed_as_go_signs_it() {
    let key: SignerKey = PETER_SECRET.parse().unwrap();
    let mut note = Note::new(TEXT).unwrap();
    note.sign(&key).unwrap();
    assert_eq!(note.to_string(), peters_note());
    // Signing again changes nothing: a key has one line.
    note.sign(&key).unwrap();
    assert_eq!(note.to_string(), peters_note());
    assert_eq!(note.signed(&verifier(PETER)), Signed::Yes { time: None });
}

#[test]
fn lines_of_unknown_keys_are_kept_and_do_not_matter() {
    let both = format!("{TEXT}\n{PETER_LINE}{ENOCH_LINE}");
    let note = Note::parse(&both).unwrap();
    assert_eq!(note.text(), TEXT);
    assert_eq!(note.to_string(), both);
    assert_eq!(note.signed(&verifier(PETER)), Signed::Yes { time: None });
    assert_eq!(note.signed(&verifier(ENOCH)), Signed::Yes { time: None });
    let alone = Note::parse(&peters_note()).unwrap();
    assert_eq!(alone.signed(&verifier(ENOCH)), Signed::No);
    let mut only_peter = note.clone();
    only_peter.retain(&[verifier(PETER)]);
    assert_eq!(only_peter, alone);
    // A post-quantum signature is long, and its kind not known here.
    let long = "A".repeat(6_400);
    let foreign = format!("{}— pq.example {long}\n", peters_note());
    let note = Note::parse(&foreign).unwrap();
    assert_eq!(note.to_string(), foreign);
    assert_eq!(note.signed(&verifier(PETER)), Signed::Yes { time: None });
}

/// A note with a forged line of a trusted key must not pass because of a second, good one.
#[test]
fn a_wrong_line_of_a_known_key_spoils_the_note() {
    let wrong = PETER_LINE.replace("x08go/ZJ", "x08go/ZK");
    for lines in [
        wrong.clone(),
        format!("{PETER_LINE}{wrong}"),
        format!("{wrong}{PETER_LINE}"),
        // A signature of another length.
        PETER_LINE.replace("nAM=", ""),
    ] {
        let note = Note::parse(&format!("{TEXT}\n{lines}{ENOCH_LINE}")).unwrap();
        assert_eq!(note.signed(&verifier(PETER)), Signed::Wrong);
        assert_eq!(note.signed(&verifier(ENOCH)), Signed::Yes { time: None });
    }
    let other_text = Note::parse(&peters_note().replace("think", "thank")).unwrap();
    assert_eq!(other_text.signed(&verifier(PETER)), Signed::Wrong);
}

/// The example of c2sp.org/signed-note, and one whose text holds blank lines.
#[test]
fn the_examples_of_c2sp() {
    let key = verifier("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
    let note = "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    let note = Note::parse(note).unwrap();
    assert_eq!(note.text(), "This is an example message.\n");
    assert_eq!(note.signed(&key), Signed::Yes { time: None });
    let poem = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";
    let note = Note::parse(poem).unwrap();
    assert!(note.text().ends_with(":\n\ned è subito sera.\n"));
    assert_eq!(note.to_string(), poem);
}

#[test]
fn malformed_notes_are_named() {
    use NoteError as E;
    let good = peters_note();
    let many = |count| format!("{TEXT}\n{}", PETER_LINE.repeat(count));
    assert!(Note::parse(&many(MAX_SIGNATURES)).is_ok());
    let first = E::Signature { line: 1 };
    for (note, error) in [
        (String::new(), E::NoSignatures),
        (TEXT.to_owned(), E::NoSignatures),
        (format!("{TEXT}\n"), E::NoSignatures),
        (good.replacen("\n\n", "\n", 1), E::NoSignatures),
        (good.trim_end().to_owned(), first),
        (format!("\x01{good}"), E::Text),
        (
            format!("\n\n{PETER_LINE}").replacen('\n', "\x07", 1),
            E::NoSignatures,
        ),
        (good.replace("PeterNeumann", "Bad Name"), first),
        (good.replace("PeterNeumann", "Bad+Name"), first),
        (good.replace("PeterNeumann", "Bad\u{a0}Name"), first),
        (good.replace("PeterNeumann", ""), first),
        (good.replace("PeterNeumann", "Peter\tNeumann"), first),
        (good.replace("— ", "- "), first),
        (good.replace("— ", "—"), first),
        (good.replace("JnAM=\n", "JnAM\n"), first),
        (good.replace("JnAM=\n", "JnAN=\n"), first),
        (good.replace("JnAM=\n", "JnAM==\n"), first),
        (format!("{TEXT}\n— PeterNeumann x08gow==\n"), first),
        (
            format!("{good}Unexpected line.\n"),
            E::Signature { line: 2 },
        ),
        (many(MAX_SIGNATURES + 1), E::TooManySignatures),
        ("x".repeat(MAX_NOTE_BYTES + 1), E::TooLong),
    ] {
        assert_eq!(Note::parse(&note), Err(error), "{note:.300}");
    }
    for (text, error) in [
        ("", E::Text),
        ("abc", E::Text),
        ("a\r\n", E::Text),
        (&"x\n".repeat(MAX_NOTE_BYTES), E::TooLong),
    ] {
        assert_eq!(Note::new(text), Err(error));
    }
    let key = SigningKey::from_bytes(&[3; 32]);
    for name in ["", "a b", "a+b", "a\n", "a\x1f"] {
        let made = SignerKey::new(name, KeyKind::Ed25519, key.clone());
        assert_eq!(made.map(|_| ()), Err(E::KeyName), "{name:?}");
    }
}

/// What is added to a note must be read back, or the note is lost for everybody.
#[test]
fn a_note_does_not_outgrow_its_bounds() {
    let mut note = Note::new(TEXT).unwrap();
    for index in 0..MAX_SIGNATURES {
        let line = parse_lines(&PETER_LINE.replace("Peter", &format!("P{index}"))).unwrap();
        note.add(line[0].clone()).unwrap();
    }
    let one_more = parse_lines(ENOCH_LINE).unwrap().remove(0);
    assert_eq!(note.add(one_more), Err(NoteError::TooManySignatures));
    assert_eq!(Note::parse(&note.to_string()), Ok(note.clone()));
    let mut long = Note::new(format!("{}\n", "x".repeat(MAX_NOTE_BYTES - 9))).unwrap();
    let line = parse_lines(ENOCH_LINE).unwrap().remove(0);
    assert_eq!(long.add(line), Err(NoteError::TooLong));
    assert!(long.signatures().is_empty());
}

/// A key for cosignatures must never sign a plain note: both kinds would be of one key then.
#[test]
fn a_key_signs_what_it_is_for() {
    let cosigner = SignerKey::new("w", KeyKind::Cosignature, SigningKey::from_bytes(&[1; 32]));
    let mut note = Note::new(TEXT).unwrap();
    let wrong = NoteError::Kind {
        needed: KeyKind::Ed25519,
        found: KeyKind::Cosignature,
    };
    assert_eq!(note.sign(&cosigner.unwrap()), Err(wrong));
    assert!(note.signatures().is_empty());
}

prop_compose! {
    fn any_name()(name in "[a-zé/.—\u{7f}-]{1,12}") -> String { name }
}

proptest! {
    /// Any text may come from a stranger; what is read is written the same.
    #[test]
    fn what_parses_prints_the_same(
        text in "(\\PC|\n){0,60}",
        lines in proptest::collection::vec(
            (any_name(), proptest::collection::vec(any::<u8>(), 0..9)), 0..4),
    ) {
        use base64::Engine as _;
        let mut note = format!("{text}\n\n");
        for (name, bytes) in lines {
            let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
            note.push_str(&format!("— {name} {encoded}\n"));
        }
        if let Ok(read) = Note::parse(&note) {
            prop_assert_eq!(read.to_string(), note);
        }
        let _ = Note::parse(&text);
        let _ = text.parse::<VerifierKey>();
    }

    /// Signing, adding and reading back lose nothing, whatever the text.
    #[test]
    fn signed_notes_come_back(
        text in "(\\PC|\n){0,60}", name in any_name(), seed in any::<[u8; 32]>(),
    ) {
        let key = SignerKey::new(&name, KeyKind::Ed25519, SigningKey::from_bytes(&seed)).unwrap();
        let mut note = Note::new(format!("{text}\n")).unwrap();
        note.sign(&key).unwrap();
        let read = Note::parse(&note.to_string()).unwrap();
        prop_assert_eq!(&read, &note);
        prop_assert_eq!(read.signed(key.verifier()), Signed::Yes { time: None });
        prop_assert_eq!(key.verifier().to_string().parse(), Ok(key.verifier().clone()));
        let again: SignerKey = key.to_secret_text().parse().unwrap();
        prop_assert_eq!(again.verifier(), key.verifier());
    }
}
