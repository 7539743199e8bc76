//! What is at which path of the public log (C2SP tlog-tiles):
//!
//! | path | |
//! |---|---|
//! | `/checkpoint` | the state of the log, signed by this node and cosigned |
//! | `/tile/<L>/<N>[.p/<W>]` | hashes |
//! | `/tile/entries/<N>[.p/<W>]` | leaves, see [`ledger::Leaf::to_bytes`] |
//! | `/blocks/<height>` | a piece of an export without payloads, see [`pieces::public`]; if the settings allow it |
//!
//! Only what lies under the checkpoint is there.

use super::Shown;
use super::entries::Bundle;
use crate::audit::pieces;
use crate::catalog;
use crate::instance::settings;
use ledger::ChainId;
use ledger::merkle::TilePath;
use transport::{Keep, Page};

/// Payload that is hashed for one block.
const MAX_BLOCK_BYTES: u64 = 16 << 20;

const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";

/// How far a request has come.
pub enum Step {
    /// It is answered.
    Page(Page),
    /// It is answered, and that was work enough for one turn.
    Heavy(Page),
    /// A bundle is to be made.
    Bundle(Bundle),
}

/// Stored rows are not what the log has.
#[derive(Debug)]
pub struct Altered(pub String);

impl std::fmt::Display for Altered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the ledger was altered: {}; see scan_chain()", self.0)
    }
}

/// What is at `path`.
///
/// # Errors
/// [`Altered`].
pub fn at(path: &str, chain: &ChainId, shown: Option<&Shown>) -> Result<Step, Altered> {
    let Some((path, shown)) = path.strip_prefix('/').zip(shown) else {
        return Ok(Step::Page(missing()));
    };
    if path == "checkpoint" {
        let note = shown.note.clone().into_bytes();
        return Ok(Step::Page(page(TEXT, Keep::Seconds, note)));
    }
    if let Some(height) = path.strip_prefix("blocks/").and_then(decimal) {
        return Ok(Step::Heavy(block(height, shown)));
    }
    let Ok(tile) = path.parse::<TilePath>() else {
        return Ok(Step::Page(missing()));
    };
    if !tile.is_within(shown.size) {
        return Ok(Step::Page(missing()));
    }
    match tile {
        TilePath::Hashes {
            level,
            index,
            width,
        } => {
            let hashes = hashes(level, index, width)?;
            Ok(Step::Page(page(BYTES, keep(&tile), hashes)))
        }
        TilePath::Entries { index, width } => Bundle::plan(chain, index, width).map(Step::Bundle),
    }
}

/// A block under the checkpoint, for an export.
fn block(height: u64, shown: &Shown) -> Page {
    if !settings::log_blocks() {
        return missing();
    }
    let piece = match pieces::weight(height) {
        Some((_, size)) if size > shown.size => None,
        Some((bytes, _)) if bytes > MAX_BLOCK_BYTES => {
            let reason = b"this block is too large to be served here: export it over SQL\n";
            return Page {
                body: reason.to_vec(),
                ..missing()
            };
        }
        Some(_) => pieces::public(height),
        None => None,
    };
    match piece {
        // The head names the members of today.
        Some(piece) if height == 0 => page(BYTES, Keep::Seconds, piece),
        Some(piece) => page(BYTES, Keep::Forever, piece),
        None => missing(),
    }
}

/// A number as it should be written.
fn decimal(text: &str) -> Option<u64> {
    text.parse::<u64>().ok().filter(|n| n.to_string() == text)
}

/// Whether a path is that of an entry bundle.
pub fn is_bundle(path: &str) -> bool {
    path.starts_with("/tile/entries/")
}

/// The page of an entry bundle.
pub fn of_bundle(index: u64, width: u16, bundle: Vec<u8>) -> Page {
    page(BYTES, keep(&TilePath::Entries { index, width }), bundle)
}

/// The answer when the tables do not give what they should.
pub fn failed() -> Page {
    Page {
        status: 500,
        ..page(
            TEXT,
            Keep::Never,
            b"this part of the log cannot be read\n".to_vec(),
        )
    }
}

/// The first hashes of a stored tile.
///
/// # Errors
/// [`Altered`].
pub fn hashes(level: u8, index: u64, width: u16) -> Result<Vec<u8>, Altered> {
    let stored: Option<Vec<u8>> = catalog::one(
        "SELECT hashes FROM crdt.tile WHERE level = $1 AND index = $2",
        &[i16::from(level).into(), (index as i64).into()],
        |row| row.need(1),
    );
    stored
        .and_then(|mut hashes| {
            let length = usize::from(width) * 32;
            (hashes.len() >= length).then(|| {
                hashes.truncate(length);
                hashes
            })
        })
        .ok_or_else(|| {
            Altered(format!(
                "tile {index} of level {level} is missing or too short"
            ))
        })
}

fn missing() -> Page {
    Page {
        status: 404,
        ..page(TEXT, Keep::Never, b"the log has nothing here\n".to_vec())
    }
}

/// A partial tile stays right, but the log will soon have a longer one.
fn keep(tile: &TilePath) -> Keep {
    match tile.is_full() {
        true => Keep::Forever,
        false => Keep::Hour,
    }
}

fn page(content_type: &'static str, keep: Keep, body: Vec<u8>) -> Page {
    Page {
        status: 200,
        content_type,
        keep,
        body,
    }
}
