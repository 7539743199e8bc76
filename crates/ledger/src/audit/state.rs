//! An audit as bytes, to go on with it another day:
//!
//! ```text
//! "bcrdt/audit/v1\0" ‖ chain 32 ‖ u64 size ‖ hashes of the open tiles, 32 each, level 0 first
//! ‖ u8 1 ‖ u64 height ‖ header hash 32 ‖ u64 hlc       or u8 0, before the first header
//! ‖ u32 nodes ‖ (node 32 ‖ u64 seq ‖ head 32)…          ascending
//! ‖ u8 1 ‖ node 32                                       or u8 0: whose ops came last in the block
//! ‖ SHA-256 of all that 32                               against damage, not against forgers
//! ```

use super::LogAudit;
use super::edge::Edge;
use super::links::{LastHeader, Links};
use crate::codec::{DecodeError, Reader, Write};
use crate::hash::sha256;
use crate::ids::{ChainId, NodeId};
use crate::merkle::TILE_WIDTH;
use crate::vector::{MAX_MEMBERS, Position};

const LABEL: &[u8] = b"bcrdt/audit/v1\0";

impl LogAudit {
    /// The audit as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.put(LABEL);
        bytes.put(&self.chain.0);
        bytes.put_u64(self.edge.size());
        self.edge.hashes().for_each(|hash| bytes.put(hash));
        match &self.links.header {
            Some(header) => {
                bytes.put_u8(1);
                bytes.put_u64(header.height);
                bytes.put(&header.hash);
                bytes.put_u64(header.hlc);
            }
            None => bytes.put_u8(0),
        }
        bytes.put_u32(self.links.origins.len() as u32);
        for (origin, at) in &self.links.origins {
            bytes.put(&origin.0);
            bytes.put_u64(at.seq);
            bytes.put(&at.head);
        }
        match &self.links.current {
            Some(origin) => {
                bytes.put_u8(1);
                bytes.put(&origin.0);
            }
            None => bytes.put_u8(0),
        }
        let sum = sha256(&[&bytes]);
        bytes.put(&sum);
        bytes
    }

    /// Reads [`LogAudit::to_bytes`].
    ///
    /// # Errors
    /// [`DecodeError`]; what is damaged is not gone on with.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let damaged = DecodeError::Value { what: "audit" };
        let (body, sum) = bytes.split_last_chunk().ok_or(damaged.clone())?;
        if sha256(&[body]) != *sum {
            return Err(damaged);
        }
        let mut reader = Reader::new(body);
        reader.label(LABEL, "audit")?;
        let chain = ChainId(reader.array("audit chain")?);
        let edge = edge(&mut reader)?;
        let header = match flag(&mut reader, "audit header")? {
            true => Some(LastHeader {
                height: reader.u64("audit height")?,
                hash: reader.array("audit header hash")?,
                hlc: reader.u64("audit header time")?,
            }),
            false => None,
        };
        let mut links = Links {
            header,
            ..Links::default()
        };
        let count = reader.u32("audit nodes")? as usize;
        if count > MAX_MEMBERS {
            return Err(DecodeError::TooLarge {
                what: "audit nodes",
                found: count as u64,
                limit: MAX_MEMBERS as u64,
            });
        }
        for _ in 0..count {
            let origin = NodeId(reader.array("audit node")?);
            let at = Position {
                seq: reader.u64("audit sequence")?,
                head: reader.array("audit head")?,
            };
            if links
                .origins
                .last_key_value()
                .is_some_and(|(last, _)| *last >= origin)
            {
                return Err(DecodeError::Value {
                    what: "audit nodes",
                });
            }
            links.origins.insert(origin, at);
        }
        if flag(&mut reader, "audit last node")? {
            links.current = Some(NodeId(reader.array("audit last node")?));
        }
        reader.finish("audit")?;
        Ok(Self { chain, edge, links })
    }
}

fn edge(reader: &mut Reader) -> Result<Edge, DecodeError> {
    let size = reader.u64("audit size")?;
    let (mut count, mut rest) = (0, size);
    while rest > 0 {
        count += rest % TILE_WIDTH;
        rest /= TILE_WIDTH;
    }
    // At most eight levels of 255 hashes.
    let hashes = (0..count)
        .map(|_| reader.array("audit hashes"))
        .collect::<Result<Vec<_>, _>>()?;
    Edge::of(size, &hashes).ok_or(DecodeError::Value {
        what: "audit hashes",
    })
}

fn flag(reader: &mut Reader, what: &'static str) -> Result<bool, DecodeError> {
    match reader.u8(what)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::Value { what }),
    }
}
