//! What a verification reports: findings that name place and kind, never more than a bound.

use std::fmt;

use super::detail::Detail;
use crate::certificate::Certificate;
use crate::hash::Hash;
use crate::ids::NodeId;
use crate::membership::Membership;
use crate::validators::ValidatorSet;

/// How many findings are told in detail; the rest is only counted, so that a chain that was
/// destroyed as a whole does not fill the memory of who looks at it.
pub const MAX_FINDINGS: usize = 10_000;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// An op's payload, salt, clock or schema is not what its hash covers.
    PayloadAltered,
    /// An op's payload is gone, and no signed prune op says that it was archived.
    PayloadMissing,
    /// One or more ops are gone.
    OpMissing,
    /// An op is there that no signature or cut covers, or twice.
    OpExtra,
    /// An op stands at another's place.
    OpReordered,
    /// An op's kind, schema hash or stored hash was changed, or ops were rewritten with their hashes.
    OpAltered,
    /// A segment row does not carry its origin's signature.
    SegmentSignatureWrong,
    /// One or more segment rows are gone.
    SegmentMissing,
    /// A segment row covers ops that another one covers.
    SegmentExtra,
    /// An origin signed two histories.
    HistoryForked,
    /// A header is not what its certificate signs, or does not fit its place.
    HeaderAltered,
    /// One or more blocks are gone.
    BlockMissing,
    /// A block is there twice.
    BlockExtra,
    /// A certificate does not prove that a quorum decided on the header.
    CertificateWrong,
    /// A cut is not the one that its header names.
    CutAltered,
    /// The log does not hash to the root that the header names, whether by ops or by tiles.
    LogRootWrong,
    /// A tile of the log is missing or not what the ops hash to.
    TileAltered,
    /// The stored version vector is not where the ops end.
    VectorAltered,
    /// The stored members are not those that genesis and ops lead to.
    MembershipAltered,
    /// The genesis is not the one that names the chain.
    GenesisAltered,
}

impl FindingKind {
    /// All kinds.
    pub const ALL: [Self; 20] = [
        Self::PayloadAltered,
        Self::PayloadMissing,
        Self::OpMissing,
        Self::OpExtra,
        Self::OpReordered,
        Self::OpAltered,
        Self::SegmentSignatureWrong,
        Self::SegmentMissing,
        Self::SegmentExtra,
        Self::HistoryForked,
        Self::HeaderAltered,
        Self::BlockMissing,
        Self::BlockExtra,
        Self::CertificateWrong,
        Self::CutAltered,
        Self::LogRootWrong,
        Self::TileAltered,
        Self::VectorAltered,
        Self::MembershipAltered,
        Self::GenesisAltered,
    ];

    /// Whether a finding of this kind is about an op, which its origin and number name.
    pub fn is_of_an_op(self) -> bool {
        matches!(
            self,
            Self::PayloadAltered
                | Self::PayloadMissing
                | Self::OpMissing
                | Self::OpExtra
                | Self::OpReordered
                | Self::OpAltered
        )
    }

    /// Its name in reports and views.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PayloadAltered => "payload_altered",
            Self::PayloadMissing => "payload_missing",
            Self::OpMissing => "op_missing",
            Self::OpExtra => "op_extra",
            Self::OpReordered => "op_reordered",
            Self::OpAltered => "op_altered",
            Self::SegmentSignatureWrong => "segment_signature_wrong",
            Self::SegmentMissing => "segment_missing",
            Self::SegmentExtra => "segment_extra",
            Self::HistoryForked => "history_forked",
            Self::HeaderAltered => "header_altered",
            Self::BlockMissing => "block_missing",
            Self::BlockExtra => "block_extra",
            Self::CertificateWrong => "certificate_wrong",
            Self::CutAltered => "cut_altered",
            Self::LogRootWrong => "log_root_wrong",
            Self::TileAltered => "tile_altered",
            Self::VectorAltered => "vector_altered",
            Self::MembershipAltered => "membership_altered",
            Self::GenesisAltered => "genesis_altered",
        }
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The block; none for what is not in a block yet or in no block at all.
    pub height: Option<u64>,
    /// The leaf in the log.
    pub leaf_index: Option<u64>,
    /// The origin or member.
    pub origin: Option<NodeId>,
    /// The op; the first one if several are concerned.
    pub seq: Option<u64>,
    /// What is wrong.
    pub kind: FindingKind,
    /// What should be there: a hash, shortened, a number or a few words; none where nothing
    /// should, or where it cannot be told.
    pub expected: Option<String>,
    /// What is there; none where nothing is.
    pub found: Option<String>,
    /// The whole in words, for people.
    pub detail: String,
}

/// The block and leaf that something belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub height: Option<u64>,
    pub leaf_index: Option<u64>,
}

impl Place {
    pub fn block(height: u64) -> Self {
        Self {
            height: Some(height),
            leaf_index: None,
        }
    }

    /// A finding about an op at this place.
    pub fn op(
        self,
        origin: NodeId,
        seq: u64,
        kind: FindingKind,
        detail: impl Into<Detail>,
    ) -> Finding {
        detail
            .into()
            .into_finding(self, Some(origin), Some(seq), kind)
    }

    /// A finding about the place itself.
    pub fn finding(self, kind: FindingKind, detail: impl Into<Detail>) -> Finding {
        detail.into().into_finding(self, None, None, kind)
    }
}

/// Collects findings up to the bound.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub list: Vec<Finding>,
    pub untold: u64,
}

impl Findings {
    pub fn add(&mut self, finding: Finding) {
        if self.list.len() < MAX_FINDINGS {
            self.list.push(finding);
        } else {
            self.untold = self.untold.saturating_add(1);
        }
    }
}

/// The result of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What is wrong, in the order found; empty if everything holds.
    pub findings: Vec<Finding>,
    /// How many findings beyond [`MAX_FINDINGS`] are not told.
    pub untold: u64,
    /// The height of the last block seen.
    pub height: u64,
    /// The hash of its header; none if it could not be told.
    pub header_hash: Option<Hash>,
    /// How many leaves the log has.
    pub tree_size: u64,
    /// How many ops were checked.
    pub ops: u64,
    /// How many of them are not in a block yet.
    pub tail_ops: u64,
    /// How many ops had no payload any more, only its commitment.
    pub closed_ops: u64,
    /// Whether who handed the rows over kept the payloads of row changes back.
    pub withheld: bool,
    /// How many segments were checked.
    pub segments: u64,
    /// Who belongs, as the ops lead to it; none if not all of the chain was looked at, or if it is
    /// in doubt.
    pub members: Option<Membership>,
    /// The certificate of the last block and the validators it was verified against; none
    /// without a block, or if it does not hold.
    pub decided: Option<(ValidatorSet, Certificate)>,
}

impl Report {
    /// Whether everything holds.
    pub fn is_verified(&self) -> bool {
        self.findings.is_empty() && self.untold == 0
    }
}
