//! Checkpoints: what an auditor is told of who signed, and of logs that were rolled back or forked.

use ledger::cosignature::cosign;
use ledger::witness::AddCheckpoint;
use ledger::{ChainId, Header};

use super::chain::Chain;
use super::command::{Scratch, bcrdt, code, json, stdout};
use super::log::{Log, key_of, witness};

const TIME: u64 = 1_700_000_000;

#[test]
fn a_cosigned_checkpoint() {
    let log = Log::new("cosigned");
    let mut state = log.state(5);
    let [a, b] = [
        witness("witness.example/a", 11),
        witness("witness.example/b", 12),
    ];
    let line = cosign(&a, state.note().text(), TIME).unwrap();
    state.add(line).unwrap();
    let file = log.file("5.note", &state.to_string());
    let (key, a, b) = (
        log.key(),
        a.verifier().to_string(),
        b.verifier().to_string(),
    );
    let base = ["verify", "checkpoint", file.path(), "--key", &key];
    let run = |more: &[&str]| bcrdt(&[&base, more].concat());

    let told = run(&["--witness", &a]);
    assert_eq!(code(&told), 0, "{told:?}");
    let text = stdout(&told);
    assert!(
        text.starts_with("VERIFIED: checkpoint of 5 leaves\n"),
        "{text}"
    );
    assert!(
        text.contains(&format!("cosigned by witness.example/a+{}", &a[18..26])),
        "{text}"
    );
    let value = json(&run(&[
        "--witness",
        &a,
        "--witness",
        &b,
        "--witnesses-needed",
        "1",
        "--json",
    ]));
    assert_eq!(value["verified"], true);
    assert_eq!(value["size"], 5);
    assert_eq!(value["root"], hex::encode(state.checkpoint().root));
    assert_eq!(value["signed_by"][0], key);
    assert_eq!(value["cosigned_by"][0]["key"], a);
    assert_eq!(value["cosigned_by"][0]["time"], TIME);

    // All that are given are needed, unless a number is said.
    let few = run(&["--witness", &a, "--witness", &b]);
    assert_eq!(code(&few), 1);
    assert!(stdout(&few).starts_with("NOT VERIFIED: 1 of the witnesses cosigned, 2 are needed"));
    assert!(stdout(&few).contains("witness.example/b"));
    let value = json(&run(&["--witness", &b, "--json"]));
    assert_eq!(value["verified"], false);
    assert!(
        value["error"]
            .as_str()
            .unwrap()
            .starts_with("0 of the witnesses")
    );

    // A changed size is signed by nobody.
    let changed = log.file(
        "changed.note",
        &state.to_string().replacen("\n5\n", "\n6\n", 1),
    );
    let told = bcrdt(&["verify", "checkpoint", changed.path(), "--key", &key]);
    assert_eq!(code(&told), 1);
    assert!(stdout(&told).contains("does not hold"));
    let other = key_of(&ChainId([9; 32]));
    let told = bcrdt(&["verify", "checkpoint", file.path(), "--key", &other]);
    assert_eq!(code(&told), 1);
    assert!(stdout(&told).contains("none of the keys is"));
}

#[test]
fn a_log_that_only_grew() {
    let log = Log::new("grew");
    let (old, new, key) = (log.at(3), log.at(7), log.key());
    let proof = log.proof(3, 7);
    let base = [
        "verify",
        "consistency",
        "--old",
        old.path(),
        "--new",
        new.path(),
    ];
    let told = bcrdt(&[&base[..], &["--proof", proof.path(), "--key", &key]].concat());
    assert_eq!(code(&told), 0, "{told:?}");
    assert!(stdout(&told).starts_with("VERIFIED: the log of 7 leaves continues that of 3\n"));
    // The proof as a witness gets it serves as well.
    let request = AddCheckpoint {
        old_size: 3,
        proof: log.path(3, 7),
        checkpoint: log.state(7),
    };
    let request = log.file("request", &request.to_string());
    let told = bcrdt(&[&base[..], &["--proof", request.path(), "--json"]].concat());
    assert_eq!(code(&told), 0, "{told:?}");
    let value = json(&told);
    assert_eq!(
        (&value["verified"], &value["relation"]),
        (&true.into(), &"continues".into())
    );
    assert_eq!(value["old"]["size"], 3);
    assert!(value["old"].get("signed_by").is_none());
    // Without keys it says on what it rests.
    let told = bcrdt(&[&base[..], &["--proof", proof.path()]].concat());
    assert!(stdout(&told).contains("no --key was given"));
    // The same state needs no proof.
    let same = [
        "verify",
        "consistency",
        "--old",
        old.path(),
        "--new",
        old.path(),
        "--key",
        &key,
    ];
    assert_eq!(code(&bcrdt(&same)), 0);
    // What cannot be told is not told.
    let told = bcrdt(&base);
    assert_eq!(code(&told), 2);
    assert!(String::from_utf8_lossy(&told.stderr).contains("--proof"));
}

