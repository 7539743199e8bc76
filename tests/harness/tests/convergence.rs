//! All members end with the same bytes, whatever the network and the order did.

use std::thread::{self, sleep};
use std::time::Duration;

use harness::{
    Attempts, Cluster, EVERY_TYPE, Failure, Options, Outcome, Pgbench, SHORT, write_every_type,
};

const SHOP: &str = "
    CREATE TABLE product (id bigint PRIMARY KEY, title lww_register, stock pn_counter, tags or_set, note text);
    CREATE TABLE purchase (id uuid PRIMARY KEY, product bigint NOT NULL, amount int NOT NULL, at timestamptz NOT NULL);
    INSERT INTO product SELECT i, to_json('thing ' || i)::text::lww_register, '100', '{new}', 'as delivered'
      FROM generate_series(1, 20) i;
    SELECT crdt_track('product'), crdt_track('purchase');";

/// Writes of every sort on 20 rows, all nodes at once.
const MIX: &str = r"
    \set id random(1, 20)
    \set amount random(1, 3)
    \set tag random(1, 5)
    \set tag2 random(1, 5)
    \set extra random(100, 110)
    UPDATE product SET stock = stock - :amount::bigint WHERE id = :id;
    INSERT INTO purchase VALUES (gen_random_uuid(), :id, :amount, now());
    UPDATE product SET tags = tags + ('t' || :tag)::text WHERE id = :id;
    UPDATE product SET tags = tags - ('t' || :tag2)::text WHERE id = :id;
    UPDATE product SET title = crdt_set(title, to_jsonb('title ' || :amount::text)), note = 'note ' || :tag WHERE id = :id;
    INSERT INTO product VALUES (:extra, '1', '1', '{x}', 'extra') ON CONFLICT DO NOTHING;
    DELETE FROM product WHERE id = :extra - 1;
";

fn shop(label: &str, names: &[&str]) -> Outcome<Cluster> {
    let cluster = Cluster::start(label, names, &Options::with_extension())?;
    cluster[0].run(SHOP)?;
    cluster.wait_for_table("product")?;
    cluster.wait_for_table("purchase")?;
    cluster.wait_all("SELECT count(*) FROM product", "20")?;
    Ok(cluster)
}

/// Runs a mix of statements on all nodes at once while `meanwhile` happens.
fn under_load(
    cluster: &Cluster,
    mix: &str,
    seconds: u32,
    meanwhile: impl FnOnce() -> Outcome,
) -> Outcome {
    let load = Pgbench::new(mix).clients(2).seconds(seconds);
    thread::scope(|scope| {
        let runs: Vec<_> = cluster
            .nodes()
            .iter()
            .map(|node| scope.spawn(|| Pgbench::run(&load, node)))
            .collect();
        meanwhile()?;
        for run in runs {
            let report = run
                .join()
                .map_err(|_| Failure::new("a load thread panicked"))??;
            assert_eq!(report.failed, 0, "no writer is refused for what peers do");
        }
        Ok(())
    })
}

fn settle(cluster: &Cluster) -> Outcome {
    cluster.wait_equal("purchase")?;
    cluster.wait_equal("product")?;
    // Every sale was counted once in the stock of the rows that nobody deletes.
    cluster.wait_all(
        "SELECT (SELECT sum(stock::bigint) FROM product WHERE id <= 20) = 2000 - (SELECT sum(amount) FROM purchase)",
        "t",
    )?;
    cluster.wait_all("SELECT count(*) FROM crdt.quarantine", "0")?;
    cluster.verify_all()
}

