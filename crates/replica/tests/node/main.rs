//! What a node promises its users: each rule by itself, then whole clusters under trouble.

mod admission;
mod blocks;
mod compare_messages;
mod evidence;
mod finality;
mod messages;
mod rig;
mod simulation;
mod simulator;
mod sync;
