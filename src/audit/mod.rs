//! Checking and proving: the whole chain re-hashed, proofs of single ops,
//! checkpoints, exports, and the op log in words.

mod check;
mod checkpoint;
mod export;
pub mod feed;
mod ground;
mod lineage;
mod log;
mod names;
mod ops;
mod parallel;
mod prefix;
mod progress;
mod proof;
mod ranges;
mod scan;
mod shape;
mod stamp;
mod survey;
mod tables;
mod verify;
