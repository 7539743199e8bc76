//! What had committed at a moment, beside the snapshot of the statement that runs.

use pgrx::pg_sys;

/// A snapshot that is held until it is dropped.
pub struct Snapshot(pg_sys::Snapshot);

impl Snapshot {
    /// What has committed by now.
    pub fn latest() -> Snapshot {
        // SAFETY: released when it is dropped.
        Snapshot(unsafe { pg_sys::RegisterSnapshot(pg_sys::GetLatestSnapshot()) })
    }

    /// The snapshot, valid while this lives.
    pub fn pointer(&self) -> pg_sys::Snapshot {
        self.0
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        // SAFETY: registered once, released once.
        unsafe { pg_sys::UnregisterSnapshot(self.0) }
    }
}
