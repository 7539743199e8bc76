//! Comparing a table with a peer's: what somebody changed behind the triggers of one node is named
//! on another, and comparing holds up nobody.

use std::thread;
use std::time::{Duration, Instant};

use harness::{Cluster, EVERY_TYPE, Failure, Options, Outcome, Server, write_every_type};

const SHOP: &str = "
    CREATE TABLE product (id bigint PRIMARY KEY, title lww_register, stock pn_counter, note text, photo bytea, weight numeric);
    INSERT INTO product SELECT i, to_json('thing ' || i)::text::lww_register, '100', 'as delivered'
      FROM generate_series(1, 3000) i;
    SELECT crdt_track('product');";

const DIGEST: &str = "SELECT encode(crdt_table_digest('product'), 'hex')";

/// What differs, in few words: key, kind, columns, and whether it is under way.
const DIFF: &str = "
    SELECT coalesce(string_agg(concat_ws(' ', row_key, kind, columns, CASE WHEN in_flight THEN 'in flight' END),
                               '; ' ORDER BY row_key::bigint), 'alike')
      FROM crdt_diff('product', '{}')";

/// Processes that read a table for a peer.
const PROCESSES: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'blockchain_crdt compare'";

fn shop(label: &str, names: &[&str]) -> Outcome<Cluster> {
    let cluster = Cluster::start(label, names, &Options::with_extension())?;
    cluster[0].run(SHOP)?;
    cluster.wait_for_table("product")?;
    cluster.wait_equal("product")?;
    Ok(cluster)
}

fn diff(node: &Server, peer: &str) -> Outcome<String> {
    node.text(&DIFF.replace("{}", peer))
}

/// No process of a comparison is left on a node.
fn wait_for_end(cluster: &Cluster, node: &Server) -> Outcome {
    cluster.wait(Duration::from_secs(20), "comparisons to end", || {
        let left = node.text(PROCESSES)?;
        Ok(if left == "0" { Ok(()) } else { Err(left) })
    })
}

/// Equal rows have equal digests on all members, whoever wrote them and in whatever order they
/// came; forged ones are named by each of the others.
#[test]
fn what_was_forged_on_one_node_is_named_on_another() -> Outcome {
    let cluster = shop("diff", &["a", "b", "c"])?;
    cluster[1].run("UPDATE product SET stock = stock + 1, note = 'moved' WHERE id % 7 = 0")?;
    cluster[2].run(
        "DELETE FROM product WHERE id = 21; INSERT INTO product VALUES (-1, '1', '1', 'new')",
    )?;
    cluster.wait_equal("product")?;
    let honest = cluster.wait_same(DIGEST)?;
    for (node, peer) in [(0, "b"), (0, "c"), (1, "a"), (2, "b")] {
        assert_eq!(diff(&cluster[node], peer)?, "alike", "{node} with {peer}");
    }

    cluster[1].run(
        "SET session_replication_role = replica;
         UPDATE product SET note = 'forged' WHERE id = 5;
         UPDATE product SET stock = (SELECT stock FROM product WHERE id = 7) WHERE id = 6;
         UPDATE product SET crdt_meta = (SELECT crdt_meta FROM product WHERE id = 7) WHERE id = 8;
         DELETE FROM product WHERE id = 9;
         INSERT INTO product (id, title, stock, weight) VALUES (5000, '1', '1', 12345678901234567890.10)",
    )?;
    assert_ne!(cluster[1].text(DIGEST)?, honest);
    for node in [0, 2] {
        assert_eq!(cluster[node].text(DIGEST)?, honest);
        assert_eq!(
            diff(&cluster[node], "b")?,
            "5 differs {note}; 6 differs {stock}; 8 differs {crdt_meta}; 9 only_here; 5000 only_there"
        );
    }
    assert_eq!(diff(&cluster[0], "c")?, "alike");
    assert_eq!(
        diff(&cluster[1], "a")?,
        "5 differs {note}; 6 differs {stock}; 8 differs {crdt_meta}; 9 only_there; 5000 only_here"
    );
    let values = "SELECT here ->> 'note' || ', ' || (there ->> 'note') FROM crdt_diff('product', 'b') WHERE row_key = '5'";
    assert_eq!(cluster[0].text(values)?, "as delivered, forged");
    // No digit is lost on the way.
    let digits = "SELECT there ->> 'weight' FROM crdt_diff('product', 'b') WHERE row_key = '5000'";
    assert_eq!(cluster[0].text(digits)?, "12345678901234567890.10");
    for node in cluster.nodes() {
        wait_for_end(&cluster, node)?;
    }
    Ok(())
}

