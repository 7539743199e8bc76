//! A folder of one's own, removed at the end.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Outcome, Place};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A fresh folder under the private state, for one test. Removed when dropped,
/// unless `KEEP` is set or the test panics.
pub struct Folder(PathBuf);

impl Folder {
    /// A folder `run/LABEL-PID-N`.
    pub fn fresh(place: &Place, label: &str) -> Outcome<Folder> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = place
            .state()
            .join("run")
            .join(format!("{label}-{}-{number}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Folder(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::env::var_os("KEEP").is_some() || std::thread::panicking() {
            eprintln!("kept: {}", self.0.display());
        } else {
            // Nothing depends on it; the next `make test` sweeps what is left.
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}
