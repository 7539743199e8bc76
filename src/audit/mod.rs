//! Checking and proving: the whole chain re-hashed, proofs of single ops,
//! checkpoints, exports, pruning, Merkle trees over anything, and the op log in
//! words.

mod check;
pub mod checkpoint;
mod consistency;
mod cosignature;
mod export;
pub mod feed;
mod ground;
mod indexed;
mod lineage;
pub mod log;
mod merkle;
mod names;
mod new_file;
mod ops;
mod parallel;
pub mod pieces;
mod prefix;
mod progress;
mod proof;
pub mod prune;
mod ranges;
mod rows;
mod scan;
mod shape;
mod stamp;
mod survey;
mod tables;
mod tuple;
mod verify;
