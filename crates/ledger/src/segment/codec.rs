//! The fixed layout of a segment.

use super::{MAX_SEGMENT_BYTES, MAX_SEGMENT_OPS, Segment};
use crate::codec::{DecodeError, Reader, Write, bound};
use crate::ids::NodeId;
use crate::op::{Kind, MAX_PARTS, MAX_PAYLOAD, Op, Part};
use crate::vector::{Position, deps_entries, read_deps};

impl Segment {
    /// How many bytes [`Self::to_bytes`] gives.
    pub fn encoded_len(&self) -> usize {
        let ops: usize = self.ops.iter().map(op_len).sum();
        1 + 32 + 40 + 4 + self.deps.len() * 40 + 8 + 4 + ops + 32 + 64
    }

    /// Version byte 1, origin, prev, deps, sealed ms, ops, head, signature.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded_len());
        bytes.put_u8(1);
        bytes.put(&self.origin.0);
        bytes.put_u64(self.prev.seq);
        bytes.put(&self.prev.head);
        bytes.put(&deps_entries(&self.deps));
        bytes.put_u64(self.sealed_ms);
        bytes.put_u32(self.ops.len() as u32);
        for op in &self.ops {
            bytes.put_u64(op.seq);
            bytes.put_u64(op.hlc);
            bytes.put_u8(op.kind as u8);
            bytes.put(&op.schema_hash);
            bytes.put_u16(op.parts.len() as u16);
            for part in &op.parts {
                bytes.put(&part.salt);
                bytes.put_long(&part.payload);
            }
        }
        bytes.put(&self.head);
        bytes.put(&self.signature);
        bytes
    }

    /// Reads [`Self::to_bytes`]. The result is well-formed, not verified.
    ///
    /// # Errors
    /// [`DecodeError`] that names the field.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        bound(bytes.len(), MAX_SEGMENT_BYTES, "segment")?;
        let mut reader = Reader::new(bytes);
        reader.version(1, "segment")?;
        let origin = NodeId(reader.array("segment origin")?);
        let prev = Position {
            seq: reader.u64("segment prev")?,
            head: reader.array("segment prev")?,
        };
        let deps = read_deps(&mut reader)?;
        let sealed_ms = reader.u64("segment time")?;
        let count = reader.u32("segment ops")? as usize;
        bound(count, MAX_SEGMENT_OPS, "segment ops")?;
        let mut ops = Vec::new();
        for _ in 0..count {
            ops.push(read_op(&mut reader)?);
        }
        let head = reader.array("segment head")?;
        let signature = reader.array("segment signature")?;
        reader.finish("segment")?;
        Ok(Self {
            origin,
            prev,
            deps,
            sealed_ms,
            ops,
            head,
            signature,
        })
    }
}

fn op_len(op: &Op) -> usize {
    let parts: usize = op.parts.iter().map(|p| 32 + 4 + p.payload.len()).sum();
    8 + 8 + 1 + 32 + 2 + parts
}

fn read_op(reader: &mut Reader<'_>) -> Result<Op, DecodeError> {
    let seq = reader.u64("op seq")?;
    let hlc = reader.u64("op hlc")?;
    let kind =
        Kind::from_u8(reader.u8("op kind")?).ok_or(DecodeError::Value { what: "op kind" })?;
    let schema_hash = reader.array("op schema hash")?;
    let count = usize::from(reader.u16("op parts")?);
    bound(count, MAX_PARTS, "op parts")?;
    let mut parts = Vec::with_capacity(count);
    for _ in 0..count {
        let salt = reader.array("part salt")?;
        let payload = reader.long(MAX_PAYLOAD, "part payload")?.to_vec();
        parts.push(Part { salt, payload });
    }
    Ok(Op {
        seq,
        hlc,
        kind,
        schema_hash,
        parts,
    })
}
