//! Blocks: the plan of what to feed, and, when a block's ops have been seen, whether they are
//! all there and lead to the root that was signed.

use std::collections::BTreeMap;

use super::ChainVerifier;
use super::detail::Detail;
use super::finding::{FindingKind, Place};
use super::header::{Expected, heal_root, judge};
use super::log::RootVerdict;
use super::stored::{BlockPlan, FeedRange, StoredBlock};
use crate::block::Header;
use crate::certificate::Certificate;
use crate::hash::{Hash, short};
use crate::ids::NodeId;
use crate::validators::ValidatorSet;
use crate::vector::Cut;

/// A run of leaves of one origin in a block.
#[derive(Debug, Clone, Copy)]
struct Run {
    first_seq: u64,
    last_seq: u64,
    first_leaf: u64,
}

/// The block whose ops are being fed.
#[derive(Debug)]
pub(super) struct OpenBlock {
    pub height: u64,
    pub header: Option<Header>,
    pub hash: Option<Hash>,
    pub decided: Option<(ValidatorSet, Certificate)>,
    pub pending: Option<Header>,
    pub cut: Option<Cut>,
    /// Whether the cut is the one that was signed.
    pub cut_signed: bool,
    /// Where the leaves of each origin lie; none if their order cannot be told.
    runs: Option<BTreeMap<NodeId, Run>>,
    /// The size of the log after the block, if known.
    pub end: Option<u64>,
    /// The header before and its hash, until its leaf was entered.
    pub previous: Option<(Header, Hash)>,
}

impl OpenBlock {
    /// The leaf of an op: none if the order is unknown, an error if the op is not of this block.
    pub fn leaf_of(&self, origin: &NodeId, seq: u64) -> Result<Option<u64>, ()> {
        let Some(runs) = &self.runs else {
            return Ok(None);
        };
        let run = runs.get(origin).ok_or(())?;
        if seq > run.last_seq {
            return Err(());
        }
        // An op before the run was in an earlier block: its history says so.
        let offset = seq.checked_sub(run.first_seq);
        Ok(offset.and_then(|offset| run.first_leaf.checked_add(offset)))
    }
}

impl ChainVerifier {
    /// Takes a block row and says what to feed next.
    pub fn block(&mut self, row: &StoredBlock<'_>) -> BlockPlan {
        self.close_block();
        let place = Place::block(row.height);
        let nothing = BlockPlan {
            ranges: Vec::new(),
            tiles: self.log.wanted(0),
        };
        if row.height <= self.height || row.height == u64::MAX || self.in_tail {
            let detail = format!("block {} was seen already", self.height);
            self.findings
                .add(place.finding(FindingKind::BlockExtra, detail));
            return nothing;
        }
        if row.height > self.height + 1 {
            self.skip_blocks(row.height);
        }
        let (set, doubted) = self.set_at(row);
        let cut = self.read_cut(row);
        let open = self.open_block(row, set, doubted, cut);
        let plan = self.plan(&open);
        self.anchor_cut(&open);
        self.open = Some(open);
        plan
    }

    /// Reports the blocks before `height` as missing.
    fn skip_blocks(&mut self, height: u64) {
        let (first, last) = (self.height + 1, height - 1);
        let detail = match last - first {
            0 => Detail::from(format!("block {first} is not stored"))
                .expected(format_args!("block {first}")),
            more => Detail::from(format!(
                "blocks {first} to {last} ({} blocks) are not stored",
                more + 1
            ))
            .expected(format_args!("blocks {first} to {last}")),
        };
        self.findings
            .add(Place::block(first).finding(FindingKind::BlockMissing, detail));
        self.height = last;
        self.last_header = None;
        self.last_hash = None;
        self.aligned = false;
    }

    /// The validators of the row's height, and whether they are in doubt because of what was
    /// found so far.
    fn set_at(&mut self, row: &StoredBlock<'_>) -> (ValidatorSet, bool) {
        let set = self.schedule.at(row.height).clone();
        let named = Header::from_bytes(row.header).ok();
        let confirmed = named.is_some_and(|h| h.validator_set_hash == set.hash(&self.chain));
        (set, !confirmed && !self.findings.list.is_empty())
    }

    fn read_cut(&mut self, row: &StoredBlock<'_>) -> Option<Cut> {
        let place = Place::block(row.height);
        match Cut::from_bytes(row.cut) {
            Ok(cut) => Some(cut),
            Err(error) => {
                let detail = format!("the cut cannot be read: {error}");
                self.findings
                    .add(place.finding(FindingKind::CutAltered, detail));
                None
            }
        }
    }

