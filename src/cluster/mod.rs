//! SQL functions about the node and its cluster: its name, invitations,
//! joining, and blocks made now.

mod install;
mod invite;
mod node;