/// Columns of all types on three nodes, one of them away in the middle. Each sale
/// counts once in every counter, wherever it is: alone, in a cart or within a map.
#[test]
fn all_types_converge_over_an_outage() -> Outcome {
    let cluster = shop("outage", &["a", "b", "c"])?;
    cluster[0].run(EVERY_TYPE)?;
    cluster.wait_for_table("every")?;
    cluster.wait_all("SELECT count(*) FROM every", "5")?;
    let writes = write_every_type("1 + :id % 5", "('w' || :tag)::text", ":amount");
    under_load(&cluster, &(MIX.to_owned() + &writes), 7, || {
        sleep(Duration::from_secs(2));
        cluster.network.cut("c");
        sleep(Duration::from_secs(3));
        cluster.network.join("c");
        Ok(())
    })?;
    settle(&cluster)?;
    cluster.wait_equal("every")?;
    cluster.wait_all(
        "SELECT bool_and(counted = (SELECT sum(amount) FROM purchase)) FROM (VALUES
             ((SELECT sum(g) FROM every)), ((SELECT sum(pn) FROM every)),
             ((SELECT sum(value::text::bigint) FROM every, crdt_each(cart))),
             ((SELECT sum((om #> '{sold,all}')::bigint) FROM every))) AS t (counted)",
        "t",
    )?;
    cluster.wait_all(
        "SELECT sum(b) = 50 + (SELECT count(*) FROM purchase) AND min(crdt_floor(b)) = 3 FROM every",
        "t",
    )
}

/// A node that joins while the others write misses nothing.
#[test]
fn a_node_joins_under_load() -> Outcome {
    let mut cluster = shop("late", &["a", "b"])?;
    under_load(&cluster, MIX, 3, || Ok(()))?;
    cluster.add_alone("c")?;
    let founder = &cluster[0];
    founder.run(Attempts::TABLE)?;
    let attempts = Attempts::begin(
        founder,
        0,
        2,
        20,
        "UPDATE product SET stock = stock + $1::bigint WHERE id = $2::bigint + 1",
    );
    cluster.join("c")?;
    cluster.wait_for_members()?;
    sleep(Duration::from_secs(3));
    let tally = attempts.end()?;
    assert!(tally.refused.is_empty(), "{:?}", tally.refused);
    let added = tally.committed(founder)?;
    cluster.wait_for_table("product")?;
    cluster.wait_equal("purchase")?;
    cluster.wait_equal("product")?;
    cluster.wait_all(
        &format!(
            "SELECT (SELECT sum(stock::bigint) FROM product WHERE id <= 20)
               = 2000 + {added} - (SELECT sum(amount) FROM purchase)"
        ),
        "t",
    )?;
    cluster.verify_all()
}

/// Two nodes that do not reach each other get each other's writes through a third.
#[test]
fn a_third_node_relays() -> Outcome {
    let cluster = shop("relay", &["a", "b", "c"])?;
    cluster.network.cut_link("a", "c");
    cluster[0].run("UPDATE product SET stock = stock - 5 WHERE id = 1")?;
    cluster[2].run("UPDATE product SET stock = stock - 7 WHERE id = 1")?;
    cluster.wait_all("SELECT stock::bigint FROM product WHERE id = 1", "88")?;
    cluster.network.join_link("a", "c");
    settle_plain(&cluster)
}

/// Plain columns: the later writer wins on all nodes; a row deleted on one side and
/// changed on the other ends alike everywhere; a key freed and taken again too.
#[test]
fn rows_written_on_both_sides_end_alike() -> Outcome {
    let cluster = shop("sides", &["a", "b"])?;
    cluster.network.cut("b");
    cluster[0].run("UPDATE product SET note = 'first' WHERE id = 1")?;
    sleep(Duration::from_millis(20));
    cluster[1].run("UPDATE product SET note = 'second' WHERE id = 1")?;
    cluster[1].run("UPDATE product SET note = 'old' WHERE id = 2")?;
    sleep(Duration::from_millis(20));
    cluster[0].run("UPDATE product SET note = 'new' WHERE id = 2")?;
    cluster[0].run("DELETE FROM product WHERE id = 3")?;
    cluster[1].run("UPDATE product SET stock = stock + 1 WHERE id = 3")?;
    cluster[0].run("DELETE FROM product WHERE id = 4; INSERT INTO product VALUES (4, '4', '4', '{again}', 'again')")?;
    cluster[1].run("DELETE FROM product WHERE id = 4")?;
    cluster[0].run("INSERT INTO product VALUES (30, '1', '5', '{a}', 'of a')")?;
    cluster[1].run("INSERT INTO product VALUES (30, '2', '6', '{b}', 'of b')")?;
    cluster.network.join("b");
    cluster.wait_equal("product")?;
    cluster.wait_all("SELECT note FROM product WHERE id = 1", "second")?;
    cluster.wait_all("SELECT note FROM product WHERE id = 2", "new")?;
    cluster.wait_all(
        "SELECT tags::text[] @> '{a,b}' FROM product WHERE id = 30",
        "t",
    )?;
    settle_plain(&cluster)
}

/// Work that two people did at once on one row is all kept, also when it was
/// written as absolute values, as object-relational mappers do.
#[test]
fn values_written_at_once_are_merged() -> Outcome {
    let cluster = shop("values", &["a", "b"])?;
    cluster.network.cut("b");
    cluster[0].run("UPDATE product SET stock = '90', tags = '{new,red}' WHERE id = 1")?;
    cluster[1].run("UPDATE product SET stock = '80', tags = '{blue}' WHERE id = 1")?;
    cluster.network.join("b");
    cluster.wait_all("SELECT stock::bigint FROM product WHERE id = 1", "70")?;
    cluster.wait_all(
        "SELECT tags::text[] @> '{red,blue}' AND NOT tags ? 'new' FROM product WHERE id = 1",
        "t",
    )?;
    settle_plain(&cluster)
}

/// The node of this server waits for a session.
const NODE_WAITS: &str = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                           AND application_name = 'blockchain_crdt node')";

/// A peer's deletion finds no row, because a session here has not committed it yet.
#[test]
fn a_deletion_meets_an_insertion_under_way() -> Outcome {
    let cluster = shop("meet", &["a", "b"])?;
    let mut session = cluster[1].session()?;
    session.run("BEGIN; INSERT INTO product VALUES (40, '1', '1', '{b}', 'of b')")?;
    cluster[0].run(
        "BEGIN; INSERT INTO product VALUES (40, '1', '1', '{a}', 'of a');
         DELETE FROM product WHERE id = 40; COMMIT",
    )?;
    cluster.wait(SHORT, "b to delete what it cannot see", || {
        let tombstone = "SELECT EXISTS (SELECT FROM crdt.tombstone)";
        let come = cluster[1].text(NODE_WAITS)? == "t" || cluster[1].text(tombstone)? == "t";
        Ok(come
            .then_some(())
            .ok_or_else(|| "it did not come".to_owned()))
    })?;
    session.run("COMMIT")?;
    cluster.wait_all("SELECT count(*) FROM product WHERE id = 40", "0")?;
    settle_rows(&cluster)
}

/// A session inserts a row that a peer's deletion, not yet committed here, has been for.
#[test]
fn an_insertion_meets_a_deletion_under_way() -> Outcome {
    let cluster = shop("meet-too", &["a", "b"])?;
    let mut holder = cluster[1].session()?;
    holder.run("BEGIN; SELECT FROM product WHERE id = 1 FOR UPDATE")?;
    cluster[0].run(
        "BEGIN; INSERT INTO product VALUES (41, '1', '1', '{a}', 'of a');
         DELETE FROM product WHERE id = 41;
         UPDATE product SET note = 'held' WHERE id = 1; COMMIT",
    )?;
    cluster.wait(SHORT, "b to wait with a deletion in hand", || {
        let waits = cluster[1].text(NODE_WAITS)? == "t";
        Ok(waits.then_some(()).ok_or_else(|| "it does not".to_owned()))
    })?;
    thread::scope(|scope| {
        let insert = "INSERT INTO product VALUES (41, '1', '1', '{b}', 'of b')";
        let inserting = scope.spawn(|| cluster[1].run(insert));
        sleep(Duration::from_millis(300));
        holder.run("COMMIT")?;
        inserting
            .join()
            .map_err(|_| Failure::new("the session panicked"))?
    })?;
    cluster.wait_all("SELECT note FROM product WHERE id = 1", "held")?;
    cluster.wait_all("SELECT note FROM product WHERE id = 41", "of b")?;
    settle_rows(&cluster)
}

fn settle_rows(cluster: &Cluster) -> Outcome {
    settle_plain(cluster)?;
    cluster.wait_all("SELECT count(*) FROM verify_table('product')", "0")
}

fn settle_plain(cluster: &Cluster) -> Outcome {
    cluster.wait_equal("product")?;
    cluster.wait_all("SELECT count(*) FROM crdt.quarantine", "0")?;
    cluster.verify_all()
}
