//! The frames of a bundle: how each stored row is laid out.

use crate::codec::{DecodeError, Reader, Write, bound};
use crate::ids::ChainId;
use crate::op::MAX_PARTS;
use crate::segment::MAX_SEGMENT_BYTES;
use crate::verify::{StoredBlock, StoredOp, StoredPart, StoredSegment};

/// The most bytes of a frame's body: the greatest op and room for its fields.
pub const MAX_FRAME_BYTES: usize = MAX_SEGMENT_BYTES + (1 << 20);

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Tag {
    /// The chain id and the genesis.
    Chain = 1,
    /// A member's record.
    Member = 2,
    /// A block row.
    Block = 3,
    /// A tile of the log.
    Tile = 4,
    /// A segment row.
    Segment = 5,
    /// An op row.
    Op = 6,
    /// What follows is in no block yet.
    Tail = 7,
    /// An entry of the version vector.
    Vector = 8,
    /// How many frames there were.
    End = 9,
    /// The payloads of row changes are kept back.
    Withheld = 10,
    /// The bundle ends with the last block.
    Stop = 11,
}

impl Tag {
    /// The tag with this number.
    pub fn from_u8(number: u8) -> Option<Self> {
        [
            Self::Chain,
            Self::Member,
            Self::Block,
            Self::Tile,
            Self::Segment,
            Self::Op,
            Self::Tail,
            Self::Vector,
            Self::End,
            Self::Withheld,
            Self::Stop,
        ]
        .into_iter()
        .find(|tag| *tag as u8 == number)
    }
}

pub(super) fn chain_body(chain: &ChainId, genesis: &[u8]) -> Vec<u8> {
    let mut bytes = chain.0.to_vec();
    bytes.put(genesis);
    bytes
}

pub(super) fn read_chain(body: &[u8]) -> Result<(ChainId, &[u8]), DecodeError> {
    let mut reader = Reader::new(body);
    let chain = ChainId(reader.array("chain id")?);
    let genesis = reader.bytes(reader.remaining(), "genesis")?;
    Ok((chain, genesis))
}

pub(super) fn block_body(row: &StoredBlock<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.put_u64(row.height);
    bytes.put_long(row.header);
    bytes.put_long(row.cut);
    bytes.put_long(row.certificate);
    bytes
}

/// Reads the body of a block's frame.
///
/// # Errors
/// [`DecodeError`] that names the field; what a field holds is not looked at.
pub fn read_block(body: &[u8]) -> Result<StoredBlock<'_>, DecodeError> {
    let mut reader = Reader::new(body);
    let row = StoredBlock {
        height: reader.u64("block height")?,
        header: reader.long(MAX_FRAME_BYTES, "header")?,
        cut: reader.long(MAX_FRAME_BYTES, "cut")?,
        certificate: reader.long(MAX_FRAME_BYTES, "certificate")?,
    };
    reader.finish("block")?;
    Ok(row)
}

pub(super) fn tile_body(level: u8, index: u64, hashes: &[u8]) -> Vec<u8> {
    let mut bytes = vec![level];
    bytes.put_u64(index);
    bytes.put(hashes);
    bytes
}

/// Reads the body of a tile's frame: its level, its index, its hashes.
///
/// # Errors
/// As [`read_block`].
pub fn read_tile(body: &[u8]) -> Result<(u8, u64, &[u8]), DecodeError> {
    let mut reader = Reader::new(body);
    let level = reader.u8("tile level")?;
    let index = reader.u64("tile index")?;
    let hashes = reader.bytes(reader.remaining(), "tile")?;
    Ok((level, index, hashes))
}

pub(super) fn segment_body(row: &StoredSegment<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.put_long(row.origin);
    bytes.put_u64(row.first_seq);
    bytes.put_u64(row.count);
    bytes.put_long(row.prev);
    bytes.put_long(row.head);
    bytes.put_long(row.deps);
    bytes.put_u64(row.sealed_ms);
    bytes.put_long(row.signature);
    bytes
}

pub(super) fn read_segment(body: &[u8]) -> Result<StoredSegment<'_>, DecodeError> {
    let mut reader = Reader::new(body);
    let row = StoredSegment {
        origin: reader.long(MAX_FRAME_BYTES, "segment origin")?,
        first_seq: reader.u64("segment first op")?,
        count: reader.u64("segment count")?,
        prev: reader.long(MAX_FRAME_BYTES, "segment prev")?,
        head: reader.long(MAX_FRAME_BYTES, "segment head")?,
        deps: reader.long(MAX_FRAME_BYTES, "segment dependencies")?,
        sealed_ms: reader.u64("segment time")?,
        signature: reader.long(MAX_FRAME_BYTES, "segment signature")?,
    };
    reader.finish("segment")?;
    Ok(row)
}

pub(super) fn op_body(row: &StoredOp<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.put_long(row.origin);
    bytes.put_u64(row.seq);
    bytes.put_u64(row.hlc);
    bytes.put_u8(row.kind);
    bytes.put_long(row.schema_hash);
    bytes.put_long(row.op_hash);
    // No row has more parts than a u16 counts; a reader refuses more than MAX_PARTS anyway.
    let parts = row.parts.get(..MAX_PARTS + 1).unwrap_or(row.parts);
    bytes.put_u16(parts.len() as u16);
    for part in parts {
        bytes.put_long(part.salt);
        bytes.put_long(part.payload);
    }
    bytes
}

/// Reads the body of an op's frame and lends it: [`StoredOp`] borrows its parts.
///
/// # Errors
/// As [`read_block`].
pub fn read_op<T>(body: &[u8], then: impl FnOnce(&StoredOp<'_>) -> T) -> Result<T, DecodeError> {
    let mut reader = Reader::new(body);
    let origin = reader.long(MAX_FRAME_BYTES, "op origin")?;
    let seq = reader.u64("op seq")?;
    let hlc = reader.u64("op hlc")?;
    let kind = reader.u8("op kind")?;
    let schema_hash = reader.long(MAX_FRAME_BYTES, "op schema hash")?;
    let op_hash = reader.long(MAX_FRAME_BYTES, "op hash")?;
    let count = usize::from(reader.u16("op parts")?);
    bound(count, MAX_PARTS + 1, "op parts")?;
    let mut parts = Vec::with_capacity(count);
    for _ in 0..count {
        parts.push(StoredPart {
            salt: reader.long(MAX_FRAME_BYTES, "part salt")?,
            payload: reader.long(MAX_FRAME_BYTES, "part payload")?,
        });
    }
    reader.finish("op")?;
    Ok(then(&StoredOp {
        origin,
        seq,
        hlc,
        kind,
        schema_hash,
        parts: &parts,
        op_hash,
    }))
}

pub(super) fn vector_body(origin: &[u8], seq: u64, head: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.put_long(origin);
    bytes.put_u64(seq);
    bytes.put_long(head);
    bytes
}

pub(super) fn read_vector(body: &[u8]) -> Result<(&[u8], u64, &[u8]), DecodeError> {
    let mut reader = Reader::new(body);
    let origin = reader.long(MAX_FRAME_BYTES, "vector origin")?;
    let seq = reader.u64("vector seq")?;
    let head = reader.long(MAX_FRAME_BYTES, "vector head")?;
    reader.finish("vector")?;
    Ok((origin, seq, head))
}
