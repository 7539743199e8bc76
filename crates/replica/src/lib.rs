//! The replication node without I/O: which segments are admitted and in what order, who is sent what,
//! which block is next, and what proves misbehaviour.
//!
//! [`Node`] is a state machine. Its host gives it [`Input`]s, keeps its tables behind [`Store`], and
//! carries out its [`Effect`]s: bytes of [`message`] to peers. No clock, thread, network or disk here, so
//! a run can be repeated exactly from a seed.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod admission;
mod blocks;
mod event;
mod evidence;
mod finality;
mod holdback;
pub mod message;
mod node;
mod options;
mod peers;
mod relay;
mod store;
mod sync;

pub use event::{Effect, Input, Report};
pub use evidence::{Evidence, Statement};
pub use finality::{Finality, FinalityEffect, FinalityInput, SoleValidator};
pub use holdback::{HeldSegment, Wait};
pub use node::Node;
pub use options::Options;
pub use peers::PeerStatus;
pub use store::{Admission, Barred, KnownMember, Store};
