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

/// One frame that holds `content`, with its length, and with a checksum of each block, which is
/// seen to before what it holds is given out.
///
/// # Errors
/// None that can happen in memory.
pub fn pack(content: &[u8]) -> Result<Vec<u8>> {
    let form = FrameInfo::new()
        .block_size(BlockSize::Max1MB)
        .block_mode(BlockMode::Independent)
        .content_size(Some(content.len() as u64))
        .block_checksums(true)
        // Of no use beside the other, but the lz4 command 1.9.4 loses its way without it.
        .content_checksum(true);
    let mut encoder = FrameEncoder::with_frame_info(form, Vec::new());
    encoder.write_all(content)?;
    encoder.finish().map_err(Error::other)
}

/// Passes over a frame that [`pack`] made and says how many bytes it has.
///
/// # Errors
/// Those of reading; [`ErrorKind::InvalidData`] for any other frame.
pub fn packed_frame_length(from: &mut impl Read) -> Result<u64> {
    let mut head = [0; 15];
    from.read_exact(&mut head)?;
    // Version 1, independent blocks of 1 MiB with a checksum each, size and checksum of the content.
    if !head.starts_with(&MAGIC) || head[4..6] != [0x7c, 0x60] {
        return Err(Error::from(ErrorKind::InvalidData));
    }
    let mut length = head.len() as u64;
    loop {
        let mut size = [0; 4];
        from.read_exact(&mut size)?;
        // The highest bit says that the block is stored as it is.
        let size = u64::from(u32::from_be_bytes([
            size[3] & 0x7f,
            size[2],
            size[1],
            size[0],
        ]));
        length = length.saturating_add(4);
        // After a block comes its checksum, after the end mark, a size of 0, that of the content.
        let body = size.saturating_add(4);
        if std::io::copy(&mut from.by_ref().take(body), &mut std::io::sink())? != body {
            return Err(Error::from(ErrorKind::UnexpectedEof));
        }
        length = length.saturating_add(body);
        if size == 0 {
            return Ok(length);
        }
    }
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

    /// Forgets what was not written yet.
    pub fn discard(&mut self) {
        self.waiting.clear();
    }

    /// What is written to.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.to
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
    Packed(Box<FrameDecoder<FrameSource<R>>>),
}

/// The least bytes of a frame: magic number, descriptor of 3, end mark.
const LEAST_FRAME: usize = 11;

/// What frames are read from, with the beginning of one that was looked at already: the decoder
/// takes four bytes that are no frame for an end.
struct FrameSource<R> {
    from: R,
    begun: Vec<u8>,
}

impl<R: BufRead> FrameSource<R> {
    /// Whether another frame begins here.
    fn begins(&mut self) -> Result<bool> {
        if self.from.fill_buf()?.is_empty() {
            return Ok(false);
        }
        let mut head = vec![0; LEAST_FRAME];
        self.from.read_exact(&mut head)?;
        if !head.starts_with(&MAGIC) {
            return Err(Error::from(ErrorKind::InvalidData));
        }
        self.begun = head;
        Ok(true)
    }
}

impl<R: Read> Read for FrameSource<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        if self.begun.is_empty() {
            return self.from.read(into);
        }
        let count = self.begun.len().min(into.len());
        let rest = self.begun.split_off(count);
        into[..count].copy_from_slice(&self.begun);
        self.begun = rest;
        Ok(count)
    }
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
            true => Source::Packed(Box::new(FrameDecoder::new(FrameSource {
                from,
                begun: Vec::new(),
            }))),
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
                if read > 0 || into.is_empty() || !decoder.get_mut().begins()? {
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
