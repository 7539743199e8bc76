//! History that was pruned on one of three nodes: everything still verifies, whoever needs the
//! history is told where it is, and what was deleted without being pruned is found.

use std::fs;

use harness::{Cluster, LONG, Options, Outcome, Program, auditor, bcrdt};

const SHOP: &str = "
    CREATE TABLE product (id bigint PRIMARY KEY, stock pn_counter, tags or_set, note text);
    SELECT crdt_track('product')";
const PAYLOADS: &str = "SELECT count(*) FROM crdt.op WHERE kind = 1 AND salt <> ''";
/// What a forger does who knows how a pruned op looks.
const CLOSE: &str = "UPDATE crdt.op o SET salt = '', payload = sha256(
    'bcrdt/part/v1'::bytea || '\\x00' || salt || int8send(octet_length(payload)) || payload) WHERE kind = 1 AND";

/// Three nodes that have written, and a block with all of it on each.
fn three(label: &str) -> Outcome<(Cluster, i64)> {
    let cluster = Cluster::three_nodes(label)?;
    cluster[0].run(SHOP)?;
    cluster.wait_for_table("product")?;
    write(&cluster, 0)?;
    write(&cluster, 1)?;
    cluster.verify_all()?;
    let height = cluster[1].number("SELECT max(height) FROM crdt_blocks")?;
    Ok((cluster, height))
}

/// Each node adds rows and changes all that it sees.
fn write(cluster: &Cluster, round: usize) -> Outcome {
    for (at, node) in cluster.nodes().iter().enumerate() {
        let first = (round * 10 + at) * 100;
        node.run(&format!(
            "INSERT INTO product SELECT i, '5', '{{new}}', 'n' FROM generate_series({first}, {first} + 20) i;
             UPDATE product SET stock = stock + 1, tags = tags + '{}'",
            node.name()
        ))?;
    }
    cluster.wait_equal("product")?;
    Ok(())
}

/// A file that the node can write, and the statement that prunes into it.
fn prune(cluster: &Cluster, node: usize, height: i64, file: &str) -> (String, String) {
    let path = cluster[node].folder().join("data").join(file);
    let path = path.display().to_string();
    let sql = format!("SELECT crdt_prune({height}, '{path}')");
    (path, sql)
}

/// Without it a pruned node would be of no use to anybody, or its ledger prove nothing.
#[test]
fn a_pruned_node_goes_on_and_verifies() -> Outcome {
    let (cluster, height) = three("prune")?;
    let b = &cluster[1];
    let program = auditor()?;
    let chain = b.text("SELECT crdt_node() ->> 'chain_id'")?;
    let before = b.number(PAYLOADS)?;
    let bytes = b.number("SELECT sum(length(payload)) FROM crdt.op")?;
    let (path, sql) = prune(&cluster, 1, height, "shop.bcrdt");
    // What the others have it learns from what they say now and then.
    cluster.wait(LONG, "b to know that all have the block", || {
        Ok(b.number(&sql).map_err(|failure| failure.to_string()))
    })?;
    assert_eq!(b.number(PAYLOADS)?, 0, "{before} before");
    assert!(b.number("SELECT sum(length(payload)) FROM crdt.op")? < bytes / 2);
    assert!(b.session()?.is("SELECT verify_chain()")?);
    assert!(b.session()?.is("SELECT verify_chain(1, 1)")?);

    write(&cluster, 2)?;
    cluster.verify_all()?;

    let arguments = ["verify", "bundle", &path, "--chain-id", &chain];
    let (code, text) = bcrdt(&program, &arguments)?;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("all are here"), "{text}");
    let digest = b.text(&format!(
        "SELECT encode(sha256(pg_read_binary_file('{path}')), 'hex')"
    ))?;
    let told = "SELECT change FROM crdt_ops WHERE kind = 'prune'";
    assert!(cluster[2].text(told)?.contains(&digest));

    // The proof of an op whose payload is gone, in the database and outside of it.
    let op = "crdt_op_proof((SELECT origin_id FROM crdt_ops WHERE change = 'pruned' LIMIT 1), 3)";
    assert!(b.session()?.is(&format!("SELECT verify_proof({op})"))?);
    let file = b.folder().join("proof.json");
    fs::write(&file, b.text(&format!("SELECT {op}"))?)?;
    let file = file.display().to_string();
    let (code, text) = bcrdt(&program, &["verify", "proof", &file, "--chain-id", &chain])?;
    assert_eq!(code, 0, "{text}");
    assert!(
        b.session()?
            .is("SELECT verify_proof(crdt_proof('product', '5'))")?
    );

    // A longer prefix, later; with the op that speaks of the first one in it.
    let height = b.number("SELECT max(height) FROM crdt_blocks")?;
    let (longer, sql) = prune(&cluster, 1, height, "longer.bcrdt");
    cluster.wait(LONG, "b to know that all have the block", || {
        Ok(b.number(&sql).map_err(|failure| failure.to_string()))
    })?;
    let (code, text) = bcrdt(&program, &["verify", "bundle", &longer])?;
    assert_eq!(code, 0, "{text}");
    cluster.verify_all()?;

    // A dump of it is as good.
    let mut dump = b.command("pg_dump");
    dump.arg("app");
    let dumped = Program::new(dump, LONG).run()?;
    let mut cluster = cluster;
    cluster.add_empty("r")?;
    let mut psql = cluster.node("r")?.command("psql");
    psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "app"]);
    Program::new(psql, LONG).input(dumped).run()?;
    assert!(cluster.node("r")?.session()?.is("SELECT verify_chain()")?);
    Ok(())
}

