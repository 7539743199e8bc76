//! A real `bcrdt witness` process. What these tests guard: whoever rolls a log back or forks it
//! cannot have it cosigned, whatever happens to the witness meanwhile.

#![cfg(feature = "network")]

mod log;
mod one_history;
mod process;

use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use ledger::witness::{Answer, MAX_REQUEST_BYTES, SIZE_CONTENT_TYPE, read_answer};
use ledger::{KeyKind, Signed, SignedCheckpoint, VerifierKey};

use log::{ORIGIN, request, signed, vkey};
use process::{Folder, Witness, bcrdt, post};

const NAME: &str = "witness.example/w1";
/// SHA-256 of `example.com/log`.
const ORIGIN_HASH: &str = "4d3203c8f35cdf600e475f55fede6081a703d3d322f208865fca2ec4f0e030f8";

/// A folder with a key, and the key's public half.
fn with_key(name: &str) -> (Folder, VerifierKey) {
    let folder = Folder::new(name);
    let made = bcrdt(&["witness-key", NAME, &folder.file("key")]);
    assert!(made.status.success(), "{made:?}");
    let key = String::from_utf8(made.stdout).unwrap();
    (folder, key.trim_end().parse().unwrap())
}

fn logs() -> Vec<String> {
    vec![vkey(ORIGIN)]
}

/// The key is all that a witness is; nobody else may read it, no mistake may overwrite it.
#[test]
fn a_key_is_made_once_and_for_its_owner() {
    let (folder, key) = with_key("witness_key");
    assert_eq!(key.kind(), KeyKind::Cosignature);
    assert_eq!(key.name(), NAME);
    let path = folder.file("key");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = std::fs::read(&path).unwrap();
    assert_eq!(bcrdt(&["witness-key", NAME, &path]).status.code(), Some(2));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let other = folder.file("other");
    let bad = bcrdt(&["witness-key", "a name", &other]);
    assert_eq!(bad.status.code(), Some(2));
    assert!(!std::path::Path::new(&other).exists());
    // Two keys are never the same.
    let made = bcrdt(&["witness-key", NAME, &other]);
    assert_ne!(
        String::from_utf8(made.stdout).unwrap().trim_end(),
        key.to_string()
    );
}

#[test]
fn a_log_that_grows_is_cosigned_and_shown() {
    let (folder, key) = with_key("witness_grows");
    let witness = Witness::start(&folder, &logs());
    let path = format!("/{ORIGIN_HASH}/checkpoint");
    assert_eq!(witness.get(&path).status, 404);
    for (old, size) in [(0, 1), (1, 5), (5, 5), (5, 300)] {
        let answer = witness.post(&request(0, old, size));
        assert_eq!(answer.status, 200, "{answer:?}");
        let checkpoint = signed(ORIGIN, 0, size);
        let read = read_answer(
            200,
            &answer.content_type,
            answer.body.as_bytes(),
            &checkpoint,
            &key,
        );
        let Ok(Answer::Cosigned { line, .. }) = read else {
            panic!("{read:?}");
        };
        // What it shows is what it gave out.
        let shown = SignedCheckpoint::parse(&witness.get(&path).body).unwrap();
        let mut expected = checkpoint;
        expected.add(line).unwrap();
        assert_eq!(shown, expected);
    }
    // Who only asks for the size is told it, and may go on from there.
    let told = witness.post(&request(0, 0, 301));
    assert_eq!((told.status, told.body.as_str()), (409, "300\n"));
    assert_eq!(told.content_type, SIZE_CONTENT_TYPE);
    let about = witness.get("/");
    assert!(
        about.body.contains(&key.to_string()) && about.body.contains(&path),
        "{about:?}"
    );
    let (status, said) = witness.end();
    assert!(status.success(), "{status}");
    assert!(
        said.contains("cosigned example.com/log: 5 to 300 leaves"),
        "{said}"
    );
    assert!(said.ends_with("ended\n"), "{said}");
}

/// The reason for all of this.
#[test]
fn a_log_that_was_rolled_back_or_forked_is_refused() {
    let (folder, key) = with_key("witness_refuses");
    let witness = Witness::start(&folder, &logs());
    assert_eq!(witness.post(&request(0, 0, 8)).status, 200);
    // Rolled back to 5 leaves, however it asks, and grown again on another branch.
    for (fork, old, size, status) in [
        (0, 5, 5, 409),
        (0, 0, 5, 409),
        (0, 8, 5, 400),
        (1, 5, 9, 409),
        (1, 8, 9, 422),
        (1, 8, 8, 409),
    ] {
        let answer = witness.post(&request(fork, old, size));
        assert_eq!(
            answer.status, status,
            "fork {fork}, {old} to {size}: {answer:?}"
        );
        let read = read_answer(
            answer.status,
            &answer.content_type,
            answer.body.as_bytes(),
            &signed(ORIGIN, fork, size),
            &key,
        );
        assert!(!matches!(read, Ok(Answer::Cosigned { .. })));
    }
    // Nothing of that moved it.
    assert_eq!(witness.post(&request(0, 8, 9)).status, 200);
    let (_, said) = witness.end();
    assert!(said.contains("THE LOG HAS FORKED"), "{said}");
    assert!(said.contains("the log was rolled back"), "{said}");
    // The two states of 8 leaves are kept, signed by the log.
    let kept: Vec<_> = std::fs::read_dir(folder.file(&format!("state/{ORIGIN_HASH}")))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name().to_str().unwrap().starts_with("fork-8-"))
        .map(|entry| {
            SignedCheckpoint::parse(&std::fs::read_to_string(entry.path()).unwrap()).unwrap()
        })
        .collect();
    let [a, b] = kept.as_slice() else {
        panic!("{kept:?}");
    };
    assert_ne!(a.checkpoint().root, b.checkpoint().root);
    for checkpoint in [a, b] {
        assert_eq!(checkpoint.checkpoint().size, 8);
        let log: VerifierKey = vkey(ORIGIN).parse().unwrap();
        assert_eq!(checkpoint.signed(&log), Signed::Yes { time: None });
    }
}

