//! `bcrdt export`: fetches a chain as a bundle, from a database (`sql`) or from a public log
//! (`http`), into a file that grows beside its final name (`part`). Memory is that of one block.

mod http;
mod part;
mod progress;
mod sql;

use std::io::Read;

use ledger::bundle::{Frame, Frames, Tag, read_block};
use ledger::{BUNDLE_LABEL, Header};

use self::part::Part;
use self::progress::Progress;
use crate::arguments::Export;
use crate::status::Answer;

/// How far a partial file goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reached {
    /// The last block in it; 0 for none.
    pub height: u64,
    /// How many leaves the log has at that block.
    pub tree_size: u64,
}

/// Where a chain comes from.
pub trait Source {
    /// How many leaves the log has, if that can be told beforehand.
    fn tree_size(&mut self) -> Result<Option<u64>, String>;

    /// Hands the bytes of a bundle over to `take`: its head, then what comes after `reached`.
    fn fetch(
        &mut self,
        reached: Reached,
        take: &mut dyn FnMut(&mut dyn Read) -> Result<Taken, String>,
    ) -> Result<Taken, String>;
}

/// What came of a bundle's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// All of them are in the file.
    Complete,
    /// The file begins otherwise than this bundle: it must be fetched from the start.
    OtherHead,
}

/// Fetches a chain into a file.
pub fn run(asked: &Export) -> Result<Answer, String> {
    let mut source = open(&asked.source)?;
    let mut part = Part::open(&asked.file)?;
    let progress = Progress::new(asked.quiet, source.tree_size()?, part.reached());
    let resumed = part.reached();
    let mut taken = source.fetch(resumed, &mut |bytes| take(bytes, &mut part, &progress))?;
    if taken == Taken::OtherHead {
        progress.say("the members have changed since the export began: it begins anew");
        part.begin_anew()?;
        taken = source.fetch(Reached::default(), &mut |bytes| {
            take(bytes, &mut part, &progress)
        })?;
    }
    if taken == Taken::OtherHead {
        return Err("the source changes while it is read".to_owned());
    }
    let (reached, bytes) = (part.reached(), part.finish()?);
    progress.finish();
    let resumed = match resumed.height {
        0 => String::new(),
        height => format!(", of them {height} from before"),
    };
    Ok(Answer {
        text: format!(
            "{}: {} blocks{resumed}, {bytes} bytes\n",
            asked.file.display(),
            reached.height
        ),
        holds: true,
    })
}

fn open(text: &str) -> Result<Box<dyn Source>, String> {
    if text.starts_with("http://") || text.starts_with("https://") {
        return Ok(Box::new(http::Log::open(text)?));
    }
    Ok(Box::new(sql::Database::open(text)?))
}

/// Puts a bundle's bytes into the partial file, frame by frame. What is no bundle is refused.
fn take(bytes: &mut dyn Read, part: &mut Part, progress: &Progress) -> Result<Taken, String> {
    let wrong = |error: ledger::BundleError| format!("what the source sends: {error}");
    let mut frames = Frames::begin(bytes).map_err(wrong)?;
    let mut head = BUNDLE_LABEL.to_vec();
    let mut frame = frames.next_frame().map_err(wrong)?;
    while matches!(frame.tag, Tag::Chain | Tag::Withheld | Tag::Member) {
        ledger::bundle::write_frame(&mut head, frame.tag, &frame.body)
            .map_err(|error| error.to_string())?;
        frame = frames.next_frame().map_err(wrong)?;
    }
    if !part.has_head(&head)? {
        return Ok(Taken::OtherHead);
    }
    while frame.tag != Tag::End {
        if frame.tag == Tag::Block {
            let reached = block(&frame, part.reached())?;
            part.begin_block(reached);
            progress.reached(reached, part.bytes());
        }
        part.frame(&frame)?;
        frame = frames.next_frame().map_err(wrong)?;
    }
    Ok(Taken::Complete)
}

/// What a block's frame says of itself; it must be the next one.
fn block(frame: &Frame, reached: Reached) -> Result<Reached, String> {
    let row = read_block(&frame.body).map_err(|error| format!("a block: {error}"))?;
    let header = Header::from_bytes(row.header);
    // A stored block may have been altered: that is for the verification to say. But without
    // order there is no going on after an interruption.
    if row.height <= reached.height && reached.height > 0 {
        return Err(format!(
            "the source sends block {} after block {}",
            row.height, reached.height
        ));
    }
    Ok(Reached {
        height: row.height,
        tree_size: header.map_or(reached.tree_size, |header| header.tree_size),
    })
}
