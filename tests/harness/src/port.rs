//! Free TCP ports that no other test takes.

use std::fs::{self, File, TryLockError};
use std::net::TcpListener;
use std::path::Path;

use crate::{Failure, Outcome};

/// Below the kernel's ephemeral ports, which outgoing connections take at will.
const RANGE: std::ops::Range<u16> = 20_000..30_000;

/// A claim on a port of the loopback address, for as long as this value lives. The
/// claim is a locked file, so it ends with the process, however that ends.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _claim: File,
}

impl Port {
    /// Claims a port that nobody listens on. `state` is shared by all who claim.
    pub fn claim(state: &Path) -> Outcome<Port> {
        let folder = state.join("ports");
        fs::create_dir_all(&folder)?;
        let span = RANGE.end - RANGE.start;
        // Runs that start together look at different ports first.
        let start = (std::process::id() % u32::from(span)) as u16;
        for step in 0..span {
            let number = RANGE.start + (start + step) % span;
            let claim = File::create(folder.join(number.to_string()))?;
            match claim.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => continue,
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
            if TcpListener::bind(("127.0.0.1", number)).is_ok() {
                return Ok(Port {
                    number,
                    _claim: claim,
                });
            }
        }
        Err(Failure::new(format!("no free port in {RANGE:?}")))
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }
}
