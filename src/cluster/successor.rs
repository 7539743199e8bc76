//! `crdt_found_successor`: a database that holds the ledger of a cluster it
//! does not belong to (a restored dump, a copy) goes on alone, on a chain of
//! its own whose genesis names the head of the old one.

use crate::audit::pieces;
use crate::catalog;
use crate::error::{OrCorrupt, raise};
use crate::track::enrol;
use crate::track::outbox::{self, TABLES};
use crdt::SchemaAction;
use ledger::{ChainId, Header, Predecessor};
use pgrx::prelude::*;
use std::io::{self, Write};

/// Bytes in one row of `crdt.archive`.
const PIECE: usize = 1 << 20;

/// Founds the successor of the chain that this database holds. The old chain
/// is kept as a bundle in `crdt.archive`; each row of each tracked table enters
/// the new one under the value it has. Returns the new chain's id.
#[pg_extern]
fn crdt_found_successor() -> String {
    crate::require_preload();
    let Some(old) = catalog::chain() else {
        raise(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            "this database has no chain to succeed",
            "A chain begins with the first crdt_track() or crdt_create_invite().",
        )
    };
    if catalog::local_node().is_some_and(|known| known.left_after.is_none()) {
        raise(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            "this node is a member of its chain",
            "A successor is for a database that was restored, copied or removed from its cluster.",
        );
    }
    let predecessor = head(&old.id, &old.genesis.header());
    archive(&old.id);
    let tracked = catalog::tracked_relations();
    clear();
    catalog::found(Some(predecessor));
    for relation in tracked {
        let schema = enrol::describe(relation);
        let schema_id = enrol::enrol(relation, &schema);
        enrol::announce(schema_id, SchemaAction::Track(schema));
        enrol::enter_rows_again(relation);
    }
    outbox::announce_members_at_commit();
    catalog::chain()
        .map(|new| hex::encode(new.id.0))
        .or_corrupt("crdt.chain")
}

/// The old chain's last header, or its genesis if it has no block.
fn head(chain: &ChainId, genesis: &Header) -> Predecessor {
    let last =
        catalog::last_height().map(|height| catalog::header(height).or_corrupt("the last header"));
    let header = last.as_ref().unwrap_or(genesis);
    Predecessor {
        chain_id: *chain,
        height: header.height,
        header_hash: header.hash(),
    }
}

fn archive(chain: &ChainId) {
    let rows = Pieces {
        chain: *chain,
        next: 0,
        piece: Vec::with_capacity(PIECE),
    };
    pieces::whole(rows)
        .or_corrupt("crdt.chain")
        .or_corrupt("the chain cannot be archived");
}

/// Empties the ledger's tables. The tracked tables stay enrolled.
fn clear() {
    enrol::with_triggers(false, || {
        catalog::clear_ledger();
        for outbox in TABLES {
            // What was written since the restore is in the rows' values.
            catalog::run(
                &format!("DELETE FROM crdt.{}", outbox.to_string_lossy()),
                &[],
            );
        }
    });
}

/// Writes into `crdt.archive`, a piece a row.
struct Pieces {
    chain: ChainId,
    next: i32,
    piece: Vec<u8>,
}

impl Pieces {
    fn store(&mut self) {
        catalog::run(
            "INSERT INTO crdt.archive (chain_id, piece, bytes) VALUES ($1, $2, $3)",
            &[
                self.chain.0.as_slice().into(),
                self.next.into(),
                self.piece.as_slice().into(),
            ],
        );
        self.next += 1;
        self.piece.clear();
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.store();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.piece.is_empty() {
            self.store();
        }
        Ok(())
    }
}
