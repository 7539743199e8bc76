//! The node's store: the contract of `replica::Store` kept in this database's
//! tables, within the transaction that the main loop holds open.

use super::content::Reader;
use super::origins::Origins;
use super::{apply, log};
use crate::catalog;
use crate::error::OrCorrupt;
use crate::instance::{clock, identity};
use crdt::{Hlc, ReplicaId};
use ledger::merkle::TileStore;
use ledger::{
    Block, Certificate, Cut, Genesis, Hash, Header, NodeId, OpCore, Position, Segment,
    ValidatorSet, VersionVector,
};
use pgrx::warning;
use replica::{Admission, Barred, Evidence, KnownMember, Store};
use std::convert::Infallible;
use std::sync::Arc;

/// The tables, seen through one transaction. Errors of PostgreSQL are raised,
/// not returned: they end the transaction, as the contract wants.
pub struct Tables<'a> {
    /// Names of nodes and schemas.
    pub origins: &'a mut Origins,
}

impl Tables<'_> {
    /// The local number of a member.
    fn number(&mut self, node: &NodeId) -> i32 {
        self.origins
            .number(node)
            .or_corrupt("a node that crdt.node does not know")
    }
}

/// What `crdt.evidence` says beside a proof: whom it accuses, of what kind of
/// misbehaviour, and in words.
pub fn accusation(evidence: &Evidence) -> (NodeId, &'static str, String) {
    match evidence {
        Evidence::Segments { first, seq, .. } => (
            first.origin,
            "segments",
            format!("two histories from operation {seq} on"),
        ),
        Evidence::Blocks { first, .. } => (
            first.header.proposer,
            "blocks",
            format!("two certified blocks of height {}", first.header.height),
        ),
    }
}

impl TileStore for Tables<'_> {
    type Error = Infallible;

    fn tile(&self, level: u8, index: u64) -> Result<Vec<u8>, Infallible> {
        Ok(catalog::one(
            "SELECT hashes FROM crdt.tile WHERE level = $1 AND index = $2",
            &[i16::from(level).into(), (index as i64).into()],
            |row| row.need(1),
        )
        .unwrap_or_default())
    }

    fn put(&mut self, level: u8, index: u64, hashes: &[u8]) -> Result<(), Infallible> {
        catalog::run(
            "INSERT INTO crdt.tile (level, index, hashes) VALUES ($1, $2, $3)
             ON CONFLICT (level, index) DO UPDATE SET hashes = excluded.hashes",
            &[
                i16::from(level).into(),
                (index as i64).into(),
                hashes.into(),
            ],
        );
        Ok(())
    }
}