/// A table of columns of all types, written on all nodes, has one digest.
#[test]
fn all_types_have_one_digest() -> Outcome {
    let cluster = Cluster::start("digest", &["a", "b"], &Options::with_extension())?;
    cluster[0].run(EVERY_TYPE)?;
    cluster.wait_for_table("every")?;
    cluster.wait_all("SELECT count(*) FROM every", "5")?;
    for (at, node) in (1..).zip(cluster.nodes()) {
        let sql = write_every_type(&at.to_string(), &format!("'w{at}'::text"), "3");
        let sql = format!(
            "{sql} {}",
            write_every_type("3", &format!("'x{at}'::text"), "4")
        );
        node.run(&sql)?;
    }
    cluster.wait_equal("every")?;
    cluster.wait_same("SELECT encode(crdt_table_digest('every'), 'hex')")?;
    let found = cluster[0].text("SELECT count(*) FROM crdt_diff('every', 'b')")?;
    assert_eq!(found, "0");
    Ok(())
}

/// Many differences are cut off at the number asked for, and that is told.
#[test]
fn many_differences_are_cut_short() -> Outcome {
    let cluster = shop("many", &["a", "b"])?;
    cluster[1].run(
        "SET session_replication_role = replica;
         UPDATE product SET photo = decode(repeat('ab', 40000), 'hex') WHERE id % 10 = 0",
    )?;
    let count = "SELECT count(*) || ', ' || count(*) FILTER (WHERE kind = 'differs') || ', '
                     || count(*) FILTER (WHERE kind = 'more') FROM crdt_diff('product', 'b'";
    assert_eq!(cluster[0].text(&format!("{count}, 20)"))?, "21, 20, 1");
    assert_eq!(cluster[0].text(&format!("{count})"))?, "300, 300, 0");
    // Values too long to be shown are left out, and the row is still named.
    let long = "SELECT bool_and(there IS NULL AND columns = '{photo}' AND here ? 'note') FROM crdt_diff('product', 'b')";
    assert_eq!(cluster[0].text(long)?, "t");
    cluster[1].run("SET session_replication_role = replica; DELETE FROM product")?;
    assert_eq!(cluster[0].text(&format!("{count}, 10000)"))?, "3000, 0, 0");
    Ok(())
}

/// A change that has not reached the peer yet is a difference, and known for what it is.
#[test]
fn changes_under_way_are_marked() -> Outcome {
    let cluster = shop("flight", &["a", "b"])?;
    cluster[1].run(
        "SET session_replication_role = replica; UPDATE product SET note = 'forged' WHERE id = 1",
    )?;
    // Peers' changes cannot be applied on b while this lasts; reading can.
    let mut holder = cluster[1].session()?;
    holder.run("BEGIN; LOCK TABLE product IN SHARE ROW EXCLUSIVE MODE")?;
    cluster[0].run(
        "UPDATE product SET stock = stock + 1 WHERE id = 2;
         DELETE FROM product WHERE id = 3; INSERT INTO product VALUES (4000)",
    )?;
    let expected = "1 differs {note}; 2 differs {stock} in flight; 3 only_there in flight; 4000 only_here in flight";
    assert_eq!(
        diff(&cluster[0], "b").map_err(|f| f.during(&cluster[1].log_tail(40)))?,
        expected
    );
    let expected = "1 differs {note}; 2 differs {stock} in flight; 3 only_here in flight; 4000 only_there in flight";
    assert_eq!(diff(&cluster[1], "a")?, expected);
    holder.run("COMMIT")?;
    cluster.wait_all("SELECT count(*) FROM product WHERE id = 4000", "1")?;
    assert_eq!(diff(&cluster[0], "b")?, "1 differs {note}");
    Ok(())
}

/// A comparison that waits, here for a lock, holds up neither syncing nor the statement's
/// cancellation, and nothing of it stays.
#[test]
fn comparing_holds_up_nobody_and_can_be_cancelled() -> Outcome {
    let cluster = shop("hold", &["a", "b"])?;
    cluster[0].run("CREATE TABLE other (id bigint PRIMARY KEY); SELECT crdt_track('other')")?;
    cluster.wait_for_table("other")?;
    let mut holder = cluster[1].session()?;
    holder.run("BEGIN; LOCK TABLE product IN ACCESS EXCLUSIVE MODE")?;
    let begin = Instant::now();
    thread::scope(|scope| {
        let compare = || {
            let mut session = cluster[0].session()?;
            session.run("SET statement_timeout = '13s'")?;
            session.refused("SELECT * FROM crdt_diff('product', 'b')")
        };
        let waiting = [scope.spawn(compare), scope.spawn(compare)];
        cluster.wait(Duration::from_secs(10), "both comparisons to begin", || {
            let begun = cluster[1].text(PROCESSES)?;
            Ok(if begun == "2" { Ok(()) } else { Err(begun) })
        })?;
        // A third one of the same member is too many.
        let refused = compare()?;
        assert!(
            refused.contains("55000") && refused.contains("busy"),
            "{refused}"
        );
        for id in 1..=5 {
            cluster[0].run(&format!("INSERT INTO other VALUES ({id})"))?;
            cluster.wait_all("SELECT max(id) FROM other", &id.to_string())?;
        }
        assert!(begin.elapsed() < Duration::from_secs(12), "held up");
        for waiting in waiting {
            let refused = waiting
                .join()
                .map_err(|_| Failure::new("a comparing thread panicked"))??;
            assert!(refused.contains("57014"), "{refused}");
        }
        Outcome::Ok(())
    })?;
    assert!(begin.elapsed() < Duration::from_secs(20));
    wait_for_end(&cluster, &cluster[1])?;
    holder.run("COMMIT")?;
    assert_eq!(diff(&cluster[0], "b")?, "alike");
    Ok(())
}

/// Dropping the extension does not wait for a peer that has begun a comparison and is busy
/// with its own side of it.
#[test]
fn the_extension_can_be_dropped_meanwhile() -> Outcome {
    let cluster = shop("drop", &["a", "b"])?;
    cluster[1].run(
        "SET session_replication_role = replica; UPDATE product SET note = 'forged' WHERE id = 1",
    )?;
    let mut holder = cluster[0].session()?;
    holder.run("BEGIN; LOCK TABLE product IN ACCESS EXCLUSIVE MODE")?;
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut session = cluster[0].session()?;
            session.refused("SELECT * FROM crdt_diff('product', 'b')")
        });
        cluster.wait(Duration::from_secs(10), "the comparison to begin", || {
            let begun = cluster[1].text(PROCESSES)?;
            Ok(if begun == "1" { Ok(()) } else { Err(begun) })
        })?;
        let begin = Instant::now();
        cluster[1].run("DROP EXTENSION blockchain_crdt CASCADE")?;
        assert!(
            begin.elapsed() < Duration::from_secs(15),
            "{:?}",
            begin.elapsed()
        );
        holder.run("COMMIT")?;
        let refused = waiting
            .join()
            .map_err(|_| Failure::new("the comparing thread panicked"))??;
        assert!(refused.contains("peer \"b\""), "{refused}");
        Outcome::Ok(())
    })
}