#[test]
fn what_is_not_of_a_known_log_is_refused() {
    let (folder, _) = with_key("witness_strangers");
    let witness = Witness::start(
        &folder,
        &[vkey("example.com/other"), vkey("example.com/third")],
    );
    assert_eq!(witness.post(&request(0, 0, 1)).status, 404);
    // The key of another log, even if it is the same key: its name is not this log's.
    let foreign = request(0, 0, 1).replace("\n— example.com/log ", "\n— example.com/other ");
    let foreign = foreign.replacen("example.com/log\n", "example.com/other\n", 1);
    assert_eq!(witness.post(&foreign).status, 403);
    for body in ["", "old 0", "old 0\n\nnothing\n", "\u{7}"] {
        assert_eq!(witness.post(body).status, 400, "{body:?}");
    }
    assert_eq!(witness.get("/add-checkpoint").status, 405);
    assert_eq!(witness.get("/../state").status, 404);
    assert_eq!(
        witness.get(&format!("/{ORIGIN_HASH}/checkpoint")).status,
        404
    );
}

/// A log asks often; a connection for each time would cost it a handshake.
#[test]
fn one_connection_serves_many_requests() {
    let (folder, _) = with_key("witness_keep_alive");
    let witness = Witness::start(&folder, &logs());
    let bodies = [request(0, 0, 1), request(0, 1, 2), request(0, 0, 3)];
    let statuses: Vec<_> = witness.post_all(&bodies).iter().map(|a| a.status).collect();
    assert_eq!(statuses, [200, 200, 409]);
}

/// Strangers must not use up memory or all connections.
#[test]
fn requests_and_connections_are_bounded() {
    let (folder, _) = with_key("witness_bounds");
    let witness = Witness::start(&folder, &logs());
    let long = "x".repeat(MAX_REQUEST_BYTES + 1);
    assert_eq!(witness.post(&long).status, 413);
    // One address has 64 connections; the next is closed, and told nothing.
    let idle: Vec<_> = (0..64)
        .map(|_| TcpStream::connect(witness.address).unwrap())
        .collect();
    assert!(post(witness.address, &request(0, 0, 1)).is_err());
    drop(idle);
    let answered = (0..200).find_map(|_| {
        std::thread::sleep(Duration::from_millis(20));
        post(witness.address, &request(0, 0, 1)).ok()
    });
    assert_eq!(answered.map(|answer| answer.status), Some(200));
}

/// Two witnesses on one folder, or one with a new key on an old one, could sign two histories.
#[test]
fn a_folder_is_of_one_witness() {
    let (folder, _) = with_key("witness_folder");
    let witness = Witness::start(&folder, &logs());
    assert_eq!(witness.post(&request(0, 0, 8)).status, 200);
    let start = |key: &str, listen: &str| {
        let state = folder.file("state");
        let output = bcrdt(&[
            "witness",
            "--listen",
            listen,
            "--key",
            &folder.file(key),
            "--state",
            &state,
            "--log",
            &vkey(ORIGIN),
        ]);
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, said) = start("key", "127.0.0.1:0");
    assert_eq!(code, Some(2));
    assert!(said.contains("another witness runs"), "{said}");
    witness.end();
    bcrdt(&["witness-key", NAME, &folder.file("new_key")]);
    let (code, said) = start("new_key", "127.0.0.1:0");
    assert_eq!(code, Some(2));
    assert!(said.contains("is not cosigned by"), "{said}");
    // What cannot be a witness does not start.
    let (code, said) = start("no such key", "127.0.0.1:0");
    assert_eq!(code, Some(2), "{said}");
    std::fs::write(
        folder.file("log_key"),
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n",
    )
    .unwrap();
    let (code, said) = start("log_key", "127.0.0.1:0");
    assert_eq!(code, Some(2));
    assert!(
        said.contains("bcrdt witness-key makes one") && !said.contains("AYEK"),
        "{said}"
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, said) = start("key", &taken.local_addr().unwrap().to_string());
    assert_eq!(code, Some(2), "{said}");
    // The rightful one goes on where it was.
    let witness = Witness::start(&folder, &logs());
    assert_eq!(witness.post(&request(1, 8, 8)).status, 409);
    assert_eq!(witness.post(&request(0, 8, 9)).status, 200);
}

/// A checkpoint that was altered on the witness's disk must not be believed.
#[test]
fn an_altered_state_is_not_believed() {
    let (folder, _) = with_key("witness_altered");
    let witness = Witness::start(&folder, &logs());
    assert_eq!(witness.post(&request(0, 0, 8)).status, 200);
    witness.end();
    let path = folder.file(&format!("state/{ORIGIN_HASH}/checkpoint"));
    let stored = std::fs::read_to_string(&path).unwrap();
    for altered in [
        stored.replacen("\n8\n", "\n7\n", 1),
        String::new(),
        "x".repeat(300_000),
    ] {
        std::fs::write(&path, altered).unwrap();
        let output = bcrdt(&[
            "witness",
            "--listen",
            "127.0.0.1:0",
            "--key",
            &folder.file("key"),
            "--state",
            &folder.file("state"),
            "--log",
            &vkey(ORIGIN),
        ]);
        assert_eq!(output.status.code(), Some(2));
    }
}