    fn open_block(
        &mut self,
        row: &StoredBlock<'_>,
        set: ValidatorSet,
        doubted: bool,
        cut: Option<Cut>,
    ) -> OpenBlock {
        let place = Place::block(row.height);
        let first_leaf = self.aligned.then_some(self.log.position);
        let grown = cut.as_ref().and_then(|cut| cut.ops_since(&self.last_cut));
        let by_cut = first_leaf
            .zip(grown)
            .and_then(|(first, ops)| first.checked_add(ops)?.checked_add(1));
        let cut_hash = cut.as_ref().map(|cut| cut.hash(&self.chain));
        // Whether the cut is the signed one shows first in the header as it was found.
        let named = Header::from_bytes(row.header).ok().map(|h| h.state_root);
        let expected = Expected {
            chain: self.chain,
            height: row.height,
            before: self.last_header.as_ref(),
            prev_header: self.last_hash.filter(|_| self.last_certified),
            first_leaf,
            tree_size: by_cut.filter(|_| named == cut_hash),
            cut_hash,
            set: &set,
            doubted,
        };
        let judged = judge(row, &expected, &mut self.findings);
        self.blame_previous(judged.header.as_ref());
        let signed_cut = judged.header.as_ref().map(|h| h.state_root);
        let cut_signed = cut_hash.is_some() && cut_hash == signed_cut;
        let mut cut = cut;
        if let (Some(found), Some(wanted)) = (cut_hash, signed_cut)
            && found != wanted
        {
            let detail = Detail::hashes("the hash of the cut", &found, &wanted);
            self.findings
                .add(place.finding(FindingKind::CutAltered, detail));
            cut = None;
        }
        if cut.is_some() && grown.is_none() {
            let detail = "the cut falls behind the one before".to_owned();
            self.findings
                .add(place.finding(FindingKind::CutAltered, detail));
            cut = None;
        }
        let end = match &cut {
            Some(_) => by_cut.or(judged.header.as_ref().map(|h| h.tree_size)),
            None => judged.header.as_ref().map(|h| h.tree_size),
        };
        let runs = cut
            .as_ref()
            .zip(first_leaf)
            .map(|(cut, first)| self.runs(cut, first));
        OpenBlock {
            height: row.height,
            previous: match runs {
                Some(_) => self.last_header.clone().zip(self.last_hash),
                None => None,
            },
            header: judged.header,
            hash: judged.hash,
            decided: judged.certificate.map(|certificate| (set, certificate)),
            pending: judged.pending,
            cut,
            cut_signed,
            runs,
            end,
        }
    }

    /// A block before whose certificate does not hold is judged by the header after it.
    fn blame_previous(&mut self, header: Option<&Header>) {
        let (Some(header), Some(found)) = (header, self.last_hash) else {
            return;
        };
        if !self.last_certified && header.prev_header != found {
            let (found, expected) = (short(&found), short(&header.prev_header));
            let text = format!("the header hashes to {found}, the next block follows {expected}");
            let detail = Detail::from(text).expected(expected).found(found);
            self.findings
                .add(Place::block(self.height).finding(FindingKind::HeaderAltered, detail));
        }
    }

    /// Where each origin's leaves lie: behind the header before, origins ascending.
    fn runs(&self, cut: &Cut, first_leaf: u64) -> BTreeMap<NodeId, Run> {
        let mut next = first_leaf.saturating_add(1);
        let mut runs = BTreeMap::new();
        for (origin, at) in cut.iter() {
            let before = self.last_cut.get(origin).seq;
            let count = at.seq.saturating_sub(before);
            if count > 0 {
                runs.insert(
                    *origin,
                    Run {
                        first_seq: before + 1,
                        last_seq: at.seq,
                        first_leaf: next,
                    },
                );
            }
            next = next.saturating_add(count);
        }
        runs
    }

    fn plan(&self, open: &OpenBlock) -> BlockPlan {
        let reached = |origin: &NodeId| match self.histories.get(origin) {
            Some(history) => history.last(),
            None => self.last_cut.get(origin).seq,
        };
        let ranges = open
            .cut
            .iter()
            .flat_map(Cut::iter)
            .filter_map(|(origin, at)| {
                let reached = reached(origin);
                (at.seq > reached).then(|| FeedRange {
                    origin: *origin,
                    first_seq: reached + 1,
                    last_seq: at.seq,
                })
            });
        BlockPlan {
            ranges: ranges.collect(),
            tiles: self.log.wanted(open.end.unwrap_or(self.log.position)),
        }
    }

    /// Holds the signed heads of a block's cut against the ops to come.
    fn anchor_cut(&mut self, open: &OpenBlock) {
        let place = Place::block(open.height);
        for (origin, at) in open.cut.iter().flat_map(Cut::iter) {
            self.ensure_history(*origin, open.cut.as_ref());
            if let Some(history) = self.histories.get_mut(origin)
                && open.cut_signed
            {
                let (broken, findings) = (&mut self.broken, &mut self.findings);
                history.anchor(at.seq, at.head, place, broken, findings);
            }
        }
    }

    /// Takes `row` as the ground to stand on.
    pub(super) fn stand_on(&mut self, row: &StoredBlock<'_>) {
        let set = self.schedule.at(row.height).clone();
        let place = Place::block(row.height);
        let named = Header::from_bytes(row.header).ok();
        if let Some(header) = &named
            && header.validator_set_hash != set.hash(&self.chain)
        {
            let detail = "the stored members are not the validators of this block";
            self.findings
                .add(place.finding(FindingKind::MembershipAltered, detail));
        }
        let cut = self.read_cut(row);
        self.aligned = false;
        let open = self.open_block(row, set, false, cut);
        if let Some(header) = &open.header {
            if header.tree_size != self.log.position {
                let detail = Detail::values(
                    "the tree size of the stored log's edge",
                    self.log.position,
                    header.tree_size,
                );
                self.findings
                    .add(place.finding(FindingKind::TileAltered, detail));
            } else if let RootVerdict::Neither(found) = self.log.check_root(&header.log_root) {
                let detail = Detail::hashes("the root of the log", &found, &header.log_root);
                self.findings
                    .add(place.finding(FindingKind::LogRootWrong, detail));
            }
        }
        if let Some(header) = open.pending {
            let (_, detail) = heal_root(header, open.hash, None);
            self.findings
                .add(place.finding(FindingKind::HeaderAltered, detail));
        }
        self.height = row.height;
        self.aligned = open.cut.is_some();
        self.last_header = open.header;
        self.last_hash = open.hash;
        self.last_certified = open.decided.is_some();
        self.decided = open.decided;
        self.last_cut = open.cut.unwrap_or_default();
    }
}
