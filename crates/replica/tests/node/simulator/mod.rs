//! Whole clusters in one thread on a virtual clock: messages are delayed, lost, doubled and reordered,
//! networks split, nodes crash, transactions are lost, clocks are off, one member may cheat. All of it
//! follows from a seed.

pub mod cast;
pub mod cluster;
pub mod host;
mod network;
pub mod outcome;
pub mod plan;
pub mod random;
pub mod store;
