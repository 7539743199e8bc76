//! What has to be kept of the blocks before the one that a verification begins with.

use std::collections::BTreeMap;

use super::frame::{Tag, read_block, read_tile};
use super::frames::Frame;
use crate::block::Header;
use crate::codec::DecodeError;
use crate::merkle::{Frontier, TILE_WIDTH};
use crate::verify::{ChainVerifier, StoredBlock};

/// How many tiles are held whose leaves were not reached; a sound bundle needs two.
const MAX_TILES: usize = 4_096;

/// The last block that was skipped and the edge of the log after it. Nothing of it is believed:
/// the edge must lead to the root in the header, the header to its certificate.
#[derive(Debug, Default)]
pub(super) struct Skipped {
    /// The body of the last block's frame.
    block: Option<Vec<u8>>,
    edge: Frontier,
    tiles: BTreeMap<u64, Vec<u8>>,
}

impl Skipped {
    /// Passes a frame over.
    pub fn frame(&mut self, frame: &Frame) -> Result<(), DecodeError> {
        match frame.tag {
            Tag::Block => {
                read_block(&frame.body)?;
                self.advance();
                self.block = Some(frame.body.clone());
            }
            Tag::Tile => {
                let (level, index, hashes) = read_tile(&frame.body)?;
                if level == 0 && self.tiles.len() < MAX_TILES {
                    self.tiles.insert(index, hashes.to_vec());
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The last block that was passed over.
    pub fn previous(&self) -> Option<StoredBlock<'_>> {
        self.block.as_ref().and_then(|body| read_block(body).ok())
    }

    /// The edge of the log after that block; shorter if leaves are missing.
    pub fn edge(&mut self) -> Frontier {
        self.advance();
        self.edge.clone()
    }

    /// Gives the tiles that hold leaves beyond the edge to who begins there.
    pub fn hand_over(&mut self, verifier: &mut ChainVerifier) {
        for (index, hashes) in std::mem::take(&mut self.tiles) {
            verifier.tile(0, index, &hashes);
        }
    }

    /// Takes the last block's leaves into the edge.
    fn advance(&mut self) {
        let header = self.previous().map(|row| Header::from_bytes(row.header));
        let Some(Ok(header)) = header else { return };
        while self.edge.size() < header.tree_size {
            let at = self.edge.size();
            let tile = self.tiles.get(&(at / TILE_WIDTH));
            let (hashes, _) = tile.map_or(&[][..], Vec::as_slice).as_chunks::<32>();
            let Some(hash) = hashes.get((at % TILE_WIDTH) as usize) else {
                break;
            };
            self.edge.push(*hash);
        }
        self.tiles = self.tiles.split_off(&(self.edge.size() / TILE_WIDTH));
    }
}
