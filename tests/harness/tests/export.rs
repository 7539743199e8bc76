//! `bcrdt export` from a database: what it fetches is the chain, and an interruption costs nothing.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use harness::{Folder, LONG, Options, Outcome, Place, Server, auditor, bcrdt, wait_until};

/// A node with a history of some megabytes.
fn filled(label: &str) -> Outcome<(Folder, Server, String)> {
    let place = Place::find()?;
    let folder = Folder::fresh(&place, label)?;
    let server = Server::start(&place, folder.path(), "one", &Options::with_extension())?;
    server.run(
        "CREATE EXTENSION blockchain_crdt;
         CREATE TABLE product (id bigint PRIMARY KEY, stock pn_counter, note text);
         SELECT crdt_track('product');
         INSERT INTO product SELECT i, '1', md5(i::text) FROM generate_series(1, 20000) i",
    )?;
    server.run("SELECT crdt_commit_block()")?;
    let source = format!(
        "host={} port=5432 user=postgres dbname=app",
        server.sockets().display()
    );
    Ok((folder, server, source))
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// An auditor who was interrupted must get the same file, and not all of it once more.
#[test]
fn an_interrupted_export_is_the_same() -> Outcome {
    let (folder, server, source) = filled("export")?;
    let program = auditor()?;
    let whole = folder.path().join("whole.bcrdt");
    let (code, said) = bcrdt(&program, &["export", &source, &text(&whole)])?;
    assert_eq!(code, 0, "{said}");
    let chain = server.text("SELECT crdt_node() ->> 'chain_id'")?;
    let verify = ["verify", "bundle", &text(&whole), "--chain-id", &chain];
    let (code, said) = bcrdt(&program, &verify)?;
    assert_eq!(code, 0, "{said}");
    let expected = fs::read(&whole)?;

    // Killed in the middle.
    let other = folder.path().join("other.bcrdt");
    let part = folder.path().join("other.bcrdt.part");
    let mut running = Command::new(&program)
        .args(["export", &source, &text(&other)])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    wait_until(LONG, "the export to have begun", || {
        let begun = other.exists() || fs::metadata(&part).is_ok_and(|file| file.len() > 0);
        Ok(if begun { Ok(()) } else { Err(String::new()) })
    })?;
    running.kill()?;
    running.wait()?;
    if !other.exists() {
        let (code, said) = bcrdt(&program, &["export", &source, &text(&other)])?;
        assert_eq!(code, 0, "{said}");
    }
    assert!(fs::read(&other)? == expected);
    assert!(!part.exists());
    // A file that is there is not written over.
    let (code, said) = bcrdt(&program, &["export", &source, &text(&other)])?;
    assert_eq!(code, 2, "{said}");
    fs::remove_file(&other)?;

    // Broken off at any place, also where nobody would; and in a byte of what was there before.
    for cut in [1, 40, 2_000, expected.len() / 2, expected.len() - 1] {
        fs::write(&part, &expected[..cut])?;
        let (code, said) = bcrdt(&program, &["export", &source, &text(&other)])?;
        assert_eq!(code, 0, "{said}");
        assert_eq!(said.contains("from before"), cut > 500_000, "{cut}: {said}");
        assert!(fs::read(&other)? == expected, "cut at {cut}");
        fs::remove_file(&other)?;
    }
    let mut damaged = expected.clone();
    damaged[expected.len() / 2] ^= 1;
    fs::write(&part, &damaged)?;
    let (code, said) = bcrdt(&program, &["export", &source, &text(&other)])?;
    assert_eq!(code, 0, "{said}");
    assert!(fs::read(&other)? == expected);
    fs::remove_file(&other)?;

    // The chain has grown since: what was there stays, what is new is added.
    fs::write(&part, &expected[..expected.len() / 2])?;
    server.run("UPDATE product SET stock = stock + 1 WHERE id <= 3000")?;
    server.run("SELECT crdt_commit_block()")?;
    let (code, said) = bcrdt(&program, &["export", &source, &text(&other)])?;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("from before"), "{said}");
    fs::remove_file(&whole)?;
    let (code, said) = bcrdt(&program, &["export", &source, &text(&whole)])?;
    assert_eq!(code, 0, "{said}");
    assert!(fs::read(&other)? == fs::read(&whole)?);

    // Two at once would spoil each other's file.
    let held = File::create(&part)?;
    held.lock()?;
    fs::remove_file(&other)?;
    let (code, said) = bcrdt(&program, &["export", &source, &text(&other)])?;
    assert!(code == 2 && said.contains("another export"), "{said}");
    Ok(())
}

/// The role is enough, and without it nothing is told.
#[test]
fn an_auditor_may_export_and_a_stranger_may_not() -> Outcome {
    let (folder, server, source) = filled("export-roles")?;
    let program = auditor()?;
    server.run(
        "CREATE ROLE eve LOGIN; CREATE ROLE olga LOGIN; GRANT crdt_auditor TO olga;
         REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO eve, olga",
    )?;
    let file = folder.path().join("chain.bcrdt");
    let of = |role: &str| source.replace("user=postgres", &format!("user={role}"));
    let (code, said) = bcrdt(&program, &["export", &of("eve"), &text(&file)])?;
    assert!(code == 2 && said.contains("permission denied"), "{said}");
    assert!(!file.exists());
    let (code, said) = bcrdt(&program, &["export", &of("olga"), &text(&file)])?;
    assert_eq!(code, 0, "{said}");
    let (code, said) = bcrdt(&program, &["verify", "bundle", &text(&file)])?;
    assert_eq!(code, 0, "{said}");
    Ok(())
}
