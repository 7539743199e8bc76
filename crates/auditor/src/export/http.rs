//! A chain on a public log: `/blocks/0` is the head, `/blocks/<height>` the frames of a block
//! without payloads and tiles, `/tile/0/…` the tiles. The export stops with the block at which the
//! log has the size that `/checkpoint` says, and there its root must be the checkpoint's.

use std::io::{Error, Read};

use ledger::bundle::{Frames, Tag, read_block, write_frame};
use ledger::merkle::{TILE_BYTES, TILE_WIDTH, TilePath};
use ledger::{BUNDLE_LABEL, Hash, Header, SignedCheckpoint};

use super::{Reached, Source, Taken};
use crate::web::Web;

/// The most bytes of a block's frames: the greatest block without its payloads is far below.
const MAX_BLOCK: usize = 256 << 20;
const MAX_CHECKPOINT: usize = 64 << 10;

/// A log over HTTP.
pub struct Log {
    web: Web,
    /// How many leaves the checkpoint counts.
    size: u64,
    /// The root that it names.
    root: Hash,
}

impl Log {
    /// Reads the log's checkpoint, which says how far the export goes.
    pub fn open(base: &str) -> Result<Log, String> {
        let mut log = Log {
            web: Web::open(base)?,
            size: 0,
            root: [0; 32],
        };
        let text = String::from_utf8(log.get("checkpoint", MAX_CHECKPOINT)?);
        let text = text.map_err(|_| "the log's checkpoint is no text")?;
        let note = SignedCheckpoint::parse(&text)
            .map_err(|error| format!("the log's checkpoint: {error}"))?;
        (log.size, log.root) = (note.checkpoint().size, note.checkpoint().root);
        Ok(log)
    }

    /// What the log has at `path`.
    fn get(&self, path: &str, limit: usize) -> Result<Vec<u8>, String> {
        let got = self.web.get(path, limit)?;
        match got.status {
            200 => Ok(got.body),
            status => Err(format!("{path}: the log answers {status}")),
        }
    }

    /// The tile of level 0, as wide as the checkpoint has it.
    fn tile(&self, index: u64) -> Result<Vec<u8>, String> {
        let width = self.size.saturating_sub(index.saturating_mul(TILE_WIDTH));
        let path = TilePath::Hashes {
            level: 0,
            index,
            width: width.min(TILE_WIDTH) as u16,
        };
        self.get(&path.to_string(), TILE_BYTES)
    }
}

impl Source for Log {
    fn tree_size(&mut self) -> Result<Option<u64>, String> {
        Ok(Some(self.size))
    }

    fn fetch(
        &mut self,
        reached: Reached,
        take: &mut dyn FnMut(&mut dyn Read) -> Result<Taken, String>,
    ) -> Result<Taken, String> {
        let head = self.get("blocks/0", MAX_BLOCK)?;
        let mut frames = 0;
        let mut counted = Frames::begin(head.as_slice()).map_err(|error| error.to_string())?;
        while counted.next_frame().is_ok() {
            frames += 1;
        }
        take(&mut Blocks {
            log: self,
            reached,
            frames,
            content: head,
            at: 0,
            ended: false,
        })
    }
}

/// A bundle put together from blocks and tiles.
struct Blocks<'a> {
    log: &'a Log,
    reached: Reached,
    frames: u64,
    content: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Blocks<'_> {
    /// Fetches what comes next.
    fn next(&mut self) -> Result<(), String> {
        self.content.clear();
        self.at = 0;
        let size = self.log.size;
        if self.reached.tree_size >= size {
            self.ended = true;
            self.append(Tag::Stop, &[])?;
            let frames = self.frames.to_be_bytes();
            return self.append(Tag::End, &frames);
        }
        let height = self.reached.height + 1;
        let path = format!("blocks/{height}");
        let piece = self.log.get(&path, MAX_BLOCK)?;
        let wrong = |what: &dyn std::fmt::Display| format!("{path}: {what}");
        let bytes = BUNDLE_LABEL.chain(piece.as_slice());
        let mut frames = Frames::begin(bytes).map_err(|e| wrong(&e))?;
        let block = frames.next_frame().map_err(|e| wrong(&e))?;
        let row = (block.tag == Tag::Block).then(|| read_block(&block.body));
        let row = row.ok_or_else(|| wrong(&"it does not begin with a block"))?;
        let row = row.map_err(|e| wrong(&e))?;
        let header = Header::from_bytes(row.header).map_err(|e| wrong(&e))?;
        if row.height != height || header.tree_size <= self.reached.tree_size {
            return Err(wrong(&"it is another block than was asked for"));
        }
        if header.tree_size > size {
            return Err(wrong(&"it reaches beyond the log's checkpoint"));
        }
        if header.tree_size == size && header.log_root != self.log.root {
            return Err(wrong(&"its log has another root than the checkpoint"));
        }
        self.append(Tag::Block, &block.body)?;
        let before = self.reached.tree_size.div_ceil(TILE_WIDTH);
        for index in before..header.tree_size.div_ceil(TILE_WIDTH) {
            let mut body = vec![0];
            body.extend(index.to_be_bytes());
            body.extend(self.log.tile(index)?);
            self.append(Tag::Tile, &body)?;
        }
        let mut left = piece.len().saturating_sub(block.body.len() + 5);
        while left > 0 {
            let frame = frames.next_frame().map_err(|e| wrong(&e))?;
            if !matches!(frame.tag, Tag::Segment | Tag::Op) {
                return Err(wrong(&"it holds more than a block"));
            }
            left = left.saturating_sub(frame.body.len() + 5);
            self.append(frame.tag, &frame.body)?;
        }
        self.reached = Reached {
            height,
            tree_size: header.tree_size,
        };
        Ok(())
    }

    fn append(&mut self, tag: Tag, body: &[u8]) -> Result<(), String> {
        self.frames += 1;
        write_frame(&mut self.content, tag, body).map_err(|error| error.to_string())
    }
}

impl Read for Blocks<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.at == self.content.len() {
            if self.ended {
                return Ok(0);
            }
            self.next().map_err(Error::other)?;
        }
        let rest = &self.content[self.at..];
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}
