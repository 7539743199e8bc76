//! The bytes of a whole sequence, numbers in LEB128:
//!
//! ```text
//! u8 version = 1 ‖ u8 flags (0 settled, 1 edits, 2 assigned)
//! content: byte length ‖ elements of the living, in order
//! replicas: count, then each (`table`)
//! chunks: count, byte length of all heads, then heads: (byte length of its entries
//!         ‖ living elements ‖ byte length of their content less their number ‖ deleted elements)
//! entries of all chunks (`packed`)
//! ```

use super::chunk::{Chunk, Packed, Part};
use super::packed::pack;
use super::table::Replica;
use super::{Content, Document};
use crate::DecodeError;
use crate::codec::{Reader, put_bytes, put_varint};

/// The content of a sequence, behind its version and flags, without reading the rest.
pub(in crate::sequence) fn content_of<C: Content>(
    reader: &mut Reader<'_>,
) -> Result<C, DecodeError> {
    C::read_elements(reader.bytes()?)
}

/// A column of what chunks hold: parts that are stored side by side are copied as one.
struct Column<'a, 'o> {
    out: &'o mut Vec<u8>,
    waiting: Part<'a>,
}

impl<'a, 'o> Column<'a, 'o> {
    fn new(out: &'o mut Vec<u8>) -> Self {
        let waiting = Part { from: &[], len: 0 };
        Self { out, waiting }
    }

    fn copy(&mut self, part: Part<'a>) {
        if self.waiting.from.len() == self.waiting.len + part.from.len() {
            self.waiting.len += part.len;
        } else {
            self.out.extend_from_slice(self.waiting.bytes());
            self.waiting = part;
        }
    }

    /// What was put out so far, with nothing waiting.
    fn flushed(&mut self) -> &mut Vec<u8> {
        self.out.extend_from_slice(self.waiting.bytes());
        self.waiting = Part { from: &[], len: 0 };
        self.out
    }
}

impl<C: Content> Document<'_, C> {
    /// Appends its bytes, but for version and flags.
    pub fn put(&self, out: &mut Vec<u8>) {
        let said = self.chunks.iter().map(Chunk::content_bytes).sum();
        out.reserve(self.size.max(said));
        put_varint(out, said as u64);
        let mut content = Column::new(out);
        for chunk in &self.chunks {
            match chunk.state() {
                Ok(opened) => C::put_elements(opened.content.slice(), content.flushed()),
                Err(packed) => content.copy(packed.content),
            }
        }
        content.flushed();
        put_varint(out, self.replicas.len() as u64);
        self.replicas.iter().for_each(|replica| replica.put(out));
        put_varint(out, self.chunks.len() as u64);
        let (mut head_bytes, mut entry_bytes) = (Vec::new(), Vec::new());
        let mut heads = Column::new(&mut head_bytes);
        let mut entries = Column::new(&mut entry_bytes);
        for chunk in &self.chunks {
            match chunk.state() {
                Ok(opened) => {
                    let (heads, entries) = (heads.flushed(), entries.flushed());
                    let before = entries.len();
                    pack(entries, &opened.entries);
                    put_varint(heads, (entries.len() - before) as u64);
                    put_varint(heads, chunk.living as u64);
                    put_varint(heads, (chunk.content_bytes() - chunk.living) as u64);
                    put_varint(heads, chunk.deleted as u64);
                }
                Err(packed) => {
                    heads.copy(packed.head);
                    entries.copy(packed.entries);
                }
            }
        }
        put_bytes(out, heads.flushed());
        out.extend_from_slice(entries.flushed());
    }
}

impl<'a, C: Content> Document<'a, C> {
    /// With nothing packed left in it.
    pub fn into_open(mut self) -> Result<Document<'static, C>, DecodeError> {
        self.open_all()?;
        let replicas = self.replicas.iter().map(Replica::opened);
        let chunks = self.chunks.into_iter().map(Chunk::into_open);
        Ok(Document {
            replicas: replicas.collect::<Result<_, _>>()?,
            chunks: chunks.collect::<Result<_, _>>()?,
            recent: self.recent,
            size: self.size,
        })
    }
}

/// Reads a document that this node wrote: what it says is looked into only as far as it is used.
pub(in crate::sequence) fn open<'a, C: Content>(
    reader: &mut Reader<'a>,
) -> Result<Document<'a, C>, DecodeError> {
    const OVER: DecodeError = DecodeError::NotCanonical("number over its range");
    /// Bytes of a head and of an entry, at least.
    const HEAD: usize = 4;
    const ENTRY: usize = 3;
    let start = reader.remaining();
    let mut content = Reader::new(reader.bytes()?);
    let mut document = Document::default();
    for _ in 0..reader.count(20)? {
        let replica = Replica::read(reader)?;
        if document
            .replicas
            .last()
            .is_some_and(|last| last.id >= replica.id)
        {
            return Err(DecodeError::NotCanonical("replicas must ascend"));
        }
        document.replicas.push(replica);
    }
    let count = reader.count(HEAD + ENTRY)?;
    let mut heads = Reader::new(reader.bytes()?);
    document.chunks.reserve(count);
    let part = |reader: &mut Reader<'a>, len: usize| {
        let from = reader.rest();
        reader.take(len)?;
        Ok::<_, DecodeError>(Part { from, len })
    };
    let mut total = 0usize;
    for _ in 0..count {
        let from = heads.rest();
        let mut number = || usize::try_from(heads.varint()?).map_err(|_| OVER);
        let (packed, living, more, deleted) = (number()?, number()?, number()?, number()?);
        let said = living.checked_add(more).ok_or(OVER)?;
        let all = living.checked_add(deleted).ok_or(OVER)?;
        if all == 0 || packed < ENTRY {
            return Err(DecodeError::NotCanonical("an empty chunk"));
        }
        total = total.checked_add(all).ok_or(OVER)?;
        let len = from.len() - heads.remaining();
        let packed = Packed {
            head: Part { from, len },
            entries: part(reader, packed)?,
            content: part(&mut content, said)?,
        };
        document.chunks.push(Chunk::packed(living, deleted, packed));
    }
    heads.finish()?;
    content.finish()?;
    document.size += start - reader.remaining();
    Ok(document)
}

/// Reads a document of anybody; only what [`Document::put`] writes passes.
pub(in crate::sequence) fn decode<C: Content>(
    reader: &mut Reader<'_>,
) -> Result<Document<'static, C>, DecodeError> {
    let mut document: Document<'_, C> = open(reader)?;
    document.check_form()?;
    let document = document.into_open()?;
    document.check_order()?;
    Ok(document)
}
