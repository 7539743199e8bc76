//! The log that a node serves to everybody: read to its end by who trusts nobody, cosigned by
//! witnesses, and what comes out when somebody with every right on the server alters it.

mod node;
mod witness;

use std::thread::{self, sleep};
use std::time::Duration;

use harness::{LONG, Outcome, Program, wait_until};
use node::{Node, bcrdt};
use witness::Witness;

/// The whole log can be verified from outside, without a payload and without an account, and is the
/// one that SQL shows.
#[test]
fn the_whole_log_is_read_from_outside() -> Outcome {
    let node = Node::start("public_log")?;
    node.wait_for_checkpoint()?;
    let size = node.size()?;
    let root = node
        .server
        .text("SELECT log_root FROM crdt_blocks ORDER BY height DESC LIMIT 1")?;
    let (status, printed) = node.audit(None, &[])?;
    assert_eq!(status, 0, "{printed}");
    assert!(printed.contains(&format!("\"size\": {size}")), "{printed}");
    assert!(printed.contains(&root), "{printed}");

    let tile = node.get("/tile/0/000")?;
    assert_eq!((tile.status, tile.body.len()), (200, 8192));
    assert!(tile.head.contains("immutable"), "{}", tile.head);
    let again = node.get("/tile/0/000")?;
    assert_eq!(again.body, tile.body);
    let partial = node.get("/tile/0/000.p/7")?;
    assert_eq!(partial.body, tile.body[..7 * 32]);
    assert!(!partial.head.contains("immutable"), "{}", partial.head);
    let last = size % 256;
    assert_eq!(node.get(&format!("/tile/0/002.p/{last}"))?.status, 200);
    for beyond in [
        format!("/tile/0/002.p/{}", last + 1),
        format!("/tile/entries/002.p/{}", last + 1),
        "/tile/0/002".to_owned(),
        "/tile/1/000".to_owned(),
        "/tile/0/0".to_owned(),
        "/tile/entries/003".to_owned(),
        "/blocks/x".to_owned(),
        "/".to_owned(),
    ] {
        assert_eq!(node.get(&beyond)?.status, 404, "{beyond}");
    }
    // No payload: the word stands in every row of the table's changes.
    node.server.run(
        "CREATE TABLE secret (id int PRIMARY KEY, word text);
         SELECT crdt_track('secret');
         INSERT INTO secret VALUES (1, 'Eidechse')",
    )?;
    node.server.run("SELECT crdt_commit_block()")?;
    node.wait_for_checkpoint()?;
    let size = node.size()?;
    let bundle = node.get(&format!("/tile/entries/{:03}.p/{}", size / 256, size % 256))?;
    assert_eq!(bundle.status, 200);
    assert!(!bundle.body.windows(8).any(|window| window == b"Eidechse"));
    Ok(())
}

/// An auditor who comes again reads what is new only, and is not fooled by a log that was rolled back
/// and written anew meanwhile.
#[test]
fn an_audit_goes_on_and_refuses_another_history() -> Outcome {
    let node = Node::start("public_audit")?;
    let keep = node.folder.path().join("kept");
    node.wait_for_checkpoint()?;
    let before = node.size()?;
    node.server
        .run(&copies("CREATE TABLE saved_{} AS SELECT * FROM crdt.{}"))?;
    let (status, printed) = node.audit(Some(&keep), &[])?;
    assert_eq!(status, 0, "{printed}");
    node.grow(5000, 300)?;
    node.wait_for_checkpoint()?;
    let (status, printed) = node.audit(Some(&keep), &[])?;
    assert_eq!(status, 0, "{printed}");
    let new = node.size()? - before;
    assert!(
        printed.contains(&format!("\"new_leaves\": {new}")),
        "{printed}"
    );

    roll_back(&node)?;
    wait_until(LONG, "the log to show the older state", || {
        let (status, printed) = node.audit(Some(&keep), &[])?;
        Ok(match (status, printed.contains("rolled_back")) {
            (1, true) => Ok(()),
            _ => Err(printed),
        })
    })?;
    node.grow(7000, 400)?;
    node.wait_for_checkpoint()?;
    let (status, printed) = node.audit(Some(&keep), &[])?;
    assert_eq!(status, 1, "{printed}");
    assert!(printed.contains("\"forked\""), "{printed}");
    // By itself the forked log is sound: only memory, one's own or a witness's, shows the fork.
    let (status, printed) = node.audit(None, &[])?;
    assert_eq!(status, 0, "{printed}");
    Ok(())
}

