//! Checking and proving: the whole chain re-hashed, proofs of single ops,
//! checkpoints, exports, pruning, Merkle trees over anything, and the op log in
//! words.

pub mod checkpoint;
mod consistency;
mod cosignature;
mod export;
pub mod feed;
mod lineage;
pub mod log;
mod merkle;
mod new_file;
pub mod pieces;
mod proof;
pub mod prune;
mod ranges;
mod rows;
mod scan;
