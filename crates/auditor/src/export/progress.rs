//! How far an export is, for who watches it on a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Reached;

/// A bar on standard error; nothing if that is no terminal.
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar over the leaves of the log, or without an end if their number is not known.
    pub fn new(quiet: bool, leaves: Option<u64>, reached: Reached) -> Progress {
        let bar = match (quiet, leaves) {
            (true, _) => ProgressBar::hidden(),
            (false, leaves) => {
                ProgressBar::with_draw_target(leaves, ProgressDrawTarget::stderr_with_hz(5))
            }
        };
        let form = match leaves {
            Some(_) => "{wide_bar} {percent}% {msg} {eta}",
            None => "{spinner} {msg} {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style);
        }
        bar.set_position(reached.tree_size);
        bar.reset_eta();
        Progress(bar)
    }

    /// So far it is.
    pub fn reached(&self, reached: Reached, bytes: u64) {
        self.0.set_position(reached.tree_size);
        let megabytes = bytes >> 20;
        self.0
            .set_message(format!("block {}, {megabytes} MiB", reached.height));
    }

    /// A line beside the bar.
    pub fn say(&self, line: &str) {
        self.0.println(line);
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