/// Who may not log in gets the whole chain all the same, payloads left out, if the node's owner wants
/// that; and what he gets verifies.
#[test]
fn a_chain_is_exported_over_http() -> Outcome {
    let node = Node::start("public_export")?;
    node.wait_for_checkpoint()?;
    assert_eq!(node.get("/blocks/0")?.status, 404);
    assert_eq!(node.get("/blocks/1")?.status, 404);
    node.server.set("blockchain_crdt.log_blocks", "on")?;
    wait_until(LONG, "blocks to be served", || {
        let status = node.get("/blocks/1")?.status;
        Ok(match status {
            200 => Ok(()),
            _ => Err(status.to_string()),
        })
    })?;
    let beyond = node
        .server
        .number("SELECT max(height) + 1 FROM crdt_blocks")?;
    for none in [
        format!("/blocks/{beyond}"),
        "/blocks/01".to_owned(),
        "/blocks/-1".to_owned(),
        "/blocks/18446744073709551616".to_owned(),
    ] {
        assert_eq!(node.get(&none)?.status, 404, "{none}");
    }
    let file = node.folder.path().join("chain.bcrdt");
    let mut export = bcrdt()?;
    export.args(["export", &node.url()]).arg(&file);
    Program::new(export, LONG).run()?;
    let chain = node.server.text("SELECT crdt_node() ->> 'chain_id'")?;
    let mut verify = bcrdt()?;
    verify.args(["verify", "bundle", "--json", "--chain-id", &chain]);
    verify.arg(&file);
    let printed = String::from_utf8_lossy(&Program::new(verify, LONG).run()?).into_owned();
    let size = node.size()?;
    assert!(
        printed.contains(&format!("\"tree_size\": {size}")),
        "{printed}"
    );
    Ok(())
}

/// Tables of the ledger, for `{}`.
fn copies(sql: &str) -> String {
    ["op", "segment", "position", "block", "block_range", "tile"]
        .map(|table| sql.replace("{}", table))
        .join("; ")
}

/// Puts the saved older state of the ledger in the place of the present one.
fn roll_back(node: &Node) -> Outcome {
    node.tamper(&copies(
        "DELETE FROM crdt.{}; INSERT INTO crdt.{} SELECT * FROM saved_{}",
    ))?;
    node.restart_worker()
}

/// What is altered behind the node's back is named to who reads from outside, and the server says so
/// itself.
#[test]
fn altered_tiles_and_entries_are_found_from_outside() -> Outcome {
    let flip = |column: &str, place: &str| {
        format!("set_byte({column}, {place}, get_byte({column}, {place}) # 1)")
    };
    for (label, sql, kind, leaf) in [
        (
            "leaf hash",
            format!(
                "UPDATE crdt.tile SET hashes = {} WHERE level = 0 AND index = 1",
                flip("hashes", "100")
            ),
            "withheld",
            Some(256),
        ),
        (
            "upper tile",
            format!(
                "UPDATE crdt.tile SET hashes = {} WHERE level = 1",
                flip("hashes", "40")
            ),
            "tile_altered",
            Some(0),
        ),
        (
            "payload",
            format!(
                "UPDATE crdt.op SET payload = {} WHERE seq = 300",
                flip("payload", "5")
            ),
            "withheld",
            Some(256),
        ),
        (
            "header",
            format!(
                "UPDATE crdt.block SET header = {} WHERE height = 1",
                flip("header", "100")
            ),
            "withheld",
            None,
        ),
        (
            "missing op",
            "DELETE FROM crdt.op WHERE seq = 600".to_owned(),
            "withheld",
            Some(512),
        ),
    ] {
        let node = Node::start("public_altered")?;
        node.wait_for_checkpoint()?;
        node.tamper(&sql)?;
        let (status, printed) = node.audit(None, &[])?;
        assert_eq!(status, 1, "{label}: {printed}");
        assert!(
            printed.contains(&format!("\"kind\": \"{kind}\"")),
            "{label}: {printed}"
        );
        if let Some(leaf) = leaf {
            assert!(
                printed.contains(&format!("\"leaf_index\": {leaf}")),
                "{label}: {printed}"
            );
        }
        if kind == "withheld" {
            let log = node.server.log();
            assert!(
                log.contains("the ledger was altered"),
                "{label}: {}",
                node.server.log_tail(20)
            );
        }
    }
    Ok(())
}

