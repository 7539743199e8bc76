//! A bundle: a whole chain in one file, its stored rows as they are, for an auditor to verify
//! offline. It is written and read as a stream; no row is trusted because it is in a bundle.
//!
//! Layout, version 1: the label `bcrdt/bundle/v1\0`, then frames of u8 tag ‖ u32 length ‖ body,
//! in the order that [`crate::ChainVerifier`] wants to be fed: the chain, the members, then for
//! each block its row, tiles, segments and ops, the mark of the tail, what is in no block yet,
//! the upper tiles, the version vector, and at last how many frames there were. Byte strings that
//! may have any length stand behind their u32 length.

mod frame;
mod reader;
mod writer;

pub use frame::MAX_FRAME_BYTES;
pub use reader::{BundleError, verify_bundle};
pub use writer::BundleWriter;

/// What a bundle of version 1 starts with.
pub const BUNDLE_LABEL: &[u8] = b"bcrdt/bundle/v1\0";
