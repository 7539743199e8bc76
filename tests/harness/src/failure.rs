//! One error type for tests and tools: a sentence for a person, and where it arose.

use std::fmt;
use std::panic::Location;

/// What went wrong, in words. `Debug` prints the same text as `Display`, so that a
/// test which returns it reads well.
pub struct Failure {
    text: String,
    at: &'static Location<'static>,
}

/// The result of everything here.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure that says `text`.
    #[track_caller]
    pub fn new(text: impl Into<String>) -> Self {
        Failure {
            text: text.into(),
            at: Location::caller(),
        }
    }

    /// The same failure, told as part of `what`.
    pub fn during(self, what: &str) -> Self {
        Failure {
            text: format!("{what}: {}", self.text),
            at: self.at,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} (at {})", self.text, self.at)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl From<std::io::Error> for Failure {
    #[track_caller]
    fn from(error: std::io::Error) -> Self {
        Failure::new(error.to_string())
    }
}

impl From<rustix::io::Errno> for Failure {
    #[track_caller]
    fn from(error: rustix::io::Errno) -> Self {
        Failure::new(error.to_string())
    }
}

impl From<std::num::ParseIntError> for Failure {
    #[track_caller]
    fn from(error: std::num::ParseIntError) -> Self {
        Failure::new(error.to_string())
    }
}

impl From<postgres::Error> for Failure {
    /// PostgreSQL's message with its SQLSTATE, detail and hint: the driver's own
    /// text is only "db error".
    #[track_caller]
    fn from(error: postgres::Error) -> Self {
        let Some(server) = error.as_db_error() else {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            return Failure::new(format!("{error}{}", cause.unwrap_or_default()));
        };
        let mut text = format!(
            "{}: {} [{}]",
            server.severity(),
            server.message(),
            server.code().code()
        );
        for (label, more) in [
            ("DETAIL", server.detail()),
            ("HINT", server.hint()),
            ("CONTEXT", server.where_()),
        ] {
            if let Some(more) = more {
                text.push_str(&format!("\n{label}: {more}"));
            }
        }
        Failure::new(text)
    }
}
