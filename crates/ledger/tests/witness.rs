//! The witness protocol, rule by rule as c2sp.org/tlog-witness has them. What these tests guard:
//! a log that was rolled back or forked never gets a cosignature, and an honest one always does.

use ledger::merkle::{consistency_path, leaf_hash, root};
use ledger::note::MAX_SIGNATURES;
use ledger::witness::{
    AddCheckpoint, Answer, AnswerFault, LogState, MAX_PROOF_LINES, MAX_REQUEST_BYTES, Refusal,
    RequestError, WitnessedLog, read_answer,
};
use ledger::{
    Checkpoint, Hash, KeyKind, Note, Signed, SignedCheckpoint, SignerKey, SigningKey, VerifierKey,
};
use proptest::prelude::*;

const ORIGIN: &str = "example.com/log";
const TIME: u64 = 1_700_000_000;

fn log_signer(seed: u8) -> SignerKey {
    SignerKey::new(
        ORIGIN,
        KeyKind::Ed25519,
        SigningKey::from_bytes(&[seed; 32]),
    )
    .unwrap()
}

fn witness_key() -> SignerKey {
    let key = SigningKey::from_bytes(&[9; 32]);
    SignerKey::new("witness.example", KeyKind::Cosignature, key).unwrap()
}

/// The first `count` leaves of a log; logs of different `fork` share their first three leaves.
fn leaves(fork: u8, count: u64) -> Vec<Hash> {
    (0..count)
        .map(|index| match index {
            0..3 => leaf_hash(&index.to_be_bytes()),
            _ => leaf_hash(&[&index.to_be_bytes()[..], &[fork]].concat()),
        })
        .collect()
}

fn state(fork: u8, size: u64) -> Checkpoint {
    Checkpoint {
        origin: ORIGIN.to_owned(),
        size,
        root: root(&leaves(fork, size)),
        extensions: Vec::new(),
    }
}

fn signed(fork: u8, size: u64) -> SignedCheckpoint {
    state(fork, size)
        .sign(&SigningKey::from_bytes(&[1; 32]))
        .unwrap()
}

fn request(fork: u8, old_size: u64, size: u64) -> AddCheckpoint {
    AddCheckpoint {
        old_size,
        proof: consistency_path(&leaves(fork, size), old_size).unwrap_or_default(),
        checkpoint: signed(fork, size),
    }
}

fn keys() -> Vec<VerifierKey> {
    vec![
        log_signer(1).verifier().clone(),
        log_signer(2).verifier().clone(),
    ]
}

fn witness_at(fork: u8, size: u64) -> WitnessedLog {
    WitnessedLog::new(ORIGIN, keys(), Some(LogState::of(&signed(fork, size))))
}

/// What the witness answers, and it remembers.
fn ask(log: &mut WitnessedLog, request: &AddCheckpoint) -> Result<String, Refusal> {
    let cosigned = log.check(request)?.cosign(&witness_key(), TIME).unwrap();
    Ok(log.record(cosigned))
}

#[test]
fn a_log_that_grows_is_cosigned() {
    let mut log = WitnessedLog::new(ORIGIN, keys(), None);
    for (old, new) in [(0, 0), (0, 1), (1, 7), (7, 8), (8, 8), (8, 300)] {
        let request = request(0, old, new);
        let body = ask(&mut log, &request).unwrap();
        assert_eq!(log.latest(), LogState::of(&request.checkpoint));
        // The answer appended to the checkpoint is a note that verifies, as the protocol says.
        let note = Note::parse(&format!("{}{body}", request.checkpoint)).unwrap();
        let yes = Signed::Yes { time: Some(TIME) };
        assert_eq!(note.signed(witness_key().verifier()), yes);
        let read = read_answer(
            200,
            "",
            body.as_bytes(),
            &request.checkpoint,
            witness_key().verifier(),
        );
        assert!(matches!(read, Ok(Answer::Cosigned { time: TIME, .. })));
    }
}

/// 404: a witness signs for the logs that it was told of, no others.
#[test]
fn an_unknown_origin() {
    let mut other = state(0, 1);
    other.origin = "example.com/other".to_owned();
    let mut request = request(0, 0, 1);
    request.checkpoint = other.sign(&SigningKey::from_bytes(&[1; 32])).unwrap();
    let log = WitnessedLog::new(ORIGIN, keys(), None);
    assert_eq!(log.check(&request), Err(Refusal::UnknownLog));
    assert_eq!(Refusal::UnknownLog.status(), 404);
}

