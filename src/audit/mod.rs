//! Checking and proving: the whole chain re-hashed, proofs of single ops,
//! checkpoints, exports, and the op log in words.

mod checkpoint;
mod export;
pub mod feed;
mod ground;
mod lineage;
mod log;
mod names;
mod ops;
mod parallel;
mod proof;
mod ranges;
mod scan;
mod shape;
mod verify;
