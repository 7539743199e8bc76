//! What witnesses cosigned, as `crdt.cosignature` keeps it. A row holds all of
//! a checkpoint's text but the chain's id, so it can be verified by itself; the
//! table is believed in nothing else.

use super::feed::{ReadTiles, stored_chain_id};
use crate::catalog;
use ledger::merkle::Tree;
use ledger::note::{KeyKind, Note, NoteSignature, Signed, VerifierKey, parse_lines};
use ledger::verify::MAX_FINDINGS;
use ledger::{ChainId, Checkpoint, Hash};

/// Rows that are looked at in one go.
const PAGE: i64 = 1_000;

/// A row as it is stored.
struct Row {
    tree_size: i64,
    witness: String,
    root: Vec<u8>,
    line: String,
    /// Seconds since 1970.
    at: f64,
}

/// The signature lines of these rows that hold under the checkpoint of this
/// size and root.
pub fn lines(state: &Checkpoint) -> Vec<NoteSignature> {
    let rows = rows(state.size as i64, state.size as i64, "");
    rows.iter()
        .filter(|row| row.root == state.root)
        .filter_map(|row| verified(row, state).map(|(line, _)| line))
        .collect()
}

/// Sizes of the log that at least `needed` witnesses have cosigned, the
/// greatest first, at most `limit`.
pub fn cosigned_sizes(needed: usize, limit: i64) -> Vec<u64> {
    catalog::query(
        "SELECT tree_size FROM crdt.cosignature GROUP BY tree_size HAVING count(*) >= $1
          ORDER BY tree_size DESC LIMIT $2",
        &[
            i64::try_from(needed).unwrap_or(i64::MAX).into(),
            limit.into(),
        ],
        |row| row.need::<i64>(1) as u64,
    )
}

/// Something that is wrong with what witnesses cosigned.
pub struct Fault {
    /// `cosignature_altered` or `log_rolled_back`.
    pub kind: &'static str,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
    /// For people.
    pub detail: String,
}

/// Cosignatures that do not hold, and those of a log that is not the one here,
/// from the rows whose sizes lie in these blocks.
pub fn faults(from: Option<i64>, to: Option<i64>) -> Vec<Fault> {
    let Some(chain) = stored_chain_id() else {
        return Vec::new();
    };
    let size = catalog::last_header().map_or(0, |header| header.tree_size);
    let mut low = match from {
        None | Some(..=1) => i64::MIN,
        Some(from) => size_at(from - 1).saturating_add(1),
    };
    let high = to.map_or(i64::MAX, size_at);
    let mut after = String::new();
    let mut faults = Vec::new();
    loop {
        pgrx::check_for_interrupts!();
        let rows = rows(low, high, &after);
        let Some(last) = rows.last() else {
            return faults;
        };
        (low, after) = (last.tree_size, last.witness.clone());
        faults.extend(rows.iter().filter_map(|row| fault(&chain, size, row)));
        if faults.len() > MAX_FINDINGS {
            return faults;
        }
    }
}

/// Rows of these sizes, at most [`PAGE`]; of the smallest size only those of
/// witnesses behind `after`.
fn rows(low: i64, high: i64, after: &str) -> Vec<Row> {
    catalog::query(
        "SELECT tree_size, witness, root, line, extract(epoch FROM at)::float8 FROM crdt.cosignature
          WHERE (tree_size, witness) > ($1, $3) AND tree_size <= $2
          ORDER BY tree_size, witness LIMIT $4",
        &[low.into(), high.into(), after.into(), PAGE.into()],
        |row| Row {
            tree_size: row.need(1),
            witness: row.need(2),
            root: row.need(3),
            line: row.need(4),
            at: row.need(5),
        },
    )
}

fn fault(chain: &ChainId, size: u64, row: &Row) -> Option<Fault> {
    let witness = row.witness.split('+').next().unwrap_or_default();
    let altered = |detail: &str| Fault {
        kind: "cosignature_altered",
        expected: format!("what {witness} signed"),
        found: row.line.trim_end().to_owned(),
        detail: format!(
            "the cosignature of {witness} for {} leaves {detail}",
            row.tree_size
        ),
    };
    let (Ok(cosigned), Ok(root)) = (
        u64::try_from(row.tree_size),
        Hash::try_from(row.root.as_slice()),
    ) else {
        return Some(altered("is of no state that a log can have"));
    };
    let Some((_, time)) = verified(row, &Checkpoint::of_chain(chain, cosigned, root)) else {
        return Some(altered("does not hold"));
    };
    if time as f64 != row.at {
        return Some(altered("says another time than the column beside it"));
    }
    let here = match cosigned <= size {
        true => Tree::new(ReadTiles, size).root_at(cosigned).ok(),
        false => None,
    };
    if here == Some(root) {
        return None;
    }
    let found = match here {
        Some(here) => format!("root {}", hex::encode(here)),
        None => format!("a log of {size} leaves"),
    };
    Some(Fault {
        kind: "log_rolled_back",
        expected: format!("root {}", hex::encode(root)),
        found,
        detail: format!(
            "{witness} cosigned a log of {cosigned} leaves that is not the beginning of the one here"
        ),
    })
}

/// The line of a row and its time in seconds since 1970, if it holds under this
/// state of the log.
fn verified(row: &Row, state: &Checkpoint) -> Option<(NoteSignature, u64)> {
    let key: VerifierKey = row.witness.parse().ok()?;
    let [line] = parse_lines(&row.line).ok()?.try_into().ok()?;
    let mut note = Note::new(state.text()).ok()?;
    note.add(line.clone()).ok()?;
    match note.signed(&key) {
        Signed::Yes { time: Some(time) } if key.kind() == KeyKind::Cosignature => {
            Some((line, time))
        }
        _ => None,
    }
}

/// The size of the log at the last block of at most this height.
fn size_at(height: i64) -> i64 {
    catalog::header_upto(height).map_or(0, |header| header.tree_size as i64)
}
