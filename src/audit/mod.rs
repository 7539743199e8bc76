//! Checking and proving: the whole chain re-hashed, proofs of single ops,
//! checkpoints, exports, Merkle trees over anything, and the op log in words.

pub mod checkpoint;
mod consistency;
mod cosignature;
mod export;
pub mod feed;
mod lineage;
mod log;
mod merkle;
mod proof;
mod ranges;
mod scan;
