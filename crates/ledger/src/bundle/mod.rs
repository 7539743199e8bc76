//! A bundle: a whole chain in one file, its stored rows as they are, for an auditor to verify
//! offline. It is written and read as a stream; no row is trusted because it is in a bundle.
//!
//! Layout, version 1: the label `bcrdt/bundle/v1\0`, then frames of u8 tag ‖ u32 length ‖ body.
//! Frames, with their tags, in this order, which is that in which [`crate::ChainVerifier`] wants
//! to be fed:
//!
//! | tag | frame | body |
//! |---|---|---|
//! | 1 | chain | chain id 32 ‖ genesis to the end |
//! | 10 | withheld, at most one | nothing; the payloads of row changes are kept back |
//! | 2 | member, each | [`crate::Member::to_bytes`] |
//! | 3 | block, each, followed by its | u64 height ‖ header ‖ cut ‖ certificate |
//! | 4 | tiles that no block before had | u8 level ‖ u64 index ‖ hashes to the end |
//! | 5 | segments, | origin ‖ u64 first op ‖ u64 count ‖ hash before ‖ head ‖ dependencies ‖ u64 sealed ms ‖ signature |
//! | 6 | ops | origin ‖ u64 seq ‖ u64 hlc ‖ u8 kind ‖ schema hash ‖ op hash ‖ u16 parts ‖ salt and payload of each |
//! | 7 | tail, followed by segments and ops | nothing; what follows is in no block yet |
//! | 4 | upper tiles, and those of level 0 beyond the last block | |
//! | 8 | version vector, each entry | origin ‖ u64 seq ‖ head |
//! | 11 | stop, in place of all from tail on | nothing; of what came after the last block nothing is told |
//! | 9 | end | u64 how many frames there were before |
//!
//! Byte strings that may have any length stand behind their u32 length: stored rows are written as
//! they are, sound or not. A part whose payload is not there has an empty salt, and the 32 bytes of
//! its commitment in place of the payload. Archives and public exports stop with a block. Nothing
//! follows the end.
//!
//! A bundle may be packed: its bytes as LZ4 frames, see [`PACKED_BYTES`]. Readers take both.
//!
//! A piece of a bundle is a run of whole frames: the *head* (label, chain, withheld, members) or the
//! frames of one block.

mod frame;
mod frames;
mod packed;
mod reader;
mod skip;
mod writer;

pub use frame::{MAX_FRAME_BYTES, Tag, read_block, read_op, read_tile};
pub use frames::{BundleError, Frame, Frames};
pub use packed::{PACKED_BYTES, Packer, Unpacker, pack, packed_frame_length};
pub use reader::{verify_bundle, verify_bundle_blocks};
pub use writer::{BundleWriter, write_frame};

/// What a bundle of version 1 starts with.
pub const BUNDLE_LABEL: &[u8] = b"bcrdt/bundle/v1\0";