/// 403: without the log's signature anybody could move the witness on, and stop the true log.
#[test]
fn a_checkpoint_that_the_log_did_not_sign() {
    let log = WitnessedLog::new(ORIGIN, keys(), None);
    let text = state(0, 1).text();
    let sign = |signers: &[SignerKey]| {
        let mut note = Note::new(text.clone()).unwrap();
        signers.iter().for_each(|key| note.sign(key).unwrap());
        note.to_string()
    };
    let with = |note: &str| {
        log.check(&AddCheckpoint {
            old_size: 0,
            proof: Vec::new(),
            checkpoint: SignedCheckpoint::parse(note).unwrap(),
        })
        .map(|_| ())
    };
    // Either key will do, beside others.
    assert_eq!(with(&sign(&[log_signer(2)])), Ok(()));
    assert_eq!(with(&sign(&[log_signer(3), log_signer(1)])), Ok(()));
    assert_eq!(with(&sign(&[log_signer(3)])), Err(Refusal::NotSigned));
    // A line that claims to be of the log and is not spoils all.
    let good = sign(&[log_signer(1), log_signer(2)]);
    assert_eq!(with(&good), Ok(()));
    let other = log_signer(1);
    let mut forged = Note::new("something else\n").unwrap();
    forged.sign(&other).unwrap();
    let line = forged.signatures()[0].to_string();
    let spoilt = format!("{}{line}", sign(&[log_signer(2)]));
    assert_eq!(with(&spoilt), Err(Refusal::NotSigned));
    assert_eq!(Refusal::NotSigned.status(), 403);
}

/// 400: an old size above the new one, however the log came by it.
#[test]
fn an_old_size_above_the_new_one() {
    let refused = witness_at(0, 8).check(&request(0, 8, 7));
    assert_eq!(refused, Err(Refusal::OldSizeTooLarge));
    assert_eq!(Refusal::OldSizeTooLarge.status(), 400);
}

/// 409 with the size that is known: how a log finds out where to go on, and how it is found out.
#[test]
fn an_old_size_that_is_not_the_newest_one() {
    let conflict = Refusal::Conflict { size: 8 };
    for (old, new) in [
        (0, 20),
        (7, 20),
        (9, 20),
        // A log that was rolled back to 7 leaves cannot have 7 cosigned any more.
        (0, 7),
        (7, 7),
    ] {
        assert_eq!(witness_at(0, 8).check(&request(0, old, new)), Err(conflict));
    }
    let never = WitnessedLog::new(ORIGIN, keys(), None);
    assert_eq!(
        never.check(&request(0, 1, 2)),
        Err(Refusal::Conflict { size: 0 })
    );
    assert_eq!(conflict.status(), 409);
    assert_eq!(conflict.content_type(), "text/x.tlog.size");
    assert_eq!(conflict.body(), "8\n");
}

/// 409 without a size: a fork at the size that was cosigned already.
#[test]
fn another_root_of_the_same_size() {
    assert_eq!(
        witness_at(0, 8).check(&request(1, 8, 8)),
        Err(Refusal::Fork)
    );
    assert_eq!(Refusal::Fork.status(), 409);
    // Or the log would take it for the size to go on from, and try for ever.
    assert_ne!(Refusal::Fork.content_type(), "text/x.tlog.size");
    // An empty log has one root.
    let mut empty = request(0, 0, 0);
    let mut wrong = state(0, 0);
    wrong.root = [7; 32];
    empty.checkpoint = wrong.sign(&SigningKey::from_bytes(&[1; 32])).unwrap();
    let never = WitnessedLog::new(ORIGIN, keys(), None);
    assert_eq!(never.check(&empty), Err(Refusal::Fork));
}

/// 422: a proof that does not hold, of whatever kind; above all the longer branch of a fork.
#[test]
fn a_proof_that_does_not_hold() {
    let log = witness_at(0, 8);
    assert_eq!(log.check(&request(1, 8, 20)), Err(Refusal::Inconsistent));
    let good = request(0, 8, 20);
    assert!(log.check(&good).is_ok());
    for at in 0..good.proof.len() {
        let mut wrong = good.clone();
        wrong.proof[at][0] ^= 1;
        assert_eq!(log.check(&wrong), Err(Refusal::Inconsistent));
        let mut short = good.clone();
        short.proof.remove(at);
        assert_eq!(log.check(&short), Err(Refusal::Inconsistent));
    }
    let mut long = good;
    long.proof.push([0; 32]);
    assert_eq!(log.check(&long), Err(Refusal::Inconsistent));
    // The proof must be empty from nothing, and to the same.
    let mut first = request(0, 0, 5);
    first.proof.push([0; 32]);
    let never = WitnessedLog::new(ORIGIN, keys(), None);
    assert_eq!(never.check(&first), Err(Refusal::Inconsistent));
    let mut same = request(0, 8, 8);
    same.proof.push([0; 32]);
    assert_eq!(log.check(&same), Err(Refusal::Inconsistent));
    assert_eq!(Refusal::Inconsistent.status(), 422);
}

