//! The verifier of a whole chain: it is fed stored rows in order, re-hashes all of them, trusts
//! none, and reports what was altered and where. `history` looks at one origin's ops, `suspect`
//! tells what happened to an op, `header` to a header, `log` and `upper` to leaves and tiles; here
//! they are fed and joined.

mod block;
mod close;
mod closed;
mod detail;
mod edge;
mod end;
mod finding;
mod ground;
mod header;
mod history;
mod log;
mod pieces;
mod pruned;
mod segments;
mod sink;
mod stored;
mod suspect;
mod upper;

use std::collections::BTreeMap;

pub use finding::{Finding, FindingKind, MAX_FINDINGS, Report};
pub use ground::{Behind, Ground};
pub use pieces::{MAX_RUN_TILES, Pieces, Run};
pub use sink::ChainSink;
pub use stored::{BlockPlan, FeedRange, StoredBlock, StoredOp, StoredPart, StoredSegment};

use self::block::OpenBlock;
use self::close::LeafDoubt;
use self::closed::Closed;
pub(crate) use self::detail::Detail;
use self::finding::Findings;
pub(crate) use self::finding::Place;
use self::history::{Broken, History, Judged};
use self::log::{LeafVerdict, Log};
use crate::block::Header;
use crate::certificate::Certificate;
use crate::genesis::Genesis;
use crate::hash::{Hash, sha256, short};
use crate::ids::{ChainId, NodeId};
use crate::leaf::Leaf;
use crate::member::{Member, MembershipChange};
use crate::membership::{Membership, SignedChange, ValidatorSchedule};
use crate::merkle::Frontier;
use crate::op::{Kind, OpCore};
use crate::validators::ValidatorSet;
use crate::vector::{Cut, MAX_MEMBERS};

/// Verifies a chain from its stored rows.
///
/// Feed it, in this order: each block by [`Self::block`], which says what the block needs: the
/// tiles of level 0 that hold its leaves by [`Self::tile`], then for each range the segment rows
/// by [`Self::segment`] (at the latest before the last op they cover) and the ops by
/// [`Self::op`]. After the last block [`Self::tail`], then the segments and ops that are in no
/// block yet, origins in any order, numbers ascending; the upper tiles at any time; the stored
/// version vector by [`Self::vector`]; then [`Self::finish`]. To stop at a block, call
/// [`Self::stop`] in place of [`Self::tail`].
///
/// Memory is bounded by one block's leaves, the members and [`MAX_FINDINGS`], not by the chain.
///
/// What it cannot see: blocks and ops cut off at the end together with everything that speaks of
/// them. Compare [`Report::height`] and [`Report::header_hash`] with a checkpoint kept elsewhere.
#[derive(Debug)]
pub struct ChainVerifier {
    chain: ChainId,
    /// Members as they are stored, and the keys of those who own their id.
    stored_members: BTreeMap<NodeId, Member>,
    membership: Membership,
    schedule: ValidatorSchedule,
    /// A membership op or the genesis could not be trusted: who belongs is in doubt.
    members_in_doubt: bool,
    /// Ops were missing, perhaps such as change the members.
    gaps: bool,
    changes: Vec<SignedChange>,
    histories: BTreeMap<NodeId, History>,
    log: Log,
    /// The last block's height, header (as signed, if known), its hash and cut.
    height: u64,
    last_header: Option<Header>,
    last_hash: Option<Hash>,
    last_certified: bool,
    last_cut: Cut,
    /// Whether the histories stand exactly at `last_cut`, so that leaves can be counted.
    aligned: bool,
    open: Option<OpenBlock>,
    in_tail: bool,
    whole: bool,
    leaf_doubts: Vec<LeafDoubt>,
    broken: Vec<Broken>,
    decided: Option<(ValidatorSet, Certificate)>,
    known_members: Option<Membership>,
    vector: BTreeMap<NodeId, (u64, Vec<u8>)>,
    closed: Closed,
    findings: Findings,
    ops: u64,
    tail_ops: u64,
    segments: u64,
}