/// What stands in the way is told by name.
#[test]
fn errors_name_what_is_in_the_way() -> Outcome {
    let mut cluster = shop("wrong", &["a", "b"])?;
    let refused = |node: &Server, sql: &str, code: &str, words: &str| -> Outcome {
        let refused = node.session()?.refused(sql)?;
        assert!(
            refused.contains(code) && refused.contains(words),
            "{refused}"
        );
        Ok(())
    };
    let sql = "SELECT * FROM crdt_diff('product', 'b')";
    refused(
        &cluster[0],
        "SELECT * FROM crdt_diff('product', 'z')",
        "42704",
        "\"z\"",
    )?;
    refused(
        &cluster[0],
        "SELECT * FROM crdt_diff('product', 'a')",
        "22023",
        "this node itself",
    )?;
    cluster[1].run("ALTER TABLE product RENAME TO goods")?;
    refused(
        &cluster[0],
        sql,
        "55000",
        "does not track table public.product",
    )?;
    cluster[1].run("ALTER TABLE goods RENAME TO product")?;
    assert_eq!(diff(&cluster[0], "b")?, "alike");
    cluster.node_mut("b")?.stop()?;
    refused(&cluster[0], sql, "08006", "peer \"b\" cannot be asked")?;
    cluster.node_mut("b")?.launch()?;
    cluster.wait(Duration::from_secs(30), "b to answer again", || {
        let mut session = cluster[0].session()?;
        Ok(match session.text(&DIFF.replace("{}", "b")) {
            Ok(text) if text == "alike" => Ok(()),
            other => Err(format!("{other:?}")),
        })
    })
}
