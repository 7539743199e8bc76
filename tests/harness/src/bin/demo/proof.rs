//! A proof leaves the database and is checked without one.

use std::fs;
use std::path::Path;
use std::process::Command;

use harness::{Cluster, Failure, Outcome, Program, SHORT};

use crate::story::Story;

pub fn check_offline(story: &mut Story, cluster: &Cluster, folder: &Path) -> Outcome {
    story.chapter("A proof, checked without PostgreSQL");
    let c = cluster.node("c")?;
    let proof = c.text("SELECT crdt_proof('product', '1')")?;
    // Both are told to the auditor by the founder, not by the file.
    let chain = cluster[0].text("SELECT crdt_node() ->> 'chain_id'")?;
    let key = cluster[0].text("SELECT crdt_node() ->> 'signing_key'")?;
    story.sql(
        "c",
        "SELECT crdt_proof('product', '1');   -- the last change of product 1",
    );
    let file = folder.join("proof.json");
    fs::write(&file, &proof)?;
    story.say("");
    let auditor = std::env::current_exe()?.with_file_name("bcrdt");
    if !auditor.exists() {
        return Err(Failure::new(format!(
            "{} is not built: cargo build --release -p auditor",
            auditor.display()
        )));
    }
    story.say(format!(
        "$ bcrdt verify proof proof.json --chain-id {chain:.16}... --validator-key {key:.16}..."
    ));
    let output = Program::new(verify(&auditor, &file, &chain, &key), SHORT).run()?;
    story.say(String::from_utf8_lossy(&output));

    // What verifies everything proves nothing: one digit of the op's time is changed.
    let forged = match proof.split_once("\"hlc\": ") {
        Some((before, after)) if after.starts_with('1') => {
            format!("{before}\"hlc\": 2{}", &after[1..])
        }
        _ => return Err(Failure::new("the proof does not tell the op's time")),
    };
    fs::write(&file, forged)?;
    let refused = Program::new(verify(&auditor, &file, &chain, &key), SHORT).end()?;
    fs::write(&file, proof)?;
    // 1: it was read, and does not hold.
    if refused.status.code() != Some(1) {
        return Err(Failure::new(format!(
            "the auditor ended with {} on an altered proof",
            refused.status
        )));
    }
    story.holds(format!(
        "verified from the file alone ({}); an altered copy is refused",
        file.display()
    ));
    Ok(())
}

fn verify(auditor: &Path, file: &Path, chain: &str, key: &str) -> Command {
    let mut command = Command::new(auditor);
    command
        .args(["verify", "proof"])
        .arg(file)
        .args(["--chain-id", chain, "--validator-key", key]);
    command
}
