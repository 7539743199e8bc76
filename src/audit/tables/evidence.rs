//! `crdt.evidence`: each proof proves what its row says, against the key or the
//! validators of its node.

use super::Doubt;
use crate::audit::verify::Stored;
use crate::catalog;
use crate::worker::store::accusation;
use ledger::NodeId;
use replica::Evidence;

pub fn doubts(stored: &Stored) -> Vec<Doubt> {
    let rows: Vec<(i64, [Vec<u8>; 2], [String; 2])> = catalog::query(
        "SELECT id, node, proof, kind, detail FROM crdt.evidence ORDER BY id",
        &[],
        |row| {
            (
                row.need(1),
                [row.need(2), row.need(3)],
                [row.need(4), row.need(5)],
            )
        },
    );
    let mut doubts = Vec::new();
    for (id, [node, proof], [kind, detail]) in &rows {
        let doubt =
            |what: &str| Doubt::new("evidence", "evidence_altered", format!("id {id}"), what);
        let Ok(evidence) = Evidence::from_bytes(proof) else {
            doubts.push(doubt("the proof cannot be read"));
            continue;
        };
        let (accused, of_kind, words) = accusation(&evidence);
        if !proves(stored, &accused, &evidence) {
            doubts.push(doubt("the proof does not hold"));
        }
        let texts = [
            (hex::encode(accused.0), hex::encode(node)),
            (of_kind.to_owned(), kind.clone()),
            (words, detail.clone()),
        ];
        for (expected, found) in texts {
            if expected != found {
                let what = "the row says otherwise than its proof";
                doubts.push(doubt(what).differs(expected, found));
            }
        }
    }
    doubts
}

fn proves(stored: &Stored, accused: &NodeId, evidence: &Evidence) -> bool {
    let chain = stored.pieces.chain();
    let key = stored.pieces.begin().key(accused);
    key.is_some_and(|key| evidence.proves_against_origin(&chain, &key))
        || stored
            .pieces
            .founding_validators()
            .is_some_and(|set| evidence.proves_against_validators(&chain, &set))
}
