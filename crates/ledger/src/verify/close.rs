//! The end of a block: whether its ops are all there and lead to the root that was signed, and
//! if not, whether the ops or the tiles are to blame.

use super::ChainVerifier;
use super::block::OpenBlock;
use super::detail::Detail;
use super::finding::{Finding, FindingKind, Place};
use super::header::heal_root;
use super::log::{LeafVerdict, RootVerdict};
use crate::hash::{Hash, short};
use crate::ids::NodeId;
use crate::leaf::Leaf;
use crate::vector::Cut;

/// How many leaves in doubt are held until the root of their block decides.
const MAX_DOUBTS: usize = 10_000;

/// A leaf whose row and tile differ.
#[derive(Debug, Clone)]
pub(super) struct LeafDoubt {
    pub place: Place,
    pub origin: NodeId,
    pub seq: u64,
    /// It is the leaf of a header, not of an op.
    pub is_header: bool,
    pub row: Hash,
    pub tile: Hash,
}

impl ChainVerifier {
    /// Enters the leaf of the header before: the first leaf of a block, due only now because its
    /// tile comes after the block row.
    pub(super) fn log_previous_header(&mut self) {
        let Some((header, hash)) = self.open.as_mut().and_then(|open| open.previous.take()) else {
            return;
        };
        let index = self.log.position;
        let leaf = Leaf::of_header(&header, &hash, index).hash();
        if let LeafVerdict::Differs(tile) = self.log.leaf(index, Some(leaf), &mut self.findings) {
            let place = Place {
                height: self.open.as_ref().map(|open| open.height),
                leaf_index: Some(index),
            };
            self.doubt_leaf(LeafDoubt {
                place,
                origin: header.proposer,
                seq: header.height,
                is_header: true,
                row: leaf,
                tile,
            });
        }
    }

    pub(super) fn doubt_leaf(&mut self, doubt: LeafDoubt) {
        if self.leaf_doubts.len() < MAX_DOUBTS {
            self.leaf_doubts.push(doubt);
        } else {
            self.findings.add(doubt.into_finding());
        }
    }

    /// Ends the open block: all its ops must have come, and lead to the signed root.
    pub(super) fn close_block(&mut self) {
        self.log_previous_header();
        let Some(mut open) = self.open.take() else {
            return;
        };
        let place = Place::block(open.height);
        for (origin, at) in open.cut.iter().flat_map(Cut::iter) {
            if let Some(history) = self.histories.get_mut(origin) {
                let head = open.cut_signed.then_some(at.head);
                history.close(at.seq, head, place, &mut self.findings);
            }
        }
        for history in self.histories.values_mut() {
            history.settle(&self.chain, &mut self.findings);
            self.gaps |= std::mem::take(&mut history.gaps);
        }
        match open.end {
            Some(end) => self.log.fill_to(end, &mut self.findings),
            None => self.log.lose(),
        }
        if let Some(header) = open.pending.take() {
            let (healed, detail) = heal_root(header, open.hash, self.log.root());
            self.findings
                .add(place.finding(FindingKind::HeaderAltered, detail));
            open.header = healed;
        }
        self.check_root(&open);
        self.apply_changes();
        self.schedule
            .after_block(open.height, self.membership.validators());
        self.height = open.height;
        self.aligned = open.cut.is_some() && open.end.is_some();
        self.last_header = open.header;
        self.last_hash = open.hash;
        self.last_certified = open.decided.is_some();
        self.decided = open.decided;
        if let Some(cut) = open.cut {
            self.last_cut = cut;
        }
    }

    /// Holds the log against the signed root; the root tells whether ops or tiles were altered.
    fn check_root(&mut self, open: &OpenBlock) {
        let header = open.header.as_ref();
        let verdict = match header {
            Some(header) if header.tree_size == self.log.position => {
                self.log.check_root(&header.log_root)
            }
            _ => RootVerdict::Unknown,
        };
        let doubts = std::mem::take(&mut self.leaf_doubts);
        let broken = std::mem::take(&mut self.broken);
        let rewritten = match verdict {
            RootVerdict::Tiles => rewritten(doubts),
            _ => {
                for doubt in doubts {
                    self.findings.add(doubt.into_finding());
                }
                Vec::new()
            }
        };
        if let (RootVerdict::Neither(found), Some(header)) = (verdict, header) {
            let detail = Detail::hashes("the root of the log", &found, &header.log_root);
            self.findings
                .add(Place::block(open.height).finding(FindingKind::LogRootWrong, detail));
        }
        for broken in broken {
            // Where the first rewritten op is known, the head that it no longer leads to is no
            // second finding.
            let explained = rewritten.iter().any(|run| {
                run.origin == broken.origin && (run.first..=run.last).contains(&broken.seq)
            });
            if !explained {
                self.findings.add(broken.into_finding());
            }
        }
        for run in rewritten {
            self.findings.add(run.finding);
        }
    }
}

/// Ops of one origin whose rows do not hash to the signed log, though they hash to each other.
struct Rewritten {
    origin: NodeId,
    first: u64,
    last: u64,
    finding: Finding,
}

/// Joins leaves in doubt to runs: the tiles lead to the signed root, so the rows are wrong.
fn rewritten(doubts: Vec<LeafDoubt>) -> Vec<Rewritten> {
    let mut runs: Vec<Rewritten> = Vec::new();
    for doubt in doubts {
        if let Some(run) = runs.last_mut()
            && !doubt.is_header
            && run.origin == doubt.origin
            && run.finding.kind == FindingKind::OpAltered
            && run.last.checked_add(1) == Some(doubt.seq)
        {
            run.last = doubt.seq;
            let (first, last) = (run.first, run.last);
            run.finding.detail =
                format!("ops {first} to {last} were rewritten together with their hashes");
            continue;
        }
        let (row, tile) = (short(&doubt.row), short(&doubt.tile));
        let detail = Detail::from(format!("hashes to leaf {row}, the signed log holds {tile}"))
            .expected(tile)
            .found(row);
        let finding = match doubt.is_header {
            true => doubt.place.finding(FindingKind::HeaderAltered, detail),
            false => {
                let kind = FindingKind::OpAltered;
                doubt.place.op(doubt.origin, doubt.seq, kind, detail)
            }
        };
        runs.push(Rewritten {
            origin: doubt.origin,
            first: doubt.seq,
            last: doubt.seq,
            finding,
        });
    }
    runs
}

impl LeafDoubt {
    /// The row is right: the tile was altered.
    fn into_finding(self) -> Finding {
        let detail = Detail::hashes("the leaf in the tile", &self.tile, &self.row);
        Finding {
            origin: (!self.is_header).then_some(self.origin),
            seq: (!self.is_header).then_some(self.seq),
            ..self.place.finding(FindingKind::TileAltered, detail)
        }
    }
}
