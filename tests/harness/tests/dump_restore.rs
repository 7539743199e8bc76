//! pg_dump and restore: the same states, a chain that verifies, and a node that is
//! another one, even if the old one runs on.

use harness::{
    Cluster, EVERY_STATE, EVERY_TYPE, FINGERPRINT, LONG, Options, Outcome, Program,
    write_every_type,
};

const SHOP: &str = "
    CREATE TABLE product (id bigint PRIMARY KEY, title lww_register, stock pn_counter, tags or_set, note text);
    INSERT INTO product SELECT i, '\"thing\"', '100', '{new}', 'n' FROM generate_series(1, 20) i;
    SELECT crdt_track('product');
    UPDATE product SET stock = stock - 3, tags = tags - 'new' + 'sold' WHERE id <= 5;
    DELETE FROM product WHERE id = 20;";
const NODE_IDS: &str = "SELECT count(DISTINCT node_id) FROM crdt.node WHERE left_after IS NULL";

/// A tracked table with a column of each type that a and b have written, and one with
/// what operators ask for and no tracked table has settled.
fn every_type(cluster: &Cluster) -> Outcome {
    cluster[0].run(EVERY_TYPE)?;
    cluster[0].run(&write_every_type("1", "'of a'::text", "3"))?;
    cluster.wait_for_table("every")?;
    cluster.wait_equal("every")?;
    for (node, word) in [(0, "'also of a'::text"), (1, "'of b'::text")] {
        cluster[node].run(&write_every_type("1", word, "4"))?;
    }
    cluster[0].run(
        "CREATE TABLE loose AS SELECT crdt_append(body, '?') AS body, g + 1 AS g, os + 'loose' AS os FROM every",
    )?;
    cluster.wait_equal("every")?;
    Ok(())
}

/// Cluster of a and b with some history and what `more` adds to it, and a server r that
/// holds a's dump.
fn restored(label: &str, format: &str, more: impl FnOnce(&Cluster) -> Outcome) -> Outcome<Cluster> {
    let mut cluster = Cluster::start(label, &["a", "b"], &Options::with_extension())?;
    cluster[0].run(SHOP)?;
    cluster.wait_for_table("product")?;
    cluster[1].run(
        "UPDATE product SET stock = stock + 1, title = crdt_set(title, '\"of b\"') WHERE id = 1",
    )?;
    more(&cluster)?;
    cluster.wait_equal("product")?;
    cluster.verify_all()?;
    let mut dump = cluster[0].command("pg_dump");
    dump.args([format!("--format={format}").as_str(), "app"]);
    let bytes = Program::new(dump, LONG).run()?;
    cluster.add_empty("r")?;
    let server = cluster.node("r")?;
    if format == "custom" {
        let mut restore = server.command("pg_restore");
        restore.args(["--exit-on-error", "-d", "app"]);
        Program::new(restore, LONG).input(bytes).run()?;
    } else {
        let mut psql = server.command("psql");
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "app"]);
        Program::new(psql, LONG).input(bytes).run()?;
    }
    Ok(cluster)
}

/// States and chain come through both formats; the dump holds no private key.
#[test]
fn same_states_and_a_chain_that_verifies() -> Outcome {
    for format in ["plain", "custom"] {
        let cluster = restored(&format!("dump-{format}"), format, every_type)?;
        let (a, r) = (cluster.node("a")?, cluster.node("r")?);
        let of_table = |table| FINGERPRINT.replace("{}", table);
        let defaults =
            "SELECT string_agg(pg_get_expr(adbin, adrelid), ' ' ORDER BY adnum) FROM pg_attrdef
                         WHERE adrelid = 'every'::regclass";
        let indexes = "SELECT string_agg(pg_get_indexdef(indexrelid), ' ' ORDER BY indexrelid::regclass::text)
                         FROM pg_index WHERE indrelid = 'every'::regclass";
        for sql in [
            &of_table("product"),
            &of_table("every"),
            &of_table("loose"),
            EVERY_STATE,
            defaults,
            indexes,
        ] {
            assert_eq!(r.text(sql)?, a.text(sql)?, "{sql}");
        }
        assert_eq!(r.text("SELECT verify_chain()")?, "t");
        let blocks = "SELECT count(*) FROM crdt_blocks";
        assert_eq!(r.text(blocks)?, a.text(blocks)?);
    }
    Ok(())
}

/// The restored node rejoins the living cluster while the old one writes on. Dots
/// and sequence numbers used twice would lose writes or be told as equivocation.
#[test]
fn a_restored_node_rejoins_beside_the_old_one() -> Outcome {
    let mut cluster = restored("rejoin", "custom", every_type)?;
    cluster.introduce("r")?;
    cluster.join("r")?;
    cluster.wait_all(NODE_IDS, "3")?;
    for _ in 0..20 {
        for node in cluster.nodes() {
            node.run("UPDATE product SET stock = stock + 1, tags = tags + 'again' WHERE id = 7")?;
        }
    }
    let (sold, sum) = (
        "SELECT sum(g) FROM every",
        cluster[0].number("SELECT sum(g) FROM every")?,
    );
    for node in cluster.nodes() {
        let word = format!("'{} again'::text", node.name());
        node.run(&write_every_type("1", &word, "5"))?;
        node.run(&write_every_type("2", &word, "5"))?;
    }
    cluster.wait_all("SELECT stock::bigint FROM product WHERE id = 7", "160")?;
    cluster.wait_all(sold, &(sum + 30).to_string())?;
    cluster.wait_equal("product")?;
    cluster.wait_equal("every")?;
    cluster.wait_all("SELECT count(*) FROM crdt.evidence", "0")?;
    cluster.wait_all("SELECT count(*) FROM crdt.quarantine", "0")?;
    cluster.verify_all()
}

/// With the cluster gone, the restored node goes on alone: it founds a chain whose
/// genesis names the head of the old one, and others can join it.
#[test]
fn a_restored_node_founds_a_successor() -> Outcome {
    let mut cluster = restored("successor", "custom", |_| Ok(()))?;
    let old = cluster[0].text("SELECT encode(chain_id, 'hex') FROM crdt.chain")?;
    let (header, height) = {
        let a = &cluster[0];
        (
            a.text("SELECT header_hash FROM crdt_blocks ORDER BY height DESC LIMIT 1")?,
            a.number("SELECT max(height) FROM crdt_blocks")?,
        )
    };
    cluster.node_mut("a")?.stop()?;
    cluster.node_mut("b")?.stop()?;
    cluster.introduce("r")?;
    let r = cluster.node("r")?;
    r.run("SELECT crdt_found_successor()")?;
    let genesis = r.text("SELECT encode(genesis, 'hex') FROM crdt.chain")?;
    assert!(
        genesis.contains(&old) && genesis.contains(&header),
        "the genesis names chain and head (height {height})"
    );
    r.run("UPDATE product SET stock = stock + 5 WHERE id = 7")?;
    assert_eq!(
        r.number("SELECT stock::bigint FROM product WHERE id = 7")?,
        105
    );
    assert_eq!(
        r.text("SELECT crdt_commit_block() > 0 AND verify_chain()")?,
        "t"
    );
    Ok(())
}
