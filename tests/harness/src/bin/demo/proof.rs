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
    let chain = cluster[0].text("SELECT encode(chain_id, 'hex') FROM crdt.chain")?;
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
        "$ bcrdt verify proof.json --chain {}...",
        &chain[..16]
    ));
    let output = Program::new(verify(&auditor, &file, &chain), SHORT).run()?;
    story.say(String::from_utf8_lossy(&output));

    // What verifies everything proves nothing: a proof with one digit changed.
    let forged = proof.replacen("\"hlc\"", "\"hlc \"", 1);
    let forged = if forged == proof {
        proof.replacen('1', "2", 1)
    } else {
        forged
    };
    fs::write(&file, forged)?;
    let refused = Program::new(verify(&auditor, &file, &chain), SHORT).end()?;
    fs::write(&file, proof)?;
    if refused.status.success() {
        return Err(Failure::new("the auditor accepted an altered proof"));
    }
    story.holds(format!(
        "verified from the file alone ({}); an altered copy is refused",
        file.display()
    ));
    Ok(())
}

fn verify(auditor: &Path, file: &Path, chain: &str) -> Command {
    let mut command = Command::new(auditor);
    command.arg("verify").arg(file).args(["--chain", chain]);
    command
}
