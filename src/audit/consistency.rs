//! `crdt_consistency_proof`: that an earlier state of the log is the beginning of a later one, for
//! whoever kept the checkpoint of the earlier.

use super::feed::ReadTiles;
use crate::catalog::{self, under_one_snapshot};
use crate::error::{OrCorrupt, raise};
use ledger::ConsistencyProof;
use ledger::merkle::Tree;
use pgrx::JsonB;
use pgrx::prelude::*;

/// The proof from a log of `old_size` leaves to one of `new_size`; to that of
/// the newest checkpoint if no size is given.
#[pg_extern(stable)]
fn crdt_consistency_proof(old_size: i64, new_size: default!(Option<i64>, "NULL")) -> JsonB {
    under_one_snapshot(|| prove(old_size, new_size))
}

fn prove(old_size: i64, new_size: Option<i64>) -> JsonB {
    let here = catalog::last_header().map_or(0, |header| header.tree_size);
    let sizes = (
        u64::try_from(old_size),
        new_size.map_or(Ok(here), u64::try_from),
    );
    let (Ok(old), Ok(new)) = sizes else {
        refuse("the size of a log is not negative".to_owned());
    };
    if old > new {
        refuse(format!("a log of {new} leaves has no beginning of {old}"));
    }
    if new > here {
        refuse(format!("the log has {here} leaves, not {new}"));
    }
    let path = Tree::new(ReadTiles, here)
        .consistency_proof(old, new)
        .or_corrupt("the log's tiles");
    let proof = ConsistencyProof::new(old, new, path)
        .and_then(|proof| proof.to_json())
        .or_corrupt("a consistency proof");
    JsonB(serde_json::from_str(&proof).or_corrupt("a consistency proof"))
}

fn refuse(why: String) -> ! {
    raise(
        PgSqlErrorCode::ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
        why,
        "The size of a checkpoint is its second line.",
    )
}