/// What a witness stores must not grow with what strangers append.
#[test]
fn what_is_stored_holds_the_lines_of_log_and_witness_only() {
    let mut request = request(0, 0, 5);
    let line = request.checkpoint.note().signatures()[0].to_string();
    let repeated = format!("{}{}", state(0, 5).text(), "\n") + &line.repeat(MAX_SIGNATURES);
    request.checkpoint = SignedCheckpoint::parse(&repeated).unwrap();
    let log = WitnessedLog::new(ORIGIN, keys(), None);
    let cosigned = log
        .check(&request)
        .unwrap()
        .cosign(&witness_key(), TIME)
        .unwrap();
    let names: Vec<_> = cosigned
        .checkpoint()
        .note()
        .signatures()
        .iter()
        .map(|line| &line.name)
        .collect();
    assert_eq!(names, [ORIGIN, "witness.example"]);
}

/// The request of c2sp.org/tlog-witness, which came to be with two signatures of one name.
const EXAMPLE: &str = "old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
";

#[test]
fn the_example_of_c2sp() {
    let request = AddCheckpoint::parse(EXAMPLE).unwrap();
    assert_eq!(request.old_size, 20_852_014);
    assert_eq!(request.proof.len(), 4);
    assert_eq!(request.checkpoint.checkpoint().size, 20_852_163);
    assert_eq!(request.checkpoint.note().signatures().len(), 2);
    assert_eq!(request.to_string(), EXAMPLE);
}

/// 400: what cannot be read.
#[test]
fn malformed_requests_are_named() {
    use RequestError as E;
    let hash = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n";
    let with_lines = |count| EXAMPLE.replacen(hash, &hash.repeat(count), 1);
    assert!(AddCheckpoint::parse(&with_lines(MAX_PROOF_LINES - 3)).is_ok());
    for (body, error) in [
        (String::new(), E::NoCheckpoint),
        ("old 0\n".to_owned(), E::NoCheckpoint),
        (EXAMPLE.replacen("old 2", "old 02", 1), E::OldSize),
        (EXAMPLE.replacen("old 2", "old  2", 1), E::OldSize),
        (EXAMPLE.replacen("old 2", "old +2", 1), E::OldSize),
        (EXAMPLE.replacen("old 2", "size 2", 1), E::OldSize),
        (
            EXAMPLE.replacen("old 2", "old 99999999999999999999", 1),
            E::OldSize,
        ),
        (EXAMPLE.replacen("old 20852014\n", "", 1), E::OldSize),
        (
            EXAMPLE.replacen("old 20852014\n", "old 20852014\r\n", 1),
            E::OldSize,
        ),
        (EXAMPLE.replacen("kaw=", "kaw", 1), E::Proof { line: 1 }),
        (EXAMPLE.replacen("kaw=", "kax=", 1), E::Proof { line: 1 }),
        (EXAMPLE.replacen("swk=", "swk= ", 1), E::Proof { line: 2 }),
        (EXAMPLE.replacen(hash, "AAAA\n", 1), E::Proof { line: 1 }),
        (with_lines(MAX_PROOF_LINES - 2), E::TooManyProofLines),
        ("x".repeat(MAX_REQUEST_BYTES + 1), E::TooLong),
    ] {
        assert_eq!(AddCheckpoint::parse(&body), Err(error), "{body:.200}");
        assert_eq!(Refusal::from(error).status(), 400);
    }
    let unsigned = AddCheckpoint::parse("old 0\n\na\n1\nb\n");
    assert!(matches!(unsigned, Err(E::Checkpoint(_))));
}