fn wait_for_witness(node: &Node, name: &str, column: &str, wanted: &str) -> Outcome {
    let sql =
        format!("SELECT coalesce({column}::text, '') FROM crdt_witnesses WHERE name = '{name}'");
    let waited = wait_until(LONG, &format!("{column} of {name}: {wanted}"), || {
        let found = node.server.text(&sql)?;
        Ok(match found.contains(wanted) {
            true => Ok(()),
            false => Err(found),
        })
    });
    waited.map_err(|failure| failure.during(&node.server.log_tail(20)))
}

/// A witness's word goes out with the checkpoint, is stored, and cannot be altered unseen; when the log
/// is rolled back, nobody gets a cosigned checkpoint of it any more.
#[test]
fn a_witness_cosigns_and_refuses_a_log_that_was_rolled_back() -> Outcome {
    let node = Node::start("public_witness")?;
    let folder = node.folder.path();
    let log_key = node.key()?;
    let one = Witness::start(&folder.join("w1"), "witness.example/one", &log_key)?;
    let two = Witness::start(&folder.join("w2"), "witness.example/two", &log_key)?;
    for witness in [&one, &two] {
        let (vkey, url) = (&witness.vkey, &witness.url);
        node.server
            .run(&format!("SELECT crdt_add_witness('{vkey}', '{url}/')"))?;
    }
    node.server.set("blockchain_crdt.witness_quorum", "2")?;
    let size = node.size()?;
    for name in ["witness.example/one", "witness.example/two"] {
        wait_for_witness(&node, name, "last_size", &size.to_string())?;
    }
    let shown = node.wait_for_checkpoint_with("witness.example/two")?;
    assert!(shown.contains("— witness.example/one "), "{shown}");
    assert_eq!(node.server.text("SELECT crdt_checkpoint()")?, shown);
    assert_eq!(
        node.server.text("SELECT crdt_cosigned_checkpoint()")?,
        shown
    );
    let both = ["--witness", &one.vkey, "--witness", &two.vkey];
    let (status, printed) = node.audit(None, &both)?;
    assert_eq!(status, 0, "{printed}");

    // One of two is no quorum: the log goes on, what is shown does not.
    node.server
        .run(&copies("CREATE TABLE saved_{} AS SELECT * FROM crdt.{}"))?;
    drop(two);
    node.grow(5000, 20)?;
    let grown = node.size()?;
    wait_for_witness(
        &node,
        "witness.example/one",
        "last_size",
        &grown.to_string(),
    )?;
    wait_for_witness(
        &node,
        "witness.example/two",
        "last_error",
        "could not connect",
    )?;
    assert_eq!(node.wait_for_checkpoint_with("witness.example/one")?, shown);
    let newest = node.server.text("SELECT crdt_checkpoint()")?;
    assert!(newest.contains("witness.example/one"), "{newest}");
    assert!(!newest.contains("witness.example/two"), "{newest}");
    node.server
        .run("SELECT crdt_remove_witness('witness.example/two')")?;
    node.wait_for_checkpoint_with(&grown.to_string())?;
    assert!(node.server.session()?.is("SELECT verify_chain()")?);

    roll_back(&node)?;
    wait_for_witness(&node, "witness.example/one", "last_error", "rolled back")?;
    let kinds = node
        .server
        .text("SELECT string_agg(DISTINCT kind, ' ') FROM scan_chain()")?;
    assert!(kinds.contains("log_rolled_back"), "{kinds}");
    node.grow(7000, 50)?;
    wait_for_witness(&node, "witness.example/one", "last_error", "422")?;
    let cosigned = node
        .server
        .text("SELECT max(tree_size) FROM crdt_cosignatures")?;
    assert_eq!(cosigned, grown.to_string());
    assert!(node.server.log().contains("did not cosign"));
    Ok(())
}

