//! Checking and proving: the whole chain re-hashed, proofs of single ops,
//! checkpoints, exports, pruning, and the op log in words.

mod checkpoint;
mod export;
pub mod feed;
mod lineage;
pub mod log;
mod new_file;
pub mod pieces;
mod proof;
pub mod prune;
mod ranges;
mod scan;
