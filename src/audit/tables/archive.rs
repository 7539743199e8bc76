//! `crdt.archive`: each older chain verifies as a whole, and the one that this
//! chain goes on from ends as the genesis says.

use super::Doubt;
use crate::audit::feed::stored_chain;
use crate::catalog;
use crate::instance::identity;
use ledger::hash::short;
use ledger::pins::Pins;
use ledger::{ChainId, Genesis, Predecessor, verify_bundle};
use pgrx::{check_for_interrupts, pg_sys};
use std::io::{self, Read};

pub fn doubts() -> Vec<Doubt> {
    let chains: Vec<Vec<u8>> = catalog::query(
        "SELECT DISTINCT chain_id FROM crdt.archive ORDER BY chain_id",
        &[],
        |row| row.need(1),
    );
    let genesis = stored_chain().and_then(|(_, bytes)| Genesis::from_bytes(&bytes).ok());
    let before = genesis
        .as_ref()
        .and_then(|genesis| genesis.predecessor.as_ref());
    let mut doubts = Vec::new();
    for chain in &chains {
        let goes_on = before.filter(|before| before.chain_id.0 == chain.as_slice());
        doubts.extend(doubt(chain, goes_on));
    }
    // SAFETY: reads shared state; a standby has no identity of its own.
    let founded_here = unsafe { !pg_sys::RecoveryInProgress() }
        && genesis
            .as_ref()
            .is_some_and(|genesis| genesis.founder.node_id == identity::identity().node_id());
    if let Some(before) = before
        && founded_here
        && !chains
            .iter()
            .any(|chain| before.chain_id.0 == chain.as_slice())
    {
        let row = short(&before.chain_id.0);
        let what = "the chain that this one goes on from is gone";
        doubts.push(Doubt::new("archive", "archive_altered", row, what));
    }
    doubts
}

fn doubt(chain: &[u8], goes_on: Option<&Predecessor>) -> Option<Doubt> {
    let new = |what: &str| Doubt::new("archive", "archive_altered", short(chain), what);
    let Ok(id) = chain.try_into() else {
        return Some(new("no chain has this name"));
    };
    if !is_numbered(chain) {
        return Some(new("its pieces are not numbered one by one"));
    }
    let pins = Pins {
        chain_id: Some(ChainId(id)),
        ..Pins::default()
    };
    let pieces = Pieces {
        chain,
        after: i32::MIN,
        rest: io::Cursor::new(Vec::new()),
    };
    let report = match verify_bundle(pieces, &pins) {
        Ok((_, report, _)) => report,
        Err(error) => return Some(new(&error.to_string())),
    };
    if let Some(finding) = report.findings.first() {
        return Some(new(&format!(
            "{}: {}",
            finding.kind.as_str(),
            finding.detail
        )));
    }
    let before = goes_on?;
    let end = (report.height, report.header_hash);
    (end != (before.height, Some(before.header_hash))).then(|| {
        let found = report
            .header_hash
            .map_or(String::new(), |hash| short(&hash));
        new("the chain does not end as this one's genesis says")
            .differs(short(&before.header_hash), found)
    })
}

/// Whether the pieces of a chain are there once each, counted from 0.
fn is_numbered(chain: &[u8]) -> bool {
    catalog::one(
        "SELECT FROM crdt.archive WHERE chain_id = $1
         HAVING count(DISTINCT piece) = count(*) AND min(piece) = 0 AND max(piece) = count(*) - 1",
        &[chain.into()],
        |_| (),
    )
    .is_some()
}

/// The pieces of a bundle, one after the other.
struct Pieces<'a> {
    chain: &'a [u8],
    after: i32,
    rest: io::Cursor<Vec<u8>>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.rest.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            check_for_interrupts!();
            let next = catalog::one(
                "SELECT piece, bytes FROM crdt.archive
                  WHERE chain_id = $1 AND piece > $2 ORDER BY piece LIMIT 1",
                &[self.chain.into(), self.after.into()],
                |row| (row.need::<i32>(1), row.need::<Vec<u8>>(2)),
            );
            let Some((piece, bytes)) = next else {
                return Ok(0);
            };
            self.after = piece;
            self.rest = io::Cursor::new(bytes);
        }
    }
}