#[test]
fn a_log_that_was_rolled_back_or_forked() {
    let log = Log::new("bad");
    let (old, new, key) = (log.at(3), log.at(7), log.key());
    let (forked, longer_fork) = (log.forked(3), log.forked(7));
    let (proof, other_sizes) = (log.proof(3, 7), log.proof(3, 6));
    let run = |a: &Scratch, b: &Scratch, proof: Option<&Scratch>| {
        let mut arguments = vec![
            "verify",
            "consistency",
            "--old",
            a.path(),
            "--new",
            b.path(),
            "--key",
            &key,
        ];
        if let Some(proof) = proof {
            arguments.extend(["--proof", proof.path()]);
        }
        let told = bcrdt(&arguments);
        assert_eq!(code(&told), 1, "{told:?}");
        arguments.push("--json");
        let relation = json(&bcrdt(&arguments))["relation"].clone();
        (stdout(&told).to_owned(), relation)
    };
    let (text, relation) = run(&old, &forked, None);
    assert!(
        text.starts_with("NOT VERIFIED: two roots of one size"),
        "{text}"
    );
    assert!(text.contains("prove it to anybody"), "{text}");
    assert_eq!(relation, "forked");
    assert_eq!(run(&new, &old, Some(&proof)).1, "shrunk");
    assert_eq!(run(&old, &longer_fork, Some(&proof)).1, "not_proved");
    assert_eq!(run(&forked, &new, Some(&proof)).1, "not_proved");
    assert_eq!(run(&old, &new, Some(&other_sizes)).1, "other_sizes");
    // Unsigned by the key, a fork proves nothing, and says so first.
    let stranger = key_of(&ChainId([9; 32]));
    let told = bcrdt(&[
        "verify",
        "consistency",
        "--old",
        old.path(),
        "--new",
        forked.path(),
        "--key",
        &stranger,
    ]);
    assert!(
        stdout(&told).starts_with("NOT VERIFIED: the old checkpoint: "),
        "{told:?}"
    );
}

/// The way of an op from a file to what witnesses saw: the auditor trusts keys that he knows, and
/// nothing that the server says.
#[test]
fn an_op_in_the_log_of_a_checkpoint() {
    let log = Log::new("op");
    let key = log.key();
    let proved = log.chain.prove(2, 8, 4);
    let file = log.file("op.json", &proved.to_json().unwrap());
    let here = Header::from_bytes(&log.chain.blocks[3].header)
        .unwrap()
        .tree_size;
    let run = |checkpoint: &Scratch, more: &[&str]| {
        let base = [
            "verify",
            "proof",
            file.path(),
            "--checkpoint",
            checkpoint.path(),
            "--key",
            &key,
        ];
        bcrdt(&[&base, more].concat())
    };
    let same = log.at(here);
    let told = run(&same, &[]);
    assert_eq!(code(&told), 0, "{told:?}");
    assert!(
        stdout(&told).contains("rests on    the keys of log and witnesses given"),
        "{}",
        stdout(&told)
    );
    let value = json(&run(&same, &["--json"]));
    assert_eq!(value["checkpoint"]["size"], here);
    // Of a later log, with the proof in between.
    let (later, proof) = (log.at(log.chain.size), log.proof(here, log.chain.size));
    assert_eq!(code(&run(&later, &["--consistency", proof.path()])), 0);
    assert_eq!(code(&run(&later, &[])), 2);
    // Of an earlier one that has the op already, and of one that has not.
    let index = log.chain.leaf_index(log.chain.id(2), 8);
    let (with, proof) = (log.at(index + 1), log.proof(index + 1, here));
    assert_eq!(code(&run(&with, &["--consistency", proof.path()])), 0);
    let (without, proof) = (log.at(index), log.proof(index, here));
    let told = run(&without, &["--consistency", proof.path()]);
    assert_eq!(code(&told), 1);
    assert!(stdout(&told).starts_with("NOT VERIFIED: the op came after the checkpoint"));
    // Of another history.
    let forked = log.forked(here);
    let told = run(&forked, &["--json"]);
    assert_eq!(code(&told), 1);
    assert_eq!(json(&told)["verified"], false);
}

