//! A flag that is raised once and that any number of tasks can wait for.

use tokio::sync::watch;

/// Raised when a peer is removed or the thread is to stop. Never lowered.
#[derive(Debug)]
pub(crate) struct Signal(watch::Sender<bool>);

impl Signal {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(crate) fn raise(&self) {
        self.0.send_replace(true);
    }

    /// Ends when the flag is raised, at once if it already is.
    pub(crate) async fn raised(&self) {
        let mut receiver = self.0.subscribe();
        // An error means that the sender is gone, which `self` rules out.
        let _ = receiver.wait_for(|raised| *raised).await;
    }
}