/// How old a witness's word is tells how long a log can have been held back: of one that does not grow
/// it is renewed.
#[test]
fn the_word_of_a_witness_is_renewed() -> Outcome {
    let node = Node::start("public_renewal")?;
    let witness = Witness::start(
        &node.folder.path().join("w"),
        "witness.example/w",
        &node.key()?,
    )?;
    let (vkey, url) = (&witness.vkey, &witness.url);
    node.server
        .run(&format!("SELECT crdt_add_witness('{vkey}', '{url}')"))?;
    let size = node.size()?.to_string();
    wait_for_witness(&node, "witness.example/w", "last_size", &size)?;
    let at = "SELECT string_agg(at::text, ', ') FROM crdt_cosignatures";
    let first = node.server.text(at)?;
    sleep(Duration::from_secs(2));
    assert_eq!(node.server.text(at)?, first, "within an hour it is good");
    node.server.set("blockchain_crdt.witness_renewal", "1")?;
    wait_until(LONG, "a younger cosignature", || {
        let now = node.server.text(at)?;
        Ok((now != first).then_some(()).ok_or(now))
    })?;
    assert_eq!(node.size()?.to_string(), size);
    let shown = node.wait_for_checkpoint_with("witness.example/w")?;
    assert_eq!(shown.matches("— witness.example/w ").count(), 1, "{shown}");
    assert!(node.server.session()?.is("SELECT verify_chain()")?);
    let (status, printed) = node.audit(None, &["--witness", vkey])?;
    assert_eq!(status, 0, "{printed}");
    Ok(())
}

/// Cosignatures are kept to be shown later: one that was altered must not pass.
#[test]
fn altered_cosignatures_are_found() -> Outcome {
    let node = Node::start("public_cosignatures")?;
    let key = node.key()?;
    let witness = Witness::start(&node.folder.path().join("w"), "witness.example/one", &key)?;
    let (vkey, url) = (&witness.vkey, &witness.url);
    node.server
        .run(&format!("SELECT crdt_add_witness('{vkey}', '{url}')"))?;
    let size = node.size()?.to_string();
    wait_for_witness(&node, "witness.example/one", "last_size", &size)?;
    let mut session = node.server.session()?;
    assert!(session.is("SELECT verify_chain()")?);
    for alteration in [
        "tree_size = tree_size - 1",
        "root = set_byte(root, 3, get_byte(root, 3) # 1)",
        "line = replace(line, 'one', 'two')",
        "line = '— x'",
        "witness = replace(witness, 'one', 'two')",
    ] {
        session.run(&format!(
            "BEGIN; SET LOCAL session_replication_role = replica; UPDATE crdt.cosignature SET {alteration}"
        ))?;
        let found = session.text("SELECT string_agg(kind, ' ') FROM scan_chain()")?;
        assert_eq!(found, "cosignature_altered", "{alteration}");
        assert!(!session.is("SELECT verify_chain()")?, "{alteration}");
        session.run("ROLLBACK")?;
    }
    let refused = session.refused("DELETE FROM crdt.cosignature")?;
    assert!(refused.contains("append-only"), "{refused}");
    Ok(())
}

/// However many read, and whatever, the node goes on sealing.
#[test]
fn readers_do_not_keep_the_node_from_its_work() -> Outcome {
    let node = Node::start("public_flood")?;
    node.server.set("blockchain_crdt.log_requests", "100000")?;
    node.wait_for_checkpoint()?;
    let over = std::sync::atomic::AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..8)
            .map(|reader| {
                let (node, over) = (&node, &over);
                scope.spawn(move || {
                    let (mut answered, mut width) = (0, reader * 7 + 1);
                    while !over.load(std::sync::atomic::Ordering::Relaxed) {
                        width = width % 255 + 1;
                        let path = format!("/tile/entries/00{}.p/{width}", reader % 2);
                        // A connection above the bound is closed without a word.
                        if let Ok(page) = node.get(&path) {
                            assert!([200, 429, 503].contains(&page.status), "{}", page.head);
                            answered += u64::from(page.status == 200);
                        }
                    }
                    answered
                })
            })
            .collect();
        let worked = (0..30).try_for_each(|block| node.grow(10_000 + block * 10, 5));
        over.store(true, std::sync::atomic::Ordering::Relaxed);
        let answered: u64 = readers
            .into_iter()
            .map(|reader| reader.join().unwrap_or(0))
            .sum();
        worked?;
        assert!(answered > 30, "{answered}");
        assert!(node.server.session()?.is("SELECT verify_chain()")?);
        Ok(())
    })
}