/// Who lacks history must not wait for it in vain, nor lose the only copy of it.
#[test]
fn whoever_needs_the_history_is_told_where_it_is() -> Outcome {
    let (mut cluster, _) = three("prune-join")?;
    cluster.node_mut("c")?.stop()?;
    cluster[0].run("UPDATE product SET stock = stock - 1")?;
    let height = cluster[0].number("SELECT crdt_commit_block()")?;
    cluster.wait(LONG, "b to have the block", || {
        let at = cluster[1].number("SELECT max(height) FROM crdt_blocks")?;
        Ok(if at >= height {
            Ok(())
        } else {
            Err(format!("{at}"))
        })
    })?;
    let (path, sql) = prune(&cluster, 1, height, "shop.bcrdt");
    // What a has it learns from what a says now and then; of c it hears nothing more.
    cluster.wait(LONG, "b to know that only c lacks the block", || {
        let refused = cluster[1].session()?.refused(&sql)?;
        let told = refused.contains(" c is known to have admitted") && refused.contains("HINT");
        Ok(if told { Ok(()) } else { Err(refused) })
    })?;
    assert!(!fs::exists(&path)?);
    cluster[1].run(&sql.replace("')", "', force => true)"))?;

    // c comes back: from b it cannot get what it lacks, from a it can.
    cluster.node_mut("c")?.launch()?;
    cluster.wait_equal("product")?;
    cluster.verify_all()?;

    // A guest needs all of it.
    cluster.add_alone("d")?;
    let refused = cluster[1]
        .session()?
        .refused("SELECT crdt_create_invite()")?;
    assert!(refused.contains("was pruned here"), "{refused}");
    cluster.join("d")?;
    cluster.wait_for_table("product")?;
    cluster.wait_equal("product")?;
    cluster.verify_all()?;

    let restore = format!("SELECT crdt_restore_archive('{path}')");
    assert!(cluster[1].number(&restore)? > 0);
    assert_eq!(cluster[1].number(&restore)?, 0);
    assert_eq!(cluster[1].number(PAYLOADS)?, cluster[0].number(PAYLOADS)?);
    assert!(cluster[1].text("SELECT crdt_create_invite()")?.len() > 100);
    cluster.verify_all()
}

/// Deleting payloads must not pass for pruning.
#[test]
fn what_was_deleted_without_being_pruned_is_found() -> Outcome {
    let cluster = Cluster::start("prune-forge", &["a", "b"], &Options::with_extension())?;
    cluster[0].run(SHOP)?;
    cluster.wait_for_table("product")?;
    write(&cluster, 0)?;
    cluster.verify_all()?;
    let b = &cluster[1];
    let first = b.number("SELECT max(height) FROM crdt_blocks")?;
    let mut session = b.session()?;
    session.run("BEGIN; SET LOCAL session_replication_role = replica")?;
    session.run(&format!("{CLOSE} o.seq = (SELECT max(seq) - 2 FROM crdt.op x WHERE x.origin = o.origin AND x.kind = 1)"))?;
    let found = session.rows("SELECT DISTINCT kind FROM scan_chain()")?;
    assert_eq!(found, [[Some("payload_missing".to_owned())]]);
    let place = "SELECT count(*) FROM scan_chain() WHERE height IS NOT NULL AND leaf_index IS NOT NULL AND seq IS NOT NULL";
    assert_eq!(session.number(place)?, 2);
    session.run("ROLLBACK")?;
    // Nor is it covered by what was pruned before.
    let (_, sql) = prune(&cluster, 1, first, "shop.bcrdt");
    cluster.wait(LONG, "b to prune", || {
        Ok(b.number(&sql).map_err(|failure| failure.to_string()))
    })?;
    write(&cluster, 1)?;
    cluster.verify_all()?;
    session.run("BEGIN; SET LOCAL session_replication_role = replica")?;
    session.run(&format!("{CLOSE} o.salt <> ''"))?;
    assert!(!session.is("SELECT verify_chain()")?);
    let kinds = session.rows("SELECT DISTINCT kind FROM scan_chain()")?;
    assert_eq!(kinds, [[Some("payload_missing".to_owned())]]);
    session.run("ROLLBACK")
}
