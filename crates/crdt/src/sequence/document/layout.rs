//! The bytes of a whole sequence, numbers in LEB128:
//!
//! ```text
//! u8 version = 1 ‖ u8 flags (0 settled, 1 edits, 2 assigned)
//! content: byte length ‖ elements of the living, in order
//! replicas: count, then each (`table`)
//! chunks: count, then (byte length of its entries ‖ living elements
//!         ‖ byte length of their content less their number ‖ deleted elements)
//! entries of all chunks (`packed`)
//! ```

use super::chunk::Chunk;
use super::table::Replica;
use super::{Content, Document};
use crate::DecodeError;
use crate::codec::{Reader, put_varint};
use crate::sequence::order::order;
use crate::sequence::span::Piece;

/// The content of a sequence, behind its version and flags, without reading the rest.
pub(in crate::sequence) fn content_of<C: Content>(
    reader: &mut Reader<'_>,
) -> Result<C, DecodeError> {
    C::read_elements(reader.bytes()?)
}

impl<C: Content> Document<'_, C> {
    /// Appends its bytes, but for version and flags.
    pub fn put(&self, out: &mut Vec<u8>) {
        let mut content = Vec::new();
        let mut entries = Vec::new();
        let mut directory = Vec::with_capacity(6 * self.chunks.len());
        for chunk in &self.chunks {
            let (said, packed) = (content.len(), entries.len());
            chunk.put_content(&mut content);
            chunk.put_entries(&mut entries);
            put_varint(&mut directory, (entries.len() - packed) as u64);
            put_varint(&mut directory, chunk.living as u64);
            let said = content.len() - said;
            put_varint(&mut directory, (said - chunk.living) as u64);
            put_varint(&mut directory, chunk.deleted as u64);
        }
        put_varint(out, content.len() as u64);
        out.extend_from_slice(&content);
        put_varint(out, self.replicas.len() as u64);
        self.replicas.iter().for_each(|replica| replica.put(out));
        put_varint(out, self.chunks.len() as u64);
        out.extend_from_slice(&directory);
        out.extend_from_slice(&entries);
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
    let count = reader.count(4)?;
    let mut directory = reader.clone();
    for _ in 0..4 * count {
        reader.varint()?;
    }
    document.chunks.reserve(count);
    for _ in 0..count {
        let mut number = || usize::try_from(directory.varint()?).map_err(|_| OVER);
        let (packed, living, more, deleted) = (number()?, number()?, number()?, number()?);
        let said = living.checked_add(more).ok_or(OVER)?;
        living.checked_add(deleted).ok_or(OVER)?;
        let (entries, content) = (reader.take(packed)?, content.take(said)?);
        document.size += packed + said + 30;
        let chunk = Chunk::packed(living, deleted, entries, content);
        document.chunks.push(chunk);
    }
    content.finish()?;
    document.size += document.replicas.iter().map(Replica::size).sum::<usize>();
    Ok(document)
}

/// Reads a document of anybody; only what [`Document::put`] writes passes.
pub(in crate::sequence) fn decode<C: Content>(
    reader: &mut Reader<'_>,
) -> Result<Document<'static, C>, DecodeError> {
    const OTHER: DecodeError = DecodeError::NotCanonical("another form of the same");
    let mut all = reader.clone();
    let mut document: Document<'_, C> = open(reader)?;
    document.open_all()?;
    document.check_numbers()?;
    let state = document.to_state()?;
    drop(document);
    let expected = order(&state.spans)
        .map_err(|_| DecodeError::NotCanonical("no sequence has these origins"))?
        .map_err(|_| DecodeError::NotCanonical("an origin that is not there"))?;
    check_order(&state.pieces, &mut expected.into_iter())?;
    state.check_ascending().map_err(|_| OTHER)?;
    // What is left is which of its forms these bytes have.
    let document = Document::of_state(&state).map_err(|_| OTHER)?;
    drop(state);
    let read = all.take(all.remaining() - reader.remaining())?;
    let mut bytes = Vec::with_capacity(read.len());
    document.put(&mut bytes);
    match bytes == read {
        true => Ok(document),
        false => Err(OTHER),
    }
}

/// Whether `pieces` hold the elements in the expected order.
fn check_order(
    pieces: &[Piece],
    expected: &mut dyn Iterator<Item = Piece>,
) -> Result<(), DecodeError> {
    const OTHER: DecodeError = DecodeError::NotCanonical("elements out of order");
    let mut part: Option<Piece> = None;
    for piece in pieces {
        let mut piece = *piece;
        while piece.len > 0 {
            let next = match part.take() {
                Some(rest) => rest,
                None => expected.next().ok_or(OTHER)?,
            };
            if (next.op, next.offset) != (piece.op, piece.offset) {
                return Err(OTHER);
            }
            let len = next.len.min(piece.len);
            piece.offset += len;
            piece.len -= len;
            if next.len > len {
                part = Some(Piece {
                    offset: next.offset + len,
                    len: next.len - len,
                    ..next
                });
            }
        }
    }
    match part.or_else(|| expected.next()) {
        None => Ok(()),
        Some(_) => Err(OTHER),
    }
}