impl ChainVerifier {
    /// Starts at the genesis of the chain named `chain`; `members` are the stored ones.
    pub fn begin(
        chain: ChainId,
        genesis: &[u8],
        members: impl IntoIterator<Item = Member>,
    ) -> Self {
        let mut findings = Findings::default();
        let found = ChainId(sha256(&[genesis]));
        let decoded = Genesis::from_bytes(genesis);
        let mut altered = |detail: Detail| {
            findings.add(Place::block(0).finding(FindingKind::GenesisAltered, detail));
        };
        let sound = found == chain;
        if !sound {
            altered(Detail::hashes(
                "the hash of the genesis",
                &found.0,
                &chain.0,
            ));
        }
        let membership = match &decoded {
            Ok(genesis) => Membership::from_genesis(genesis),
            Err(error) => {
                if sound {
                    altered(format!("the genesis cannot be read: {error}").into());
                }
                Membership::default()
            }
        };
        let header = decoded.ok().filter(|_| sound).map(|g| g.header());
        let mut verifier = Self::start(chain, membership, Frontier::default());
        verifier.findings = findings;
        verifier.last_hash = header.as_ref().map(Header::hash);
        verifier.members_in_doubt = header.is_none();
        verifier.last_header = header;
        verifier.last_certified = true;
        verifier.take_members(members);
        verifier
    }

    /// Starts after `previous`, whose header and certificate are verified here and then taken as
    /// the ground to stand on; `edge` is the log's edge at its tree size (see
    /// [`crate::merkle::Tree::frontier`]) and is held against its root. `members` are the stored
    /// ones; they cannot be verified without the ops before.
    pub fn resume(
        chain: ChainId,
        members: impl IntoIterator<Item = Member>,
        previous: &StoredBlock<'_>,
        edge: Frontier,
    ) -> Self {
        let members: Vec<Member> = members
            .into_iter()
            .filter(|m| m.check().is_ok())
            .take(MAX_MEMBERS)
            .collect();
        let membership = Membership::from_members(members.iter().cloned());
        let mut verifier = Self::start(chain, membership, edge);
        verifier.whole = false;
        verifier.take_members(members);
        verifier.stand_on(previous);
        verifier
    }

    fn start(chain: ChainId, membership: Membership, edge: Frontier) -> Self {
        Self {
            chain,
            stored_members: BTreeMap::new(),
            schedule: ValidatorSchedule::new(membership.validators()),
            membership,
            members_in_doubt: false,
            gaps: false,
            changes: Vec::new(),
            histories: BTreeMap::new(),
            log: Log::new(edge),
            height: 0,
            last_header: None,
            last_hash: None,
            last_certified: false,
            last_cut: Cut::default(),
            aligned: true,
            open: None,
            in_tail: false,
            whole: true,
            leaf_doubts: Vec::new(),
            broken: Vec::new(),
            decided: None,
            known_members: None,
            vector: BTreeMap::new(),
            closed: Closed::default(),
            findings: Findings::default(),
            ops: 0,
            tail_ops: 0,
            segments: 0,
        }
    }

    fn take_members(&mut self, members: impl IntoIterator<Item = Member>) {
        for member in members {
            let node = member.node_id;
            let fault = match member.check() {
                _ if self.stored_members.len() >= MAX_MEMBERS => {
                    Some(format!("more than {MAX_MEMBERS} members are stored"))
                }
                Err(fault) => Some(fault.to_string()),
                Ok(()) if self.stored_members.contains_key(&node) => {
                    Some("the member is stored twice".to_owned())
                }
                Ok(()) => None,
            };
            if let Some(detail) = fault {
                self.member_finding(node, detail);
            }
            // Even a bad row is kept: that it is there and bad is one finding, not two.
            if self.stored_members.len() < MAX_MEMBERS {
                self.stored_members.insert(node, member);
            }
        }
    }

    fn member_finding(&mut self, node: NodeId, detail: impl Into<Detail>) {
        let kind = FindingKind::MembershipAltered;
        let finding = detail
            .into()
            .into_finding(Place::default(), Some(node), None, kind);
        self.findings.add(finding);
    }

    /// Takes a stored tile of the log.
    pub fn tile(&mut self, level: u8, index: u64, hashes: &[u8]) {
        self.log.tile(level, index, hashes, &mut self.findings);
    }

    /// Takes an op.
    pub fn op(&mut self, row: &StoredOp<'_>) {
        self.ops = self.ops.saturating_add(1);
        let mut place = self.place();
        let Ok(origin) = row.origin.try_into().map(NodeId) else {
            let detail = Detail::length("the origin", row.origin.len(), 32);
            let mut finding = place.finding(FindingKind::OpExtra, detail);
            finding.seq = Some(row.seq);
            return self.findings.add(finding);
        };
        if self.in_tail {
            self.tail_ops = self.tail_ops.saturating_add(1);
        } else if self.open.is_none() {
            let detail = "the op stands before the first block".to_owned();
            return self
                .findings
                .add(place.op(origin, row.seq, FindingKind::OpExtra, detail));
        }
        let index = self
            .open
            .as_ref()
            .map(|open| open.leaf_of(&origin, row.seq));
        if let Some(Ok(leaf)) = index {
            place.leaf_index = leaf;
        }
        self.ensure_history(origin, None);
        let Some(history) = self.histories.get_mut(&origin) else {
            let detail = "the origin is not a member".to_owned();
            return self
                .findings
                .add(place.op(origin, row.seq, FindingKind::OpExtra, detail));
        };
        let (broken, findings) = (&mut self.broken, &mut self.findings);
        let judged = history.op(&self.chain, row, place, broken, findings);
        if index == Some(Err(())) && judged != Judged::Extra {
            let detail = "the op was fed outside the cut of its block".to_owned();
            self.findings
                .add(place.op(origin, row.seq, FindingKind::OpReordered, detail));
        }
        self.log_op(&origin, place, row.seq, judged);
        self.payload_of(origin, place, row, judged);
        self.membership_op(origin, row, judged);
    }

