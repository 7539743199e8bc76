//! SQL functions about the node and its cluster: its name, invitations,
//! joining, blocks made now, its witnesses, and going on alone.

mod install;
mod invite;
mod node;
mod successor;
mod witness;
