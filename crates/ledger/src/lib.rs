//! The signed ledger of a cluster, without I/O, clock or threads: ops chained and signed in
//! segments, blocks that order them in one RFC 6962 log, certificates, proofs, checkpoints, and
//! the verifier that re-hashes everything and names what was altered.
//!
//! Layouts are fixed and big-endian; see the `to_bytes` of each type. Everything that is hashed
//! or signed starts with its own label. Hostile input gives an error, never a panic.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod audit;
pub mod block;
pub mod bundle;
pub mod certificate;
pub mod checkpoint;
pub mod codec;
pub mod cosignature;
pub mod digest_tree;
pub mod genesis;
pub mod hash;
pub mod ids;
pub mod leaf;
pub mod lineage;
pub mod member;
pub mod membership;
pub mod merkle;
pub mod note;
pub mod op;
pub mod pins;
pub mod policy;
pub mod proof;
pub mod prune;
pub mod segment;
pub mod signature;
pub mod validators;
pub mod vector;
pub mod verify;
mod wire;
pub mod witness;

pub use block::{Block, Header};
pub use bundle::{BUNDLE_LABEL, BundleError, BundleWriter, verify_bundle, verify_bundle_blocks};
pub use certificate::{Certificate, CertificateFault, Phase, Vote, VoteSignature};
pub use checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
pub use codec::DecodeError;
pub use ed25519_dalek::{SigningKey, VerifyingKey};
pub use genesis::{Genesis, Predecessor};
pub use hash::{Hash, ZERO_HASH};
pub use ids::{ChainId, NodeId, replica_id};
pub use leaf::Leaf;
pub use lineage::Lineage;
pub use member::{Member, MemberFault, MemberKeys, MembershipChange, Role};
pub use membership::{Membership, SignedChange, ValidatorSchedule};
pub use note::{KeyKind, Note, NoteError, NoteSignature, Signed, SignerKey, VerifierKey};
pub use op::{Kind, Op, OpCore, Part};
pub use pins::{Pins, Trust};
pub use policy::{Policy, PolicyError, PolicyFault, Vouched};
pub use proof::{
    ConsistencyProof, InclusionProof, OpProof, ProofFault, RangeProof, TreeProof, Verified,
};
pub use prune::Prune;
pub use segment::{MAX_SEGMENT_BYTES, MAX_SEGMENT_OPS, Segment, SegmentClaim, SegmentFault};
pub use validators::{Validator, ValidatorSet};
pub use vector::{Cut, Deps, Position, VersionVector};
pub use verify::{
    Behind, BlockPlan, ChainSink, ChainVerifier, FeedRange, Finding, FindingKind, Ground, Pieces,
    Report, Run, StoredBlock, StoredOp, StoredPart, StoredSegment,
};
