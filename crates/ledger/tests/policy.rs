//! Whom an auditor trusts must be who signed: a log, and enough of its witnesses.

use ledger::cosignature::cosign;
use ledger::{
    Checkpoint, KeyKind, NoteError, Policy, PolicyError, PolicyFault, SignedCheckpoint, SignerKey,
    SigningKey, VerifierKey,
};

const LOG: &str = "example.com/log";

fn log_key(name: &str, seed: u8) -> VerifierKey {
    let key = SigningKey::from_bytes(&[seed; 32]);
    VerifierKey::new(name, KeyKind::Ed25519, key.verifying_key()).unwrap()
}

fn witness(name: &str, seed: u8) -> SignerKey {
    SignerKey::new(
        name,
        KeyKind::Cosignature,
        SigningKey::from_bytes(&[seed; 32]),
    )
    .unwrap()
}

/// A checkpoint that the log's key 1 signed, and these witnesses.
fn cosigned(witnesses: &[&SignerKey]) -> SignedCheckpoint {
    let state = Checkpoint {
        origin: LOG.to_owned(),
        size: 5,
        root: [7; 32],
        extensions: Vec::new(),
    };
    let mut checkpoint = state.sign(&SigningKey::from_bytes(&[1; 32])).unwrap();
    for (time, key) in (100..).zip(witnesses) {
        let line = cosign(key, checkpoint.note().text(), time).unwrap();
        checkpoint.add(line).unwrap();
    }
    checkpoint
}

#[test]
fn enough_witnesses_are_enough() {
    let [a, b, c] = [witness("a", 11), witness("b", 12), witness("c", 13)];
    let known: Vec<_> = [&a, &b, &c].map(|key| key.verifier().clone()).into();
    let log = [log_key(LOG, 1)];
    let policy = |needed| Policy::new(&log, &known, needed).unwrap();
    let two = cosigned(&[&a, &c]);
    let vouched = policy(Some(2)).check(&two).unwrap();
    assert_eq!(vouched.keys, log);
    assert_eq!(
        vouched.witnesses,
        [(known[0].clone(), 100), (known[2].clone(), 101)]
    );
    // All are needed unless a number is said.
    for needed in [None, Some(3)] {
        let fault = PolicyFault::TooFewWitnesses {
            found: 2,
            needed: 3,
            missing: "b".to_owned(),
        };
        assert_eq!(policy(needed).check(&two), Err(fault));
    }
    assert!(policy(None).check(&cosigned(&[&a, &b, &c])).is_ok());
    // A witness that nobody told of does not count, nor does one that signs twice.
    let stranger = witness("d", 14);
    assert!(policy(Some(2)).check(&cosigned(&[&a, &stranger])).is_err());
    assert!(policy(Some(2)).check(&cosigned(&[&a, &a])).is_err());
    assert!(
        Policy::new(&log, &[], None)
            .unwrap()
            .check(&cosigned(&[]))
            .is_ok()
    );
}

#[test]
fn the_log_itself_must_have_signed() {
    let checkpoint = cosigned(&[]);
    let check = |keys: &[VerifierKey]| Policy::new(keys, &[], None).unwrap().check(&checkpoint);
    assert!(check(&[log_key(LOG, 2), log_key(LOG, 1)]).is_ok());
    assert_eq!(check(&[log_key(LOG, 2)]), Err(PolicyFault::NotSigned));
    // The key of another log does not speak for this one, though it be the same key.
    let other = PolicyFault::OtherLog {
        origin: LOG.to_owned(),
    };
    assert_eq!(check(&[log_key("example.com/other", 1)]), Err(other));
}

/// A forged line of a trusted key means that somebody tampered; nothing in the file is believed.
#[test]
fn a_wrong_line_of_a_trusted_key_spoils_all() {
    let [a, b] = [witness("a", 11), witness("b", 12)];
    let known: Vec<_> = [&a, &b].map(|key| key.verifier().clone()).into();
    let policy = Policy::new(&[log_key(LOG, 1)], &known, Some(1)).unwrap();
    let mut checkpoint = cosigned(&[&a]);
    checkpoint
        .add(cosign(&b, "another text\n", 5).unwrap())
        .unwrap();
    let wrong = PolicyFault::Wrong {
        name: "b".to_owned(),
    };
    assert_eq!(policy.check(&checkpoint), Err(wrong));
}

#[test]
fn what_is_no_policy_is_refused() {
    let a = witness("a", 11).verifier().clone();
    let again = witness("again", 11).verifier().clone();
    let log = log_key(LOG, 1);
    let one = std::slice::from_ref;
    assert_eq!(Policy::new(&[], one(&a), None), Err(PolicyError::NoKey));
    // One witness under two names would be two.
    let same = PolicyError::SameKey {
        first: "a".to_owned(),
        second: "again".to_owned(),
    };
    assert_eq!(Policy::new(one(&log), &[a.clone(), again], None), Err(same));
    let few = PolicyError::TooFew {
        needed: 2,
        given: 1,
    };
    // The same key given twice is one key.
    assert_eq!(
        Policy::new(one(&log), &[a.clone(), a.clone()], Some(2)),
        Err(few)
    );
    let kind = |needed, found, name: &str| PolicyError::Kind {
        name: name.to_owned(),
        error: NoteError::Kind { needed, found },
    };
    let (plain, cosigner) = (KeyKind::Ed25519, KeyKind::Cosignature);
    assert_eq!(
        Policy::new(one(&a), &[], None),
        Err(kind(plain, cosigner, "a"))
    );
    assert_eq!(
        Policy::new(one(&log), one(&log), None),
        Err(kind(cosigner, plain, LOG))
    );
}
