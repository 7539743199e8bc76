//! Did everything arrive, everywhere, once?

use harness::{Cluster, FINGERPRINT, Failure, Outcome, Table};

use crate::business::STOCK;
use crate::story::Story;

const FIGURES: [(&str, &str); 5] = [
    (
        "tracked rows",
        "SELECT (SELECT count(*) FROM product) + (SELECT count(*) FROM orders) + (SELECT count(*) FROM pulse)",
    ),
    ("ops", "SELECT count(*) FROM crdt.op"),
    ("segments", "SELECT count(*) FROM crdt.segment"),
    ("blocks", "SELECT max(height) FROM crdt_blocks"),
    (
        "verify_chain",
        "SELECT CASE WHEN verify_chain() THEN 'true' ELSE 'FALSE' END",
    ),
];

pub fn compare(story: &mut Story, cluster: &Cluster) -> Outcome {
    story.chapter("Did everything arrive, everywhere, once?");
    for table in ["product", "orders", "pulse"] {
        cluster.wait_equal(table)?;
    }
    cluster.verify_all()?;

    let titles: Vec<&str> = std::iter::once("server")
        .chain(FIGURES.iter().map(|(title, _)| *title))
        .collect();
    let mut table = Table::new(&titles);
    for node in cluster.nodes() {
        let mut cells = vec![node.name().to_owned()];
        for (_, sql) in FIGURES {
            cells.push(node.text(sql)?);
        }
        table.row(&cells);
    }
    story.table(&table);
    story.say("");

    let prints = cluster.on_all(&FINGERPRINT.replace("{}", "product"))?;
    for (name, print) in &prints {
        story.say(format!("product on {name}: {print}"));
    }
    story.holds("every tracked row has the same bytes on the three");

    let sums = "SELECT sum(stock::bigint), (SELECT sum(amount) FROM orders), count(*) FROM product";
    let row = cluster[0].session()?.rows(sums)?;
    let figures: Vec<i64> = row
        .iter()
        .flatten()
        .filter_map(|cell| cell.as_deref()?.parse().ok())
        .collect();
    let [left, sold, products] = figures[..] else {
        return Err(Failure::new(format!("no sums: {row:?}")));
    };
    let opening = products * i64::from(STOCK);
    if left + sold != opening {
        return Err(Failure::new(format!(
            "{left} pieces left and {sold} sold do not make {opening}"
        )));
    }
    story.holds(format!("{opening} pieces at the opening = {left} left + {sold} in orders: no sale lost, none counted twice"));
    story.holds("each server has verified the whole chain: hashes, signatures, blocks");
    Ok(())
}
