//! Bundles as LZ4 frames (the public frame format, which the `lz4` command reads): each frame
//! holds the next [`PACKED_BYTES`] of the bundle, the last one what is left. Where frames begin
//! follows from the bundle alone, so that an export which went on after an interruption has the
//! bytes of one that did not.

use std::io::{BufRead, Error, ErrorKind, Read, Result, Write};

use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};

/// How many bytes of a bundle one frame holds.
pub const PACKED_BYTES: usize = 1 << 20;
/// What a frame of LZ4 starts with.
const MAGIC: [u8; 4] = [0x04, 0x22, 0x4d, 0x18];

/// One frame that holds `content`, with its length and a checksum.
///
/// # Errors
/// None that can happen in memory.
pub fn pack(content: &[u8]) -> Result<Vec<u8>> {
    let form = FrameInfo::new()
        .block_size(BlockSize::Max1MB)
        .block_mode(BlockMode::Independent)
        .content_size(Some(content.len() as u64))
        .content_checksum(true);
    let mut encoder = FrameEncoder::with_frame_info(form, Vec::new());
    encoder.write_all(content)?;
    encoder.finish().map_err(Error::other)
}

/// Writes what it is given as frames of [`PACKED_BYTES`]. To be ended by [`Self::finish`].
#[derive(Debug)]
pub struct Packer<W> {
    to: W,
    waiting: Vec<u8>,
}

impl<W: Write> Packer<W> {
    /// Packs into `to`.
    pub fn new(to: W) -> Self {
        Self::resume(to, Vec::new())
    }

    /// Goes on where another one stopped; `waiting` is the content of the frame that it had not
    /// written yet, less than [`PACKED_BYTES`].
    pub fn resume(to: W, waiting: Vec<u8>) -> Self {
        Self { to, waiting }
    }

    /// Writes the last frame and gives back what was written to.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(mut self) -> Result<W> {
        if !self.waiting.is_empty() {
            self.to.write_all(&pack(&self.waiting)?)?;
        }
        self.to.flush()?;
        Ok(self.to)
    }
}

impl<W: Write> Write for Packer<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let room = PACKED_BYTES.saturating_sub(self.waiting.len());
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.waiting.extend_from_slice(taken);
        if self.waiting.len() >= PACKED_BYTES {
            self.to.write_all(&pack(&self.waiting)?)?;
            self.waiting.clear();
        }
        Ok(taken.len())
    }

    /// What does not fill a frame stays here.
    fn flush(&mut self) -> Result<()> {
        self.to.flush()
    }
}

/// Reads frames one after another as one run of bytes; what does not start with a frame is read
/// as it is.
pub struct Unpacker<R: Read>(Source<R>);

enum Source<R: Read> {
    Unknown(Option<R>),
    Plain(R),
    // The decoder's tables are large.
    Packed(Box<FrameDecoder<R>>),
}

impl<R: BufRead> Unpacker<R> {
    /// Reads from `from`.
    pub fn new(from: R) -> Self {
        Self(Source::Unknown(Some(from)))
    }

    fn open(from: &mut Option<R>) -> Result<Source<R>> {
        let mut from = from
            .take()
            .ok_or_else(|| Error::other("the source could not be read before"))?;
        // Sources buffer more than four bytes; one that has fewer holds nothing of either kind.
        let packed = from.fill_buf()?.starts_with(&MAGIC);
        Ok(match packed {
            true => Source::Packed(Box::new(FrameDecoder::new(from))),
            false => Source::Plain(from),
        })
    }
}

impl<R: BufRead> Read for Unpacker<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        if let Source::Unknown(from) = &mut self.0 {
            self.0 = Self::open(from)?;
        }
        match &mut self.0 {
            Source::Plain(from) => from.read(into),
            Source::Packed(decoder) => loop {
                let read = decoder.read(into)?;
                // Between two frames the decoder says that nothing is left.
                if read > 0 || into.is_empty() || decoder.get_mut().fill_buf()?.is_empty() {
                    return Ok(read);
                }
            },
            Source::Unknown(_) => Err(Error::from(ErrorKind::Other)),
        }
    }
}

impl<R: Read> std::fmt::Debug for Unpacker<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match &self.0 {
            Source::Unknown(_) => "Unpacker",
            Source::Plain(_) => "Unpacker of plain bytes",
            Source::Packed(_) => "Unpacker of frames",
        })
    }
}