impl Store for Tables<'_> {
    fn node_id(&mut self) -> Result<NodeId, Infallible> {
        Ok(identity::identity().node_id())
    }

    fn genesis(&mut self) -> Result<Genesis, Infallible> {
        Ok(catalog::chain().or_corrupt("crdt.chain").genesis)
    }

    fn vector(&mut self) -> Result<VersionVector, Infallible> {
        Ok(log::vector(self.origins))
    }

    fn members(&mut self) -> Result<Vec<KnownMember>, Infallible> {
        self.origins.reload();
        let members = catalog::members();
        Ok(members
            .into_iter()
            .map(|known| KnownMember {
                member: known.member,
                left_after: known.left_after,
            })
            .collect())
    }

    /// One validator for now, the founder: whatever the height.
    fn validators(&mut self, _height: u64) -> Result<ValidatorSet, Infallible> {
        Ok(self.genesis()?.validators())
    }

    fn admit(&mut self, segment: &Segment, op_hashes: &[Hash]) -> Result<Admission, Infallible> {
        if let Some(op) = segment.ops.iter().find(|op| op.parts.len() != 1) {
            let reason = format!("operation {} has {} parts", op.seq, op.parts.len());
            return Ok(Admission::Held { reason });
        }
        let origin = self.number(&segment.origin);
        let author = ReplicaId(self.origins.member(origin).replica_id);
        if let Some(newest) = segment.ops.iter().map(|op| op.hlc).max() {
            clock::observe(Hlc(newest));
        }
        let mut reader = Reader::default();
        let (contents, places): (Vec<_>, Vec<_>) =
            segment.ops.iter().map(|op| reader.read(op)).unzip();
        let outcome = apply::apply(segment, author, &contents);
        log::append_segment(origin, segment, op_hashes, &places);
        for refusal in outcome.refused {
            warning!(
                "operation {} of {} quarantined: {}",
                refusal.seq,
                segment.origin,
                refusal.reason
            );
            catalog::run(
                "INSERT INTO crdt.quarantine (origin, seq, reason) VALUES ($1, $2, $3)",
                &[
                    segment.origin.0.as_slice().into(),
                    (refusal.seq as i64).into(),
                    refusal.reason.into(),
                ],
            );
        }
        Ok(Admission::Admitted {
            membership_changed: outcome.membership_changed,
        })
    }

    fn segments_after(
        &mut self,
        origin: &NodeId,
        after_seq: u64,
        max_bytes: usize,
    ) -> Result<Vec<Arc<Segment>>, Infallible> {
        Ok(match self.origins.number(origin) {
            Some(number) => log::segments_after(self.origins, number, after_seq, max_bytes),
            None => Vec::new(),
        })
    }

    fn op_hash(&mut self, origin: &NodeId, seq: u64) -> Result<Option<Hash>, Infallible> {
        Ok(self
            .origins
            .number(origin)
            .and_then(|number| log::op_hash(number, seq)))
    }

    fn op_cores(
        &mut self,
        origin: &NodeId,
        after_seq: u64,
        upto_seq: u64,
    ) -> Result<Vec<(OpCore, Hash)>, Infallible> {
        let number = self.number(origin);
        Ok(log::op_cores(self.origins, number, after_seq, upto_seq))
    }

    fn last_block(&mut self) -> Result<Option<Arc<Block>>, Infallible> {
        Ok(blocks("ORDER BY height DESC LIMIT 1", 0, 1).pop())
    }

    fn blocks_from(&mut self, height: u64, max: usize) -> Result<Vec<Arc<Block>>, Infallible> {
        Ok(blocks("ORDER BY height LIMIT $2", height, max))
    }

    fn append_block(&mut self, block: &Block) -> Result<(), Infallible> {
        let before = self
            .last_block()?
            .map(|last| last.cut.clone())
            .unwrap_or_default();
        let height = block.header.height as i64;
        catalog::run(
            "INSERT INTO crdt.block (height, header, cut, certificate) VALUES ($1, $2, $3, $4)",
            &[
                height.into(),
                block.header.to_bytes().into(),
                block.cut.to_bytes().into(),
                block.certificate.to_bytes().into(),
            ],
        );
        // The header before comes first, then the origins in ascending order.
        let mut leaf = block.header.first_leaf + 1;
        for (origin, upto) in block.cut.iter() {
            let after = before.get(origin).seq;
            if upto.seq > after {
                let number = self.number(origin);
                catalog::run(
                    "INSERT INTO crdt.block_range (origin, last_seq, first_seq, height, first_leaf)
                     VALUES ($1, $2, $3, $4, $5)",
                    &[
                        number.into(),
                        (upto.seq as i64).into(),
                        (after as i64 + 1).into(),
                        height.into(),
                        (leaf as i64).into(),
                    ],
                );
                leaf += upto.seq - after;
            }
        }
        Ok(())
    }

    fn record_evidence(&mut self, evidence: &Evidence) -> Result<(), Infallible> {
        let (node, kind, detail) = accusation(evidence);
        let earlier = catalog::query(
            "SELECT proof FROM crdt.evidence WHERE node = $1 AND kind = $2",
            &[node.0.as_slice().into(), kind.into()],
            |row| row.need::<Vec<u8>>(1),
        );
        let disputes = |proof: &[u8]| Evidence::from_bytes(proof).ok().and_then(|e| e.barred());
        let reaches_back = |old: &Vec<u8>| match (disputes(old), evidence.barred()) {
            (Some(old), Some(new)) => new.after < old.after,
            _ => false,
        };
        if earlier.iter().any(|old| !reaches_back(old)) {
            return Ok(());
        }
        catalog::run(
            "DELETE FROM crdt.evidence WHERE node = $1 AND kind = $2",
            &[node.0.as_slice().into(), kind.into()],
        );
        catalog::run(
            "INSERT INTO crdt.evidence (node, kind, detail, proof) VALUES ($1, $2, $3, $4)",
            &[
                node.0.as_slice().into(),
                kind.into(),
                detail.into(),
                evidence.to_bytes().into(),
            ],
        );
        Ok(())
    }

    fn evidence(&mut self) -> Result<Vec<Evidence>, Infallible> {
        let proofs = catalog::query("SELECT proof FROM crdt.evidence", &[], |row| {
            row.need::<Vec<u8>>(1)
        });
        Ok(proofs
            .iter()
            .map(|proof| Evidence::from_bytes(proof).or_corrupt("evidence"))
            .collect())
    }

    fn barred(&mut self) -> Result<Vec<Barred>, Infallible> {
        Ok(self
            .evidence()?
            .iter()
            .filter_map(Evidence::barred)
            .collect())
    }

    fn halted(&mut self) -> Result<bool, Infallible> {
        let found = catalog::one(
            "SELECT 1 FROM crdt.evidence WHERE kind = 'blocks'",
            &[],
            |_| (),
        );
        Ok(found.is_some())
    }

    fn discard_branch(&mut self, origin: &NodeId, keep: Position) -> Result<(), Infallible> {
        let number = self.number(origin);
        for table in [
            "op WHERE origin = $1 AND seq > $2",
            "segment WHERE origin = $1 AND last_seq > $2",
        ] {
            catalog::run(
                &format!("DELETE FROM crdt.{table}"),
                &[number.into(), (keep.seq as i64).into()],
            );
        }
        log::set_position(number, &keep);
        Ok(())
    }
}

fn blocks(order: &str, from: u64, max: usize) -> Vec<Arc<Block>> {
    let args = [
        (from as i64).into(),
        i64::try_from(max).unwrap_or(i64::MAX).into(),
    ];
    let sql = format!(
        "SELECT header, cut, certificate FROM crdt.block WHERE height >= $1 AND $2 > 0 {order}"
    );
    catalog::query(&sql, &args, |row| {
        Arc::new(Block {
            header: Header::from_bytes(&row.need::<Vec<u8>>(1)).or_corrupt("a block's header"),
            cut: Cut::from_bytes(&row.need::<Vec<u8>>(2)).or_corrupt("a block's cut"),
            certificate: Certificate::from_bytes(&row.need::<Vec<u8>>(3))
                .or_corrupt("a block's certificate"),
        })
    })
}
