//! What this server instance knows across its processes: the hybrid logical
//! clock, one slot per database that has the extension, the node's keys and
//! the settings.

pub mod clock;
pub mod identity;
pub mod mailbox;
pub mod progress;
pub mod settings;
pub mod slot;