/// The side of the log: what of an answer may be stored and shown to others.
#[test]
fn answers_are_read_as_they_are_meant() {
    let checkpoint = signed(0, 5);
    let key = witness_key();
    let read = |status, kind: &str, body: &str| {
        read_answer(status, kind, body.as_bytes(), &checkpoint, key.verifier())
    };
    let mut log = WitnessedLog::new(ORIGIN, keys(), None);
    let good = ask(&mut log, &request(0, 0, 5)).unwrap();
    let foreign = "— witness.example CMp+6LWBU0anHGH5aNDTJkH/gj79sG+T6+iP2ThYN5krrDJbR1HDnucjL39QsZTSvVjyQLrdk3DXDqI5G2HgLatVs0pWh6Up69HVOw==\n";
    for body in [good.clone(), format!("{foreign}{good}{foreign}")] {
        let Ok(Answer::Cosigned { line, time }) = read(200, "text/plain", &body) else {
            panic!("{body}");
        };
        assert_eq!((line.to_string(), time), (good.clone(), TIME));
    }
    // Of another checkpoint, of nobody, of time 0, half of it, none.
    let later = ask(&mut log, &request(0, 5, 6)).unwrap();
    assert_eq!(read(200, "", &later), Err(AnswerFault::Wrong));
    assert_eq!(read(200, "", foreign), Err(AnswerFault::NotSigned));
    let timeless = log
        .check(&request(0, 6, 6))
        .unwrap()
        .cosign(&key, 0)
        .unwrap();
    let timeless = timeless.checkpoint().note().signatures()[1].to_string();
    let six = signed(0, 6);
    let fault = read_answer(200, "", timeless.as_bytes(), &six, key.verifier());
    assert_eq!(fault, Err(AnswerFault::Wrong));
    assert_eq!(read(200, "", &good[..50]), Err(AnswerFault::Unreadable));
    assert_eq!(read(200, "", ""), Err(AnswerFault::NotSigned));
    let large = "x".repeat(70_000);
    assert_eq!(read(200, "", &large), Err(AnswerFault::Unreadable));
    let binary = read_answer(200, "", &[0xff; 9], &checkpoint, key.verifier());
    assert_eq!(binary, Err(AnswerFault::Unreadable));
    // A size.
    let size = "text/x.tlog.size";
    assert_eq!(read(409, size, "50\n"), Ok(Answer::Conflict { size: 50 }));
    assert_eq!(
        read(409, "Text/X.tlog.size ; charset=utf-8", "0\n"),
        Ok(Answer::Conflict { size: 0 })
    );
    for body in ["", "50", "050\n", "50\n\n", "-1\n", "x\n"] {
        assert_eq!(
            read(409, size, body),
            Err(AnswerFault::Unreadable),
            "{body:?}"
        );
    }
    // A refusal, and one that would like to write on somebody's terminal.
    let refused = |status, told: &str| {
        Err(AnswerFault::Refused {
            status,
            told: told.to_owned(),
        })
    };
    assert_eq!(read(409, "text/plain", "50\n"), refused(409, "50"));
    assert_eq!(read(403, size, "no\x1b[2J\n\n"), refused(403, "no [2J"));
    assert_eq!(read(500, "", &large), refused(500, &large[..200]));
}

prop_compose! {
    fn any_request()(fork in 0..3u8, old in 0..12u64, new in 0..12u64) -> AddCheckpoint {
        request(fork, old, new)
    }
}

proptest! {
    /// However a log and its forks ask, all that is ever cosigned is one history: each root is
    /// that of a beginning of the next.
    #[test]
    fn what_is_cosigned_is_one_history(requests in proptest::collection::vec(any_request(), 1..40)) {
        let mut log = WitnessedLog::new(ORIGIN, keys(), None);
        let mut cosigned: Vec<Checkpoint> = Vec::new();
        for request in requests {
            if ask(&mut log, &request).is_ok() {
                cosigned.push(request.checkpoint.checkpoint().clone());
            }
        }
        for pair in cosigned.windows(2) {
            prop_assert!(pair[0].size <= pair[1].size);
        }
        if let Some(last) = cosigned.last() {
            let fork = (0..3).find(|fork| state(*fork, last.size) == *last).unwrap();
            for earlier in &cosigned {
                prop_assert_eq!(&state(fork, earlier.size), earlier);
            }
        }
    }

    /// The size from a conflict is all that an honest log needs to be cosigned.
    #[test]
    fn an_honest_log_gets_through(known in 0..20u64, more in 0..20u64, guess in 0..40u64) {
        let mut log = witness_at(0, known);
        let size = known + more;
        let mut asked = ask(&mut log, &request(0, guess.min(size), size));
        if let Err(Refusal::Conflict { size: told }) = asked {
            asked = ask(&mut log, &request(0, told, size));
        }
        prop_assert!(asked.is_ok());
    }

    #[test]
    fn requests_come_back(old: u64, hashes in proptest::collection::vec(any::<Hash>(), 0..64), size in 0..9u64) {
        let request = AddCheckpoint { old_size: old, proof: hashes, checkpoint: signed(0, size) };
        prop_assert_eq!(AddCheckpoint::parse(&request.to_string()), Ok(request));
    }

    /// Anything may be posted.
    #[test]
    fn what_parses_prints_the_same(text in "(\\PC|\n){0,60}", cut in 0..400usize) {
        for body in [text.as_str(), EXAMPLE.get(cut..).unwrap_or(""), EXAMPLE.get(..cut).unwrap_or("")] {
            if let Ok(request) = AddCheckpoint::parse(body) {
                prop_assert_eq!(request.to_string(), body);
            }
        }
        let _ = read_answer(200, "", text.as_bytes(), &signed(0, 1), witness_key().verifier());
    }
}
