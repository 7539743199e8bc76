//! The command as an auditor runs it: its exit status and what it prints.

#[path = "../../../ledger/tests/chain/mod.rs"]
mod chain;
mod checkpoint;
mod command;
mod log;

use std::io::Write;
use std::process::{Command, Stdio};

use chain::{Chain, member};
use command::{Scratch, bcrdt, code, json, stdout};
use serde_json::Value;

#[test]
fn a_sound_proof() {
    let chain = Chain::sample(3);
    let text = chain.prove(2, 8, 5).to_json().unwrap();
    let file = Scratch::new("sound_proof.json", text.as_bytes());
    let id = chain.chain.to_string();
    let output = bcrdt(&["verify", "proof", file.path(), "--chain-id", &id]);
    assert_eq!(code(&output), 0, "{output:?}");
    assert!(stdout(&output).starts_with("VERIFIED: delta 8 of node "));
    assert!(stdout(&output).contains("the chain id given"));
    let key = hex::encode(member(1, 1).signing_key);
    let output = bcrdt(&[
        "verify",
        "proof",
        file.path(),
        "--validator-key",
        &key,
        "--json",
    ]);
    assert_eq!(code(&output), 0);
    let told = json(&output);
    assert_eq!(told["verified"], true);
    assert_eq!(told["trust"], "pinned_validators");
    assert_eq!(told["chain_id"], id);
    assert_eq!(told["seq"], 8);
    assert_eq!(told["height"], 5);
    // Without pins it says so.
    let output = bcrdt(&["verify", "proof", file.path()]);
    assert_eq!(code(&output), 0);
    assert!(stdout(&output).contains("itself only"));
}

#[test]
fn a_proof_that_does_not_hold() {
    let chain = Chain::sample(3);
    let mut proof = chain.prove(2, 8, 5);
    let other = "00".repeat(32);
    let text = proof.to_json().unwrap();
    let file = Scratch::new("other_chain.json", text.as_bytes());
    let output = bcrdt(&["verify", "proof", file.path(), "--chain-id", &other]);
    assert_eq!(code(&output), 1);
    assert!(stdout(&output).starts_with("NOT VERIFIED: the proof is of chain"));
    let stranger = hex::encode(member(2, 1).signing_key);
    let output = bcrdt(&["verify", "proof", file.path(), "--validator-key", &stranger]);
    assert_eq!(code(&output), 1);
    proof.op.hlc += 1;
    let file = Scratch::new("forged.json", proof.to_json().unwrap().as_bytes());
    let output = bcrdt(&["verify", "proof", file.path(), "--json"]);
    assert_eq!(code(&output), 1);
    let told = json(&output);
    assert_eq!(told["verified"], false);
    assert!(told["error"].as_str().unwrap().contains("is not leaf"));
}

#[test]
fn a_sound_bundle() {
    let chain = Chain::sample(3);
    let file = Scratch::new("sound.bundle", &chain.bundle());
    let id = chain.chain.to_string();
    let output = bcrdt(&["verify", "bundle", file.path(), "--chain-id", &id]);
    assert_eq!(code(&output), 0, "{output:?}");
    assert!(stdout(&output).starts_with("VERIFIED: the whole chain up to block 5\n"));
    let output = bcrdt(&["verify", "--json", "bundle", file.path()]);
    let told = json(&output);
    assert_eq!(told["verified"], true);
    assert_eq!(told["height"], 5);
    assert_eq!(told["header_hash"], hex::encode(chain.last.hash()));
    assert_eq!(told["findings"], Value::Array(Vec::new()));
}

#[test]
fn an_altered_bundle_names_the_place() {
    let mut chain = Chain::sample(3);
    let leaf = chain.leaf_index(chain.id(2), 8);
    chain.op_mut(2, 8).payload[0] ^= 1;
    let file = Scratch::new("altered.bundle", &chain.bundle());
    let output = bcrdt(&["verify", "bundle", file.path()]);
    assert_eq!(code(&output), 1);
    let expected = format!(
        "payload_altered, block 3, leaf {leaf}, op 8, node {}: ",
        chain.id(2)
    );
    assert!(stdout(&output).starts_with("NOT VERIFIED: 1 findings\n"));
    assert!(stdout(&output).contains(&expected), "{}", stdout(&output));
    let told = json(&bcrdt(&["verify", "bundle", file.path(), "--json"]));
    let finding = &told["findings"][0];
    assert_eq!(finding["kind"], "payload_altered");
    assert_eq!(finding["height"], 3);
    assert_eq!(finding["leaf_index"], leaf);
    assert_eq!(finding["seq"], 8);
    assert_eq!(finding["origin"], chain.id(2).to_string());
}

/// What cannot be read must not pass for verified, nor for altered.
#[test]
fn unreadable_input_has_its_own_status() {
    let bundle = Chain::sample(3).bundle();
    let cut = Scratch::new("cut.bundle", &bundle[..bundle.len() - 3]);
    let garbage = Scratch::new("garbage.json", b"\x1b[31m not a proof");
    let binary = Scratch::new("binary.json", &[0xff; 10]);
    let cases: [&[&str]; 10] = [
        &["verify", "bundle", cut.path()],
        &["verify", "bundle", garbage.path()],
        &["verify", "proof", garbage.path()],
        &["verify", "proof", binary.path()],
        &["verify", "proof", "no such file"],
        &["verify"],
        &["verify", garbage.path()],
        &["verify", "proof", garbage.path(), "--chain-id", "12"],
        &[
            "verify",
            "proof",
            garbage.path(),
            "--validator-key",
            &"00".repeat(32),
        ],
        &["no such command"],
    ];
    for arguments in cases {
        let output = bcrdt(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {output:?}");
        assert!(output.stdout.is_empty());
        assert!(!output.stderr.is_empty());
        assert!(!output.stderr.contains(&0x1b), "{arguments:?}");
    }
}

#[test]
fn standard_input_can_be_verified() {
    let chain = Chain::sample(3);
    let mut child = Command::new(env!("CARGO_BIN_EXE_bcrdt"))
        .args(["verify", "bundle", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&chain.bundle()).unwrap();
    drop(stdin);
    assert_eq!(code(&child.wait_with_output().unwrap()), 0);
}

#[test]
fn help_tells_the_exit_status() {
    let output = bcrdt(&["verify", "--help"]);
    assert_eq!(code(&output), 0);
    assert!(stdout(&output).contains("Exit status:"));
}