/// A chain whose newest blocks were cut off verifies by itself. Who kept a checkpoint finds out.
#[test]
fn a_chain_that_came_through_a_checkpoint() {
    let log = Log::new("through");
    let key = log.key();
    let run = |bundle: &Scratch, checkpoint: &Scratch, more: &[&str]| {
        let base = [
            "verify",
            "bundle",
            bundle.path(),
            "--checkpoint",
            checkpoint.path(),
            "--key",
            &key,
        ];
        bcrdt(&[&base, more].concat())
    };
    let size_of = |height: usize| {
        let header = Header::from_bytes(&log.chain.blocks[height - 1].header).unwrap();
        header.tree_size
    };
    let bundle = Scratch::new("through.bundle", &log.chain.bundle());
    let last = log.chain.blocks.len();
    for height in [1, 3, last] {
        let told = run(&bundle, &log.at(size_of(height)), &["--json"]);
        assert_eq!(code(&told), 0, "{told:?}");
        assert_eq!(json(&told)["checkpoint"]["size"], size_of(height));
    }
    // Another chain of the same beginning, and one that was cut off.
    let told = run(&bundle, &log.forked(size_of(3)), &[]);
    assert_eq!(code(&told), 1);
    assert!(
        stdout(&told).contains("the log was forked"),
        "{}",
        stdout(&told)
    );
    let mut ahead = Log::new("through_ahead");
    ahead.chain.deltas(1, 2);
    let set = ahead.chain.genesis.validators();
    ahead.chain.commit(&[1], &set);
    let told = run(&bundle, &ahead.at(ahead.chain.size), &["--json"]);
    assert_eq!(code(&told), 1);
    assert_eq!(json(&told)["verified"], false);
    let error = json(&told)["error"].as_str().unwrap().to_owned();
    assert!(error.contains("its newest blocks are gone"), "{error}");
    let told = run(&bundle, &log.at(size_of(3) - 1), &[]);
    assert!(stdout(&told).starts_with("NOT VERIFIED: no block of the chain ends with"));
    // A chain that does not verify is told as such.
    let mut altered = Chain::sample(3);
    altered.op_mut(2, 8).payload[0] ^= 1;
    let altered = Scratch::new("through_altered.bundle", &altered.bundle());
    let told = run(&altered, &log.at(size_of(3)), &[]);
    assert_eq!(code(&told), 1);
    assert!(stdout(&told).starts_with("NOT VERIFIED: 1 findings\n"));
}

#[test]
fn what_cannot_be_read_is_said() {
    let log = Log::new("unreadable");
    let (good, key) = (log.at(3), log.key());
    let garbage = log.file("garbage", "\u{1b}[31m no note");
    let path = good.path();
    let again = witness("again", 11).verifier().to_string();
    let named = witness("named", 11).verifier().to_string();
    let mangled = key.replace("+7", "+8").replace("blockchain", "blackchain");
    let cases: [&[&str]; 11] = [
        &["verify", "checkpoint", path],
        &["verify", "checkpoint", garbage.path(), "--key", &key],
        &["verify", "checkpoint", "no such file", "--key", &key],
        &["verify", "checkpoint", path, "--key", &mangled],
        &["verify", "checkpoint", path, "--key", &again],
        &[
            "verify",
            "checkpoint",
            path,
            "--key",
            &key,
            "--witness",
            &key,
        ],
        &[
            "verify",
            "checkpoint",
            path,
            "--key",
            &key,
            "--witness",
            &again,
            "--witness",
            &named,
        ],
        &[
            "verify",
            "checkpoint",
            path,
            "--key",
            &key,
            "--witness",
            &again,
            "--witnesses-needed",
            "2",
        ],
        &["verify", "checkpoint", path, "--witness", &again],
        &["verify", "consistency", "--old", path],
        &[
            "verify",
            "consistency",
            "--old",
            path,
            "--new",
            path,
            "--proof",
            garbage.path(),
        ],
    ];
    for arguments in cases {
        let output = bcrdt(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {output:?}");
        assert!(output.stdout.is_empty());
        assert!(!output.stderr.is_empty() && !output.stderr.contains(&0x1b));
    }
}