    /// Takes a row of the stored version vector: how far `origin` was admitted.
    pub fn vector(&mut self, origin: &[u8], seq: u64, head: &[u8]) {
        match origin.try_into().map(NodeId) {
            Ok(node) if self.vector.contains_key(&node) => {
                let detail = "the version vector names this origin twice".to_owned();
                let kind = FindingKind::VectorAltered;
                self.findings
                    .add(Place::default().op(node, seq, kind, detail));
            }
            Ok(node) if self.vector.len() < MAX_MEMBERS => {
                self.vector.insert(node, (seq, head.to_vec()));
            }
            _ => self.findings.add(
                Place::default().finding(
                    FindingKind::VectorAltered,
                    Detail::from(format!("no member has the id {}", short(origin)))
                        .found(short(origin)),
                ),
            ),
        }
    }

    /// Says that the last block is complete and that what follows is in no block yet.
    pub fn tail(&mut self) {
        self.close_block();
        self.in_tail = true;
    }

    fn place(&self) -> Place {
        Place {
            height: self.open.as_ref().map(|open| open.height),
            leaf_index: None,
        }
    }

    /// Opens the history of an origin, if anybody with that id can write.
    fn ensure_history(&mut self, origin: NodeId, cut: Option<&Cut>) {
        if self.histories.contains_key(&origin) {
            return;
        }
        let known = self.stored_members.contains_key(&origin)
            || self.membership.ever(&origin).is_some()
            || self.last_cut.0.contains_key(&origin)
            || cut.is_some_and(|cut| cut.0.contains_key(&origin));
        if known {
            let history = match self.whole {
                true => History::from_start(origin),
                false => History::after(origin, self.last_cut.get(&origin), None),
            };
            self.histories.insert(origin, history);
        }
    }

    fn log_op(&mut self, origin: &NodeId, place: Place, seq: u64, judged: Judged) {
        self.log_previous_header();
        let Some(index) = place.leaf_index else {
            return;
        };
        let by_row = match judged {
            Judged::Sound { core, prev, this } => {
                Some(Leaf::of_op(&self.chain, index, origin, &core, &prev, &this).hash())
            }
            Judged::Unsure => None,
            Judged::Extra => return,
        };
        match self.log.leaf(index, by_row, &mut self.findings) {
            LeafVerdict::Fine => {}
            LeafVerdict::Differs(tile) => self.doubt_leaf(LeafDoubt {
                place,
                origin: *origin,
                seq,
                is_header: false,
                row: by_row.unwrap_or_default(),
                tile,
            }),
            LeafVerdict::OutOfTurn => {
                let detail = "the op was fed out of the order of the log".to_owned();
                self.findings
                    .add(place.op(*origin, seq, FindingKind::OpReordered, detail));
            }
        }
    }

    /// Notes what a sound membership op changes; one that is not sound leaves it in doubt who
    /// belongs.
    fn membership_op(&mut self, origin: NodeId, row: &StoredOp<'_>, judged: Judged) {
        let kind = Kind::ValidatorSet as u8;
        let core: OpCore = match judged {
            Judged::Sound { core, .. } if core.kind == kind => core,
            Judged::Unsure if row.kind == kind => {
                self.members_in_doubt = true;
                return;
            }
            _ => return,
        };
        if row.is_closed() {
            self.members_in_doubt = true;
            return;
        }
        // A payload that is no change is refused by every node alike.
        let payload = row.parts.first().map_or(&[][..], |part| part.payload);
        if let Ok(change) = MembershipChange::from_bytes(payload) {
            self.changes.push(SignedChange {
                hlc: core.hlc,
                origin,
                seq: core.seq,
                change,
            });
        }
    }

    fn apply_changes(&mut self) {
        let mut changes = std::mem::take(&mut self.changes);
        self.membership.apply_all(&mut changes);
    }
}
