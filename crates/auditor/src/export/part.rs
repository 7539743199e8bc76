//! The file of an export while it is incomplete: a packed bundle that may break off anywhere. It
//! goes on after the last block that is whole and whose tiles cannot have grown since.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ledger::bundle::{
    Frame, Frames, PACKED_BYTES, Packer, Tag, Unpacker, packed_frame_length, read_tile, write_frame,
};
use ledger::merkle::TILE_WIDTH;
use ledger::{BUNDLE_LABEL, BundleError};

use super::{Reached, block};
use crate::durable;

/// A file that grows.
pub struct Part {
    path: PathBuf,
    target: PathBuf,
    to: Packer<BufWriter<File>>,
    /// What the bundle begins with, before its first block; empty as long as nothing is written.
    head: Vec<u8>,
    reached: Reached,
    frames: u64,
    bytes: u64,
}

/// What of a partial file is kept.
#[derive(Default)]
struct Kept {
    head: Vec<u8>,
    reached: Reached,
    frames: u64,
    bytes: u64,
}

impl Part {
    /// Opens the partial file beside `target`, or makes it.
    pub fn open(target: &Path) -> Result<Part, String> {
        let fail = |error: std::io::Error| format!("{}: {error}", target.display());
        if target.try_exists().map_err(fail)? {
            return Err(format!("{} exists already", target.display()));
        }
        let mut name = target.as_os_str().to_owned();
        name.push(".part");
        let path = PathBuf::from(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(format!("{}: another export writes it", path.display()));
            }
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
        let kept = keep(&file).map_err(fail)?;
        let (file, waiting) = cut(file, kept.bytes).map_err(fail)?;
        Ok(Part {
            path,
            target: target.to_owned(),
            to: Packer::resume(BufWriter::new(file), waiting),
            head: kept.head,
            reached: kept.reached,
            frames: kept.frames,
            bytes: kept.bytes,
        })
    }

    /// How far it goes.
    pub fn reached(&self) -> Reached {
        self.reached
    }

    /// How many bytes the bundle has so far, unpacked.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Forgets what is there.
    pub fn begin_anew(&mut self) -> Result<(), String> {
        let to = self.to.get_mut();
        let begun = to.flush().and_then(|()| {
            let file = to.get_mut();
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))
        });
        self.to.discard();
        (self.head, self.reached) = (Vec::new(), Reached::default());
        (self.frames, self.bytes) = (0, 0);
        begun.map(|_| ()).map_err(|error| self.failed(&error))
    }

    /// Whether the file begins with this head; an empty one does from now on.
    pub fn has_head(&mut self, head: &[u8]) -> Result<bool, String> {
        if self.head.is_empty() {
            self.write(head)?;
            self.head = head.to_vec();
            self.frames = frames_of(head);
        }
        Ok(self.head == head)
    }

    /// Notes that the next frame is that of a block.
    pub fn begin_block(&mut self, reached: Reached) {
        self.reached = reached;
    }

    /// Appends a frame.
    pub fn frame(&mut self, frame: &Frame) -> Result<(), String> {
        let mut bytes = Vec::with_capacity(frame.body.len() + 5);
        let written = write_frame(&mut bytes, frame.tag, &frame.body);
        written.map_err(|error| self.failed(&error))?;
        self.frames += 1;
        self.write(&bytes)
    }

    /// Ends the bundle and gives it its name. Returns the bytes of the file.
    pub fn finish(mut self) -> Result<u64, String> {
        let mut end = Vec::new();
        let written = write_frame(&mut end, Tag::End, &self.frames.to_be_bytes());
        written.map_err(|error| self.failed(&error))?;
        self.write(&end)?;
        let Part {
            path, target, to, ..
        } = self;
        let done = || -> std::io::Result<u64> {
            let file = to.finish()?.into_inner().map_err(std::io::Error::from)?;
            file.sync_all()?;
            let size = file.metadata()?.len();
            // Linking refuses a name that came to exist meanwhile; renaming would replace it.
            std::fs::hard_link(&path, &target).or_else(|error| match target.try_exists() {
                Ok(false) => std::fs::rename(&path, &target),
                _ => Err(error),
            })?;
            std::fs::remove_file(&path).or_else(|error| match path.try_exists() {
                Ok(false) => Ok(()),
                _ => Err(error),
            })?;
            let folder = target.parent().filter(|folder| *folder != Path::new(""));
            durable::sync_folder(folder.unwrap_or(Path::new(".")))?;
            Ok(size)
        };
        done().map_err(|error| format!("{}: {error}", target.display()))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let written = self.to.write_all(bytes);
        self.bytes += bytes.len() as u64;
        written.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &std::io::Error) -> String {
        format!("{}: {error}", self.path.display())
    }
}

/// Reads a partial file as far as it is sound, and says how much of it can stay: whole blocks, and
/// of those only such as hold no tile that was not full, for more leaves may be in it by now.
fn keep(mut file: &File) -> std::io::Result<Kept> {
    file.seek(SeekFrom::Start(0))?;
    let mut kept = Kept::default();
    let Ok(mut frames) = Frames::begin(file) else {
        return Ok(kept);
    };
    let mut head = BUNDLE_LABEL.to_vec();
    let mut bytes = head.len() as u64;
    let mut count = 0;
    let mut reached = Reached::default();
    loop {
        let frame = match frames.next_frame() {
            Ok(frame) => frame,
            Err(BundleError::Io(error)) if error.raw_os_error().is_some() => return Err(error),
            // It breaks off here, or somebody wrote something else.
            Err(_) => return Ok(kept),
        };
        match frame.tag {
            Tag::Chain | Tag::Withheld | Tag::Member => {
                write_frame(&mut head, frame.tag, &frame.body)?;
            }
            Tag::Block | Tag::Tail | Tag::Stop => {
                kept = Kept {
                    head: head.clone(),
                    reached,
                    frames: count,
                    bytes,
                };
                match block(&frame, reached) {
                    Ok(next) if frame.tag == Tag::Block => reached = next,
                    _ => return Ok(kept),
                }
            }
            Tag::Tile => match read_tile(&frame.body) {
                Ok((_, _, hashes)) if hashes.len() as u64 == TILE_WIDTH * 32 => {}
                _ => return Ok(kept),
            },
            Tag::Segment | Tag::Op => {}
            Tag::Vector | Tag::End => return Ok(kept),
        }
        count += 1;
        bytes += frame.body.len() as u64 + 5;
    }
}

/// Cuts a packed file after `bytes` of its content. Gives back what does not fill a packed frame.
fn cut(mut file: File, bytes: u64) -> std::io::Result<(File, Vec<u8>)> {
    let (whole, rest) = (bytes / PACKED_BYTES as u64, bytes % PACKED_BYTES as u64);
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::with_capacity(1 << 16, &file);
    let mut length = 0;
    for _ in 0..whole {
        length += packed_frame_length(&mut reader)?;
    }
    let mut waiting = Vec::new();
    if rest > 0 {
        Unpacker::new(reader).take(rest).read_to_end(&mut waiting)?;
    }
    file.set_len(length)?;
    file.seek(SeekFrom::End(0))?;
    Ok((file, waiting))
}

fn frames_of(head: &[u8]) -> u64 {
    let mut frames = 0;
    if let Ok(mut head) = Frames::begin(head) {
        while head.next_frame().is_ok() {
            frames += 1;
        }
    }
    frames
}
